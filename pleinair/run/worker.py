"""A node's thread in a live run: sleeps until the node can fire, fires it, publishes what comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..core.errors import Fault, NodeFault
from ..core.frame import Frame, Span
from ..core.graph import Node, Role
from .cell import ONE, PAUSE, Cell
from .lane import Dismissed
from .quiet import as_fault, backoff_s, quietly, tried_again

if TYPE_CHECKING:
    from .live import LiveRunner

MEND = "mend that line and save the file: it is taken up while the piece runs"


class Change(threading.Event):
    """Set when a change was made, or when it will never be. `fault`: why it was not."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Fault | None = None


class Worker:
    """Owned by a LiveRunner. `offer`, `change` and `wake` come from other threads; the rest runs in its own."""

    def __init__(self, runner: LiveRunner, node: Node) -> None:
        self._runner = runner
        self.node = node
        self.cell = Cell(node, runner.graph)
        self._changes: list[tuple[str, dict[str, Any], Callable[[], None], Change]] = []
        self._ended = False
        self._lock = threading.Lock()
        self._bell = threading.Lock()  # released by whoever wakes the thread; a Condition costs twice as much a hop
        self._bell.acquire()
        self._asleep = False
        self._failures = 0
        self._retry_ns = 0

    # -- from other threads

    def offer(self, place: int, frame: Frame) -> None:
        """A frame for one of its inputs; the thread is woken."""
        with self._lock:
            gone = self.cell.offer(place, frame)
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._bell.release()
        if self.node.inputs[place].cancels:
            quietly(self.node.interrupt)
        if gone is not None and self.node.inputs[place].hot:
            lost = getattr(self.cell.edges[place], "lost", 0)
            self._report_gone(self.node.inputs[place].stream, gone, lost)

    def _report_gone(self, stream: str, gone: Frame, lost: int) -> None:
        runner = self._runner
        if not lost:
            runner.observers.on_skip(self.node.name, stream, gone)
            return
        runner.observers.on_lost(self.node.name, stream, gone)
        if self._failures == 0:  # while the node is left alone after a fault, that fault says enough
            runner.fault(
                self.node,
                Fault(
                    f"{self.node.name} is too slow for {stream}: something of it was lost",
                    where=self.node.where,
                    now="the oldest is dropped, the rest is read in order",
                    hint=f'let it read the newest only, with "{stream}: latest", or make it quicker',
                ),
                lost,
            )

    def wake(self) -> None:
        """Has it look around: the run ends, a change waits, the clock was moved."""
        with self._lock:
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._bell.release()

    def change(self, what: str, detail: dict[str, Any], apply: Callable[[], None]) -> Change:
        """See LiveRunner.change."""
        done = Change()
        with self._lock:
            if self._ended:
                done.fault = Fault(f"{self.node.name} has ended, so nothing was changed")
                done.set()
            else:
                self._changes.append((what, detail, apply, done))
        self.wake()
        return done

    # -- in its own thread

    def run(self, is_open: bool) -> None:
        stop = self._runner.stopping
        if not is_open:
            self._back_off()
        try:
            while not stop.is_set():
                if not is_open and self._runner.clock.now_ns() >= self._retry_ns:
                    is_open = self._try_open()
                taken = self._next(is_open)
                if taken is not None:
                    self._fire(*taken)
                    del taken  # while waiting, nobody holds these pictures
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            changes, self._changes = self._changes, []
        for _, _, _, done in changes:
            done.fault = Fault(f"{self.node.name} has ended, so nothing was changed")
            done.set()

    def _next(self, is_open: bool) -> tuple[list[Frame], int] | None:
        """Waits until there is something to fire on. None: look around and come again."""
        runner, clock = self._runner, self._runner.clock
        with self._lock:
            changes, self._changes = self._changes, []
            taken: tuple[list[Frame], int] | Frame | None = None
            sleep_s: float | None = None
            if not changes:
                now_ns = clock.now_ns()
                free = is_open and now_ns >= self._retry_ns
                if free:
                    taken = self.cell.take(now_ns)
                if taken is None and not runner.stopping.is_set():
                    until_ns = self.cell.waits_until_ns if free else self._retry_ns
                    sleep_s = -1 if until_ns is None else max(0.001, (until_ns - now_ns) / 1e9)
                    self._asleep = True
        if sleep_s is not None:
            self._sleep(sleep_s)
        if isinstance(taken, Frame):
            runner.observers.on_skip(self.node.name, taken.stream, taken)
            return None
        for change in changes:
            self._apply(*change)
        return taken

    def _sleep(self, seconds: float) -> None:
        """Until the bell rings, or so many seconds (-1: for ever)."""
        if self._bell.acquire(timeout=seconds):
            return
        with self._lock:
            rung, self._asleep = not self._asleep, False
        if rung:  # just now: its ring is on its way, and must not wake the next sleep
            self._bell.acquire()

    def _apply(self, what: str, detail: dict[str, Any], apply: Callable[[], None], done: Change) -> None:
        try:
            apply()
            self._runner.observers.on_change(self.node.name, what, detail)
            self._failures, self._retry_ns = 0, 0
        except Exception as error:
            done.fault = as_fault(self.node, error)
            self._runner.fault(self.node, done.fault, 1)
        done.set()

    def _fire(self, frames: list[Frame], hot: int) -> None:
        runner, clock, node, lead = self._runner, self._runner.clock, self.node, frames[hot]
        arrived_ns = ran_ns = 0
        published, cancelled, fault = 0, False, None
        observers = runner.observers
        items: Iterator[Any] | None = None
        try:
            while True:
                with self._turn(lead.t_ns) as waited:
                    if items is not None and (self.cell.cancelled or runner.stopping.is_set()):
                        cancelled = True
                        break
                    if items is None:
                        if waited:
                            frames, hot = self._freshest(frames, hot)
                            lead = frames[hot]
                        arrived_ns = lead.trace[-1].done_ns if lead.trace else clock.now_ns()
                        observers.on_fire(node.name, tuple(frames), hot)
                        ran_from_ns = clock.now_ns()
                        items = self.cell.start(frames, hot)
                    else:
                        ran_from_ns = clock.now_ns()
                    item = next(items, None)
                if item is None:
                    cancelled = type(items) is not ONE and (self.cell.cancelled or runner.stopping.is_set())
                    break
                done_ns = clock.now_ns()
                ran_ns += done_ns - ran_from_ns
                if item is PAUSE:
                    runner.observers.on_pause(node.name)
                    continue
                waited_ns = max(0, done_ns - arrived_ns - ran_ns)
                self._publish(item, lead, Span(node.name, waited_ns, ran_ns, done_ns))
                published, ran_ns = published + 1, 0
                if type(items) is ONE:  # a plain function's one result: nothing more can come
                    break
                if self.cell.cancelled or runner.stopping.is_set():
                    cancelled = True
                    break
                arrived_ns = clock.now_ns()
            self._failures = 0
        except Dismissed:
            if items is None:
                return  # it never began
            cancelled = True
        except Exception as error:
            fault = self.cell.fault(error)
        finally:
            close = getattr(items, "close", None)
            if close:
                quietly(close)
        runner.stats.fired[node.name] += 1
        observers.on_done(node.name, published, cancelled, fault)
        if fault is not None:
            self._failed(fault)

    def _freshest(self, frames: list[Frame], hot: int) -> tuple[list[Frame], int]:
        """While a model waited for its turn, newer frames may have come: it takes the newest, and has lost nothing."""
        with self._lock:
            newer = self.cell.fresher(self._runner.clock.now_ns(), hot)
        if newer is None:
            return frames, hot
        self._runner.observers.on_skip(self.node.name, frames[hot].stream, frames[hot])
        return newer

    def _turn(self, t_ns: int) -> Any:
        return self._runner.lane.turn(t_ns, self._runner) if self.node.role is Role.MODEL else _NO_LANE

    def _publish(self, item: Any, lead: Frame, span: Span) -> None:
        self._runner.publish(self.cell.frame(item, lead, lead.t_ns, (*lead.trace, span)))

    def _failed(self, fault: Fault) -> None:
        shown = tried_again(fault, self._back_off())
        shown.hint = shown.hint or (MEND if isinstance(fault, NodeFault) else "")
        self._runner.fault(self.node, shown, self._failures)

    def _back_off(self) -> int:
        self._failures += 1
        wait_s = backoff_s(self._failures)
        self._retry_ns = self._runner.clock.now_ns() + wait_s * 1_000_000_000
        return wait_s

    def _try_open(self) -> bool:
        try:
            self.node.open()
            self.node.reset()
        except Exception as error:
            self._failed(self.cell.fault(error))
            return False
        self._failures = 0
        self._runner.observers.on_change(self.node.name, "open", self.node.describe())
        return True


_NO_LANE = nullcontext()
