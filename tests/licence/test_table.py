"""docs/licences.md: its table is the data's, and what it tells to type works."""

from __future__ import annotations

import re
from pathlib import Path

from pleinair.licence.table import page, text
from pleinair.manifest import USES, parse, read

PAGE = (Path(__file__).parents[2] / "docs" / "licences.md").read_text("utf-8")


def test_the_table_is_made_of_the_data():
    assert page(PAGE) == PAGE, "make docs writes it again"


def test_it_has_a_line_for_each_licence_and_a_column_for_each_use():
    lines = text().splitlines()
    assert len(lines) >= 2 + 38
    assert {line.count(" | ") for line in lines if line.startswith("| ")} >= {len(USES) + 2}


def test_every_use_is_explained():
    assert all(f"`{use}`" in PAGE for use in USES) and "no legal advice" in PAGE


def test_the_operators_table_of_the_page_is_understood(tmp_path):
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "site.toml").write_text(toml, "utf-8")
    assert read(tmp_path).operator.kind == "museum"
    uses = re.search(r"`(uses = .*?)`", PAGE)
    assert parse(uses[1], tmp_path / "piece.toml").uses == ("exhibit-free", "archive-deposit")
