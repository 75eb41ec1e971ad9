"""Sound of any rate and chunk becomes the same mono samples; a gap begins anew."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Sound
from pleinair.models.hearing.listening import Mono, mono

from .conftest import chunks


def sine(rate: int, seconds: float = 1.0, hz: float = 440.0) -> Sound:
    t = np.arange(round(rate * seconds)) / rate
    wave = (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)
    return Sound(np.stack([wave, wave], 1), rate)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_stays_that_tone(rate):
    found, wanted = mono(sine(rate), 16_000), sine(16_000).samples[:, 0]
    assert abs(len(found) - 16_000) <= 2
    middle = slice(2000, 14_000)
    assert np.abs(found[middle] - wanted[middle]).max() < 0.01


def test_what_the_lower_rate_cannot_hold_is_filtered_out():
    assert np.abs(mono(sine(48_000, hz=12_000), 16_000)[1000:-1000]).max() < 0.01


@pytest.mark.parametrize("seconds", [0.0011, 0.02, 0.3])
def test_chunks_have_no_seam(seconds):
    whole, through = mono(sine(44_100), 16_000), Mono(16_000)
    parts = [through(chunk) for chunk, _ in chunks(sine(44_100), seconds)]
    assert np.allclose(np.concatenate([*parts, through.flush()]), whole, atol=1e-6)


def test_a_change_of_rate_loses_nothing():
    through = Mono(16_000)
    parts = [through(sine(44_100, 0.5)), through(sine(48_000, 0.5)), through.flush()]
    assert abs(sum(map(len, parts)) - 16_000) <= 4


def test_channels_are_averaged_and_empty_sound_is_empty():
    both = Sound(np.stack([np.ones(100), -np.ones(100)], 1).astype(np.float32), 16_000)
    assert not mono(both, 16_000).any()
    assert len(Mono(16_000)(Sound(np.zeros((0, 2), np.float32), 48_000))) == 0
