"""Sources whose data follows from its number alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.source import Capture, Raw, Source


class Counted(Source):
    """`at(number)`, for 0, 1, 2 ... until interrupted. A tape keeps the number and nothing else.

    rate  times a second. Paced: number n is due at exactly n / rate seconds, so nothing drifts; 0 is not paced
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.paced = rate > 0
        self._stopped = False

    def at(self, number: int) -> Any:
        """Data of the source's kind, the same for the same number."""
        raise NotImplementedError

    def due_ns(self, number: int) -> int:
        return round(number * 1e9 / self.rate)

    def open(self) -> None:
        self._stopped = False

    def __iter__(self) -> Iterator[Capture]:
        number = 0
        while not self._stopped:
            t_ns = self.due_ns(number) if self.paced else None
            yield Capture(self.at(number), t_ns=t_ns, raw=Raw("recall", b"", {"index": number}))
            number += 1

    def recall(self, note: dict[str, Any]) -> Any:
        return self.at(int(note["index"]))

    def interrupt(self) -> None:
        self._stopped = True
