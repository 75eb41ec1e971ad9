"""Counts and percentiles: what `report`, the desk and `profile` show."""

from __future__ import annotations

import threading
from array import array
from collections import Counter
from typing import Any

import numpy as np

from ..core.clock import Clock
from ..core.errors import Fault
from ..core.frame import Frame
from ..core.graph import Graph
from ..core.observer import Observer

KEEP = 4096
"""How many of the newest figures of each sort stand behind a percentile (2 minutes at 30 fps)."""


class Ring:
    """The newest KEEP numbers. One writer."""

    __slots__ = ("_values", "_count")

    def __init__(self) -> None:
        self._values = array("d", bytes(8 * KEEP))  # half as dear to write into as numpy's, and numpy reads it in place
        self._count = 0

    def add(self, value: float) -> None:
        self._values[self._count % KEEP] = value
        self._count += 1

    def newest(self, n: int = KEEP) -> np.ndarray:
        count = min(self._count, KEEP, n)
        return np.take(np.frombuffer(self._values), range(self._count - count, self._count), mode="wrap")

    def percentiles(self, scale: float = 1e-6, n: int = KEEP) -> dict[str, float] | None:
        values = self.newest(n)
        if not len(values):
            return None
        figures = (*np.percentile(values, (50, 95, 99)), values.max())
        return {name: round(float(f) * scale, 3) for name, f in zip(("p50", "p95", "p99", "max"), figures, strict=True)}


class _Figures:
    __slots__ = ("waited", "ran", "age", "published")

    def __init__(self) -> None:
        self.waited, self.ran, self.age = Ring(), Ring(), Ring()
        self.published = 0


class Counts(Observer):
    """Counts and percentiles of a run. Whoever owns one calls `passed` for each frame and counts firings in `fired`,
    both after the hand-over: nobody who waits for a frame waits for them."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Figures] = {}
        self.fired: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.faults: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._screens: set[str] = set()
        self.first_shown_ns: int | None = None
        self._clock: Clock | None = None

    def on_start(self, graph: Graph, clock: Clock) -> None:
        self._clock = clock
        for name in graph.nodes:
            self._nodes.setdefault(name, _Figures())
        self._screens = set(graph.screens.values())

    def passed(self, frame: Frame) -> None:
        """A frame was published. One thread a stream."""
        figures = self._nodes[frame.stream]
        figures.published += 1
        span = frame.trace[-1]
        figures.waited.add(span.waited_ns)
        figures.ran.add(span.ran_ns)
        figures.age.add(span.done_ns - frame.t_ns)
        if self.first_shown_ns is None and frame.stream in self._screens:
            self.first_shown_ns = span.done_ns

    def on_skip(self, node: str, stream: str, frame: Frame) -> None:
        self.skipped[node] += 1

    def on_lost(self, node: str, stream: str, frame: Frame) -> None:
        self.lost[node] += 1

    def on_fault(self, node: str, fault: Fault, count: int) -> None:
        with self._lock:
            for known in reversed(self.faults):
                # A repetition may word itself anew each time ("index 7 is out of bounds"): it is the same fault.
                again = count > 1 and known["where"] == fault.where and known["kind"] == type(fault).__name__
                if known["node"] == node and (known["what"] == fault.what or again):
                    known["count"] += 1
                    known["t"] = self._now()
                    return
            kind = type(fault).__name__
            self.faults.append({"node": node, **fault.as_dict(), "kind": kind, "count": 1, "t": self._now()})
            del self.faults[:-100]

    def _now(self) -> float:
        return round(self._clock.now_ns() / 1e9, 3) if self._clock else 0.0

    def report(self) -> dict[str, Any]:
        """The part of the command-line contract's report that a runner knows."""
        seconds = self._now()
        shown = [self._nodes[s] for s in self._screens if s in self._nodes]
        frames = sum(f.published for f in shown)
        ages = [r for f in shown if (r := f.age.percentiles())]
        return {
            "seconds": seconds,
            "frames": frames,
            "fps": round(frames / len(shown) / seconds, 2) if shown and seconds else 0.0,
            "age_ms": max(ages, key=lambda a: a["p95"]) if ages else None,
            "first_frame_s": round(self.first_shown_ns / 1e9, 3) if self.first_shown_ns is not None else None,
            "nodes": {
                name: {
                    "fired": self.fired[name] or f.published,
                    "published": f.published,
                    "skipped": self.skipped[name],
                    "lost": self.lost[name],
                    "waited_ms": f.waited.percentiles(),
                    "ran_ms": f.ran.percentiles(),
                    "age_ms": f.age.percentiles(),
                }
                for name, f in self._nodes.items()
            },
            "faults": [dict(f) for f in self.faults],
        }


class Stats(Counts):
    """Watches everything as an observer; costs a few microseconds a frame."""

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        self.passed(frame)

    def on_fire(self, node: str, inputs: Any, hot: int) -> None:
        self.fired[node] += 1
