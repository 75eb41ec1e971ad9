"""The table: every licence has a verdict for every use, with clause, source, date and a sentence."""

from __future__ import annotations

import re

import pytest

from pleinair.licence.gate import verdict
from pleinair.licence.parts import Part
from pleinair.licence.terms import READ, VERDICTS, row_of, rows, texts, worst
from pleinair.manifest import USES, Operator

SPECIFIED = range(1, 39)
OF_ROW = {
    1: "Apache-2.0", 2: "MIT", 3: "BSD-3-Clause", 4: "CC0-1.0", 5: "CC-BY-4.0", 10: "OpenMDW-1.1",
}  # fmt: skip


def cells():
    return [pytest.param(row, use, id=f"{row.number}-{use}") for row in rows() for use in USES]


@pytest.mark.parametrize("row, use", cells())
def test_every_licence_answers_every_use_with_clause_source_date_and_sentence(row, use):
    cell = row.cells[use]
    assert cell.verdict in VERDICTS
    assert len(cell.clause) > 1
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", row.date)
    assert len(cell.says) > 15 and cell.says[0].isupper() or cell.says.startswith('"'), cell.says
    assert cell.says.rstrip().endswith((".", "?")) or cell.says.rstrip().endswith('."')
    for licence in row.ids:
        assert len(row.source(licence)) > 10


def test_the_38_rows_of_the_specification_are_there_and_304_cells():
    numbers = [row.number for row in rows()]
    assert set(SPECIFIED) <= set(numbers) and len(numbers) == len(set(numbers))
    assert sum(len(row.cells) for row in rows() if row.number in SPECIFIED) == 38 * 8


def test_a_row_says_how_it_is_known():
    for row in rows():
        assert row.read in READ
        assert (row.read == "R") == bool(row.texts), row.name
        assert row.texts or row.said_in


def test_texts_are_known_by_hash_and_name_their_place():
    for key, entry in texts().items():
        assert re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]), key
        assert entry["from"].startswith(("scancode-toolkit", "repository "))
        assert entry["ids"] and entry["words"] > 20


@pytest.mark.parametrize("use", USES)
def test_an_identifier_whose_text_nobody_read_gives_at_best_ask(use):
    for row in rows():
        for licence in row.ids:
            judged = verdict([Part("it", "weights", licence)], use, Operator("artist", 0, "US")).verdict
            if not row.text_read(licence):
                assert judged in ("ask", "refuse"), licence


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("number", sorted(OF_ROW))
def test_the_permissive_rows_do_give_permission(number, use):
    assert row_of(OF_ROW[number]).number == number
    assert verdict([Part("it", "weights", OF_ROW[number])], use).verdict in ("allow", "duties")


def refused(number):
    row = next(r for r in rows() if r.number == number)
    return {use for use, cell in row.cells.items() if cell.verdict == "refuse"}


def test_rows_refuse_as_the_specification_says():
    """Columns X (exhibition), S (sale with weights) and A (archive) of shared design: n is refuse."""
    both = {"exhibit-free", "exhibit-paid"}
    for number in (19, 21, 34, 37):
        assert both | {"sell-edition", "sell-outputs"} <= refused(number), number
    for number in (7, 8, 25, 29, 33, 35):
        assert {"exhibit-paid", "sell-edition"} <= refused(number) and "exhibit-free" not in refused(number), number
    assert "archive-deposit" in refused(38)
    assert {"fine-tune", "publish-weights", "sell-edition"} <= refused(9)
    for number in (11, 12, 13, 14, 15, 16, 18, 22, 24, 26, 27, 28, 30, 31, 32, 36):
        assert not refused(number), number


def test_openrail_m_tells_an_archive_of_its_clause_on_the_latest_version():
    assert "latest version" in row_of("LicenseRef-scancode-stable-diffusion-2022-08-22").cells["archive-deposit"].says


def test_worst_of_nothing_is_refuse():
    assert worst([]) == "refuse" and worst(["allow", "ask", "duties"]) == "ask"
