"""A sink that takes everything and keeps nothing: for measuring, and for `check`."""

from __future__ import annotations

from typing import Any

from ..core.source import Sink


class Null(Sink):
    """Counts what came. `last_t_ns`: content time of the newest."""

    def __init__(self, target: str = "") -> None:
        self.count = 0
        self.last_t_ns: int | None = None

    def open(self) -> None:
        self.count, self.last_t_ns = 0, None

    def put(self, data: Any, t_ns: int) -> None:
        self.count += 1
        self.last_t_ns = t_ns
