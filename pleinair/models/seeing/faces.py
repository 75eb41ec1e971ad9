"""Faces: 468 points, or 478 with the irises, smile, open mouth, where the eyes look. Task "faces".

Two face detectors (Bazarevsky et al., "BlazeFace", 2019; one for up to two metres, and where more faces may come one
for up to five), a face mesh (Kartynnik et al., "Real-time Facial Surface Geometry", 2019) and an iris network
(Ablavatski et al., "Real-time Pupil Tracking", 2020). The numbers below are those of MediaPipe's graphs
(modules/face_detection, face_landmark and iris_landmark). MediaPipe Tasks' bundle has one network that tells the
irises too (Grishchenko et al., "Attention Mesh", 2020), and no second detector: a card without the files "iris" and
"far" is of that kind. It says where a face is and how it moves, never whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...backends.base import Backend, Tensor
from ...core.figure import Figure, Point
from . import anchors, crops, emotion
from .crops import Crop
from .face_points import COUNT, IRISES, NAMES, NAMES_WITH_IRISES, PLACE
from .track import Follower, Sight, box_of, number

NEAR_SIDE, FAR_SIDE, EYE_SIDE = 128, 192, 64
LEAST = 0.5
_WIDE, _LIFT = (0.60, 0.72), (0.0, 0.07)
"""Of a mouth at rest, and of one that smiles broadly: its width in widths between the eyes' outer corners, and how far
its corners lie above its middle, in its own widths. Read off 25 faces in photographs."""
_OPEN = 0.7
"""Gap between the lips in widths of the mouth: wide open."""


class _Mesh(NamedTuple):
    """A network of a face's points: the side of its picture, and what its ports are called."""

    side: int
    input: str
    points: str
    face: str
    count: int


_MESH = _Mesh(192, "input_1", "conv2d_21", "conv2d_31", COUNT)
_MESH_WITH_IRISES = _Mesh(256, "input_12", "Identity", "Identity_1", len(NAMES_WITH_IRISES))
_WITHIN = 0.7
_LEVEL = -0.14
"""How far above the line of the corners an iris stands that looks straight ahead, in halves of the eye's width: of two
portraits."""
_EYES = (("right_eye_outer", "right_eye_inner", False), ("left_eye_inner", "left_eye_outer", True))
"""Each eye from left to right in the picture, and whether it is the left one: in the order of IRISES."""


