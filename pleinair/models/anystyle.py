"""Any picture as the style: 100 numbers are read off it, and a painter takes them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor, closed
from ..core.kinds import Control, Size, Vector
from .card import Card
from .fit import checked, fitted
from .painter import Make

REMEMBERED = 32
"""Style vectors kept, the last used: a desk full of pictures."""


class AnyPicture:
    """Two networks: `predict` reads 100 numbers off a picture at 256 x 256, `transform` paints with them.

    `predict` runs in f32 whatever the precision asked for: in bf16 its numbers are off by 0.1 of 2, which is another
    style, and once a picture it costs next to nothing.
    """

    SIDE, NUMBERS = 256, 100
    STYLE_IN, VECTOR, CONTENT = "style_image", "mobilenet_conv/Conv/BiasAdd", "content_image"
    PAINTED = "transformer/expand/conv3/conv/Sigmoid"

    def __init__(self, card: Card, size: Size) -> None:
        self.size = size
        self.predict: Backend | None = None
        self.transform: Backend | None = None
        self._read: OrderedDict[str, np.ndarray] = OrderedDict()
        self._last: tuple[Any, np.ndarray] | None = None

    def open(self, make: Make) -> None:
        width, height = self.size
        vector = Tensor(self.VECTOR, (1, 1, 1, self.NUMBERS))
        style = Tensor(self.STYLE_IN, (1, self.SIDE, self.SIDE, 3), "NHWC")
        picture = (1, height, width, 3)
        self.predict = make("predict", [style], [vector], "f32")
        self.transform = make(
            "transform", [Tensor(self.CONTENT, picture, "NHWC"), vector], [Tensor(self.PAINTED, picture, "NHWC")]
        )

    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        style = values.get("style")
        vector = None if style is None else self._vector(style)
        strength = 0.0 if vector is None else Control.check(values.get("strength", 1.0))
        if strength < 1:
            own = self._predict(image)  # a frame's own: not kept
            vector = own if vector is None or strength <= 0 else own + np.float32(strength) * (vector - own)
        network = self.transform
        if network is None:
            raise closed()
        vector = np.ascontiguousarray(vector, np.float32).reshape(1, 1, 1, self.NUMBERS)
        return network.run({self.CONTENT: image, self.VECTOR: vector})[self.PAINTED]

    def _vector(self, style: Any) -> np.ndarray:
        if isinstance(style, np.ndarray) and style.ndim == 3:
            last = self._last  # the usual case, without hashing: the very array of the frame before
            if last is not None and last[0] is style and not style.flags.writeable:
                return last[1]
            vector = self.style_of(style)
            self._last = (style, vector)
            return vector
        vector = Vector.check(style)
        if vector.shape != (self.NUMBERS,):
            raise ValueError(f"a style is a picture or {self.NUMBERS} numbers, and these are {len(vector)}")
        return vector

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        picture = checked(picture)
        key = hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest() + str(picture.shape)
        vector = self._read.get(key)
        if vector is None:
            vector = self._predict(picture)
            vector.setflags(write=False)
            self._read[key] = vector
            while len(self._read) > REMEMBERED:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end(key)
        return vector

    def _predict(self, picture: np.ndarray) -> np.ndarray:
        if self.predict is None:
            raise closed()
        height, width = picture.shape[:2]  # a square out of the middle: brush strokes must not be stretched
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = fitted(picture[top : top + side, left : left + side], (self.SIDE, self.SIDE))
        return self.predict.run({self.STYLE_IN: square})[self.VECTOR].reshape(-1).copy()

    def check(self, port: str, value: Any) -> Any:
        if port == "strength":
            return Control.check(value)
        if port == "style" and not (isinstance(value, np.ndarray) and value.ndim == 3):
            vector = Vector.check(value)
            if len(vector) not in (0, self.NUMBERS):
                raise ValueError(f"a style is a picture or {self.NUMBERS} numbers, and these are {len(vector)}")
            return vector
        return value

    def proofs(self) -> list[dict[str, Any]]:
        from .testcard import picture

        return [{"style": picture((256, 256), seed=n + 1), "strength": 1.0} for n in range(2)]

    def close(self) -> None:
        self.predict = self.transform = None
        self._read.clear()
        self._last = None
