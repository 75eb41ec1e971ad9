"""What docs/safety.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.safe import check

from . import broken, evil

PAGE = (Path(__file__).parents[3] / "docs" / "safety.md").read_text("utf-8")


def test_the_lines_on_the_page_run(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(block, {})
    assert capsys.readouterr().out == "json\n"


def test_the_refusal_on_the_page_is_the_real_one(tmp_path):
    blob = next(blob for label, blob in evil.pickles(str(tmp_path / "ran"), 9) if label == "os.system, protocol 5")
    with pytest.raises(ModelFault) as fault:
        check(blob, "style.safetensors")
    assert str(fault.value) in PAGE


def test_the_counts_on_the_page_are_the_real_ones():
    count = sum(1 for make, _ in broken.CLASSES.values() for _ in make())
    assert f"{count} files broken by hand in ten ways" in PAGE and len(broken.CLASSES) == 10
    assert f"{len(list(evil.pickles('x', 9)))} harmful pickles" in PAGE and len(evil.NAMES) == 11
