"""Whisper on real speech: words while one speaks, words at the end, the same as faster-whisper's own."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Sound, Text
from pleinair.models import load
from pleinair.models.card import find_card, read_card
from pleinair.models.hearing.transcribe import loops

from .conftest import SAID, needs_espeak, part, streamed, word_errors


@pytest.fixture(scope="module")
def model(weights):
    model = load("whisper-tiny-en")
    yield model
    model.close()


@pytest.fixture(scope="module")
def heard(model, speech):
    """What a piece would get of the first 14 seconds."""
    model.reset()
    return streamed(model, part(speech, 0, 14), 0.05)


@pytest.mark.slow
def test_a_whole_reading(model, speech):
    words = model(speech)
    assert isinstance(words, Text) and words.final
    assert word_errors(words, SAID) <= 0.04


def test_the_same_words_as_faster_whisper_on_the_same_cuts(model, speech):
    cuts = model.cuts(part(speech, 0, 17))
    assert len(cuts) == 3
    from faster_whisper import WhisperModel

    from pleinair.models import store

    card = find_card("whisper-tiny-en")
    files = {card.files[r].name: store.read(card, r) for r in ("model", "config", "tokenizer", "vocabulary")}
    bare = WhisperModel("tiny.en", device="cpu", compute_type="int8", cpu_threads=1, files=files)
    for cut in cuts:
        theirs = " ".join(s.text for s in bare.transcribe(cut.samples, language="en", without_timestamps=True)[0])
        ours = model(Sound(np.concatenate([np.zeros((8000, 1), np.float32), cut.samples[:, None]]), 16_000))
        assert word_errors(ours, theirs) == 0


def test_words_come_while_one_speaks_and_final_after(heard):
    finals = [(t, words) for t, words in heard if words.final]
    assert len(finals) == 2
    assert word_errors(finals[0][1], " ".join(SAID.split()[:24])) == 0
    partial = [(t, words) for t, words in heard if not words.final and t < finals[0][0]]
    assert len(partial) >= 4 and partial[0][0] < 3 and partial[0][1].startswith("It was the")
    assert all(len(a[1]) < len(finals[0][1]) for a in partial[:3])


def test_the_words_are_there_half_a_second_after_the_voice(model, heard, speech):
    end_s = model.cuts(part(speech, 0, 9.5))[0].end_s
    final_s = next(t for t, words in heard if words.final)
    assert final_s - end_s <= 0.5 + 0.1  # content time; what the network needs is spent at the pause


def test_the_final_words_are_those_of_the_pause(heard):
    at = next(n for n, (_, words) in enumerate(heard) if words.final)
    assert str(heard[at][1]) == str(heard[at - 1][1]) and not heard[at - 1][1].final


def test_large_chunks_give_the_same_final_words(model, speech, heard):
    model.reset()
    coarse = [words for _, words in streamed(model, part(speech, 0, 14), 1.0) if words.final]
    assert [str(w) for w in coarse] == [str(w) for _, w in heard if w.final]


def test_where_nobody_speaks_there_are_no_words(model):
    rng = np.random.default_rng(2)
    noise = Sound(rng.normal(0, 0.05, (96_000, 1)).astype(np.float32), 48_000)
    assert model(noise) == "" and model(Sound(np.zeros((0, 1), np.float32), 48_000)) == ""
    model.reset()
    assert streamed(model, noise) == []


@needs_espeak
def test_rare_words_are_heard_when_they_are_expected(model):
    voice = load("kokoro")
    sound = voice("My name is Siobhan and I live in Llanelli.", voices="am_michael")
    voice.close()
    assert "Llanelli" not in model(sound)
    assert "Llanelli" in model(sound, words="Siobhan, Llanelli")


def test_a_language_that_it_does_not_hear_is_a_sentence(model, speech):
    with pytest.raises(ValueError, match="hears English only"):
        model(part(speech, 1, 3), language="de")
    with pytest.raises(ModelFault, match="language is a text"):
        load("whisper-tiny-en", language=3)


def test_a_text_that_loops_is_noticed():
    assert loops("It was the epoch of belief. " * 8) and not loops(SAID)


def test_a_card_without_a_tokenizer_is_a_sentence(tmp_path):
    from pleinair.models.card import BUILT_IN

    text = (BUILT_IN / "whisper-tiny-en.toml").read_text()
    begin, end = text.index("[files.tokenizer]"), text.index("[files.vocabulary]")
    (tmp_path / "card.toml").write_text(text[:begin] + text[end:])
    with pytest.raises(ModelFault, match="names no tokenizer"):
        load(read_card(tmp_path / "card.toml")).open()


def test_its_lock_says_what_it_runs_on(model):
    about = model.describe()["backend"]
    assert about["name"] == "ctranslate2" and about["precision"] == "int8" and about["version"]
