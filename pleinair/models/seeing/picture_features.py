"""What a picture is like, as a row of numbers: near for pictures alike. Task "picture_features".

The last layer of a network that learnt to tell a thousand things apart, averaged over the picture, without its names
(EfficientNet-Lite0: Tan and Le, 2019). The base of teaching by example: show it a few pictures of each kind, and
compare. Any ONNX network of one's own will do: a picture in, a row of numbers out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import wire
from ...core.kinds import Size, Vector
from .. import check_onnx, store
from ..card import Card
from ..fit import fitted
from ..network import NetworkModel
from ._pictures import fixed_size, middle, picture_input, row_output, unit


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it makes a row of numbers of a picture; None: it does not.

    In which range it wants its picture no file says: ImageNet's is written down where channels come first, 0..1 where
    they come last, for whoever knows better to change.
    """
    output, sides = next(iter(found.outputs.items()))
    pictures = [s for s in found.inputs.values() if s and len(s) == 4 and 3 in (s[1], s[3])]
    if len(found.inputs) != 1 or not pictures or not sides or len(sides) < 2:
        return None
    if min(sides[1:]) < 1 or sides[1:].count(1) != len(sides) - 2 or max(sides[1:]) < 16:
        return None
    options = {"range": "imagenet" if pictures[0][1] == 3 else "0..1", "output": output}
    return {"size": list(fixed_size(found) or (224, 224)), "ports": {"image": "Image"}, "options": options}


class PictureFeatures(NetworkModel):
    """`model(image)`: Vector, of length 1 (the dot product of two is how alike they are, 1 at most).

    image  uint8 RGB, any size. Its middle square is looked at, unless `options.crop` of the card is false: then the
           whole of it, stretched

    Options of a card: `output` (its name, where the network gives several), `unit = false` for the numbers as the
    network gives them, and those of `_pictures.picture_input` (`range`, or `mean` and `scale`).
    """

    kind = Vector

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self._crop, self._unit = bool(card.options.get("crop", True)), bool(card.options.get("unit", True))

    def _size(self, size: Size | None) -> Size:
        return super()._size(size) or (224, 224)

    def _open(self) -> None:
        blob = store.read(self.card, "network")
        found = check_onnx.inspect(blob, self.card.files["network"].name)
        self._input, self._output = picture_input(self.card, found, self.size), row_output(self.card, found)
        self._network = self.network("network", [self._input], [self._output], blob=blob)
        width, height = self.size
        self._features(np.full((height, width, 3), 128, np.uint8))

    def _features(self, picture: np.ndarray) -> np.ndarray:
        return self._network.run({self._input.name: picture})[self._output.name].reshape(-1)

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        """float32, one dimension."""
        image = values["image"]
        row = self._features(middle(image, self.size) if self._crop else fitted(image, self.size))
        return unit(row) if self._unit else row.copy()

    def probe(self) -> list[np.ndarray]:
        """Of three pictures: backends are compared by what pieces use."""
        from ..testcard import picture

        self.open()
        return [self._features(picture(self.size, seed)) for seed in range(3)]

    def _close(self) -> None:
        self._network = None
