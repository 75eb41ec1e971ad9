"""The clock as a stream, for a piece that moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.kinds import Control
from ..core.source import Capture, Raw, Source
from ._common import paced_at


class Tick(Source):
    """Seconds since the piece began, `rate` times a second: 0.0, 0.0167, 0.0333 ... A Control without a range.

    Paced: nothing drifts, since tick n is due at exactly n / rate seconds.
    """

    kind = Control
    paced = True

    def __init__(self, target: str = "", *, rate: float = 60) -> None:
        self.rate = paced_at(target or rate, "tick")
        self._stopped = False

    def open(self) -> None:
        self._stopped = False

    def __iter__(self) -> Iterator[Capture]:
        number = 0
        while not self._stopped:
            yield Capture(self._at(number), t_ns=self._due_ns(number), raw=Raw("recall", b"", {"index": number}))
            number += 1

    def _due_ns(self, number: int) -> int:
        return round(number * 1e9 / self.rate)

    def _at(self, number: int) -> float:
        return self._due_ns(number) / 1e9

    def recall(self, note: dict[str, Any]) -> float:
        return self._at(int(note["index"]))

    def interrupt(self) -> None:
        self._stopped = True

    def describe(self) -> dict[str, Any]:
        return {"source": "tick", "rate": self.rate}
