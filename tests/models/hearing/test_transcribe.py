"""Whisper on real speech: words while one speaks, words at the end, the same as faster-whisper's own."""

from __future__ import annotations

from os.path import commonprefix  # of any two rows

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Sound, Text
from pleinair.models import clip_path, load
from pleinair.models.card import find_card, read_card
from pleinair.models.fetch import fetch
from pleinair.models.hearing.voice_activity import RATE
from pleinair.sources.sound import SoundFile

from .conftest import SAID, needs_espeak, part, streamed, word_errors


@pytest.fixture(scope="module")
def model(opened):
    return opened("whisper-tiny-en")


@pytest.fixture(scope="module")
def heard(model, speech):
    """What a piece would get of the first 14 seconds."""
    model.reset()
    return streamed(model, part(speech, 0, 14), 0.05)


@pytest.mark.slow
def test_a_whole_reading(model, speech):
    words = model(speech)
    assert isinstance(words, Text) and words.final and words.language == "en" and words.confidence > 0.8
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


def test_hardly_a_word_that_was_shown_is_taken_back(heard):
    """Of 36 words of these 14 seconds. Where each guess was shown as it came, 67 of them, or their marks, changed."""
    changed, shown = 0, []
    for _, words in heard:
        now = words.split()
        changed += len(shown) - len(commonprefix([shown, now]))
        shown = [] if words.final else now
    assert changed <= 8  # an utterance's last word gets its mark at the end


def test_how_surely_it_was_heard_and_in_which_language(model, heard, speech):
    assert all(words.language == "en" and 0.4 < words.confidence <= 1 for _, words in heard)
    assert all(words.confidence > 0.8 for _, words in heard if words.final)
    clear, hiss = part(speech, 1, 9), np.random.default_rng(3).normal(0, 1, (8 * speech.rate, 1))
    noisy, drowned = (model(Sound((clear.samples + k * hiss).astype(np.float32), speech.rate)) for k in (0.02, 0.1))
    assert model(clear).confidence > noisy.confidence + 0.05 and noisy.confidence > 0.5
    assert drowned == ""  # at -17 dB Whisper says "Thank you." and "Hey guys, what's going on?"
    rows = model.transcript(part(speech, 0, 14))
    assert len(rows) == 3 and all(words.final and words.language == "en" for *_, words in rows)
    assert all(words.confidence > 0.8 for *_, words in rows[:2])


def test_large_chunks_give_the_same_final_words(model, speech, heard):
    model.reset()
    coarse = [words for _, words in streamed(model, part(speech, 0, 14), 1.0) if words.final]
    assert [str(w) for w in coarse] == [str(w) for _, w in heard if w.final]


def test_where_nobody_speaks_there_are_no_words(model):
    nothing = model(Sound(np.zeros((0, 1), np.float32), 48_000))
    assert nothing == "" and nothing.confidence is None and nothing.language == ""
    model.reset()
    noise = Sound(np.random.default_rng(2).normal(0, 0.05, (96_000, 1)).astype(np.float32), 48_000)
    assert model(noise) == "" and streamed(model, noise) == []


@pytest.mark.parametrize("what", ["silence", "noise", "hum", "chords", "claps"])
def test_what_the_voice_detector_may_let_through_is_no_thank_you(model, what):
    """Past the detector, where Whisper alone says "Thank you." or "you"."""
    rng, t = np.random.default_rng(4), np.arange(4 * RATE) / RATE
    claps = rng.normal(0, 0.3, len(t)) * np.exp(-(t % 0.5) / 0.02)
    sound = {
        "silence": 0 * t, "noise": rng.normal(0, 0.1, len(t)), "claps": claps,
        "hum": 0.1 * sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5)),
        "chords": 0.05 * sum(np.sin(2 * np.pi * f * k * t) / k for f in (220, 277, 330) for k in (1, 2, 3)),
    }[what].astype(np.float32)  # fmt: skip
    for seconds in (1, 4):
        guess = model._guess(sound[: seconds * RATE], {}, beam=5)
        assert guess.nothing, guess


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


def test_a_short_question_is_heard_once_also_with_a_hint(model):
    """The hint, a narrow window and a short sentence together made Whisper say half of these twice."""
    fetch(["visitor"])
    asked = np.concatenate([c.data.samples for c in SoundFile(str(clip_path("visitor")), loop=False)])
    said = [text for _, _, text in model.transcript(Sound(asked, 24_000), words="parrot, feather")]
    assert len(said) == 6 and [text.lower().count("you") for text in said] == [1] * 6, said
