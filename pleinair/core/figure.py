"""Hands, faces, bodies: named points, and how sure the model is of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import did_you_mean
from .freeze import frozen, plain


@dataclass(frozen=True)
class Point:
    """A place in a picture: x to the right, y down, both 0..1; z towards the viewer where the model has it."""

    x: float
    y: float
    z: float = 0.0


class Figure:
    """One hand, face or body: named points and how sure the model is of them.

    points      float32 (n, 3): x, y in 0..1, z in the same scale as x
    names       one for each point; a point is an attribute: `hand.index_tip.x`
    confidence  0..1
    extra       other named parts (`smile`, `gaze`): attributes too
    """

    __slots__ = ("points", "names", "confidence", "extra")

    def __init__(self, points: Any, names: Sequence[str], confidence: float, **extra: Any) -> None:
        array = np.array(points, np.float32)  # a copy: the model may use its own again
        if array.ndim != 2 or array.shape[0] != len(names) or array.shape[1] not in (2, 3):
            raise ValueError(f"{len(names)} names need points of shape ({len(names)}, 2 or 3), not {array.shape}")
        if array.shape[1] == 2:
            array = np.concatenate([array, np.zeros((len(names), 1), np.float32)], 1)
        self.points = frozen(array)
        self.names = tuple(names)
        self.confidence = float(confidence)
        self.extra = {name: _part(name, value) for name, value in extra.items()}

    def __getattr__(self, name: str) -> Any:
        if name in Figure.__slots__:
            raise AttributeError(name)
        if name in self.names:
            return Point(*(float(v) for v in self.points[self.names.index(name)]))
        if name in self.extra:
            return self.extra[name]
        raise AttributeError(f'no part "{name}": {did_you_mean(name, [*self.names, *self.extra])}')

    def __repr__(self) -> str:  # without an address: what a piece writes down is the same in a replay
        return f"Figure({', '.join(self.names[:4])}{' ...' * (len(self.names) > 4)}, confidence {self.confidence:.2f})"


def _part(name: str, value: Any) -> Any:
    """A named part as it stays the same on every machine: a number, a text, a truth value, a Point, or a row of
    them."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, bool, Point)) or (isinstance(value, (int, float)) and math.isfinite(value)):
        return value
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_part(name, v) for v in (value.tolist() if isinstance(value, np.ndarray) else value))
    raise ValueError(f"{name} is a number, a text, a Point or a row of them, and this is {plain(value)}")


def part_as_json(value: Any) -> Any:
    """A part as JSON, and `part_from_json` back."""
    if isinstance(value, Point):
        return {"x": value.x, "y": value.y, "z": value.z}
    return [part_as_json(v) for v in value] if isinstance(value, tuple) else value


def part_from_json(value: Any) -> Any:
    """The way back from `part_as_json`."""
    if isinstance(value, dict):
        return Point(**value)
    return tuple(part_from_json(v) for v in value) if isinstance(value, list) else value


class _Nobody(Figure):
    """Stands in where nobody was found: any part is the middle of the picture, at confidence 0."""

    def __init__(self) -> None:
        super().__init__(np.zeros((0, 3)), (), 0.0)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Figure.__slots__:
            raise AttributeError(name)
        return Point(0.5, 0.5)


NOBODY = _Nobody()
