"""Sound drawn: its wave, its spectrum, its pitch, the notes in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.kinds import Audio
from .given import Colour, as_number, as_picture, colour_of

Band = tuple[float, float]
"""(top, bottom) of the strip that is drawn in, as parts of the picture's height."""
WHOLE: Band = (0.0, 1.0)
LOWEST_HZ = 55.0


def waveform(image: Any, sound: Any, colour: Colour = "white", band: Band = WHOLE, *, gain: float = 1.0) -> np.ndarray:
    """A sound's wave over the picture's width, mono, loud parts tall: for each column from its lowest sample to its
    highest. `gain` 2: twice as tall. An empty sound leaves the picture as it is."""
    image, sound, colour = as_picture(image), Audio.check(sound), colour_of(colour)
    top, bottom = _strip(image, band)
    out = image.copy()
    width = image.shape[1]
    samples = sound.samples.mean(1) * as_number(gain, "gain", 0, 1000)
    if not len(samples):
        return out
    edges = np.linspace(0, len(samples), width + 1).astype(int)
    starts = np.minimum(edges[:-1], len(samples) - 1)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    middle, reach = (top + bottom) / 2, (bottom - top) / 2
    y0 = np.clip(middle - np.clip(high, -1, 1) * reach, top, bottom - 1).round().astype(int)
    y1 = np.clip(middle - np.clip(low, -1, 1) * reach, top, bottom - 1).round().astype(int)
    rows = np.arange(image.shape[0])[:, None]
    out[(rows >= y0) & (rows <= np.maximum(y1, y0))] = colour
    return out


def spectrum(
    image: Any, sound: Any, colour: Colour = "white", band: Band = WHOLE, *, bars: int = 64, floor_db: float = -70.0
) -> np.ndarray:
    """How much of each pitch is in a sound: bars from 55 Hz (left) to half its rate, each as many octaves wide;
    `floor_db` is a bar of no height, 0 dB one of the whole strip."""
    image, sound, colour = as_picture(image), Audio.check(sound), colour_of(colour)
    top, bottom = _strip(image, band)
    out = image.copy()
    samples = sound.samples.mean(1)
    if len(samples) < 64:
        return out
    size = 1 << min(14, int(np.log2(len(samples))))
    window = np.hanning(size).astype(np.float32)
    level = np.abs(np.fft.rfft(samples[-size:] * window)) / (window.sum() / 2)
    bars = int(as_number(bars, "bars", 1, 4096))
    edges = np.geomspace(LOWEST_HZ, sound.rate / 2, bars + 1) * size / sound.rate
    columns = np.linspace(0, image.shape[1], bars + 1).astype(int)
    for n in range(bars):
        begin = int(edges[n])
        most = level[begin : max(begin + 1, int(np.ceil(edges[n + 1])))].max(initial=1e-9)
        tall = np.clip(1 - 20 * np.log10(max(most, 1e-9)) / min(floor_db, -1), 0, 1)
        gap = 1 if columns[n + 1] - columns[n] > 3 else 0
        y = bottom - round(float(tall) * (bottom - top))
        out[y:bottom, columns[n] : columns[n + 1] - gap] = colour
    return out


def pitch_line(
    image: Any, hz: Any, confidence: Any = None, colour: Colour = "orange", band: Band = WHOLE, *, low: float = 55.0,
    high: float = 880.0, width: float = 0.01,
) -> np.ndarray:  # fmt: skip
    """A melody as a line: one pitch in Hz after another, evenly spaced from left to right, octaves evenly spaced from
    `low` (bottom) to `high` (top). Where `confidence` is below 0.5 the line is broken."""
    import cv2

    image, colour = as_picture(image), colour_of(colour)
    top, bottom = _strip(image, band)
    hz = np.asarray(hz, np.float64).reshape(-1)
    sure = np.ones(len(hz)) if confidence is None else np.asarray(confidence, np.float64).reshape(-1)
    if len(sure) != len(hz) or not np.isfinite(hz).all():
        raise ValueError(f"a melody is finite numbers with as many confidences; these are {len(hz)} and {len(sure)}")
    if not 0 < low < high:
        raise ValueError(f"a melody is drawn from a low to a high pitch, and these are {low:g} and {high:g} Hz")
    out = image.copy()
    height = np.log2(np.maximum(hz, 1e-3) / low) / np.log2(high / low)
    y = bottom - height * (bottom - top)
    x = (np.arange(len(hz)) + 0.5) / max(1, len(hz)) * image.shape[1]
    seen = (sure >= 0.5) & (height >= 0) & (height <= 1)
    thick = max(1, round(as_number(width, "width", 0, 1) * image.shape[0]))
    for run in np.split(np.flatnonzero(seen), np.flatnonzero(np.diff(np.flatnonzero(seen)) > 1) + 1):
        if len(run):
            points = np.stack([x[run], y[run]], 1)
            points = np.concatenate([points, points]) if len(run) == 1 else points
            cv2.polylines(out, [np.round(points * 16).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)
    return out


def piano_roll(
    image: Any, notes: Iterable[Mapping[str, Any]], seconds: float, colour: Colour = "orange", band: Band = WHOLE, *,
    begin: float = 0.0, low: int = 36, high: int = 96,
) -> np.ndarray:  # fmt: skip
    """Notes as bars, from `begin` over so many seconds, from MIDI `low` (bottom) to `high` (top): what `notes` gives of
    a whole sound. The surer a note, the stronger its colour."""
    image, colour = as_picture(image), colour_of(colour)
    top, bottom = _strip(image, band)
    out = image.copy()
    if seconds <= 0 or high <= low:
        raise ValueError("notes are drawn over some seconds, from a low note to a high one")
    row = (bottom - top) / (high - low + 1)
    for note in notes:
        x = [round((note[k] - begin) / seconds * image.shape[1]) for k in ("begin", "end")]
        y0, y1 = round(bottom - (note["midi"] - low + 1) * row), round(bottom - (note["midi"] - low) * row)
        if not low <= note["midi"] <= high or x[1] <= 0 or x[0] >= image.shape[1]:
            continue
        place = out[max(top, y0) : max(y0 + 1, y1 - (row > 4)), max(0, x[0]) : max(x[0] + 1, x[1])]
        weight = 0.25 + 0.75 * float(np.clip(note.get("confidence", 1.0), 0, 1))
        place[:] = np.rint(place * (1 - weight) + np.array(colour) * weight).astype(np.uint8)
    return out


def _strip(image: np.ndarray, band: Band) -> tuple[int, int]:
    """(first row, row after the last)."""
    try:
        top, bottom = (as_number(v, "band", 0, 1) for v in band)
    except TypeError:
        raise ValueError(f"a band is (top, bottom), each 0..1, and this is {band!r:.40}") from None
    if top >= bottom:
        raise ValueError(f"a band's top is above its bottom, and this is ({top:g}, {bottom:g})")
    height = image.shape[0]
    first = min(height - 1, round(top * height))
    return first, max(first + 1, round(bottom * height))
