"""Figures drawn as lines: the skeleton of hands and bodies, the lines of a face, its wire net."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.figure import Figure
from ..core.kinds import Landmarks
from .bones import chains, is_face
from .face_mesh import edges
from .given import SHIFT, Colour, as_number, as_picture, colour_of

_LEAST = 0.3
"""A point less visible than this is not drawn: it is guessed."""
_FAR = 4.0
_SLENDER = 0.02
"""The widest that a line may be, in parts of its figure's size."""
_FULL = 400
"""Pixels of a face from which on its net is drawn in full strength."""


def skeleton(
    image: Any,
    landmarks: Any,
    colour: Colour = "#e9e6df",
    joints: Colour | None = "#ffb454",
    width: float = 0.006,
) -> np.ndarray:
    """Every hand, body and face as lines, with a dot on each joint of a hand or body.

    landmarks  Landmarks, or one Figure; figures of other kinds are dots only
    joints     the dots' colour; None: no dots
    width      of the lines, as a part of the picture's height; they are thinner on faces and on figures far away

    A point that the model hardly sees (`visibility` below 0.3) is left out, and the lines to it.
    """
    import cv2

    out = as_picture(image).copy()
    colour, dots = colour_of(colour), None if joints is None else colour_of(joints)
    thick = max(1, round(as_number(width, "width", 0, 1) * out.shape[0]))
    for figure in _figures(landmarks):
        places, seen = _pixels(figure, out), _seen(figure)
        face = is_face(figure.names)
        lines = []
        for chain in chains(figure.names):
            if face or seen[chain].all():
                lines.append(places[chain])
            else:
                pairs = zip(chain[:-1], chain[1:], strict=True)
                lines += [places[[a, b]] for a, b in pairs if seen[a] and seen[b]]
        weight = max(1, min(thick // 3 if face else thick, round(_span(places) * _SLENDER)))
        cv2.polylines(out, lines, False, colour, weight, cv2.LINE_AA, SHIFT) if lines else None
        if dots is not None and not face:
            for x, y in places[seen]:
                cv2.circle(
                    out, (int(x), int(y)), round(max(weight * 0.9, 1.2) * (1 << SHIFT)), dots, -1, cv2.LINE_AA, SHIFT
                )
    return out


def mesh(image: Any, landmarks: Any, colour: Colour = "#ffb454", width: float = 0.0) -> np.ndarray:
    """The wire net over every face, the fainter the smaller the face, so that it stays a net. `width` is a part of the
    picture's height, one pixel at least. Figures that are no faces are left out."""
    import cv2

    out = as_picture(image).copy()
    thick = max(1, round(as_number(width, "width", 0, 1) * out.shape[0]))
    for figure in _figures(landmarks):
        if not is_face(figure.names):
            continue
        places = _pixels(figure, out)
        drawn = out.copy()
        cv2.polylines(drawn, list(places[edges()]), False, colour_of(colour), thick, cv2.LINE_AA, SHIFT)
        weight = round(min(1.0, max(0.4, _span(places) / _FULL)) * 1024) / 1024
        out = cv2.addWeighted(drawn, weight, out, 1 - weight, 0)
    return out


def _figures(landmarks: Any) -> Iterable[Figure]:
    return Landmarks.check(landmarks)


def _pixels(figure: Figure, image: np.ndarray) -> np.ndarray:
    """int32 (n, 2) in sixteenths of a pixel. What lies far outside is brought near: a drawing library counts in small
    integers."""
    height, width = image.shape[:2]
    near = np.clip(figure.points[:, :2].astype(np.float64), -_FAR, _FAR)
    return np.rint((near * (width, height) - 0.5) * (1 << SHIFT)).astype(np.int32)


def _span(places: np.ndarray) -> float:
    """Of a figure, in pixels: the mean of width and height."""
    return float(np.ptp(places, axis=0).mean()) / (1 << SHIFT)


def _seen(figure: Figure) -> np.ndarray:
    visibility = figure.extra.get("visibility")
    if not isinstance(visibility, tuple) or len(visibility) != len(figure.points):
        return np.ones(len(figure.points), bool)
    return np.array(visibility, np.float64) >= _LEAST
