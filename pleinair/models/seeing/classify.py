"""Which of the things that it learnt is this a picture of? Task "classify".

For networks of one's own: what Teachable Machine trained out of a few dozen pictures, YOLO's -cls networks, or one of
the thousand things of ImageNet (ResNet, MobileNet, EfficientNet ... as ONNX).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backends import wire
from ...core.errors import ModelFault
from ...core.kinds import Event, Size
from .. import check_onnx, store
from ..card import Card
from ..fit import fitted
from ..network import NetworkModel
from ._pictures import fixed_size, middle, picture_input, row_output

MOST = 10
"""Labels told of one picture, where there are more."""
LABELS = 65_536
SLACK = 0.02
"""By how much likelihoods may miss a sum of 1: those of an 8-bit network do."""


def recognise(found: wire.Summary, labels: list[str]) -> dict[str, Any] | None:
    """What a card says of this network if it tells so many things apart; None: it does not, or nobody says which.

    In which range it wants its picture no file says: ImageNet's where channels come first, -1..1 where they come last,
    as Keras's networks want it. Write what is right into the card.
    """
    output, sides = next(iter(found.outputs.items()))
    pictures = [s for s in found.inputs.values() if s and len(s) == 4 and 3 in (s[1], s[3])]
    if len(found.inputs) != 1 or not pictures or not labels or not sides or math.prod(sides[1:]) != len(labels):
        return None
    options = {"range": "imagenet" if pictures[0][1] == 3 else "-1..1", "output": output, "labels": labels}
    return {"size": list(fixed_size(found) or (224, 224)), "ports": {"image": "Image"}, "options": options}


class Classify(NetworkModel):
    """`model(image)`: an Event {"label": "cup", "confidence": 0.9, "all": {"cup": 0.9, "hand": 0.08, ...}}, the surest
    first, ten of them at most.

    image  uint8 RGB, any size. Its middle square is looked at, unless `options.crop` of the card is false: then the
           whole of it, stretched

    Options of a card: `labels` (their names, in the network's order), `output`, `softmax` (whether the network's
    numbers are still to be made likelihoods; without it, a grey picture tells), and those of `_pictures.picture_input`.
    """

    kind = Event

    def __init__(self, card: Card, **how: Any) -> None:
        labels = card.options.get("labels")
        if not isinstance(labels, list) or not 0 < len(labels) <= LABELS or not all(isinstance(n, str) for n in labels):
            raise ModelFault(
                f"{card.name} does not say what it tells apart",
                now="the model was not loaded",
                hint='in its card, under [options]: labels = ["a cup", "a hand"], in the order of training',
            )
        self.labels: list[str] = labels
        self._softmax = card.options.get("softmax")
        super().__init__(card, **how)
        self._crop = bool(card.options.get("crop", True))

    def _size(self, size: Size | None) -> Size | None:
        return super()._size(size) or (224, 224)

    def _open(self) -> None:
        blob = store.read(self.card, "network")
        found = check_onnx.inspect(blob, self.card.files["network"].name)
        self._input, self._output = picture_input(self.card, found, self.size, "-1..1"), row_output(self.card, found)
        count = math.prod(self._output.shape)
        if count != len(self.labels):
            raise ModelFault(
                f"{self.card.name}: its network tells {count} things apart, and its card names {len(self.labels)}",
                now="the model was not loaded",
            )
        self._network = self.network("network", [self._input], [self._output], blob=blob)
        width, height = self.size
        row = self._row(np.full((height, width, 3), 128, np.uint8))
        if self._softmax is None:
            self._softmax = bool(row.min() < 0 or abs(float(row.sum()) - 1) > SLACK)

    def _row(self, picture: np.ndarray) -> np.ndarray:
        return self._network.run({self._input.name: picture})[self._output.name].reshape(-1)

    def likely(self, image: np.ndarray) -> np.ndarray:
        """A likelihood for each label, in their order: float64."""
        row = self._row(middle(image, self.size) if self._crop else fitted(image, self.size)).astype(np.float64)
        if self._softmax:
            row = np.exp(row - row.max())
            row /= row.sum()
        return row

    def _run(self, values: dict[str, Any]) -> dict[str, Any]:
        row = self.likely(values["image"])
        told = {self.labels[n]: round(float(row[n]), 4) for n in np.argsort(-row, kind="stable")[:MOST]}
        label, confidence = next(iter(told.items()))
        return {"label": label, "confidence": confidence, "all": told}

    def probe(self) -> list[np.ndarray]:
        """Of three pictures: backends are compared by what pieces use."""
        from ..testcard import picture

        self.open()
        return [self.likely(picture(self.size, seed)).astype(np.float32) for seed in range(3)]

    def _close(self) -> None:
        self._network = None
