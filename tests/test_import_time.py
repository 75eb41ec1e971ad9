"""`import pleinair` needs numpy and nothing heavy, and so does the help: modules are counted, not seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["cv2", "av", "openvino", "onnxruntime", "aiohttp", "rich", "simplejpeg", "qoi", "platformdirs"]


def loaded_by(code: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(told.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import pleinair",
        "from pleinair import Piece, same, every, latest, Fault, Mask",
        "from pleinair import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass",
        "from pleinair import cli\ntry:\n    cli.main(['run', '--help'])\nexcept SystemExit:\n    pass",
        "from pleinair import cli\ntry:\n    cli.main(['check', '--help'])\nexcept SystemExit:\n    pass",
        "from pleinair import cli\ncli.main(['--version'])",
    ],
)
def test_nothing_heavy_is_imported(code):
    modules = loaded_by(code)
    assert not modules & set(HEAVY)
    assert "pleinair" in modules


def test_a_word_of_paint_brings_what_it_needs_when_it_is_used():
    assert "cv2" not in loaded_by("import pleinair\npleinair.Piece()")
    assert "cv2" in loaded_by("import pleinair, numpy\npleinair.blur(numpy.zeros((9, 9, 3), 'u1'))")