class Faces(Follower):
    """`faces(image)`: Landmarks, a Figure for each face.

    image   uint8 RGB
    most    how many faces at most (4)
    smooth  0 (as measured) .. 1: the 1 euro filter, where a time is given
    gaze    0: the eyes' networks rest

    Each face: 468 points (`face.nose_tip.x`; names in `face_points`), of a bundle of MediaPipe Tasks 478 (with
    `face.right_iris`, `face.left_iris`), and
    box         x, y, w, h
    smile       0..1, out of the mouth's shape
    mouth_open  0..1
    gaze        a Point: where the eyes look from within the head, -1..1: x to the picture's right and y down (of a
                head that is upright; they turn with it), (0, 0) straight ahead, (1, 0) at the eye's corner; without
                `gaze` it is (0, 0)
    happy, surprise, emotion   only of the card "faces_emotion": 0..1, 0..1, and "happy", "surprise" or ""
    number      the same for as long as the face is followed
    """

    point_names = NAMES

    def _open(self) -> None:
        files = self.card.files
        self._kind = _MESH if "iris" in files else _MESH_WITH_IRISES
        self.point_names = NAMES if "iris" in files else NAMES_WITH_IRISES
        self._near = self._detector("near", "input", ("regressors", "classificators"), NEAR_SIDE, (8, 16, 16, 16), 2)
        self._far = None
        if "far" in files:
            self._far = self._detector("far", "input_1", ("Identity", "Identity_1"), FAR_SIDE, (4,), 1)
        side = self._kind.side
        self._mesh = self.network(
            "mesh",
            [Tensor(self._kind.input, (1, side, side, 3), picture="NHWC")],
            [Tensor(self._kind.points, (1, 1, 1, self._kind.count * 3)), Tensor(self._kind.face, (1, 1, 1, 1))],
        )
        self._iris = None
        if "iris" in files:
            self._iris = self.network(
                "iris",
                [Tensor("input_1", (1, EYE_SIDE, EYE_SIDE, 3), picture="NHWC")],
                [Tensor("output_eyes_contours_and_brows", (1, 213)), Tensor("output_iris", (1, 15))],
            )
        self._emotion = None
        if "emotion" in files:
            seen, said = (1, emotion.SIDE, emotion.SIDE, 1), (1, len(emotion.WORDS))
            self._emotion = self.network("emotion", [Tensor("input_1", seen)], [Tensor("Identity", said)])
        grey = np.full((NEAR_SIDE, NEAR_SIDE, 3), 128, np.uint8)
        everywhere = Crop(NEAR_SIDE / 2, NEAR_SIDE / 2, NEAR_SIDE, NEAR_SIDE)
        list(self._find(grey))
        self._look(grey, everywhere)
        if self._iris:
            self._iris.run({"input_1": crops.cut(grey, everywhere, (EYE_SIDE, EYE_SIDE))})

    def _detector(
        self, role: str, name: str, outputs: tuple[str, str], side: int, strides: tuple[int, ...], each: int
    ) -> _Detector:
        grid = anchors.centres(side, strides, each)
        network = self.network(
            role,
            [Tensor(name, (1, side, side, 3), picture="NHWC", mean=(127.5,), scale=(127.5,))],
            [Tensor(outputs[0], (1, len(grid), 16)), Tensor(outputs[1], (1, len(grid), 1))],
        )
        return _Detector(network, name, outputs, side, grid)

    def _find(self, image: np.ndarray) -> Iterator[Crop]:
        yield from self._near.find(image)
        if self._far:
            yield from self._far.find(image)  # reached only where more are wanted than the first one sees

    def _among(self, crop: Crop, others: list[Crop]) -> bool:
        """Faces do not lie within each other, as hands do."""
        return any(inside(crop.box, other.box) > _WITHIN for other in others)

    def _look(self, image: np.ndarray, crop: Crop) -> Sight | None:
        kind = self._kind
        out = self._mesh.run({kind.input: crops.cut(image, crop, (kind.side, kind.side))})
        confidence = 1 / (1 + float(np.exp(-np.clip(out[kind.face].reshape(()), -60, 60))))
        if confidence < LEAST:
            return None
        height, width = image.shape[:2]
        raw = out[kind.points].reshape(kind.count, 3) / np.float32(kind.side)
        raw[:, 2] *= -1
        points = crops.back(raw, crop, (width, height))
        flat = points[:, :2] * (width, height)
        angle = crops.angle_of(flat[PLACE["right_eye_outer"]], flat[PLACE["left_eye_outer"]])
        return Sight(points, confidence, crops.around(flat, angle).grown(1.5))

    def _figure(self, image: np.ndarray, points: np.ndarray, sight: Sight, values: dict[str, Any]) -> Figure:
        height, width = image.shape[:2]
        solid = points * np.float32([width, height, width])

        def at(name: str) -> np.ndarray:
            return solid[PLACE[name]]

        def apart(a: str, b: str) -> float:
            return float(np.linalg.norm(at(a) - at(b))) or 1.0

        mouth = apart("mouth_right", "mouth_left")
        down = (at("chin") - at("nose_bridge")) / apart("chin", "nose_bridge")
        middle, corners = at("mouth_top") + at("mouth_bottom"), at("mouth_right") + at("mouth_left")
        wide = _between(mouth / apart("right_eye_outer", "left_eye_outer"), *_WIDE)
        lift = _between(float((middle - corners) @ down) / 2 / mouth, *_LIFT)
        flat = sight.points[:, :2] * (width, height)
        return Figure(
            points, self.point_names, sight.confidence, box=box_of(points),
            smile=min(max((wide + min(max(lift, 0.0), 1.0)) / 2, 0.0), 1.0),
            mouth_open=float(np.clip(apart("lip_top", "lip_bottom") / mouth / _OPEN, 0, 1)),
            gaze=self._gaze(image, flat) if number(values, "gaze", 1.0) else Point(0.0, 0.0),
            **(emotion.read(self._emotion, image, flat) if self._emotion else {}),
        )  # fmt: skip

    def _gaze(self, image: np.ndarray, flat: np.ndarray) -> Point:
        """Where the irises stand between the eyes' corners, the mean of both eyes."""
        if self._iris:
            seen = [place for eye in _EYES if (place := self._iris_of(image, flat, *eye)) is not None]
        else:
            ends = ((flat[PLACE[start]], flat[PLACE[end]]) for start, end, _ in _EYES)
            seen = [_between_corners(flat[iris], *eye) for iris, eye in zip(IRISES, ends, strict=True)]
        x, y = np.clip(np.mean(seen, 0) - (0, _LEVEL), -1, 1) if seen else (0.0, 0.0)
        return Point(float(x), float(y))

    def _iris_of(self, image: np.ndarray, flat: np.ndarray, first: str, second: str, mirrored: bool) -> Any:
        """The iris's middle, from the middle between the corners, in halves of the eye's width: along the line of the
        corners, and across it. The network knows right eyes: a left one is shown mirrored."""
        size = image.shape[1], image.shape[0]
        start, end = flat[PLACE[first]], flat[PLACE[second]]
        crop = crops.around(np.stack([start, end]), crops.angle_of(start, end)).grown(2.3)
        if not crop.good:
            return None
        assert self._iris is not None  # _gaze
        out = self._iris.run({"input_1": crops.cut(image, crop, (EYE_SIDE, EYE_SIDE), mirrored=mirrored)})
        contour, iris = out["output_eyes_contours_and_brows"].reshape(-1, 3), out["output_iris"].reshape(-1, 3)
        points = np.stack([iris[0], *contour[[8, 0] if mirrored else [0, 8]]])[:, :2] / np.float32(EYE_SIDE)
        middle, left, right = crops.back(points, crop, size, mirrored=mirrored) * np.float32(size)
        return _between_corners(middle, left, right)


