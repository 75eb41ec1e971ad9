"""One network, many styles, mixed by weights while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor, closed
from ..core.errors import ModelFault
from ..core.kinds import Size, Vector
from .card import Card
from .painter import Make

FADE = 0.05
"""Below this sum of weights the painting fades into the picture, so that no knob ever jumps when it comes to rest."""


class Mixture:
    """One network, many styles: inputs `image` [1, 3, h, w] and `style_weights` [n], output `stylized` (the card's
    `options.output` says otherwise). A card without the port style_weights is a painter of one style."""

    def __init__(self, card: Card, size: Size) -> None:
        self.card, self.size = card, size
        self.mixes = "style_weights" in card.ports
        self.output = str(card.options.get("output", "stylized"))
        self.count = len(card.names.get("style_weights", ())) or int(card.options.get("styles", 26))
        self.network: Backend | None = None

    def open(self, make: Make) -> None:
        width, height = self.size
        picture = (1, 3, height, width)
        inputs = [Tensor("image", picture, "NCHW")]
        if self.mixes:
            inputs.append(Tensor("style_weights", (self.count,)))
        self.network = make("network", inputs, [Tensor(self.output, picture, "NCHW")])

    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        network = self.network
        if network is None:
            raise closed()
        if not self.mixes:
            return network.run({"image": image})[self.output]
        weights = values.get("style_weights")
        weights = np.eye(1, self.count, dtype=np.float32)[0] if weights is None else self._weights(weights)
        total = float(weights.sum())
        if total <= 0:
            return image.copy()
        painting = network.run({"image": image, "style_weights": weights / np.float32(total)})[self.output]
        if total < FADE:
            import cv2

            painting = cv2.addWeighted(image, 1 - total / FADE, painting, total / FADE, 0)
        return painting

    def _weights(self, value: Any) -> np.ndarray:
        weights = value if isinstance(value, np.ndarray) and value.dtype == np.float32 else Vector.check(value)
        if weights.shape != (self.count,):
            raise ValueError(f"style_weights are {self.count} numbers, one a style, and these are {len(weights)}")
        low, high = float(weights.min()), float(weights.max())
        if not (low >= 0 and high < 1e6):
            raise ValueError(f"style_weights are 0 or more, and these run from {low:.3g} to {high:.3g}")
        return weights

    def check(self, port: str, value: Any) -> Any:
        if port != "style_weights":
            return value
        value = Vector.check(value)
        return self._weights(value) if len(value) else None

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        raise ModelFault(
            f"{self.card.name} knows its own styles and cannot read one off a picture", hint='the card "anystyle"'
        )

    def proofs(self) -> list[dict[str, Any]]:
        if not self.mixes:
            return [{}, {}]
        eye = np.eye(self.count, dtype=np.float32)
        mixed = np.linspace(0, 1, self.count, dtype=np.float32)
        return [{"style_weights": w} for w in (eye[0], eye[self.count // 2], mixed)]

    def close(self) -> None:
        self.network = None
