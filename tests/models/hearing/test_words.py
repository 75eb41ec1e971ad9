"""Which language Whisper is told to write, and words that are none."""

from __future__ import annotations

import pytest

from pleinair.models.hearing.words import SURE_OF_LANGUAGE, Words


class Ear:
    """A Whisper of many languages that hears one, so surely."""

    multilingual = True

    def __init__(self, language: str, sure: float) -> None:
        self.heard = [(language, sure), ("en", 0.1)]

    def languages(self, encoded):
        return self.heard


def words(language: str, sure: float) -> Words:
    made = Words.__new__(Words)
    made._whisper, made._card = Ear(language, sure), "ear"
    return made


@pytest.mark.parametrize(
    ("sure", "likely", "is_"),
    [(0.9, "", "de"), (0.9, "fr", "de"), (0.3, "fr", "fr"), (0.3, "", "de"), (SURE_OF_LANGUAGE, "fr", "de")],
)
def test_where_it_is_not_sure_it_keeps_to_the_language_before(sure, likely, is_):
    assert words("de", sure).language(None, "", likely) == is_
    assert words("de", sure).language(None, " Auto ", likely) == is_


@pytest.fixture(scope="module")
def model(opened):
    return opened("whisper-tiny-en")


def test_what_is_asked_for_counts_and_marks_alone_are_no_words(model):
    known = model._words
    assert known.language(None) == known.language(None, "EN ", "de") == "en"
    with pytest.raises(ValueError, match="hears English only"):
        known.language(None, "de")
    encode = known._of("en", False).encode
    assert known.text(encode(" ... —")) == "" and known.text(encode(" Oh... 7!")) == "Oh... 7!"


def test_a_sound_of_two_languages_is_of_the_one_that_was_spoken_longest(model, monkeypatch):
    from pleinair.core.kinds import Sound, Text

    first, second = Text("Bonjour.", confidence=0.4, language="fr"), Text("Hi.", confidence=0.8, language="en")
    rows = [(0.0, 1.0, first), (2.0, 5.0, second)]
    monkeypatch.setattr(model, "_transcript", lambda sound, values: rows)
    heard = model(Sound([0.0], 16_000))
    assert repr(heard) == "Text('Bonjour. Hi.', confidence=0.7, language='en')"
