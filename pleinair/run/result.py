"""What a replay found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .tapefile import Line


@dataclass
class Result:
    """What came out.

    frames      of nodes, that came out; `streams`: the same by stream
    identical   of those, bit for bit what the tape says; `differing`: sentences that were said of differences
    first       the first thing that differs, as a sentence; None where all are the same
    compared    whether there was something to compare with
    faults      that came again; `cancelled` firings and `changes` (a card, a function) likewise
    unproved    nodes of a cut tape that read what is not on it
    cut_short   where a tape that was never closed ends, as a sentence; None for a whole one
    uncompared  frames at the end of such a tape that have nothing to be compared with
    expected    what was computed, where there was nothing to compare with
    """

    frames: int = 0
    identical: int = 0
    first: str | None = None
    differing: int = 0
    compared: bool = True
    streams: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    cancelled: int = 0
    changes: int = 0
    unproved: tuple[str, ...] = ()
    cut_short: str | None = None
    uncompared: int = 0
    expected: list[Line] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.first is None and self.differing == 0

    def differ(self, sentence: str) -> None:
        self.differing += 1
        if self.first is None:
            self.first = sentence

    def as_dict(self) -> dict[str, Any]:
        return {
            "frames": self.frames, "identical": self.identical, "differing": self.differing, "first": self.first,
            "compared": self.compared, "streams": dict(self.streams), "faults": self.faults,
            "cancelled": self.cancelled, "changes": self.changes, "unproved": list(self.unproved),
            "cut_short": self.cut_short, "uncompared": self.uncompared,
        }  # fmt: skip
