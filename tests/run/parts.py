"""Real parts, small: sources that say when, models that compute, a clock that a test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pleinair import Piece
from pleinair.core.kinds import Image, Kind
from pleinair.core.model import Model
from pleinair.core.observer import Observer
from pleinair.core.source import Capture, Sink, Source

RATE = 30


def picture(number: int, width: int = 8, height: int = 6) -> np.ndarray:
    """Picture number n: every pixel of it says which it is."""
    image = np.full((height, width, 3), number % 251, np.uint8)
    image[0, 0] = divmod(number, 256)[0] % 256, number % 256, 7
    return image


def number_of(image: np.ndarray) -> int:
    return int(image[0, 0, 0]) * 256 + int(image[0, 0, 1])


class Clip(Source):
    """`count` pictures, due at `rate`; or the (t_s, data) of `items`."""

    paced = True

    def __init__(
        self, count: int = 60, *, rate: float = RATE, items: Iterable[tuple[float, Any]] | None = None,
        kind: type[Kind] = Image, raw: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.items = items if items is not None else [(i / rate, picture(i)) for i in range(count)]
        self.opened = self.closed = 0
        self._raw = raw

    def open(self) -> None:
        self.opened += 1

    def __iter__(self) -> Iterator[Capture]:
        for t_s, data in self.items:
            yield Capture(data, t_ns=round(t_s * 1e9), raw=self._raw(data) if self._raw else None)

    def close(self) -> None:
        self.closed += 1


class Hand(Source):
    """A device in a test's hand: what is put in comes out, an exception too. Ends when interrupted."""

    def __init__(self, kind: type[Kind] = Image) -> None:
        self.kind = kind
        self.opened = self.closed = 0
        self.refuses: list[Exception] = []
        """Raised by `open`, one after the other."""
        self._items: list[Any] = []
        self._condition = threading.Condition()
        self._ended = False

    def give(self, *items: Any) -> None:
        with self._condition:
            self._items += items
            self._condition.notify_all()

    def open(self) -> None:
        self.opened += 1
        if self.refuses:
            raise self.refuses.pop(0)

    def __iter__(self) -> Iterator[Capture]:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._items or self._ended)
                if self._ended:
                    return
                item = self._items.pop(0)
            if isinstance(item, Exception):
                raise item
            yield item if isinstance(item, Capture) else Capture(item)

    def interrupt(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def close(self) -> None:
        self.closed += 1


class Invert(Model):
    """The negative. Counts what is done with it."""

    def __init__(self, busy_s: float = 0.0) -> None:
        self.opened = self.closed = self.calls = 0
        self.busy_s = busy_s

    def open(self) -> None:
        self.opened += 1

    def __call__(self, image: np.ndarray, **ports: Any) -> np.ndarray:
        self.calls += 1
        busy(self.busy_s)
        return 255 - image

    def close(self) -> None:
        self.closed += 1


def busy(seconds: float) -> None:
    """Works for so long, as a network does."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


class Out(Sink):
    """Keeps what came."""

    def __init__(self) -> None:
        self.got: list[tuple[int, Any]] = []

    def put(self, data: Any, t_ns: int) -> None:
        self.got.append((t_ns, data))


class Parts:
    """`Parts(camera=Clip(), painting=Invert())`: by name. Without a name of its own a source is a Clip, a model
    Invert."""

    def __init__(self, **parts: Any) -> None:
        self._parts = parts

    def source(self, name: str) -> Source:
        return self._parts.setdefault(name, None) or Clip()

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        return self._parts.get(name) or Invert(), {}

    def interrupt(self, name: str) -> None:
        return None

    def sink(self, name: str) -> Sink:
        return self._parts.get(name) or Out()


class HandClock:
    """A clock that a test moves. Whoever waits on it wakes when its time has come."""

    def __init__(self) -> None:
        self._now_ns = 0
        self._condition = threading.Condition()
        self.waiting: list[int] = []
        """Until when each waiter waits."""

    def start(self) -> None: ...

    def now_ns(self) -> int:
        return self._now_ns

    def from_machine(self, machine_ns: int) -> int:
        return machine_ns

    def advance(self, seconds: float) -> None:
        with self._condition:
            self._now_ns += round(seconds * 1e9)
            self._condition.notify_all()

    def wait_until(self, t_ns: int, stop: threading.Event) -> bool:
        with self._condition:
            self.waiting.append(t_ns)
            self._condition.notify_all()
            try:
                while self._now_ns < t_ns and not stop.is_set():
                    self._condition.wait(0.05)
            finally:
                self.waiting.remove(t_ns)
        return stop.is_set()

    def until_someone_waits(self) -> int:
        """When the first waiter wants to be woken."""
        with self._condition:
            assert self._condition.wait_for(lambda: self.waiting, 10), "nobody waits"
            return min(self.waiting)


class Log(Observer):
    """All that is announced, and a way to wait for it without sleeping."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self._condition = threading.Condition()

    def _add(self, *event: Any) -> None:
        with self._condition:
            self.events.append(event)
            self._condition.notify_all()

    def on_start(self, graph, clock):
        self._add("start")

    def on_fire(self, node, inputs, hot):
        self._add("fire", node, tuple(f.seq if f else None for f in inputs))

    def on_frame(self, frame, raw=None):
        self._add("frame", frame.stream, frame)

    def on_done(self, node, published, cancelled, fault):
        self._add("done", node, published, cancelled, fault)

    def on_skip(self, node, stream, frame):
        self._add("skip", node, frame.seq)

    def on_lost(self, node, stream, frame):
        self._add("lost", node, frame.seq)

    def on_fault(self, node, fault, count):
        self._add("fault", node, fault, count)

    def on_change(self, node, what, detail):
        self._add("change", node, what, detail)

    def on_stop(self):
        self._add("stop")

    def of(self, what: str, node: str | None = None) -> list[tuple[Any, ...]]:
        with self._condition:
            return [e for e in self.events if e[0] == what and (node is None or e[1] == node)]

    def frames(self, stream: str) -> list[Any]:
        return [e[2] for e in self.of("frame", stream)]

    def until(self, what: str, node: str | None = None, count: int = 1, seconds: float = 20.0) -> list[tuple[Any, ...]]:
        """Waits until so many of them came."""
        with self._condition:
            there = lambda: [e for e in self.events if e[0] == what and (node is None or e[1] == node)]  # noqa: E731
            assert self._condition.wait_for(lambda: len(there()) >= count, seconds), (
                f"{len(there())} of {count} {what} {node or ''}: {self.events[-5:]}"
            )
            return there()


def camera_piece(draw) -> Piece:
    piece = Piece()
    piece.source("camera")
    piece.draw(draw)
    return piece
