"""Basic Pitch on notes with known beginnings and ends."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.kinds import Sound
from pleinair.models.hearing.notes import SILENT, Tracker

from .conftest import RATE, streamed, tone

TUNE = [(60, 0.3, 0.6), (64, 0.9, 0.7), (67, 0.9, 0.7), (69, 2.0, 0.5), (69, 2.6, 0.6), (57, 3.5, 1.5)]
"""(MIDI, begin, length): one note, two at once, one struck twice, a long one."""


@pytest.fixture(scope="module")
def model(opened):
    return opened("notes")


@pytest.fixture(scope="module")
def tune() -> Sound:
    whole = np.zeros(round(6 * RATE), np.float32)
    for midi, begin, length in TUNE:
        note = tone(440 * 2 ** ((midi - 69) / 12), length)
        whole[round(begin * RATE) : round(begin * RATE) + len(note)] += note
    return Sound(whole[:, None], RATE)


def test_the_notes_of_a_tune(model, tune):
    found = sorted(model(tune), key=lambda n: (round(n["begin"], 1), n["midi"]))
    assert [n["midi"] for n in found] == [midi for midi, _, _ in TUNE]
    for note, (_, begin, length) in zip(found, TUNE, strict=True):
        assert note["begin"] == pytest.approx(begin, abs=0.05)
        assert note["end"] == pytest.approx(begin + length, abs=0.12) and note["confidence"] > 0.6
    assert found[0]["note"] == "C4"


@pytest.mark.parametrize("seconds", [0.02, 0.4])
def test_in_a_piece_notes_begin_and_end_soon_after(model, tune, seconds):
    model.reset()
    found = [(at, e) for at, e in streamed(model, tune, seconds, t=100.0) if e["midi"] < 72]
    begun = [(e["midi"], e["t"] - 100, at - 100) for at, e in found if e["event"] == "started"]
    assert sorted(m for m, _, _ in begun) == sorted(m for m, _, _ in TUNE)
    for midi, begin, at in begun:
        assert min(abs(begin - b) for m, b, _ in TUNE if m == midi) < 0.05
        assert 0.1 < at - begin < 0.5 + seconds
    ended = [(e["midi"], e["seconds"]) for _, e in found if e["event"] == "ended"]
    assert len(ended) == len(TUNE) and all(
        min(abs(seconds - length) for m, _, length in TUNE if m == midi) < 0.15 for midi, seconds in ended
    )


def test_a_deaf_one_hears_less(model):
    swell = tone(330, 2.0) * np.minimum(1, np.arange(2 * RATE) / (0.15 * RATE)).astype(np.float32)
    sound = Sound(np.pad(swell, (RATE // 2, 0))[:, None], RATE)
    heard = [[n["midi"] for n in model(sound, sensitivity=s)].count(64) for s in (0.05, 0.5, 0.9)]
    assert heard[0] == 0 < heard[2] and heard == sorted(heard)


def test_silence_has_no_notes(model):
    assert list(model(Sound(np.zeros((RATE, 1), np.float32), RATE))) == []
    assert list(model(Sound(np.zeros((0, 1), np.float32), RATE))) == []


def test_a_short_gap_is_the_same_note_and_a_new_beginning_is_a_new_one():
    onset, sounding = np.zeros((60, 88)), np.zeros((60, 88))
    onset[5, 40] = onset[35, 40] = 0.9
    sounding[5:20, 40] = sounding[20 + SILENT - 2 : 50, 40] = 0.8
    tracker = Tracker()
    found = [(what, note.midi, at) for frame in zip(onset, sounding, strict=True) for what, note, at in tracker(*frame)]
    assert [what for what, _, _ in found] == ["started", "ended", "started", "ended"]
    assert all(midi == 61 for _, midi, _ in found)
