"""Real pictures of people for the tests, and where things lie in them, in pixels, as an eye sees it."""

from __future__ import annotations

import functools

import numpy as np

from pleinair.models import clip_path
from pleinair.models.fetch import fetch

FACE = {
    "nose_tip": (225, 128), "mouth_right": (203, 140), "mouth_left": (245, 141), "chin": (224, 177),
    "right_eye_outer": (195, 100), "left_eye_outer": (257, 103),
}  # fmt: skip
"""Of the astronaut, 512 x 512."""
BODY = {"nose": (222, 126), "right_shoulder": (108, 240), "left_shoulder": (306, 256), "right_elbow": (62, 410)}
HAND = {"index_tip": (202, 110), "index_mcp": (200, 360), "wrist": (240, 560)}
"""Of the hand with a finger up, 480 x 640."""


TASKS = ("faces", "hands", "pose", "person_mask")
PICTURES = ("astronaut", "grace_hopper", "finger_signs", "hand_pointing", "hand_hooked", "hand_fist", "carphone")


def bring() -> None:
    """The weights of all these tasks: they lie in one wheel, which is fetched once."""
    fetch(TASKS)


@functools.cache
def frames(name: str) -> tuple[np.ndarray, ...]:
    """The pictures of a clip's card: uint8 RGB, read-only."""
    import av

    fetch(PICTURES)
    with av.open(str(clip_path(name))) as container:
        found = [np.ascontiguousarray(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    for frame in found:
        frame.setflags(write=False)
    return tuple(found)


def picture(name: str) -> np.ndarray:
    return frames(name)[0]


def shifted(image: np.ndarray, right: int, down: int) -> np.ndarray:
    """The picture moved, its edge drawn out behind it."""
    height, width = image.shape[:2]
    rows, columns = np.arange(height) - down, np.arange(width) - right
    return np.ascontiguousarray(image[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)])


def apart(figure, places: dict[str, tuple[float, float]], size: tuple[int, int]) -> float:
    """The largest distance in pixels between named points and where an eye sees them."""
    width, height = size
    points = ((getattr(figure, name), place) for name, place in places.items())
    return max(float(np.hypot(p.x * width - x, p.y * height - y)) for p, (x, y) in points)


ODD = [np.full(shape, 90, np.uint8) for shape in ((1, 1, 3), (1, 10_000, 3), (10_000, 1, 3), (3, 5, 3))]
"""Pictures that nobody is in, of sizes that nobody thinks of."""
