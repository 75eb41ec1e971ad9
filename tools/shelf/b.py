"""Writes docs/pictures/models/{upscale,objects,people}.jpg, by running the models. python tools/shelf/b.py

Photographs: scikit-image's chelsea and coffee (CC0, as the docstrings of skimage.data say); the portraits of Eileen
Collins and Grace Hopper are the cards astronaut and grace_hopper (public domain).
"""

from __future__ import annotations

import cv2
import numpy as np
from h import photograph, save

import pleinair
from pleinair import boxes, skeleton, text
from pleinair.addresses import read_picture
from pleinair.models import clip_path
from pleinair.models.fetch import fetch


def portrait(card: str, height: int) -> np.ndarray:
    picture = read_picture(clip_path(card))
    width = round(picture.shape[1] * height / picture.shape[0])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def upscale() -> np.ndarray:
    """A quarter of the pixels, enlarged by bicubic and by the network: two places, twice as large again."""
    small = portrait("astronaut", 256)
    bicubic = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    network = pleinair.load("upscale")(small)
    parts = []
    for name, picture in (("bicubic", bicubic), ("upscale", network)):
        places = [picture[60:200, 150:300], picture[20:160, 370:480]]
        part = cv2.resize(np.hstack(places), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        parts.append(text(part, name, (0.5, 0.95), 0.07, "white", weight=600))
    return np.hstack(parts)


def objects() -> np.ndarray:
    """Four pictures, each with what is found in it."""
    model = pleinair.load("objects")
    pictures = []
    portraits = [portrait(card, 512) for card in ("astronaut", "grace_hopper")]
    for picture in (photograph("chelsea.png"), photograph("coffee.png"), *portraits):
        width = round(picture.shape[1] * 280 / picture.shape[0])
        small = cv2.resize(picture, (width, 280), interpolation=cv2.INTER_AREA)
        pictures.append(boxes(small, model(picture, sure=0.4), show="label confidence", size=0.06))
    return np.hstack(pictures)


def people() -> np.ndarray:
    """Two portraits side by side, as one picture."""
    both = np.hstack([portrait("astronaut", 400), portrait("grace_hopper", 400)])
    return skeleton(both, pleinair.load("people")(both), width=0.008)


if __name__ == "__main__":
    fetch(["upscale", "objects", "people", "astronaut", "grace_hopper"])
    for make in (upscale, objects, people):
        save(make.__name__, make())