def _between_corners(iris: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """From the middle between an eye's corners, in halves of its width: along the line of the corners, and across."""
    along, off = (right - left) / 2, iris - (left + right) / 2
    square = float(along @ along) or 1.0
    return float(off @ along) / square, float(along[0] * off[1] - along[1] * off[0]) / square


def _between(value: float, low: float, high: float) -> float:
    """0 at `low`, 1 at `high`, and on beyond."""
    return (value - low) / (high - low)


def inside(a: np.ndarray, b: np.ndarray) -> float:
    """How much of the smaller of two boxes lies within the other: 0..1."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float(np.clip(high - low, 0, None).prod())
    return shared / max(float(min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod())), 1e-9)


class _Detector:
    """A face detector: crops to look at closely, the surest first."""

    def __init__(self, network: Backend, name: str, outputs: tuple[str, str], side: int, grid: np.ndarray) -> None:
        self._network, self._name, self._outputs, self._side, self._grid = network, name, outputs, side, grid

    def find(self, image: np.ndarray) -> list[Crop]:
        height, width = image.shape[:2]
        everything = crops.whole((width, height), (self._side, self._side))
        small = crops.cut(image, everything, (self._side, self._side), edge=False)
        out = self._network.run({self._name: small})
        found = anchors.decode(out[self._outputs[0]], out[self._outputs[1]], self._grid, self._side, LEAST)
        corner = np.array([everything.x, everything.y]) - everything.w / 2
        places = []
        for box, points in zip(found.boxes, found.points * everything.w + corner, strict=True):
            eyes = crops.angle_of(points[0], points[1])  # the right one, the left one
            places.append(crops.around(box.reshape(2, 2) * everything.w + corner, eyes).grown(1.5))
        return places
