"""A picture of twice the width and height. Task "upscale".

A convolutional network draws the larger picture: here those of Anime4K (see `convert.anime4k`); any ONNX with one
picture in and one of a whole multiple of its size out will do (RGB 0..1, channels first, height and width free).

A network is compiled for one size. Pictures of another size than the last few cost a compilation (0.1 to 0.3 s) once;
pictures of more than about a million pixels are worked through in tiles that overlap by more than the network sees, so
that no seam shows and no memory runs out.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Backend, Tensor
from ...core.errors import ModelFault
from ...core.kinds import MAX_PIXELS, MAX_SIDE, Size
from .. import check_onnx, store
from ..fit import checked, fitted
from ..network import NetworkModel

TILE_PIXELS = 1 << 20
KEPT = 3
"""Compiled networks, the last used: a piece with two cameras and a photograph."""
FIRST_SIZE = (320, 240)


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it enlarges pictures (ports, options); None: it does not, or does not say.

    A network of open sizes is taken for one where it rearranges channels into pixels; painters do not.
    """
    if len(found.inputs) != 1 or len(found.outputs) != 1:
        return None
    ((name, sides),), (larger,) = found.inputs.items(), found.outputs.values()
    if not sides or not larger or len(sides) != 4 or len(larger) != 4:
        return None
    if sides[1] != 3 or larger[1] not in (3, -1) or found.types.get(name) != wire.FLOAT:
        return None
    if min(*sides[2:], *larger[2:]) > 0:
        factor = larger[2] // sides[2]
        if factor < 2 or [side * factor for side in sides[2:]] != larger[2:]:
            return None
        return {"size": [sides[3], sides[2]], "ports": {"image": "Image"}, "options": {"factor": factor}}
    return {"ports": {"image": "Image"}, "options": {}} if "DepthToSpace" in found.ops else None


class Upscale(NetworkModel):
    """`model(image)`: uint8, 2 height x 2 width x 3, read-only where it comes straight from the runtime.

    size  None: at the size of what it is given. Otherwise a picture is brought to this size first, and the result has
          twice that

    Of the card's options: `factor` (without it, what the network does to a small picture), `margin` (8: pixels that
    the network sees beyond each), `input` and `output` (the network's own names; without them its only ones).

    ValueError, with a sentence: a picture whose enlargement would be more than 8K.
    """

    def __init__(self, card: Any, **how: Any) -> None:
        super().__init__(card, **how)
        self.factor = int(card.options.get("factor", 0))
        self.margin = int(card.options.get("margin", 8))
        self._compiled: OrderedDict[Size, Backend] = OrderedDict()
        self._blob = b""

    def _size(self, size: Size | None) -> Size | None:
        size = size or self.card.size
        if size and (min(size) < 16 or max(size) > 4096):
            raise ModelFault(f"{self.card.name} cannot work at {size[0]} x {size[1]}: sides from 16 to 4096")
        return size

    def _open(self) -> None:
        self._blob = store.read(self.card, "network")
        name = self.card.files["network"].name
        found = check_onnx.inspect(self._blob, name)
        self._input = str(self.card.options.get("input", next(iter(found.inputs), "")))
        self._output = str(self.card.options.get("output", next(iter(found.outputs))))
        self.factor = self.factor or self._tried()
        width, height = self.size or FIRST_SIZE
        self._enlarged(np.zeros((height, width, 3), np.uint8))

    def _tried(self) -> int:
        """How many times larger a small picture comes out."""
        trial = self.network(
            "network",
            [Tensor(self._input, (1, 3, 32, 32), "NCHW")],
            [Tensor(self._output, (1, 3, -1, -1))],
            blob=self._blob,
        )
        found = trial.run({self._input: np.zeros((32, 32, 3), np.uint8)})[self._output].shape
        self._networks.remove(trial)
        trial.close()
        factor, rest = divmod(found[2], 32)
        if rest or found[3] != found[2] or not 2 <= factor <= 16:
            raise ModelFault(
                f"{self.card.name} does not enlarge: 32 x 32 becomes {found[3]} x {found[2]}",
                now="the model was not loaded",
            )
        return factor

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        image = fitted(values["image"], self.size) if self.size else checked(values["image"])
        height, width = (side * self.factor for side in image.shape[:2])
        if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
            raise ValueError(f"a picture of {width} x {height} would be more than 8K: give a smaller one")
        with self._lock:
            return self._enlarged(image)

    def _enlarged(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        if height * width <= TILE_PIXELS:
            return self._network((width, height)).run({self._input: np.ascontiguousarray(image)})[self._output]
        factor, margin = self.factor, self.margin
        rows, columns = _spans(height, margin), _spans(width, margin)
        network = self._network((columns[0][1], rows[0][1]))
        whole = np.empty((height * factor, width * factor, 3), np.uint8)
        for y, tall in rows:
            for x, wide in columns:
                tile = network.run({self._input: np.ascontiguousarray(image[y : y + tall, x : x + wide])})[self._output]
                top, left = (margin if y else 0), (margin if x else 0)  # what its neighbours see better
                place = whole[(y + top) * factor : (y + tall) * factor, (x + left) * factor : (x + wide) * factor]
                place[:] = tile[top * factor :, left * factor :]
        return whole

    def _network(self, size: Size) -> Backend:
        """The network for pictures of this size."""
        if size in self._compiled:
            self._compiled.move_to_end(size)
            return self._compiled[size]
        while len(self._compiled) >= KEPT:
            _, old = self._compiled.popitem(last=False)
            self._networks.remove(old)
            old.close()
        (width, height), by = size, self.factor
        self._fixed = None
        self._compiled[size] = self.network(
            "network",
            [Tensor(self._input, (1, 3, height, width), "NCHW")],
            [Tensor(self._output, (1, 3, height * by, width * by), "NCHW")],
            blob=self._blob,
        )
        return self._compiled[size]

    def _close(self) -> None:
        self._compiled.clear()
        self._blob = b""


def _spans(side: int, margin: int) -> list[tuple[int, int]]:
    """(start, length) of tiles along one side, all of one length, the last at the end; each but the first begins at
    least two margins before the end of the one before it."""
    most = int(TILE_PIXELS**0.5)
    if side <= most:
        return [(0, side)]
    count = -(-(side - 2 * margin) // (most - 2 * margin))
    length = -(-(side - 2 * margin) // count) + 2 * margin
    step = length - 2 * margin
    return [(min(n * step, side - length), length) for n in range(count)]
