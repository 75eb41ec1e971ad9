"""Age at the glass: from a moment's capture to its being painted, and where the time went.

Ages of the whole run go into a histogram with bins of half a percent, so that its size does not grow; the desk's
ribbon keeps one point for each quarter of a second of the last minute.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.frame import Frame

PARTS = ("capture", "waiting", "model", "draw", "encode", "travel", "paint")
_LOW_MS, _STEP = 0.01, math.log(1.005)
POINT_S = 0.25
POINTS = 240


class Ages:
    """Milliseconds; percentiles are right within half a percent. Any thread."""

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self._count = 0
        self._max = 0.0
        self._lock = threading.Lock()

    def add(self, ms: float) -> None:
        place = round(math.log(max(ms, _LOW_MS) / _LOW_MS) / _STEP)
        with self._lock:
            self._bins[place] = self._bins.get(place, 0) + 1
            self._count += 1
            self._max = max(self._max, ms)

    def __len__(self) -> int:
        return self._count

    def summary(self) -> dict[str, float] | None:
        """{"p50", "p95", "p99", "max"}, or None before the first."""
        with self._lock:
            if not self._count:
                return None
            bins, count, most = sorted(self._bins.items()), self._count, self._max
        found: dict[str, float] = {}
        seen = 0
        wanted = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
        for place, n in bins:
            seen += n
            while wanted and seen >= wanted[0][1] * count:
                found[wanted.pop(0)[0]] = round(min(most, _LOW_MS * math.exp(place * _STEP)), 3)
        return {**found, "max": round(most, 3)}


class Glass:
    """What viewers reported. `add` in the loop's thread, `summary` in any."""

    def __init__(self) -> None:
        self.all = Ages()
        self._now: list[tuple[float, dict[str, float]]] = []
        self._since = 0.0
        self.points: deque[dict[str, Any]] = deque(maxlen=POINTS)

    def add(self, age_ms: float, parts: dict[str, float]) -> None:
        self.all.add(age_ms)
        self._now.append((age_ms, parts))
        if len(self._now) > 1000:
            del self._now[:500]

    def point(self, at_s: float) -> dict[str, Any] | None:
        """The medians since the last point, once for each quarter of a second; None while it is not yet over."""
        if at_s - self._since < POINT_S:
            return None
        self._since = at_s
        now, self._now = self._now, []
        point: dict[str, Any] = {"t": round(at_s, 2)}
        if now:
            point["age"] = round(median(age for age, _ in now), 2)
            point["parts"] = [round(median(p[name] for _, p in now), 2) for name in PARTS]
        self.points.append(point)
        return point


def split(
    frame: Frame,
    roles: Mapping[str, str],
    captured_ns: int,
    published_ns: int,
    began_ns: int,
    encoded_ns: int,
    sent_ns: int,
    got_ns: int,
    painted_ns: int,
) -> dict[str, float]:
    """Milliseconds by part; they add up to the age at the glass. All times in machine time.

    What no span accounts for (the hops between threads) is waiting.
    """
    part = dict.fromkeys(PARTS, 0.0)
    for span in frame.trace:
        role = roles.get(span.node)
        part["waiting"] += span.waited_ns
        part["model" if role == "model" else "capture" if role == "source" else "draw"] += span.ran_ns
    part["waiting"] += max(0.0, published_ns - captured_ns - sum(part.values()))
    part["waiting"] += began_ns - published_ns + sent_ns - encoded_ns
    part["encode"] = encoded_ns - began_ns
    part["travel"] = got_ns - sent_ns
    part["paint"] = painted_ns - got_ns
    return {name: ns / 1e6 for name, ns in part.items()}
