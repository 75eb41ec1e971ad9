"""The clock as a stream, for a piece that moves by itself."""

from __future__ import annotations

from typing import Any

from ..core.kinds import Control
from ._common import paced_at
from ._counted import Counted


class Tick(Counted):
    """Seconds since the piece began, `rate` times a second: 0.0, 0.0167, 0.0333 ... A Control without a range.

    Paced: nothing drifts, since tick n is due at exactly n / rate seconds.
    """

    kind = Control

    def __init__(self, target: str = "", *, rate: float = 60) -> None:
        super().__init__(paced_at(target or rate, "tick"))

    def at(self, number: int) -> float:
        return self.due_ns(number) / 1e9

    def describe(self) -> dict[str, Any]:
        return {"source": "tick", "rate": self.rate}
