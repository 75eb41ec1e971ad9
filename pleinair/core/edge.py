"""The three ways to read a stream. Not locked: whoever owns the reader owns the lock.

`put` returns the frame that had to go, or None. At a latest edge it is *skipped*, which is healthy; at an every edge it
is *lost*, which is a fault. The words are never mixed.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from .frame import Frame


class Edge(Protocol):
    """What a reader reads one stream through."""

    def put(self, frame: Frame) -> Frame | None:
        """A frame in; the one that had to go."""

    def take(self) -> Frame | None:
        """The next frame to fire on, once; None where nothing new came."""

    def look(self) -> Frame | None:
        """The newest frame, again and again: looking is not taking."""


class Latest:
    """One slot. A new frame takes the place of one that was not taken in time."""

    __slots__ = ("_frame", "_fresh", "skipped")

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._fresh = False
        self.skipped = 0

    def put(self, frame: Frame) -> Frame | None:
        gone = self._frame if self._fresh else None
        self._frame, self._fresh = frame, True
        if gone is not None:
            self.skipped += 1
        return gone

    def take(self) -> Frame | None:
        if not self._fresh:
            return None
        self._fresh = False
        return self._frame

    def look(self) -> Frame | None:
        return self._frame

    @property
    def waiting(self) -> Frame | None:
        """What the next `take` would bring."""
        return self._frame if self._fresh else None


class Every:
    """First in, first out, bounded. When it is full the oldest is lost: what is fresh matters more."""

    __slots__ = ("_queue", "_size", "_last", "lost")

    def __init__(self, size: int = 256) -> None:
        self._queue: deque[Frame] = deque()
        self._size = size
        self._last: Frame | None = None
        self.lost = 0

    def put(self, frame: Frame) -> Frame | None:
        gone = None
        if len(self._queue) >= self._size:
            gone = self._queue.popleft()
            self.lost += 1
        self._queue.append(frame)
        return gone

    def take(self) -> Frame | None:
        if not self._queue:
            return None
        self._last = self._queue.popleft()
        return self._last

    def look(self) -> Frame | None:
        return self._queue[-1] if self._queue else self._last

    @property
    def waiting(self) -> Frame | None:
        return self._queue[0] if self._queue else None


class Same:
    """A short history, to find the frame of a given moment."""

    __slots__ = ("_history",)

    def __init__(self, size: int = 64) -> None:
        self._history: deque[Frame] = deque(maxlen=size)

    def put(self, frame: Frame) -> Frame | None:
        self._history.append(frame)
        return None

    def take(self) -> Frame | None:
        return self.look()

    def look(self) -> Frame | None:
        return self._history[-1] if self._history else None

    def at(self, t_ns: int) -> Frame | None:
        """The newest frame captured exactly then."""
        for frame in reversed(self._history):
            if frame.t_ns == t_ns:
                return frame
        return None

    def passed(self, t_ns: int) -> bool:
        """Whether a later moment has come already, so that this one will not come any more."""
        return bool(self._history) and self._history[-1].t_ns > t_ns

    def forget_before(self, t_ns: int) -> None:
        """Older moments are not asked for any more: their pictures may go."""
        while len(self._history) > 1 and self._history[0].t_ns < t_ns:
            self._history.popleft()
