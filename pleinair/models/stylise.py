"""Paints a picture in a style, or in a mixture of styles. Task "stylise".

Two networks are known, named by `options.network` of the card:

mixture      one network, N styles, weights that sum to 1 (Dumoulin, Shlens, Kudlur: A Learned Representation for
             Artistic Style, 2017). Ports image, style_weights.
any-picture  a style is 100 numbers read off any picture (Ghiasi and others: Exploring the structure of a real-time,
             arbitrary neural artistic stylization network, 2017). Ports image, style, strength.

A picture of another size is resized to the working size before (area average where it shrinks), and what comes back
has the working size: stretched both ways, it lies over the picture that it was made of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor
from ..backends.onnx_edit import without_rounding
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Size
from . import store
from .anystyle import AnyPicture
from .card import Card
from .fit import fitted
from .mixture import Mixture
from .network import NetworkModel
from .painter import Painter

MAX_SIDE = 4096


class Stylise(NetworkModel):
    """A painter. `model(image, style_weights=...)` or `model(image, style=..., strength=...)`.

    image          uint8 RGB, height x width x 3
    style_weights  one number >= 0 for each style, of any sum: only their proportions count. All zero: nobody paints,
                   and the picture comes back as it is (at the working size)
    style          a picture, or the 100 numbers that `style_of` reads off one; without it the picture's own style
    strength       0..1: from the picture's own style to the given one; anything below 1 reads the style of every
                   frame anew (about 7 ms)

    A port that is not given takes the constant, and an empty vector counts as not given. ValueError, with a sentence,
    for what a port cannot take. Calls from several threads take turns.

    size       working size (width, height), multiples of 4; None: the card's
    backend    a name in `pleinair.backends`; precision "f32" or "bf16"; threads: None = all that may be used
    constants  values for ports that no stream feeds
    """

    def __init__(self, card: Card, *, size: Size | None = None, **how: Any) -> None:
        kind = card.options.get("network", "mixture")
        if kind not in _PAINTERS:
            raise ModelFault(
                f'the card {card.name} names a network "{kind}" that stylise does not know',
                hint=did_you_mean(str(kind), _PAINTERS),
            )
        self._painter: Painter = _PAINTERS[kind](card, _checked_size(card, size or card.size or (320, 240)))
        super().__init__(card, size=size, **how)

    def _size(self, size: Size | None) -> Size:
        return _checked_size(self.card, size or self.card.size or (320, 240))

    def _constant(self, port: str, value: Any) -> Any:
        return self._painter.check(port, value)

    def _open(self) -> None:
        self._painter.open(self._make)
        width, height = self.size or (320, 240)
        self._painter.paint(np.full((height, width, 3), 128, np.uint8), self._constants)

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        """The painting: uint8, working height x width x 3, an array of the caller's own."""
        return self._painter.paint(fitted(values.pop("image"), self.size), values)

    def _close(self) -> None:
        self._painter.close()

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        """The 100 numbers of a picture's style (any-picture networks): float32, made for mixing with others."""
        self.open()
        return self._painter.style_of(picture)

    def proofs(self) -> list[dict[str, Any]]:
        """Port values that show what this model does, for comparing one backend with another."""
        return self._painter.proofs()

    def _make(self, role: str, inputs: list[Tensor], outputs: list[Tensor], precision: str | None = None) -> Backend:
        blob = store.read(self.card, role)
        if self.card.options.get("rounding") is False:
            blob = without_rounding(blob)
        return self.network(role, inputs, outputs, precision=precision, blob=blob)


_PAINTERS: dict[str, type[Painter]] = {"mixture": Mixture, "any-picture": AnyPicture}


def _checked_size(card: Card, size: Any) -> Size:
    multiple = int(card.options.get("multiple", 4))
    try:
        width, height = (int(s) for s in size)
        whole = (width, height) == tuple(size)
    except (TypeError, ValueError):
        raise ModelFault(f"{card.name}: size is [width, height] in pixels, and this is {size!r:.40}") from None
    if not whole or min(width, height) < 32 or max(width, height) > MAX_SIDE or width % multiple or height % multiple:
        near = [min(MAX_SIDE, max(32, round(s / multiple) * multiple)) for s in (width, height)]
        raise ModelFault(
            f"{card.name} cannot work at {size[0]} x {size[1]}: its sides are multiples of {multiple}, "
            f"from 32 to {MAX_SIDE}",
            now="the model was not loaded",
            hint=f"size = [{near[0]}, {near[1]}]",
        )
    return width, height
