"""DeepFilterNet on real speech in noise: less noise, the same voice, chunk by chunk as at once."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Sound
from pleinair.models.hearing.denoise import BINS, HOP, RATE, WINDOW, bands

from .conftest import part, streamed


@pytest.fixture(scope="module")
def model(opened):
    return opened("denoise")


def snr_db(clean: np.ndarray, found: np.ndarray) -> float:
    return 10 * np.log10(np.square(clean).sum() / np.square(clean - found).sum())


@pytest.fixture(scope="module")
def noisy(speech):
    """(clean, with 5 dB less of a hiss), 4 s at 48 kHz."""
    clean = part(speech, 1, 5).samples[:, 0]
    hiss = np.convolve(np.random.default_rng(4).normal(0, 1, len(clean)), np.ones(8) / 8, "same")
    hiss *= np.sqrt(np.square(clean).mean() / np.square(hiss).mean()) * 10 ** (-5 / 20)
    return clean, (clean + hiss).astype(np.float32)


def test_the_noise_is_less_and_the_voice_is_there(model, noisy):
    clean, loud = noisy
    found = model(Sound(loud[:, None], RATE))
    assert found.rate == RATE and found.samples.shape == (len(clean), 1)
    assert snr_db(clean, loud) == pytest.approx(5, abs=0.1)
    assert snr_db(clean, found.samples[:, 0]) > 10
    assert snr_db(clean, model(Sound(clean[:, None], RATE)).samples[:, 0]) > 15


def test_strength(model, noisy):
    clean, loud = noisy
    none, half = (model(Sound(loud[:, None], RATE), strength=s).samples[:, 0] for s in (0.0, 0.5))
    assert snr_db(loud, none) > 60  # nothing taken away: the windows sum to 1
    assert 5.5 < snr_db(clean, half) < snr_db(clean, model(Sound(loud[:, None], RATE)).samples[:, 0])


@pytest.mark.parametrize("seconds", [0.0067, 0.02, 0.5])
def test_in_a_piece_it_is_the_same_sound_a_little_later(model, noisy, seconds):
    loud = Sound(noisy[1][:96_000, None], RATE)
    whole = model(loud).samples[:, 0]
    model.reset()
    parts = streamed(model, loud, seconds)
    found = np.concatenate([s.samples[:, 0] for _, s in parts])[HOP:]
    assert np.abs(found - whole[: len(found)]).max() < 1e-4
    assert 0.03 <= (len(whole) - len(found)) / RATE <= 0.041
    model.reset()


def test_any_rate_and_nothing_at_all(model):
    hum = (0.1 * np.sin(np.arange(8000) * 0.1)).astype(np.float32)
    assert model(Sound(np.stack([hum, hum], 1), 8000)).samples.shape == (RATE, 1)
    assert len(model(Sound(np.zeros((0, 1), np.float32), RATE)).samples) == 0


def test_its_bands_cover_every_bin_and_its_window_sums_to_one():
    assert bands().sum() == BINS and bands().min() == 2 and len(bands()) == 32
    assert np.allclose(np.square(WINDOW[:HOP]) + np.square(WINDOW[HOP:]), 1, atol=1e-6)
