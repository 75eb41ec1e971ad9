"""Writes docs/pictures/models/{person_mask,faces,hands,pose}.jpg, by running the models. python tools/shelf/a.py

The portraits of Eileen Collins and Grace Hopper are the cards astronaut and grace_hopper (public domain); hands and the
man who shows signs are those of the package fingerpose (MIT): the cards hand_pointing, hand_hooked, hand_fist and
finger_signs.

    python tools/shelf/a.py --mesh

prints the wire net of `pleinair/paint/face_mesh.py` anew.
"""

from __future__ import annotations

import base64
import sys
import textwrap
import zlib

import cv2
import numpy as np
from h import save

import pleinair
from pleinair import blend, grey, mesh, skeleton, text
from pleinair.addresses import read_picture
from pleinair.models import clip_path
from pleinair.models.fetch import fetch
from pleinair.paint.bones import FACE

CARDS = ("astronaut", "grace_hopper", "hand_pointing", "hand_hooked", "hand_fist", "finger_signs")


def shown(card: str, height: int, part: tuple[slice, slice] = (slice(None), slice(None))) -> np.ndarray:
    picture = read_picture(clip_path(card))[part]
    width = round(picture.shape[1] * height / picture.shape[0])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def person_mask() -> np.ndarray:
    """The portrait, its mask, and the portrait before its own painted room."""
    picture = shown("astronaut", 400)
    mask = pleinair.load("person_mask")(picture)
    styles = np.zeros(26, np.float32)
    styles[9] = 1
    painting = pleinair.load("multistyle26")(picture, style_weights=styles)
    return np.hstack([picture, pleinair.picture(mask), blend(picture, painting, 1 - mask)])


def faces() -> np.ndarray:
    """The net over two faces, and what is read off them."""
    model, parts = pleinair.load("faces"), []
    for card, part in (
        ("astronaut", (slice(30, 230), slice(125, 325))),
        ("grace_hopper", (slice(60, 400), slice(90, 430))),
    ):
        picture = shown(card, 440, part)
        (face,) = model(picture)
        drawn = skeleton(mesh(picture, face), face, width=0.012)
        words = f"smile {face.smile:.2f}   mouth_open {face.mouth_open:.2f}"
        strip = np.full((40, drawn.shape[1], 3), (21, 23, 26), np.uint8)
        parts.append(np.vstack([drawn, text(strip, words, (0.5, 0.5), 0.5, "#e9e6df")]))
    return np.hstack(parts)


def hands() -> np.ndarray:
    model, parts = pleinair.load("hands"), []
    for card in ("hand_pointing", "hand_hooked", "hand_fist"):
        picture = shown(card, 440)
        parts.append(skeleton(picture, model(picture), width=0.012))
    return np.hstack(parts)


def pose() -> np.ndarray:
    """On the picture dimmed, so that the bones stand out."""
    model, parts = pleinair.load("pose"), []
    for card in ("astronaut", "finger_signs"):
        picture = shown(card, 400)
        parts.append(skeleton(blend(grey(picture), "ink", 0.35), model(picture), width=0.01))
    return np.hstack(parts)


def net() -> np.ndarray:
    """Edges between the mesh's points: the Delaunay triangles of a face unrolled from a cylinder, so that its sides are
    not squeezed, without those that lie across eyes, mouth or nothing."""
    points = pleinair.load("faces", backend="openvino", threads=1)(read_picture(clip_path("astronaut")))[0].points
    points = points.astype(np.float64)
    x, y = (points[:, :2] - points.mean(0)[:2]).T
    radius = np.ptp(points[:, 0]) / 2
    around = np.arctan2(x, points[:, 2] - np.percentile(points[:, 2], 5) + 0.35 * radius)
    flat = np.stack([around, y / radius], 1)
    flat = ((flat - flat.min(0)) / np.ptp(flat, axis=0).max() * 1800 + 100).astype(np.float32)
    plane = cv2.Subdiv2D((0, 0, 2100, 2400))
    for place in flat.tolist():
        plane.insert(tuple(place))
    known = {(round(a, 2), round(b, 2)): n for n, (a, b) in enumerate(flat.astype(float).tolist())}
    found = np.round(plane.getTriangleList().astype(float), 2).reshape(-1, 3, 2).tolist()
    corners = ([known.get(tuple(corner)) for corner in triangle] for triangle in found)
    holes = [set(FACE[n]) for n in (0, 1, 2, 6)]
    triangles = [t for t in corners if None not in t and not any(set(t) <= hole for hole in holes)]
    pairs = {tuple(sorted((t[a], t[b]))) for t in triangles for a, b in ((0, 1), (1, 2), (2, 0))}
    return np.array(sorted(pairs), "<u2")


if __name__ == "__main__":
    fetch(["person_mask", "faces", "hands", "pose", "multistyle26", *CARDS])
    if "--mesh" in sys.argv:
        packed = base64.b85encode(zlib.compress(net().T.tobytes(), 9)).decode()
        print("\n".join(f'    "{line}"' for line in textwrap.wrap(packed, 110)))
    else:
        for make in (person_mask, faces, hands, pose):
            save(make.__name__, make())
