"""Turned squares cut out of pictures for a network to look at, and its points put back.

A Crop is a rectangle in pixels of the picture, turned about its middle. The arithmetic is that of MediaPipe's graphs
(RectTransformationCalculator, ImageToTensorCalculator, LandmarkProjectionCalculator), so that the same network sees the
same pixels: bilinear, a pixel's coordinate is its corner, and nothing is averaged where the picture shrinks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...core.kinds import Size


@dataclass(frozen=True)
class Crop:
    """x, y of the middle, w, h: pixels; angle: radians, clockwise as seen (y points down)."""

    x: float
    y: float
    w: float
    h: float
    angle: float = 0.0

    @property
    def good(self) -> bool:
        """Whether there is anything to look at."""
        return all(map(math.isfinite, (self.x, self.y, self.w, self.h, self.angle))) and self.w >= 1 and self.h >= 1

    @property
    def box(self) -> np.ndarray:
        """left, top, right, bottom, as if it were not turned."""
        return np.array([self.x - self.w / 2, self.y - self.h / 2, self.x + self.w / 2, self.y + self.h / 2])

    def grown(self, scale: float, up: float = 0.0) -> Crop:
        """A square around it: moved up by `up` of its height (along its own up), the longer side times `scale`."""
        side = max(self.w, self.h) * scale
        x, y = self.x + up * self.h * math.sin(self.angle), self.y - up * self.h * math.cos(self.angle)
        return Crop(x, y, side, side, self.angle)

    def as_list(self) -> list[float]:
        return [self.x, self.y, self.w, self.h, self.angle]


def whole(size: Size, target: Size) -> Crop:
    """All of a picture of that size, with margins where the target has another shape."""
    width, height = size
    scale = max(width / target[0], height / target[1])
    return Crop(width / 2, height / 2, target[0] * scale, target[1] * scale)


def around(points: np.ndarray, angle: float = 0.0) -> Crop:
    """The box of the points (n, 2), in pixels, as it stands; `angle` is only noted."""
    low, high = points.min(0), points.max(0)
    x, y = (low + high) / 2
    w, h = high - low
    return Crop(float(x), float(y), float(w), float(h), angle)


def turned_around(points: np.ndarray, angle: float) -> Crop:
    """The smallest box turned by `angle` that holds the points (n, 2)."""
    middle = (points.min(0) + points.max(0)) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    straight = around((points - middle) @ np.array([[cos, -sin], [sin, cos]]))
    x = straight.x * cos - straight.y * sin + middle[0]
    y = straight.x * sin + straight.y * cos + middle[1]
    return Crop(float(x), float(y), straight.w, straight.h, angle)


def reach(middle: np.ndarray, end: np.ndarray, upright: float = math.pi / 2) -> Crop:
    """A square about `middle` that `end` lies on the edge of, turned so that `end` is above."""
    side = 2 * float(np.hypot(*(end - middle)))
    return Crop(float(middle[0]), float(middle[1]), side, side, angle_of(middle, end, upright))


def angle_of(start: np.ndarray, end: np.ndarray, upright: float = 0.0) -> float:
    """How far the line from `start` to `end` is turned from where it should point (0: right, pi / 2: up); -pi..pi."""
    angle = upright - math.atan2(-(float(end[1]) - float(start[1])), float(end[0]) - float(start[0]))
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def cut(image: np.ndarray, crop: Crop, size: Size, *, edge: bool = True, mirrored: bool = False) -> np.ndarray:
    """uint8 RGB of that size (width, height), C-contiguous. What lies outside of the picture is its edge drawn out, or
    black."""
    import cv2

    matrix = _matrix(crop, size, mirrored)
    border = cv2.BORDER_REPLICATE if edge else cv2.BORDER_CONSTANT
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)


def back(points: np.ndarray, crop: Crop, size: Size, *, mirrored: bool = False) -> np.ndarray:
    """Points (n, 2 or 3) in 0..1 of the crop, as places in 0..1 of a picture of `size` (width, height): float32. The
    third number, a depth in the crop's widths, becomes one in the picture's widths."""
    width, height = size
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    if mirrored:
        x = -x
    cos, sin = math.cos(crop.angle), math.sin(crop.angle)
    found = np.empty(points.shape, np.float32)
    found[:, 0] = (crop.x + x * crop.w * cos - y * crop.h * sin) / width
    found[:, 1] = (crop.y + x * crop.w * sin + y * crop.h * cos) / height
    found[:, 2:] = points[:, 2:] * (crop.w / width)
    return found


def _matrix(crop: Crop, size: Size, mirrored: bool) -> np.ndarray:
    """From a pixel of the crop to a place in the picture."""
    cos, sin = math.cos(crop.angle), math.sin(crop.angle)
    flip = -1.0 if mirrored else 1.0
    ax, ay = flip * crop.w * cos / size[0], flip * crop.w * sin / size[0]
    bx, by = -crop.h * sin / size[1], crop.h * cos / size[1]
    cx = crop.x - flip * crop.w * cos / 2 + crop.h * sin / 2
    cy = crop.y - flip * crop.w * sin / 2 - crop.h * cos / 2
    return np.array([[ax, bx, cx], [ay, by, cy]])
