"""The poses of up to six people at once, 17 points each. Task "people".

MoveNet MultiPose (Google, 2021): one network sees all people and writes 17 places for each; nobody is cropped, so that
six cost no more than one. For one body with 33 points, and closer, there is the task "pose".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.errors import ModelFault
from ...core.figure import Figure
from ...core.kinds import Control, Landmarks, Size
from .. import check_onnx, store
from ..fit import checked
from ..network import NetworkModel
from .box_tracks import FORGET_S, BoxTracks
from .coco import POINTS
from .drawn import person
from .euro import OneEuro

MOST, NUMBERS = 6, 56
"""Rows that the network writes: 17 x (y, x, how sure), y0, x0, y1, x1, how sure."""
STAYS = 0.8
"""Somebody who was there a moment ago needs only this part of `sure`."""


class People(NetworkModel):
    """`people(image)`: Landmarks, a Figure for each person, the surest first.

    sure    what a person's confidence must be at least (0.25)
    most    how many people at the most, 1..6
    smooth  0 (as measured) .. 1: the 1 euro filter, where a time is given

    Each person: 17 points (`people[1].left_wrist.y`), `visibility` (17 numbers 0..1 in the order of the names: how sure
    of each point), `box` (x, y, w, h) and `number`. A point that is hidden is guessed: look at its visibility.

    With `t`, content time in seconds (a piece gives it), people are followed from picture to picture: `number` stays
    with the person, points are smoothed, and nobody flickers. Without it each picture stands alone.

    size  working size, multiples of 32; the whole picture is laid into it, black around it. Larger sees people farther
          off: twice the sides cost four times as much
    """

    kind = Landmarks
    uses = ("t",)

    def _size(self, size: Size | None) -> Size:
        size = size or self.card.size or (256, 192)
        if size[0] % 32 or size[1] % 32 or not 64 <= min(size) <= max(size) <= 2048:
            near = [min(2048, max(64, round(side / 32) * 32)) for side in size]
            raise ModelFault(
                f"{self.card.name} cannot work at {size[0]} x {size[1]}: its sides are multiples of 32, 64 to 2048",
                now="the model was not loaded",
                hint=f"size = [{near[0]}, {near[1]}]",
            )
        return size

    def _constant(self, port: str, value: Any) -> Any:
        return value if port == "image" else Control.check(value)

    def _open(self) -> None:
        blob = store.read(self.card, "network")
        found = check_onnx.inspect(blob, self.card.files["network"].name)
        self._input, self._output = next(iter(found.inputs), ""), next(iter(found.outputs))
        width, height = self.size or (256, 192)
        self._canvas = np.zeros((height, width, 3), np.uint8)
        self._network = self.network(
            "network",
            [Tensor(self._input, (1, height, width, 3), "NHWC", scale=(1.0,))],
            [Tensor(self._output, (1, MOST, NUMBERS))],
            blob=blob,
        )
        self._network.run({self._input: self._canvas})

    def _run(self, values: dict[str, Any]) -> Landmarks:
        image = checked(values["image"])
        sure = min(1.0, max(0.01, Control.check(values.get("sure", 0.25))))
        most = int(min(max(Control.check(values.get("most", MOST)), 0), MOST))
        smooth = min(1.0, max(0.0, Control.check(values.get("smooth", 0.5))))
        t = None if values.get("t") is None else float(values["t"])
        with self._lock:
            place = self._placed(image)
            rows = self._network.run({self._input: self._canvas})[self._output][0]
            rows = rows[np.argsort(-rows[:, 55], kind="stable")]
            rows = rows[rows[:, 55] >= sure * (STAYS if t is not None else 1)]
            points, boxes = _back(rows, place)
            if t is None:
                numbers = list(range(1, len(rows) + 1))
            else:
                stays = (rows[:, 55] >= sure) | self._tracks.known(boxes, np.zeros(len(boxes), int), t)
                rows, points, boxes = rows[stays], points[stays], boxes[stays]
                rows, points, boxes = rows[:most], points[:most], boxes[:most]
                numbers = self._tracks.follow(boxes, np.zeros(len(boxes), int), t)
                points = self._calmed(points, boxes, numbers, t, smooth)
        return Landmarks(
            Figure(
                places[:, :2], POINTS, min(1.0, float(row[55])),
                visibility=tuple(round(float(v), 4) for v in places[:, 2]),
                box=tuple(float(v) for v in (*box[:2], *(box[2:] - box[:2]))), number=number,
            )
            for places, box, row, number in list(zip(points, boxes, rows, numbers, strict=True))[:most]
        )  # fmt: skip

    def _calmed(
        self, points: np.ndarray, boxes: np.ndarray, numbers: list[int], t: float, smooth: float
    ) -> np.ndarray:
        """Points and how sure each is, through each person's own filter."""
        self._calm = {n: calm for n, calm in self._calm.items() if 0 <= t - calm.t <= FORGET_S}
        out = np.empty_like(points)
        for n, (places, box, number) in enumerate(zip(points, boxes, numbers, strict=True)):
            calm = self._calm.setdefault(number, OneEuro())
            size = max(1e-3, float(np.mean(box[2:] - box[:2])))
            calmed = calm(places, t, size, smooth)
            out[n] = calmed
            out[n, :, 2] = np.clip(out[n, :, 2], 0, 1)
        return out

    def probe(self) -> list[np.ndarray]:
        """Where the points of a drawn person are: what the network says of nobody is noise, and compares with nothing.
        """
        self.open()
        if self._fixed is None:
            self._fixed = [{self._input: person(self.size or (256, 192))}]
        rows = self._network.run(self._fixed[0])[self._output][0]
        best = rows[int(rows[:, 55].argmax())]
        return [best[:51].reshape(17, 3)[:, :2].copy(), best[51:55].copy()]

    def _placed(self, image: np.ndarray) -> np.ndarray:
        """Lays the picture on the canvas; left, top, width and height as parts of the canvas."""
        import cv2

        (height, width), (down, across) = image.shape[:2], self._canvas.shape[:2]
        scale = min(across / width, down / height)
        wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (across - wide) // 2, (down - tall) // 2
        self._canvas[:] = 0
        how = cv2.INTER_AREA if wide <= width else cv2.INTER_LINEAR
        cv2.resize(image, (wide, tall), dst=self._canvas[top : top + tall, left : left + wide], interpolation=how)
        return np.array([left / across, top / down, wide / across, tall / down], np.float32)

    def save(self) -> dict[str, Any] | None:
        """Whom it follows, for a tape that begins in the middle."""
        tracks = self._tracks.save()
        return tracks and {"tracks": tracks, "calm": [[n, calm.save()] for n, calm in self._calm.items()]}

    def load(self, state: dict[str, Any] | None) -> None:
        self.reset()
        if state:
            self._tracks.load(state["tracks"])
            for number, kept in state["calm"]:
                self._calm[int(number)] = OneEuro()
                self._calm[int(number)].load(kept)

    def reset(self) -> None:
        """Forgets whom it followed."""
        self._tracks = BoxTracks()
        self._calm: dict[int, OneEuro] = {}


def _back(rows: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 17, 3: x, y, how sure) and boxes (n, 4: corners), 0..1 of the picture."""
    points = rows[:, :51].reshape(-1, 17, 3)[..., [1, 0, 2]].astype(np.float32)
    points[..., :2] = (points[..., :2] - place[:2]) / place[2:]
    boxes = rows[:, [52, 51, 54, 53]].astype(np.float32)
    boxes = np.clip((boxes - np.tile(place[:2], 2)) / np.tile(place[2:], 2), 0, 1)
    return points, boxes
