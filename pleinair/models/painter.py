"""What stands behind the task "stylise": one painter for each kind of network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..backends.base import Backend, Tensor
from ..core.kinds import Size
from .card import Card


class Make(Protocol):
    """(role of the file, inputs, outputs, precision or None for the model's own) -> the compiled network."""

    def __call__(
        self, role: str, inputs: list[Tensor], outputs: list[Tensor], precision: str | None = None
    ) -> Backend: ...


class Painter(Protocol):
    """One kind of network: made for a card at a working size, given its networks by `open`.

    paint     a picture at the working size and the ports' values -> the painting, an array of the caller's own
    style_of  the numbers of a picture's style, where the network can read them
    check     a port's constant, checked and in the form in which `paint` takes it
    proofs    values that show what it does, for comparing one backend with another
    """

    def __init__(self, card: Card, size: Size) -> None: ...
    def open(self, make: Make) -> None: ...
    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray: ...
    def style_of(self, picture: np.ndarray) -> np.ndarray: ...
    def check(self, port: str, value: Any) -> Any: ...
    def proofs(self) -> list[dict[str, Any]]: ...
    def close(self) -> None: ...
