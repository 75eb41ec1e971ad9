"""What Whisper says of applause is no words."""

from __future__ import annotations

import math

import pytest

from pleinair.models.hearing.doubt import Guess, loops, repeats, twice

from .conftest import SAID


def guess(words: str, confidence: float, nobody: float = 0.1, tokens: int = 10, seconds: float = 4.0) -> Guess:
    return Guess(words, math.log(confidence), nobody, tokens, seconds, "en", "en")


def test_a_text_that_loops_is_noticed():
    assert loops("It was the epoch of belief. " * 8) and not loops(SAID)
    assert repeats("I don't know, I don't know, I don't know") and not repeats(SAID) and not repeats("no, no")


@pytest.mark.parametrize(
    "heard",
    [
        guess("", 0.9), guess("you", 0.3, nobody=0.7), guess("It's", 0.14), guess("of", 0.3, seconds=0.4),
        guess("I don't know, I don't know, I don't know.", 0.55), guess("ah" * 90, 0.9, tokens=114),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_nothing(heard):
    assert heard.nothing


@pytest.mark.parametrize(
    "heard",
    [
        guess(SAID, 0.9, tokens=150, seconds=40), guess("Yes.", 0.5, nobody=0.7), guess("It was a bad line.", 0.3),
        guess("no, no, no, no, no, no, no, no, no, no, no, no, no, no", 0.9, tokens=28),
    ],
    ids=repr,
)  # fmt: skip
def test_what_somebody_said(heard):
    assert not heard.nothing


def test_confidence_is_the_mean_probability():
    assert guess("it was", 0.5).confidence == 0.5 and guess("it was", 1.0).confidence == 1.0
    assert guess("it was", 0.3).doubtful and not guess("it was", 0.5).doubtful


def test_a_sentence_two_times_is_heard_again_and_not_thrown_away():
    again = "Who taught you how to speak? Who taught you how to speak?"
    assert twice(again) and guess(again, 0.8).doubtful and not guess(again, 0.8).nothing
    for once in (SAID, "No, no.", "Who taught you how to speak?", "Row, row, row your boat.", again + " Tell me."):
        assert not twice(once), once
