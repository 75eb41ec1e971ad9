"""Writes docs/pictures/shelf.jpg out of docs/pictures/models/*.jpg. python tools/shelf/collage.py"""

from pathlib import Path

import cv2
import numpy as np

from pleinair import resize, text, tile

PICTURES = Path(__file__).parents[2] / "docs/pictures"
SHOWN = (
    "stylise", "faces", "hands", "pose", "person_mask", "lines", "flow", "imagine", "transcribe",
)  # fmt: skip
WIDTH, HEIGHT, INK = 420, 210, (20, 22, 26)


def card(name: str) -> np.ndarray:
    """A picture with its name under it, on ink."""
    image = np.ascontiguousarray(cv2.imread(str(PICTURES / f"models/{name}.jpg"))[..., ::-1])
    by = min((WIDTH - 12) / image.shape[1], (HEIGHT - 12) / image.shape[0])
    small = resize(image, (round(image.shape[1] * by), round(image.shape[0] * by)))
    page = np.empty((HEIGHT + 26, WIDTH, 3), np.uint8)
    page[:] = INK
    top, left = (HEIGHT - small.shape[0]) // 2, (WIDTH - small.shape[1]) // 2
    page[top : top + small.shape[0], left : left + small.shape[1]] = small
    return text(page, name, (0.5, 0.94), 0.065, (210, 206, 196))


sheet = tile([card(name) for name in SHOWN], 3)
cv2.imwrite(str(PICTURES / "shelf.jpg"), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 84])
