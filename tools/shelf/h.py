"""Writes docs/pictures/models/{lines,picture_features,flow,imagine}.jpg, by running the models. python tools/shelf/h.py

Photographs: scikit-image's camera, chelsea, coffee, rocket and astronaut (CC0 and public domain, as the docstrings of
skimage.data say); frames of Big Buck Bunny, (c) copyright Blender Foundation | www.bigbuckbunny.org (CC BY 3.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

import pleinair
from pleinair import arrows, blend, resize, segments, text
from pleinair.addresses import read_picture
from pleinair.models import clip_path
from pleinair.models.card import Card, File
from pleinair.models.fetch import fetch

OUT = Path(__file__).parents[2] / "docs/pictures/models"
MOST_BYTES = 60_000
PHOTOGRAPHS = {
    "camera.png": ("b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a", 139512),
    "chelsea.png": ("596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb", 240512),
    "coffee.png": ("cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7", 466706),
    "rocket.jpg": ("c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c", 112525),
}


def photograph(name: str) -> np.ndarray:
    sha256, count = PHOTOGRAPHS[name]
    source = f"pypi:scikit-image==0.26.0/skimage/data/{name}"
    card = Card(name.split(".")[0], "clip", name, {"clip": File("clip", name, (source,), sha256, count)})
    fetch([card])
    return read_picture(clip_path(card))


def film(first: int, step: int) -> Iterator[np.ndarray]:
    import av

    with av.open(str(clip_path("bigbuckbunny"))) as container:
        for frame in islice(container.decode(video=0), first, None, step):
            yield frame.to_ndarray(format="rgb24", width=640, height=360)


def lines() -> np.ndarray:
    """The photograph with what was found, and what a plotter would draw."""
    image = photograph("camera.png")
    found = pleinair.load("lines")(image, sure=0.12, shortest=0.03)
    paper = np.full_like(image, (246, 240, 228))
    left = segments(blend(image, "white", 0.25), found, "#d8341c", width=0.008)
    return np.hstack([left, segments(paper, found, "ink", width=0.005)])


def picture_features() -> np.ndarray:
    """How alike: each picture against each, the number written on its shade."""
    chelsea, coffee = photograph("chelsea.png"), photograph("coffee.png")
    pictures = [
        chelsea, chelsea[40:240, 100:380, ::1][:, ::-1], coffee, coffee[100:350, 150:500], photograph("rocket.jpg"),
        read_picture(clip_path("astronaut")), next(film(60, 1)),
    ]  # fmt: skip
    model, side = pleinair.load("picture_features"), 96
    rows = [model(np.ascontiguousarray(p)) for p in pictures]
    small = [_square(p, side) for p in pictures]
    sheet = [np.hstack([np.full((side, side, 3), 255, np.uint8), *small])]
    for picture, row in zip(small, rows, strict=True):
        cells = []
        for other in rows:
            alike = max(0.0, float(row @ other))
            shade = np.full((side, side, 3), round(245 - 190 * alike), np.uint8)
            cells.append(text(shade, f"{alike:.2f}", (0.5, 0.5), 0.24, "white" if alike > 0.5 else "ink"))
        sheet.append(np.hstack([picture, *cells]))
    return np.vstack(sheet)


def _square(picture: np.ndarray, side: int) -> np.ndarray:
    height, width = picture.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    cut = np.ascontiguousarray(picture[top : top + edge, left : left + edge])
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA)


def flow() -> np.ndarray:
    """Arrows to where things will be, and the mask."""
    movement, mask = pleinair.load("flow"), pleinair.load("flow_mask")
    best, most = None, 0.0
    for frame in film(20, 2):
        found, where = movement(frame), mask(frame)
        if found[0].confidence > 0.5 and 0.02 < found[0].energy < 0.4 and found[0].speed > most:
            best, most = (frame, found, where), found[0].speed
    frame, found, where = best
    left = arrows(blend(frame, "black", 0.25), found, "yellow", width=0.006, reach=4)
    return np.hstack([left, blend(blend(frame, "black", 0.7), "orange", resize(where, (640, 360)) * 0.9)])


def imagine() -> np.ndarray:
    """Three loops, ten places each."""
    model = pleinair.load("imagine")
    rows = [[model(position=n / 10, seed=seed) for n in range(10)] for seed in (0, 2, 3)]
    return cv2.resize(np.vstack([np.hstack(row) for row in rows]), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)


def save(name: str, picture: np.ndarray) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for quality in range(88, 30, -4):
        blob = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        if len(blob) < MOST_BYTES:
            break
    (OUT / f"{name}.jpg").write_bytes(blob.tobytes())
    print(name, picture.shape, len(blob))


if __name__ == "__main__":
    fetch(["lines", "picture_features", "flow", "imagine", "bigbuckbunny", "astronaut"])
    for make in (lines, picture_features, flow, imagine):
        save(make.__name__, make())
