"""Things in a picture: where, what, and how surely. Task "objects".

Any detector whose way of writing boxes is in `layouts` will do: the card's `options.layout` names it, or it is
recognised by the shapes of the network's outputs. `pleinair models add yolo.onnx` makes such a card.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault, did_you_mean
from ...core.kinds import Box, Boxes, Control, Size
from .. import check_onnx, store
from ..adding.onnx import facts_of
from ..card import Card
from ..fit import checked
from ..network import NetworkModel
from ._pictures import fixed_size, picture_input
from .box_tracks import BoxTracks, without_doubles
from .coco import LABELS
from .layouts import LAYOUTS, PREPARED, layout_of

PAPER = 114
"""Grey around a picture that is not as wide as the network's: what the YOLO family was trained with."""
STAYS = 0.8
"""Something that was there in the last picture needs only this part of `sure`: it does not flicker."""
FREE_SIZE = (640, 640)
CANDIDATES = 1000
ALONE = ("rtdetr", "end-to-end")
"""Layouts of networks that name each thing once."""


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it is a detector (size, ports, constants, options); None: it is not."""
    pictures = {n: s for n, s in found.inputs.items() if s and len(s) == 4 and s[1] == 3}
    others = set(found.inputs) - set(pictures) - {"orig_target_sizes"}
    if len(pictures) != 1 or others:
        return None
    ((name, shape),) = pictures.items()
    if found.types.get(name) != wire.FLOAT:
        return None
    fixed = (shape[3], shape[2]) if shape[2] > 0 and shape[3] > 0 else None
    layout = layout_of(list(found.outputs.values()), fixed or FREE_SIZE)
    if layout is None:
        return None
    options: dict[str, Any] = {"labels": "file"}
    if layout[0]:  # else its outputs are of open sizes, and `_open` sees what they become
        options["layout"] = layout[0]
    if layout[1]:
        options["classes"] = layout[1]
    options |= PREPARED.get(layout[0], {})
    ports = {"image": "Image", "sure": "Control", "most": "Control"}
    size = {"size": list(fixed)} if fixed else {}
    return {**size, "ports": ports, "constants": {"sure": 0.5, "most": 100}, "options": options}


class Objects(NetworkModel):
    """`model(image, sure=0.5, most=100)`: Boxes, the surest first, each with a label and a confidence.

    sure  what a box's confidence must be at least, 0..1; most  how many boxes at the most

    With `t`, content time in seconds (a piece gives it), things are followed from picture to picture: each has a
    `number` that stays with it, and what was there a moment ago needs a little less than `sure` to stay.

    Of the card's options:
    layout   a name in `layouts.LAYOUTS`; without it, it is recognised
    labels   names in the network's order; "coco" for the 80 of COCO; "file" (default) for those that the file itself
             names, or COCO's where it has 80; a label without a name is its number
    fit      "letterbox" (the whole picture, grey around it; default) or "stretch"
    overlap  0.6: two boxes of one label that share more are one thing
    range, mean, scale, bgr  how the network wants its pictures (see `_pictures`; mean and scale in its order)

    ModelFault: a network whose outputs nothing here can read.
    """

    kind = Boxes
    uses = ("t",)

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self._options = card.options
        self._tracks = BoxTracks()
        self._layout = str(card.options.get("layout", ""))
        labels = card.options.get("labels", "file")
        self.labels: list[str] = [] if labels == "file" else list(LABELS if labels == "coco" else map(str, labels))
        if self._layout and self._layout not in LAYOUTS:
            raise ModelFault(
                f'{card.name}: there is no layout "{self._layout}"', hint=did_you_mean(self._layout, LAYOUTS)
            )

    def _size(self, size: Size | None) -> Size | None:
        return size or self.card.size

    def _constant(self, port: str, value: Any) -> Any:
        return value if port == "image" else Control.check(value)

    def _open(self) -> None:
        blob, name = store.read(self.card, "network"), self.card.files["network"].name
        found = check_onnx.inspect(blob, name)
        said = facts_of(blob)
        self.size = self._its_size(fixed_size(found), said)
        self._make(blob, found)
        known = layout_of([output.shape for output in self._given()], self.size)
        if not self._layout:
            if not known or not known[0]:
                raise ModelFault(
                    f"{name} writes its boxes in a way that is not known here",
                    now="the model was not loaded",
                    hint=f"options.layout of the card: {', '.join(LAYOUTS)}",
                )
            self._layout = known[0]
            if self._layout in PREPARED:  # seen only now: the picture goes in another way
                self._networks.remove(self._network)
                self._network.close()
                self._make(blob, found)
        if known and known[1]:
            self._options = {"classes": known[1], **self._options}
        if self._options.get("labels", "file") == "file":
            self.labels = _named(said) or (list(LABELS) if known and known[1] in (0, len(LABELS)) else [])
        self._run({"image": self._canvas})

    def _make(self, blob: bytes, found: wire.Summary) -> None:
        """The network, its picture prepared as the card says, or as its family is."""
        width, height = self.size = self.size or FREE_SIZE
        self._options = {**PREPARED.get(self._layout, {}), **self.card.options}
        picture = picture_input(replace(self.card, options=self._options), found, self.size)
        self._port = picture.name
        inputs = [picture]
        if "orig_target_sizes" in found.inputs:
            inputs.append(Tensor("orig_target_sizes", (1, 2), dtype="int64"))
        outputs = _outputs(found)
        self._outputs = [tensor.name for tensor in outputs]
        self._network = self.network("network", inputs, outputs, blob=blob)
        self._canvas = np.full((height, width, 3), PAPER, np.uint8)

    def _given(self) -> list[np.ndarray]:
        """What the network says of the canvas, in the file's order."""
        arrays = {self._port: self._canvas}
        if len(self._network.inputs) > 1:
            arrays["orig_target_sizes"] = np.array([self.size], np.int64)
        given = self._network.run(arrays)
        return [given[name] for name in self._outputs]

    def _its_size(self, fixed: Size | None, said: dict[str, str]) -> Size:
        """Working size: the network's own where it has one, or what it learnt at where the file says that."""
        learnt = _read(said.get("imgsz", ""))
        usual = (int(learnt[1]), int(learnt[0])) if isinstance(learnt, list) and len(learnt) == 2 else FREE_SIZE
        size = self.size or fixed or usual
        if fixed and size != fixed:
            raise ModelFault(
                f"{self.card.name} works at {fixed[0]} x {fixed[1]} only", hint=f"size = [{fixed[0]}, {fixed[1]}]"
            )
        if size[0] % 32 or size[1] % 32 or not 32 <= min(size) <= max(size) <= 4096:
            raise ModelFault(f"{self.card.name}: the sides of a detector's picture are multiples of 32, 32 to 4096")
        return size

    def _run(self, values: dict[str, Any]) -> Boxes:
        image = checked(values["image"])
        threshold = min(1.0, max(0.01, Control.check(values.get("sure", 0.5))))
        most = max(0, int(Control.check(values.get("most", 100))))
        t = values.get("t")
        with self._lock:
            left, top, wide, tall = self._place(image)
            outputs = self._given()
            least = threshold * (1 if t is None else STAYS)
            boxes, sure, labels = LAYOUTS[self._layout](outputs, self.size or FREE_SIZE, least, self._options)
            if len(sure) > CANDIDATES:
                best = np.argsort(-sure, kind="stable")[:CANDIDATES]
                boxes, sure, labels = boxes[best], sure[best], labels[best]
            boxes = (boxes - np.array([left, top, left, top])) / np.array([wide, tall, wide, tall])
            boxes = np.clip(boxes, 0, 1).astype(np.float32)
            shared = 1.0 if self._layout in ALONE else float(self._options.get("overlap", 0.6))
            keep = without_doubles(boxes, sure, labels, shared)
            boxes, sure, labels = boxes[keep], sure[keep], labels[keep]
            numbers = [0] * len(boxes)
            if t is not None:
                stays = (sure >= threshold) | self._tracks.known(boxes, labels, float(t))
                boxes, sure, labels = boxes[stays], sure[stays], labels[stays]
                numbers = self._tracks.follow(boxes, labels, float(t))
        return Boxes(
            Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0), self._name(label), min(1.0, float(p)), number)
            for (x0, y0, x1, y1), p, label, number in list(zip(boxes, sure, labels, numbers, strict=True))[:most]
        )

    def _name(self, label: int) -> str:
        return self.labels[label] if label < len(self.labels) else str(int(label))

    def _place(self, image: np.ndarray) -> tuple[float, float, float, float]:
        """The picture on the canvas: left, top, width and height in the canvas's pixels."""
        import cv2

        (height, width), (down, across) = image.shape[:2], self._canvas.shape[:2]
        if self._options.get("fit") == "stretch":
            wide, tall = across, down
        else:
            scale = min(across / width, down / height)
            wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
            self._canvas[:] = PAPER
        left, top = (across - wide) // 2, (down - tall) // 2
        shrinks = wide <= width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        cv2.resize(image, (wide, tall), dst=self._canvas[top : top + tall, left : left + wide], interpolation=how)
        return left, top, wide, tall

    def save(self) -> dict[str, Any] | None:
        """What it follows, for a tape that begins in the middle."""
        return self._tracks.save()

    def load(self, state: dict[str, Any] | None) -> None:
        self._tracks.load(state)

    def reset(self) -> None:
        self._tracks.reset()


def _named(said: dict[str, str]) -> list[str]:
    """The labels that exporters write into the file: metadata "names", "{0: 'person', 1: 'bicycle'}"; [] without."""
    names = _read(said.get("names", ""))
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or set(names) != set(range(len(names))):
        return []
    return [str(names[n])[:64] for n in range(len(names))]


def _read(text: str) -> Any:
    """A Python literal as exporters write them; None where it is none. Nothing is run."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _outputs(found: wire.Summary) -> list[Tensor]:
    """Every output, a batch of one; sides that the file leaves open stay open."""
    spelt = {number: word for word, number in wire.TYPES.items()}
    made = []
    for name, shape in found.outputs.items():
        sides = tuple(shape or ()) or (-1,)
        sides = (1, *sides[1:]) if len(sides) > 1 and sides[0] < 1 else sides
        made.append(Tensor(name, sides, dtype=spelt.get(found.types.get(name, 1), "float32")))
    return made
