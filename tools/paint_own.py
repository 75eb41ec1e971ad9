"""Paints pleinair/gallery/muse/own.jpg: strokes along a field, in a small palette. Ours, made by this script."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 512
PALETTE = [(24, 38, 66), (38, 84, 124), (88, 140, 160), (214, 164, 78), (232, 106, 62), (242, 226, 190), (120, 40, 58)]


def field(rng: np.random.Generator) -> np.ndarray:
    """Angles that turn slowly over the canvas."""
    coarse = rng.normal(size=(6, 6, 2)).astype(np.float32)
    smooth = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.arctan2(smooth[..., 1], smooth[..., 0])


def paint(seed: int = 11) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = field(rng)
    mood = cv2.resize(rng.random((5, 5)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    canvas = np.full((SIDE, SIDE, 3), PALETTE[0], np.uint8)
    for width in (26, 14, 8, 4):
        for _ in range(5200 // width):
            x, y = rng.random(2) * (SIDE - 1)
            colour = np.array(PALETTE[int(np.clip(mood[int(y), int(x)] * 7 + rng.normal() * 0.8, 0, 6))])
            colour = np.clip(colour + rng.normal(0, 12, 3), 0, 255)
            points = [(x, y)]
            for _ in range(int(rng.integers(8, 22))):
                angle = angles[int(np.clip(y, 0, SIDE - 1)), int(np.clip(x, 0, SIDE - 1))]
                x, y = x + 5 * np.cos(angle), y + 5 * np.sin(angle)
                points.append((x, y))
            line = np.round(np.array(points) * 16).astype(np.int32)
            cv2.polylines(canvas, [line], False, colour.tolist(), width, cv2.LINE_AA, shift=4)
    return canvas


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "pleinair" / "gallery" / "muse" / "own.jpg"
    cv2.imwrite(str(target), paint()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(target, target.stat().st_size)
