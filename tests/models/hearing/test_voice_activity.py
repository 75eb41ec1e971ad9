"""Silero's network on real speech: the same in chunks of any size, quiet where nobody speaks."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Sound
from pleinair.models import load

from .conftest import part, streamed


@pytest.fixture(scope="module")
def model(opened):
    return opened("voice_activity")


def test_speech_is_speech_and_noise_is_not(model, speech):
    assert model(part(speech, 1, 4)) > 0.99
    rng = np.random.default_rng(1)
    assert model(Sound(rng.normal(0, 0.02, (48_000, 1)).astype(np.float32), 16_000)) < 0.3
    assert model(Sound(np.zeros((16_000, 1), np.float32), 16_000)) < 0.1
    assert model(Sound(np.zeros((0, 1), np.float32), 48_000)) == 0.0


def test_utterances_of_a_reading(model, speech):
    found = model.utterances(speech)
    assert 5 <= len(found) <= 12 and found[0][0] == pytest.approx(1.2, abs=0.15)
    assert all(begin < end and sure > 0.9 for begin, end, sure in found)
    assert all(a[1] < b[0] for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("seconds", [0.01, 0.0317, 0.2])
def test_in_a_piece_it_says_when_somebody_speaks(model, speech, seconds):
    model.reset()
    found = streamed(model, part(speech, 0, 4), seconds)
    assert max(sure for t, sure in found if t < 1.0) < 0.5
    assert np.mean([sure for t, sure in found if 1.4 < t < 2.0]) > 0.9


def test_chunks_of_any_size_are_heard_alike(model, speech):
    words = part(speech, 1, 3)
    model.reset()
    fine = max(sure for _, sure in streamed(model, words, 0.01))
    model.reset()
    assert fine == pytest.approx(max(sure for _, sure in streamed(model, words, 0.5)), abs=1e-4)


def test_events_when_somebody_begins_and_has_ended(weights, speech):
    model = load("voice_events")
    found = streamed(model, part(speech, 0, 9.5), 0.03)
    assert [e["voice"] for _, e in found] == ["started", "ended", "started"]
    (began, _), (ended, last) = found[:2]
    assert began == pytest.approx(1.3, abs=0.15)
    assert ended == pytest.approx(8.26 + 0.5, abs=0.1) and last["seconds"] == pytest.approx(7.0, abs=0.2)
    whole = model(speech)
    assert whole[0]["begin"] == pytest.approx(1.2, abs=0.1) and whole[0]["confidence"] > 0.9
    model.close()


def test_a_gap_begins_anew(weights, speech):
    model = load("voice_events")
    assert [e["voice"] for _, e in streamed(model, part(speech, 0, 3), 0.05)] == ["started"]
    assert [e["voice"] for _, e in streamed(model, part(speech, 2, 4), 0.05, t=60.0)] == ["started"]
    model.close()
