"""Everything that watches is an observer: profiler, recorder, stage. It only watches.

An observer that raises is switched off and reported; with none attached nothing is called.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import Fault

if TYPE_CHECKING:
    from .clock import Clock
    from .frame import Frame
    from .graph import Graph


class Observer:
    """All methods are optional. They are called in the thread in which the thing happens: be quick, never block.

    Order is promised per stream, and a frame is announced before any node can fire on it.
    """

    def on_start(self, graph: Graph, clock: Clock) -> None: ...

    def on_fire(self, node: str, inputs: tuple[Frame | None, ...], hot: int) -> None:
        """A node begins: what it reads, by place; `hot` is the place of the frame that made it run."""

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        """A frame is about to be published. `raw`: as it arrived, for a source (a core.source.Raw or None)."""

    def on_done(self, node: str, published: int, cancelled: bool, fault: Fault | None) -> None:
        """A firing ended after so many frames; `cancelled`: it was interrupted; `fault`: what it stopped with."""

    def on_pause(self, node: str) -> None:
        """A firing gave nothing (None) between two of its items, or before the first."""

    def on_skip(self, node: str, stream: str, frame: Frame) -> None:
        """`node` was busy and will read a newer one: healthy."""

    def on_lost(self, node: str, stream: str, frame: Frame) -> None:
        """`node` was to read every frame and its queue was full: a fault."""

    def on_fault(self, node: str, fault: Fault, count: int) -> None:
        """Something went wrong in `node`, for the `count`-th time in a row."""

    def on_change(self, node: str, what: str, detail: dict[str, Any]) -> None:
        """Between two firings of `node`: what = "swap" (another card), "reload" (another function), "constant" (another
        value for a port that no stream feeds) or "open" (it did not open at the start, and does now)."""

    def on_stop(self) -> None: ...

    def on_switched_off(self, fault: Fault) -> None:
        """It raised, and hears of nothing any more."""


HOOKS = ("on_start", "on_fire", "on_frame", "on_pause", "on_done")
HOOKS += ("on_skip", "on_lost", "on_fault", "on_change", "on_stop")


class Observers:
    """Calls each observer for what it overrides, and switches off one that raises."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._all: list[Observer] = []
        self.failed: list[Fault] = []
        self._changing = threading.RLock()
        for name in HOOKS:
            setattr(self, name, _silent)
        for observer in observers:
            self.add(observer)

    def add(self, observer: Observer) -> None:
        with self._changing:
            self._all = [*self._all, observer]
            self._bind()

    def remove(self, observer: Observer) -> bool:
        """Whether it was there."""
        with self._changing:
            before, self._all = self._all, [o for o in self._all if o is not observer]
            self._bind()
        return len(before) != len(self._all)

    def silence(self) -> None:
        """Nothing is announced any more: what comes now belongs to a run that has ended."""
        with self._changing:
            self._all = []
            self._bind()

    def __iter__(self):
        return iter(self._all)

    def _bind(self) -> None:
        for name in HOOKS:
            listening = [o for o in self._all if getattr(type(o), name, None) is not getattr(Observer, name)]
            listening = [o for o in listening if callable(getattr(o, name, None))]
            setattr(self, name, self._caller(name, listening) if listening else _silent)

    def _caller(self, name: str, listening: list[Observer]):
        calls = [(o, getattr(o, name)) for o in listening]

        def call(*args: Any) -> None:
            for observer, method in calls:
                try:
                    method(*args)
                except Exception as error:  # whatever a watcher does, the show goes on
                    self._switch_off(observer, name, error)

        return call

    def _switch_off(self, observer: Observer, hook: str, error: Exception) -> None:
        if not self.remove(observer):
            return  # another thread met it first
        who = type(observer).__name__
        fault = error if isinstance(error, Fault) else Fault(
            f"{who} stopped watching: {type(error).__name__} in {hook}: {error}",
            now="the piece keeps running without it",
        )  # fmt: skip
        self.failed.append(fault)
        with contextlib.suppress(Exception):
            getattr(observer, "on_switched_off", _silent)(fault)
        self.on_fault(who, fault, 1)


def _silent(*args: Any) -> None: ...
