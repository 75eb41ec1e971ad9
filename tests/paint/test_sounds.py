"""Sound drawn: where it is loud the wave is tall, the right bar stands up, a melody rises, notes lie in their place."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import paint
from pleinair.core.kinds import Sound

DARK = np.zeros((100, 200, 3), np.uint8)
RATE = 16_000


def tone(hz: float, level: float = 0.5, seconds: float = 1.0) -> Sound:
    t = np.arange(round(seconds * RATE)) / RATE
    return Sound((level * np.sin(2 * np.pi * hz * t)).astype(np.float32)[:, None], RATE)


def lit(image: np.ndarray) -> np.ndarray:
    return image.any(2)


def test_a_wave_is_as_tall_as_it_is_loud():
    sound = Sound(np.concatenate([tone(200, 0.25).samples, tone(200, 1.0).samples]), RATE)
    columns = lit(paint.waveform(DARK, sound)).sum(0)
    assert columns[20] == pytest.approx(25, abs=2) and columns[180] == pytest.approx(100, abs=2)
    assert not DARK.any()


def test_a_band_keeps_the_rest_as_it_is():
    rows = lit(paint.waveform(DARK, tone(200, 1.0), "red", (0.5, 0.75))).any(1)
    assert not rows[:49].any() and rows[55] and not rows[76:].any()


def test_no_sound_is_no_mark():
    nothing = Sound(np.zeros((0, 1), np.float32), RATE)
    assert not paint.waveform(DARK, nothing).any() and not paint.spectrum(DARK, nothing).any()


@pytest.mark.parametrize("hz", [110, 440, 1760])
def test_the_bar_of_its_pitch_is_the_tallest(hz):
    bars = lit(paint.spectrum(DARK, tone(hz), bars=50)).sum(0)
    place = np.log(hz / 55) / np.log(RATE / 2 / 55) * 200
    assert abs(np.argmax(bars) - place) < 8 and bars.max() > 80


def test_a_melody_rises_and_is_broken_where_nothing_is_sure():
    hz, sure = np.geomspace(110, 440, 200), np.ones(200)
    sure[90:110] = 0
    drawn = lit(paint.pitch_line(DARK, hz, sure, low=110, high=440))
    rows = [np.flatnonzero(drawn[:, x]).mean() for x in (20, 60, 140, 180)]
    assert rows == sorted(rows, reverse=True) and rows[0] == pytest.approx(89, abs=4)
    assert not drawn[:, 95:105].any()
    assert not paint.pitch_line(DARK, [], []).any()


def test_notes_lie_at_their_time_and_height():
    notes = [{"midi": 60, "begin": 1.0, "end": 2.0, "confidence": 1.0}, {"midi": 200, "begin": 0, "end": 1}]
    drawn = lit(paint.piano_roll(DARK, notes, 4.0, low=48, high=72))
    columns, rows = np.flatnonzero(drawn.any(0)), np.flatnonzero(drawn.any(1))
    assert (columns[0], columns[-1]) == (50, 99) and rows.mean() == pytest.approx(50, abs=2) and len(rows) <= 5


@pytest.mark.parametrize(
    "call",
    [
        lambda: paint.waveform(DARK, "loud"),
        lambda: paint.waveform(DARK, tone(100), band=(0.9, 0.1)),
        lambda: paint.waveform(DARK, tone(100), band=3),
        lambda: paint.pitch_line(DARK, [1, 2], [1]),
        lambda: paint.pitch_line(DARK, [100], low=500, high=100),
        lambda: paint.piano_roll(DARK, [], 0),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(call):
    with pytest.raises(ValueError, match=" is | are "):
        call()
