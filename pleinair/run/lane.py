"""One inference lane a machine: heavy models take turns, the oldest moment first.

Two networks that run at once on the same cores take longer than one after the other; a turn is one call of a network, so
a language model gives way after each token and never stalls the camera.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from contextlib import contextmanager


class Lane:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._queue: list[tuple[int, int, threading.Lock]] = []
        self._count = itertools.count()

    @contextmanager
    def turn(self, t_ns: int):
        """Waits for the lane; the caller with the oldest content time goes next."""
        with self._lock:
            gate = None
            if self._busy:
                gate = threading.Lock()
                gate.acquire()
                heapq.heappush(self._queue, (t_ns, next(self._count), gate))
            self._busy = True
        if gate is not None:
            gate.acquire()  # released by whoever leaves the lane
        try:
            yield
        finally:
            with self._lock:
                if self._queue:
                    heapq.heappop(self._queue)[2].release()
                else:
                    self._busy = False


LANE = Lane()
"""The machine's, shared by every runner in this process."""
