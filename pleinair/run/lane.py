"""One inference lane a machine: heavy models take turns, the oldest moment first.

Two networks that run at once on the same cores take longer than one after the other; a turn is one call of a network,
so a language model gives way after each token and never stalls the camera.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import Any


class Dismissed(Exception):
    """The run that waited for the lane has ended."""


class _Turn:
    """One call's place in the lane, as a context."""

    __slots__ = ("lane", "t_ns", "owner", "gate", "dismissed")

    def __init__(self, lane: Lane, t_ns: int, owner: Any) -> None:
        self.lane, self.t_ns, self.owner = lane, t_ns, owner
        self.gate: threading.Lock | None = None
        self.dismissed = False

    def __enter__(self) -> bool:
        """Whether others were before it."""
        return self.lane._enter(self)

    def __exit__(self, *_: Any) -> None:
        self.lane._leave(self)


class Lane:
    """Who may compute now: one at a time. Safe from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: _Turn | None = None
        self._queue: list[tuple[int, int, _Turn]] = []
        self._count = itertools.count()

    def turn(self, t_ns: int, owner: Any = None) -> _Turn:
        """`with lane.turn(t_ns):` waits for the lane; the caller with the oldest content time goes next. Dismissed: see
        `dismiss`."""
        return _Turn(self, t_ns, owner)

    def _enter(self, mine: _Turn) -> bool:
        with self._lock:
            if self._holder is None:
                self._holder = mine
                return False
            mine.gate = threading.Lock()
            mine.gate.acquire()
            heapq.heappush(self._queue, (mine.t_ns, next(self._count), mine))
        mine.gate.acquire()  # opened by whoever leaves the lane
        if mine.dismissed:
            raise Dismissed
        return True

    def _leave(self, mine: _Turn) -> None:
        with self._lock:
            if self._holder is mine:  # else it was taken away, because this call did not return in time
                self._pass_on()

    def dismiss(self, owner: Any) -> None:
        """The owner's run has ended: nobody of it waits any more, and a call of it that does not return holds nobody
        up."""
        with self._lock:
            mine = [entry for entry in self._queue if entry[2].owner is owner]
            self._queue = [entry for entry in self._queue if entry[2].owner is not owner]
            heapq.heapify(self._queue)
            for _, _, turn in mine:
                turn.dismissed = True
                turn.gate.release()
            if self._holder is not None and self._holder.owner is owner:
                self._pass_on()

    def _pass_on(self) -> None:
        self._holder = heapq.heappop(self._queue)[2] if self._queue else None
        if self._holder is not None:
            self._holder.gate.release()


LANE = Lane()
"""The machine's, shared by every runner in this process."""
