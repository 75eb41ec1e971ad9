"""What can be bent in a model: its layers with their shapes, and a picture of what each does when it is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor
from ..core.kinds import Size
from . import graphs, load
from .bend import Bending, check_bendable
from .card import Card, find_card
from .network import NetworkModel

PLAYED = {"scale": -1.0, "noise": 0.08}
"""How a layer is played for its picture: half of its channels turned over; its numbers clouded."""


@dataclass(frozen=True)
class BendableLayer:
    """name: what `bend` calls it; role: the card's file; op: what makes it; shape: at the working size."""

    name: str
    role: str
    op: str
    shape: tuple[int, ...]

    @property
    def entry(self) -> dict[str, str]:
        """As `bend` takes it."""
        return {"layer": self.name, "role": self.role}


class _Listening(Bending):
    """Bends nothing and remembers what networks were made, and of what."""

    def __init__(self) -> None:
        super().__init__((), None)
        self.made: dict[str, tuple[bytes, tuple[Tensor, ...]]] = {}

    def network(
        self, role: str, blob: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], make: Callable[..., Backend]
    ) -> Backend:
        self.made[role] = (blob, tuple(inputs))
        return make(blob, inputs, outputs)


def layers_of(card: Card | str, size: Size | None = None) -> list[BendableLayer]:
    """The layers of a card's networks, in the order of computing. ModelFault: it has none that can be bent."""
    card = find_card(card)
    check_bendable(card)
    model = load(card, size=size, backend="onnx")
    assert isinstance(model, NetworkModel)
    ear = model._bending = _Listening()
    try:
        model.open()
    finally:
        model.close()
    found = []
    for role, (blob, inputs) in ear.made.items():
        known = graphs.layers(graphs.read(blob))
        numbers = graphs.samples(blob, [layer.tensor for layer in known], inputs)
        for layer in known:
            sample = numbers[layer.tensor]
            if sample.dtype == np.float32 and sample.ndim >= 2 and sample.size > 1:
                found.append(BendableLayer(layer.name, role, layer.op, sample.shape))
    return found


def played(
    card: Card | str, image: np.ndarray, layers: Sequence[BendableLayer], size: Size | None = None, **ports: Any
) -> Iterator[tuple[BendableLayer, dict[str, Any]]]:
    """For each layer what the model makes with that layer played, by what was turned ("scale", "noise")."""
    card = find_card(card)
    for layer in layers:
        model = load(card, size=size, backend="onnx", bend={"layer": layer.entry})
        try:
            yield layer, {what: model(image, **ports, **{f"layer_{what}": to}) for what, to in PLAYED.items()}
        finally:
            model.close()
