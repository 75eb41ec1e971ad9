"""Which points of a figure belong together: of hands and bodies by name, of a face by place in the 468-point mesh."""

from __future__ import annotations

import functools

import numpy as np

_ARM = ("shoulder", "elbow", "wrist")
_LEG = ("hip", "knee", "ankle")
_FINGERS = tuple(
    tuple(f"{finger}_{joint}" for joint in joints)
    for finger, joints in (
        ("thumb", ("cmc", "mcp", "ip", "tip")),
        *((f, ("mcp", "pip", "dip", "tip")) for f in ("index", "middle", "ring", "pinky")),
    )
)


def _sided(*names: str) -> list[tuple[str, ...]]:
    return [tuple(f"{side}_{name}" for name in names) for side in ("left", "right")]


CHAINS: tuple[tuple[str, ...], ...] = (
    # a hand
    *(("wrist", *finger) for finger in _FINGERS if finger[0] != "middle_mcp" and finger[0] != "ring_mcp"),
    _FINGERS[2],
    _FINGERS[3],
    ("index_mcp", "middle_mcp", "ring_mcp", "pinky_mcp"),
    # a body, with hands and feet where it has them
    *_sided(*_ARM),
    *_sided("wrist", "index"),
    *_sided("wrist", "pinky"),
    *_sided("index", "pinky"),
    *_sided("wrist", "thumb"),
    *_sided(*_LEG),
    *_sided("ankle", "heel", "foot_index", "ankle"),
    *_sided("shoulder", "hip"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *_sided("eye_inner", "eye", "eye_outer"),
    ("mouth_left", "mouth_right"),
)
"""Lines from point to point; one whose points a figure lacks is left out."""

FACE: tuple[tuple[int, ...], ...] = (
    (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
     136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 33),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249, 263),
    (70, 63, 105, 66, 107), (300, 293, 334, 296, 336),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78),
    (168, 6, 197, 195, 5, 4, 1), (48, 64, 98, 97, 2, 326, 327, 294, 278),
)  # fmt: skip
"""The outline of a face, its eyes, brows, lips and nose."""


@functools.lru_cache(maxsize=32)
def chains(names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """The lines of a figure with these points, each as places in it."""
    if is_face(names):
        return tuple(np.array(chain) for chain in FACE)
    place = {name: n for n, name in enumerate(names)}
    return tuple(np.array([place[n] for n in chain]) for chain in CHAINS if all(n in place for n in chain))


def is_face(names: tuple[str, ...]) -> bool:
    """Whether these are the 468 points of a face mesh, or these and the ten of the irises."""
    return len(names) in (468, 478) and "nose_tip" in names
