"""How often a model is called in a second: in a bare loop, and in a piece."""

from __future__ import annotations

import time
from typing import Any

from pleinair import Piece
from pleinair.core.errors import Fault
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null

from .common import BenchParts, Kept, Repeated


def bare(model: Any, inputs: list[Any], seconds: float, rate: float = 30) -> float:
    """Calls a second. `rate`: how fast its content time goes by: as in the piece, which is handed as many."""
    _forget(model)
    count, began = 0, time.perf_counter()
    follows = "t" in getattr(model, "uses", ())  # what a piece hands it: else it would look for everybody each time
    while time.perf_counter() - began < seconds:
        model(inputs[count % len(inputs)], **({"t": count / rate} if follows else {}))
        count += 1
    return count / (time.perf_counter() - began)


def in_piece(model: Any, inputs: list[Any], rate: float, seconds: float) -> float:
    """Calls a second in a live piece that does nothing else. `rate`: pictures a second that its source has; a little
    more than the model takes, so that one is always waiting. Raises the first Fault of the piece."""
    piece = Piece()
    piece.source("camera")
    piece.model("seen", reads="camera")
    piece.sink("null", reads="seen")
    faults = _Faults()
    runner = LiveRunner(piece.build(BenchParts(Repeated(inputs, rate), Kept(model), Null())), observers=[faults])
    runner.start()
    time.sleep(0.3)
    before, began = runner.stats.fired["null"], time.perf_counter()
    time.sleep(seconds)
    done = (runner.stats.fired["null"] - before) / (time.perf_counter() - began)
    runner.stop()
    if faults.first:
        raise faults.first
    return done


class _Faults:
    """What went wrong in the piece: else a piece that stands still would only look slow."""

    first: Fault | None = None

    def on_fault(self, node: str, fault: Fault, *rest: Any) -> None:
        self.first = self.first or fault


def _forget(model: Any) -> None:
    if hasattr(model, "reset"):
        model.reset()
