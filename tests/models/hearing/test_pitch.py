"""SwiftF0 on tones with a known height."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Sound
from pleinair.models.hearing.pitch import midi_of, name_of

from .conftest import RATE, part, streamed, tone


@pytest.fixture(scope="module")
def model(opened):
    return opened("pitch")


def sweep(low: float, high: float, seconds: float = 3.0) -> tuple[Sound, np.ndarray]:
    hz = np.linspace(low, high, round(seconds * RATE))
    turns = np.cumsum(hz) / RATE
    wave = 0.15 * sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 6))
    return Sound(wave.astype(np.float32)[:, None], RATE), hz


@pytest.mark.parametrize("hz", [65.4, 110.0, 220.0, 440.0, 987.8, 1975.5])
def test_a_tone_within_a_few_cents(model, hz):
    found = model(Sound(tone(hz, 1.0)[:, None], RATE))
    assert abs(1200 * np.log2(found.hz / hz)) < 12 and found.confidence > 0.8
    assert found.note == name_of(midi_of(hz)) and abs(found.cents) < 50


def test_a_sweep_is_followed(model):
    sound, hz = sweep(150, 600)
    t, found, sure = model.contour(sound)
    true = np.interp(t, np.arange(len(hz)) / RATE, hz)
    apart = np.abs(1200 * np.log2(found / true))[4:-4]
    assert np.median(apart) < 8 and apart.max() < 30 and sure[4:-4].min() > 0.5


def test_in_a_piece_it_follows_within_an_eighth_of_a_second(model):
    sound, hz = sweep(150, 600)
    model.reset()
    late = []
    for t, found in streamed(model, sound, 0.02):
        if found and t > 0.3:
            late.append(t - np.interp(found.hz, hz, np.arange(len(hz)) / RATE))
    assert len(late) > 100 and 0.04 < np.median(late) < 0.125


def test_a_piece_hears_what_the_whole_sound_says(model, speech):
    words = part(speech, 1.2, 5)
    t, hz, sure = model.contour(words)
    model.reset()
    streamed_hz = [(at, f.hz) for at, f in streamed(model, words, 0.048) if f]
    near = [np.abs(1200 * np.log2(h / hz[(sure > 0.5)])).min() for _, h in streamed_hz]
    assert len(streamed_hz) > 20 and np.median(near) < 5


def test_height_runs_between_the_bounds(model):
    heights = [model(Sound(tone(hz, 0.5)[:, None], RATE), low=100, high=400).height for hz in (141.4, 200, 282.8)]
    assert heights == pytest.approx([0.25, 0.5, 0.75], abs=0.02)
    assert model(Sound(tone(200, 0.5)[:, None], RATE), low=100, high=400).tone.y == pytest.approx(0.5, abs=0.02)
    assert not model(Sound(tone(220, 0.5)[:, None], RATE), low=600, high=900)


def test_silence_and_noise_have_no_pitch(model):
    rng = np.random.default_rng(3)
    assert not model(Sound(np.zeros((RATE, 1), np.float32), RATE)) and not model(Sound(np.zeros((0, 1)), RATE))
    noise = model.contour(Sound(rng.normal(0, 0.1, (RATE, 1)).astype(np.float32), RATE))
    assert (noise[2] > 0.5).mean() < 0.2
    assert model(Sound(np.zeros((RATE, 1), np.float32), RATE)).confidence == 0


def test_names_of_notes():
    assert [name_of(m) for m in (21, 60, 69, 69.4, 108)] == ["A0", "C4", "A4", "A4", "C8"]
