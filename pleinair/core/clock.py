"""Time is an interface: the show runs on the wall's, tests and offline runs on a virtual one.

All times are integers in nanoseconds. *Content time* counts from the clock's start; *machine time* is
`time.monotonic_ns()`, the clock that devices and the kernel stamp with.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

SHORT_NS = 50_000_000
"""A wait so short need not be cut short by the end of the run."""


class Clock(Protocol):
    """When it is, in content time."""

    def start(self) -> None:
        """Content time 0 is now."""

    def now_ns(self) -> int:
        """Content time."""

    def from_machine(self, machine_ns: int) -> int:
        """Content time of a moment of `time.monotonic_ns()`."""

    def wait_until(self, t_ns: int, stop: threading.Event) -> bool:
        """Waits until content time `t_ns`; True when `stop` was set first."""


class WallClock:
    """The machine's monotonic clock, counted from `start`."""

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()

    def start(self) -> None:
        self._start_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def from_machine(self, machine_ns: int) -> int:
        return machine_ns - self._start_ns

    def wait_until(self, t_ns: int, stop: threading.Event) -> bool:
        while (left_ns := t_ns - self.now_ns()) > 0:
            if left_ns < SHORT_NS:
                time.sleep(left_ns / 1e9)  # waiting on an Event costs several times as much, thirty times a second
            elif stop.wait((left_ns - SHORT_NS / 2) / 1e9):
                return True
        return stop.is_set()


class VirtualClock:
    """A clock that stands still until it is told to go on. Never sleeps."""

    def __init__(self) -> None:
        self._now_ns = 0

    def start(self) -> None:
        self._now_ns = 0

    def now_ns(self) -> int:
        return self._now_ns

    def from_machine(self, machine_ns: int) -> int:
        return machine_ns

    def advance_to(self, t_ns: int) -> None:
        self._now_ns = max(self._now_ns, t_ns)

    def wait_until(self, t_ns: int, stop: threading.Event) -> bool:
        self.advance_to(t_ns)
        return stop.is_set()
