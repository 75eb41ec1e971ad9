"""The quick voice, heard again; its two knobs turn the sound and not the words; its formula, piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Text
from pleinair.models import load
from pleinair.models.hearing import hibari
from pleinair.models.hearing.listening import mono

from .conftest import needs_espeak, word_errors

TEXT = "Every picture that you see was painted by a machine, and it remembers nothing."


@pytest.fixture(scope="module")
def model(opened):
    return opened("hibari")


@pytest.fixture(scope="module")
def ear(opened):
    return opened("whisper-tiny-en")


def level(sound) -> float:
    return float(np.sqrt(np.square(sound.samples).mean()))


@needs_espeak
@pytest.mark.parametrize("ports", [{}, {"pitch": 7.0}, {"pitch": -7.0}, {"breath": 1.0}, {"speed": 0.8}])
def test_the_words_stay_whatever_the_knobs_say(model, ear, ports):
    sound = model(TEXT, **ports)
    # Not ear(sound): a whisper is no voice to the detector that cuts utterances.
    words = ear._guess(mono(sound, 16_000), {"language": "en"}, beam=5).words
    assert sound.rate == 24_000 and word_errors(words, TEXT) == 0
    assert 0.8 < level(sound) / level(model(TEXT)) < 1.25  # none of them is a knob of loudness
    assert np.abs(sound.samples).max() <= 1


@needs_espeak
def test_pitch_moves_by_semitones_and_a_whisper_has_none(model):
    pitch = load("pitch")
    own = pitch(model(TEXT))
    for semitones in (-7, 5):
        moved = pitch(model(TEXT, pitch=float(semitones)))
        assert abs(12 * np.log2(moved.hz / own.hz) - semitones) < 1
    assert pitch(model(TEXT, breath=1.0)).confidence < own.confidence - 0.25
    pitch.close()


@needs_espeak
def test_the_same_text_is_the_same_sound(model):
    assert np.array_equal(model("Good morning.").samples, model("Good morning.").samples)
    assert np.array_equal(model("Good morning.", breath=0.5).samples, model("Good morning.", breath=0.5).samples)


@needs_espeak
def test_a_tape_may_begin_in_the_middle_of_a_text(model):
    model.reset()
    assert len(list(model(Text("Good morning. How are", final=False), t=0.0))) == 1
    state = model.save()
    rest = list(model(Text("Good morning. How are you?"), t=0.1))
    model.reset()
    model.load(state)
    again = list(model(Text("Good morning. How are you?"), t=0.1))
    assert len(rest) == len(again) == 1 and np.array_equal(rest[0].samples, again[0].samples)


def test_it_has_one_voice_and_no_others(model):
    assert set(model.ports) == {"text", "speed", "pitch", "breath"}


def test_pulses_come_as_often_as_the_pitch_says_and_stop_where_there_is_none():
    f0 = np.concatenate([np.full(80, 200.0), np.zeros(40), np.full(80, 100.0)]).astype(np.float32)
    train = hibari.pulses(f0)
    assert train.dtype == np.float32 and len(train) == 200 * hibari.HOP
    peaks = np.flatnonzero((train[1:-1] > train[:-2]) & (train[1:-1] >= train[2:]) & (train[1:-1] > 25)) / 24_000
    assert abs(np.sum(peaks < 1.0) - 200) <= 2 and abs(np.sum(peaks > 1.5) - 100) <= 2
    assert not train[85 * hibari.HOP : 115 * hibari.HOP].any()


def test_a_spectrum_and_its_inverse_are_the_sound_that_went_in():
    wave = np.sin(np.arange(60 * hibari.HOP) * 0.05).astype(np.float32)
    back = hibari._overlapped(hibari._spectra(wave))
    assert back.shape == wave.shape
    inner = slice(hibari.FFT, -hibari.FFT)
    assert np.abs(back - wave)[inner].max() < 1e-4


def test_the_formula_gives_each_of_its_three_parts():
    """One bin is turned on by each part alone: pulses at their own pitch, noise, and what is left over."""
    frames, silent = 80, np.full((80, hibari.BINS), -40, np.float32)
    rows = {"lh": silent, "ln": silent, "lr": silent, "theta": silent * 0, "phi": silent * 0}
    f0 = np.full(frames, 200.0, np.float32)
    one = silent.copy()
    one[:, 10] = 0.0  # 200 Hz
    tone = hibari.sound(rows | {"lh": one}, f0)
    spectrum = np.abs(np.fft.rfft(tone[hibari.FFT : -hibari.FFT]))
    assert abs(np.argmax(spectrum) * 24_000 / (len(tone) - 2 * hibari.FFT) - 200) < 5
    assert np.abs(hibari.sound(rows | {"lh": one}, f0 * 0)).max() < 1e-6  # no pitch, no pulses
    for part in ("ln", "lr"):
        assert np.abs(hibari.sound(rows | {part: one}, f0 * 0)).max() > 1e-4
