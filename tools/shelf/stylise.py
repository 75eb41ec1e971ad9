"""Writes docs/pictures/models/stylise.jpg: a photograph and five paintings of it. python tools/shelf/stylise.py"""

from pathlib import Path

import cv2
import numpy as np

import pleinair
from pleinair import fit, tile
from pleinair.addresses import read_picture
from pleinair.models import clip_path
from pleinair.models.fetch import fetch

SIZE = (320, 240)
fetch(["multistyle26", "anystyle", "astronaut"])
photograph = fit(read_picture(clip_path("astronaut")), SIZE)
own = read_picture(Path(pleinair.__file__).parent / "gallery/muse/own.jpg")
painters = pleinair.load("multistyle26", size=SIZE)
styles = np.eye(26, dtype=np.float32)
sheet = [
    photograph,
    *(painters(photograph, style_weights=w) for w in (styles[5], styles[19], styles[15], styles[12] + styles[25])),
    pleinair.load("anystyle", size=SIZE)(photograph, style=own, strength=0.9),
]
place = Path(__file__).parents[2] / "docs/pictures/models/stylise.jpg"
cv2.imwrite(str(place), fit(tile(sheet, 3), (720, 360))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
