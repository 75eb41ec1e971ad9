"""What a stream looks like when nobody has drawn it: points, frames, words, waves and bars over the picture that they
were made of, or on a dark ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.frame import Frame
from ..core.kinds import Boxes, Landmarks, Size, Sound
from .bones import is_face
from .figures import mesh, skeleton
from .finds import boxes
from .given import COLOURS, filled
from .lines import arrows, segments
from .marks import circle
from .sounds import waveform
from .tone import light
from .words import caption, text

GROUND: Size = (640, 480)
UNTOLD = ("t", "midi")
"""Parts of an event that a person does not read: its moment, and its pitch said a second time."""
SMALL = 200
"""Pixels: in a picture no higher than this, on the desk, lines are drawn thicker, or they would not be seen."""
LINES = 8
"""Of an event's parts, so many are told."""


def shown(data: Any, under: Any = None) -> np.ndarray | None:
    """`data` of any kind as a picture; a picture or a mask as it is. None where there is nothing to be seen in it.

    under  the picture that it was made of: figures and things are drawn over it, words stand at its foot
    """
    if isinstance(data, np.ndarray) and data.ndim >= 2:
        return data
    if isinstance(data, str):
        return caption(data, size=GROUND) if under is None else caption(under, data)
    ground = _ground() if under is None else under
    if isinstance(data, Landmarks):
        return _figures(ground, data)
    if isinstance(data, Boxes):
        return boxes(ground, data, show="label confidence")
    if isinstance(data, Sound):
        return waveform(_ground(), data)
    if isinstance(data, np.ndarray):
        return _bars(data) if data.size else None
    if isinstance(data, (bool, int, float, np.number)):
        return _level(float(data))
    said = told(data)
    return None if said is None else text(_ground(), said, (0.5, 0.5), 0.1, weight=500)


def shown_of(frame: Frame) -> np.ndarray | None:
    """A frame as a picture, over the newest picture that it was made of."""
    data = frame.data
    if isinstance(data, np.ndarray) and data.ndim >= 2:
        return data
    return shown(data, picture_before(frame))


def picture_before(frame: Frame) -> np.ndarray | None:
    """The newest picture that a frame was made of, or None."""
    before = frame.parent
    while before is not None and not (isinstance(before.data, np.ndarray) and before.data.ndim == 3):
        before = before.parent
    return None if before is None else before.data


def _ground() -> np.ndarray:
    width, height = GROUND
    return filled((height, width, 3), COLOURS["ink"])


def _figures(ground: np.ndarray, figures: Landmarks) -> np.ndarray:
    if not figures:
        return ground
    first = figures[0]
    if "field" in first.extra:
        return arrows(light(ground, 0.6), figures, "#ffb454")
    if first.names == ("start", "end"):
        return segments(light(ground, 0.6), figures, "#ffb454")
    out = mesh(ground, figures) if any(is_face(f.names) for f in figures) else ground
    if "note" not in first.extra:
        out = skeleton(out, figures, width=0.006 if ground.shape[0] > SMALL else 0.02)
    else:  # a pitch: its place says how high it is, its name what it is
        out = circle(out, first.tone, 0.03 + 0.05 * first.confidence, "#ffb454")
        out = text(out, f"{first.extra['note']}  {float(first.extra.get('hz', 0)):.0f} Hz", (0.5, 0.9), 0.09)
    return out


def _bars(values: np.ndarray) -> np.ndarray:
    """Each number a bar, from the line of zero up or down; the largest reaches the edge."""
    out = _ground()
    height, width = out.shape[:2]
    most = float(np.abs(values).max()) or 1.0
    zero = height - 24 if values.min() >= 0 else height // 2
    reach = min(zero, height - zero if values.min() < 0 else zero) - 24
    edges = np.linspace(24, width - 24, len(values) + 1)
    for value, left, right in zip(values, edges[:-1], edges[1:], strict=True):
        x0, x1 = int(left), max(int(left) + 1, int(right) - (right - left > 4))
        y = round(zero - float(value) / most * reach)
        out[min(y, zero) : max(y, zero) + 1, x0:x1] = COLOURS["white"]
    return out


def _level(value: float) -> np.ndarray:
    """A number, and how far it has come from 0 to 1."""
    out = _ground()
    height, width = out.shape[:2]
    top, left, right = height * 2 // 3, 48, width - 48
    out[top : top + 4, left:right] = (58, 62, 68)
    out[top - 8 : top + 12, left : left + round(min(1.0, max(0.0, value)) * (right - left))] = (255, 180, 84)
    return text(out, f"{value:.2f}", (0.5, 0.42), 0.16)


def told(event: Any) -> str | None:
    """An event in words, its texts before its numbers; None where nothing happened."""
    if not isinstance(event, Mapping):
        return None if event is None else str(event)
    parts = {k: v for k, v in event.items() if isinstance(v, (str, int, float)) and k not in UNTOLD}
    words = [str(v) for v in parts.values() if isinstance(v, str)]
    rest = {k: f"{v:.2f}" if isinstance(v, float) else str(v) for k, v in parts.items() if not isinstance(v, str)}
    numbers = [f"{k} {v}" for k, v in rest.items()]
    return "\n".join([*words, *numbers][:LINES]) or None
