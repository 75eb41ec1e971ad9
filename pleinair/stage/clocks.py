"""A page's clock (performance.now, milliseconds) mapped to this machine's (time.monotonic_ns).

The method is NTP's (RFC 5905, section 8 and 10): of several exchanges the one with the shortest round trip errs least,
by at most half of that round trip. The mapping is made once, within the first two seconds; after that it is slewed,
never set back. A capture never comes before the one that it followed.
"""

from __future__ import annotations

from collections import deque

SLEW_NS_PER_S = 500_000
"""At most half a millisecond a second: ten times what two quartz clocks drift apart."""
JUMP_NS = 250_000_000
"""Beyond this the page slept: the mapping is made anew."""
BURST = 6
"""Exchanges before the mapping is made."""
SETTLE = 24
"""Exchanges until it is slewed only: a page that still loads answers late, and the first ones may err by 10 ms."""


class PageClock:
    """Written for one thread. All results are machine time in nanoseconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int, int]] = deque(maxlen=SETTLE)  # round trip, offset, when
        self._offset: int | None = None
        self._count = 0
        self._at = 0
        self._last = 0
        self.jumps = 0

    def exchanged(self, sent_ns: int, page_ms: float, received_ns: int) -> None:
        """One question and its answer: asked at `sent_ns`, answered at the page's `page_ms`, heard at `received_ns`."""
        trip = received_ns - sent_ns
        if trip < 0:
            return
        offset = (sent_ns + received_ns) // 2 - round(page_ms * 1e6)
        self._samples.append((trip, offset, received_ns))
        self._count += 1
        if self._count <= SETTLE:
            if self._count >= BURST:
                self._offset, self._at = min(self._samples)[1], received_ns
            return
        recent = list(self._samples)[-4:]
        if len(recent) == 4 and all(abs(o - self._offset) > JUMP_NS + t for t, o, _ in recent):
            self.jumps += 1
            self._samples.clear()
            self._samples.extend(recent)
            self._offset, self._at = min(recent)[1], received_ns
            return
        allowed = SLEW_NS_PER_S * (received_ns - self._at) // 1_000_000_000
        wanted = min(self._samples)[1] - self._offset
        self._offset += max(-allowed, min(allowed, wanted))
        self._at = received_ns

    @property
    def ready(self) -> bool:
        return self._offset is not None

    @property
    def offset_ns(self) -> int | None:
        """machine time = page time + this."""
        return self._offset

    @property
    def error_ns(self) -> int | None:
        """The mapping is off by no more than this, unless the way there and back differ by more than all of it."""
        return min(self._samples)[0] // 2 if self._samples else None

    def machine_ns(self, page_ms: float) -> int | None:
        """None before the mapping is made."""
        return None if self._offset is None else round(page_ms * 1e6) + self._offset

    def capture_ns(self, page_ms: float, now_ns: int) -> int:
        """Machine time of a capture: not in the future, not 10 s ago or more, always after the one before."""
        mapped = self.machine_ns(page_ms)
        if mapped is None or not now_ns - 10_000_000_000 < mapped <= now_ns:
            mapped = now_ns
        self._last = max(mapped, self._last + 1)
        return self._last
