"""Text cut into clauses, whole or while it is being written."""

from __future__ import annotations

import pytest

from pleinair.models.hearing.clauses import Clauses


def cut(text: str) -> list[str]:
    return list(Clauses().take(text, True))


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Hello there.", ["Hello there."]),
        ("Yes! No? Maybe...", ["Yes!", "No?", "Maybe..."]),
        ("It costs 3.50, says Mr. Smith. Fine.", ["It costs 3.50,", "says Mr. Smith.", "Fine."]),
        ("e.g. this one. That.", ["e.g. this one.", "That."]),
        ("no mark at all", ["no mark at all"]),
        ("", []),
        ("line one\nline two", ["line one", "line two"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
    ],
)
def test_a_text_in_clauses(text, clauses):
    assert cut(text) == clauses


def test_nothing_is_lost_and_the_first_is_short():
    text = " ".join(["the light over the water changed again and again"] * 20)
    found = cut(text)
    assert " ".join(found) == text
    assert len(found[0]) <= 32 and max(map(len, found)) <= 270


def test_letter_by_letter_gives_the_same_clauses_as_at_once():
    text = "Good morning, dear guest! The light is changing now. What should we paint today, then?"
    growing, found = Clauses(), []
    for n in range(1, len(text) + 1):
        found += growing.take(text[:n], n == len(text))
    assert found == ["Good morning,", "dear guest!", "The light is changing now.", "What should we paint today, then?"]


def test_another_text_is_begun_anew():
    clauses = Clauses()
    assert list(clauses.take("One. Two. Thr", False)) == ["One.", "Two."]
    assert list(clauses.take("Other. ", False)) == ["Other."]
    assert list(clauses.take("Other. ", True)) == []
    assert list(clauses.take("Other. ", True)) == ["Other."]
