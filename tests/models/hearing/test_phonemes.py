"""espeak-ng as a program: phonemes with their marks, and its spelling as Kokoro learnt it."""

from __future__ import annotations

import pytest

from pleinair.models.hearing.phonemes import check_language, languages, phonemes
from pleinair.models.hearing.voices import spell

from .conftest import needs_espeak

pytestmark = needs_espeak


def test_marks_stay_where_they_were():
    found = phonemes("Well, hello — is it 3.5? Mr. Smith!", "en-us")
    assert [mark for _, mark in found] == [",", "—", "?", "!"]
    assert all(sounds for sounds, _ in found)


def test_nothing_but_marks_is_nothing():
    assert phonemes("... — !", "en-us") == [] and phonemes("", "en-us") == []


def test_a_text_is_never_an_option_or_a_command():
    assert phonemes("--version", "en-us") and phonemes("-v de; rm -rf /", "en-us")
    assert phonemes("hello\nthere", "en-us") == phonemes("hello there", "en-us")


def test_languages_by_name():
    assert {"en-us", "en-gb", "de", "es"} <= set(languages()) and check_language("de") == "de"
    with pytest.raises(ValueError, match='no language "en-uss": did you mean "en-us"'):
        phonemes("hello", "en-uss")


def test_as_kokoro_spells_it():
    assert spell(phonemes("The boy might enjoy a joyful boat now.", "en-us"), "en-us") == (
        "ðə bˈY mˌIt ɛnʤˈY ə ʤˈYfᵊl bˈOt nˈW."
    )
    assert "T" in spell(phonemes("better", "en-us"), "en-us") and "Q" in spell(phonemes("boat", "en-gb"), "en-gb")
