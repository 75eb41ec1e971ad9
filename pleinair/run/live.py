"""The show: one thread for each source and node, the wall's clock, and a nursery that none of them outlives."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from ..core.clock import Clock, WallClock
from ..core.errors import DeviceFault, Fault
from ..core.frame import Frame, Span
from ..core.graph import Graph, Node, Role, SourceNode
from ..core.observer import Observer, Observers
from ..core.source import Capture, Raw
from .cell import Cell, quiet_switches
from .lane import LANE, Lane
from .stats import Stats

log = logging.getLogger("pleinair")

BACKOFF_S = (1, 2, 4, 8, 16, 32, 60)
LATE_NS = 250_000_000
"""A paced source that fell this far behind goes on from now, instead of being late for ever."""
MUTED_NS = 1_000_000_000
"""A source of its own is silent for so long after frames were pushed into its stream (a page's camera, instead of the
clip that stood in for one)."""
JOIN_S = 2.0


class LiveRunner:
    """Runs a Graph on the wall's clock.

        runner = LiveRunner(graph, observers=[...])
        runner.start()      # opens, loads and warms up everything, then the clock starts
        runner.push("strength", 0.5)
        runner.stop()       # closes everything; no thread is left

    strict   True: the first fault stops the run and `stop`/`wait` raises it (tests)
    """

    def __init__(
        self,
        graph: Graph,
        *,
        observers: Iterable[Observer] = (),
        clock: Clock | None = None,
        lane: Lane = LANE,
        strict: bool = False,
    ) -> None:
        self.graph = graph
        self.clock = clock or WallClock()
        self.stats = Stats()
        self.observers = Observers([self.stats, *observers])
        self.strict = strict
        self._lane = lane
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._workers = {n.name: _Worker(self, n) for n in graph.nodes.values() if n.role is not Role.SOURCE}
        self._streams = {name: _Stream(self, name) for name in graph.nodes}
        self._fault: Fault | None = None
        self._failed_to_open: list[tuple[Node, Fault]] = []
        self._switch_interval: float | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Opens every node, then starts the clock and the threads. A node that does not open is a fault of its own:
        the others run, and it is tried again."""
        opened: dict[str, bool] = {}
        sources = [n for n in self.graph.nodes.values() if isinstance(n, SourceNode)]
        openers = [threading.Thread(target=self._open, args=(n, opened), daemon=True) for n in sources]
        for opener in openers:  # a camera takes its time; the models load meanwhile
            opener.start()
        for node in self.graph.order():
            if not isinstance(node, SourceNode):
                self._open(node, opened)
        for opener in openers:
            opener.join()
        self._switch_interval = quiet_switches()
        self.clock.start()
        self.observers.on_start(self.graph, self.clock)
        for node, fault in self._failed_to_open:
            self.fault(node, fault, 1)
        for name, worker in self._workers.items():
            self._spawn(worker.run, name, opened[name])
        for node in sources:
            if node.initial is not None:
                self.push(node.name, node.initial)
        for node in sources:
            if node.source is not None:
                self._spawn(self._run_source, node.name, node, opened[node.name])

    def _open(self, node: Node, opened: dict[str, bool]) -> None:
        try:
            if isinstance(node, SourceNode) and node.source:
                node.source.open()
            node.open()
            node.reset()
            opened[node.name] = True
        except Exception as error:
            opened[node.name] = False
            self._failed_to_open.append((node, _as_fault(node, error)))

    def _spawn(self, target: Callable[..., None], name: str, *args: Any) -> None:
        thread = threading.Thread(target=self._guarded, args=(target, name, *args), name=f"pleinair:{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, target: Callable[..., None], name: str, *args: Any) -> None:
        try:
            target(*args)
        except Exception as error:  # ours, not the artist's: say so, and keep the others running
            log.exception("internal error in %s", name)
            self.fault(self.graph.nodes[name], Fault(f"{name} ended: an error inside Pleinair: {error!r}"), 1)

    def stop(self) -> None:
        """Ends every thread, closes every node. Idempotent; raises the first fault of a strict run."""
        if not self._stop.is_set():
            self._stop.set()
            for node in self.graph.nodes.values():
                if isinstance(node, SourceNode) and node.source:
                    _quietly(node.source.interrupt)
            for worker in self._workers.values():
                worker.wake()
            deadline = time.monotonic() + JOIN_S
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join(max(0.05, deadline - time.monotonic()))
            for node in self.graph.nodes.values():
                if isinstance(node, SourceNode) and node.source:
                    _quietly(node.source.close)
                _quietly(node.close)
            self.observers.on_stop()
            if self._switch_interval is not None:
                sys.setswitchinterval(self._switch_interval)
        if self.strict and self._fault is not None:
            raise self._fault

    def wait(self, seconds: float | None = None) -> bool:
        """Until the run is stopped from elsewhere (True) or the time is over (False)."""
        return self._stop.wait(seconds)

    def __enter__(self) -> LiveRunner:
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    # -- frames ------------------------------------------------------------------------------------------------------

    def push(self, stream: str, data: Any, *, machine_ns: int | None = None, raw: Raw | None = None) -> Frame | None:
        """A frame from outside: a knob, a page. Any thread. ValueError where the kind refuses it."""
        if self._stop.is_set():
            return None
        node = self.graph.nodes[stream]
        data = node.kind.check(data) if node.kind else data
        now_ns = self.clock.now_ns()
        t_ns = now_ns if machine_ns is None else min(now_ns, self.clock.from_machine(machine_ns))
        self._streams[stream].muted_until_ns = now_ns + MUTED_NS
        return self._streams[stream].publish(data, t_ns, raw)

    def latest(self, stream: str) -> Frame | None:
        """The newest frame of a stream, or None before the first."""
        return self._streams[stream].last

    def publish(self, frame: Frame, raw: Raw | None = None) -> None:
        self.observers.on_frame(frame, raw)
        for worker, place in self._streams[frame.stream].readers:
            worker.offer(place, frame)

    def fault(self, node: Node | str, fault: Fault, count: int) -> None:
        name = node if isinstance(node, str) else node.name
        self.observers.on_fault(name, fault, count)
        if self.strict and self._fault is None:
            self._fault = fault
            self._stop.set()
            for worker in self._workers.values():
                worker.wake()

    def change(self, node: str, what: str, detail: dict[str, Any], apply: Callable[[], None]) -> threading.Event:
        """Has `apply` run in the node's own thread between two firings, and written on the tape. The event is set
        when it is done."""
        return self._workers[node].change(what, detail, apply)

    def report(self) -> dict[str, Any]:
        """The runner's part of the report of the command-line contract."""
        return self.stats.report()

    # -- sources -----------------------------------------------------------------------------------------------------

    def _run_source(self, node: SourceNode, is_open: bool) -> None:
        """Reads a source for ever: one that went away is opened again after 1, 2, 4 ... 60 s."""
        source, failures = node.source, 0
        stream = self._streams[node.name]
        while not self._stop.is_set():
            try:
                if not is_open:
                    source.open()
                    is_open = True
                for capture in source:
                    if self._stop.is_set() or not self._publish_capture(node, stream, capture):
                        return
                    failures = 0
                return  # a source that ends has ended
            except Exception as error:
                if self._stop.is_set():
                    return
                failures += 1
                self.fault(node, _as_fault(node, error), failures)
                _quietly(source.close)
                is_open = False
                if self._stop.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]):
                    return

    def _publish_capture(self, node: SourceNode, stream: _Stream, capture: Capture) -> bool:
        data = node.kind.check(capture.data)
        if node.source.paced and capture.t_ns is not None:
            due_ns = capture.t_ns + stream.offset_ns
            if self.clock.wait_until(due_ns, self._stop):
                return False
            late_ns = self.clock.now_ns() - due_ns
            if late_ns > LATE_NS:
                stream.offset_ns += late_ns
                due_ns += late_ns
            t_ns = due_ns
        elif capture.machine_ns is not None:
            t_ns = min(self.clock.now_ns(), self.clock.from_machine(capture.machine_ns))
        else:
            t_ns = self.clock.now_ns()
        if t_ns >= stream.muted_until_ns:
            stream.publish(data, t_ns, capture.raw)
        return True


class _Stream:
    """Who reads a stream, its numbers, and the newest frame. Frames of a source pass here, one at a time."""

    def __init__(self, runner: LiveRunner, name: str) -> None:
        self._runner = runner
        self._name = name
        self.readers = [(runner._workers[n.name], place) for n, place in runner.graph.readers(name)]
        self.last: Frame | None = None
        self.offset_ns = 0
        self.muted_until_ns = 0
        self._seq = 0
        self._lock = threading.Lock()

    def publish(self, data: Any, t_ns: int, raw: Raw | None) -> Frame:
        with self._lock:
            if self.last is not None and t_ns <= self.last.t_ns:
                t_ns = self.last.t_ns + 1  # two moments of a stream are never the same
            now_ns = self._runner.clock.now_ns()
            span = Span(self._name, 0, max(0, now_ns - t_ns), now_ns)
            self.last = frame = Frame(data, self._name, self._seq, t_ns, None, (span,))
            self._seq += 1
            self._runner.publish(frame, raw)
        return frame


class _Worker:
    """A node's thread: sleeps until the node can fire, fires it, publishes what comes."""

    def __init__(self, runner: LiveRunner, node: Node) -> None:
        self._runner = runner
        self.node = node
        self.cell = Cell(node, runner.graph)
        self._changes: list[tuple[str, dict[str, Any], Callable[[], None], threading.Event]] = []
        self._condition = threading.Condition()
        self._failures = 0
        self._retry_ns = 0

    # -- from other threads

    def offer(self, place: int, frame: Frame) -> None:
        with self._condition:
            gone = self.cell.offer(place, frame)
            self._condition.notify()
        if gone is not None and self.node.inputs[place].hot:
            self._report_gone(place, gone)

    def _report_gone(self, place: int, gone: Frame) -> None:
        runner, stream = self._runner, self.node.inputs[place].stream
        if self.cell.graph.policy(self.node.inputs[place]) != "every":
            runner.observers.on_skip(self.node.name, stream, gone)
        elif self._failures == 0:
            runner.observers.on_lost(self.node.name, stream, gone)
            runner.fault(
                self.node,
                Fault(
                    f"{self.node.name} is too slow for {stream}: something of it was lost",
                    where=self.node.where,
                    now="the oldest is dropped, the rest is read in order",
                    hint=f'let it read the newest only, with "{stream}: latest", or make it quicker',
                ),
                1,
            )

    def wake(self) -> None:
        with self._condition:
            self._condition.notify()

    def change(self, what: str, detail: dict[str, Any], apply: Callable[[], None]) -> threading.Event:
        done = threading.Event()
        with self._condition:
            self._changes.append((what, detail, apply, done))
            self._condition.notify()
        return done

    # -- in its own thread

    def run(self, is_open: bool) -> None:
        runner, stop = self._runner, self._runner._stop
        if not is_open:
            self._back_off()
        while not stop.is_set():
            taken = self._next()
            if taken is None:
                continue
            if not is_open:
                is_open = self._try_open()
                continue
            self._fire(*taken)

    def _next(self) -> tuple[list[Frame], int] | None:
        """Waits until there is something to fire on. None: look around and come again."""
        runner, clock = self._runner, self._runner.clock
        with self._condition:
            if not self._changes:
                now_ns = clock.now_ns()
                taken = None
                if now_ns >= self._retry_ns:
                    taken = self.cell.take(now_ns)
                if isinstance(taken, tuple):
                    return taken
                if taken is None:
                    until_ns = self._retry_ns if now_ns < self._retry_ns else self.cell.waits_until_ns
                    if not runner._stop.is_set():
                        self._condition.wait(None if until_ns is None else max(0.001, (until_ns - now_ns) / 1e9))
                    return None
            else:
                taken = None
        if taken is not None:
            runner.observers.on_skip(self.node.name, taken.stream, taken)
        self._apply_changes()
        return None

    def _apply_changes(self) -> None:
        with self._condition:
            changes, self._changes = self._changes, []
        for what, detail, apply, done in changes:
            try:
                apply()
                self._runner.observers.on_change(self.node.name, what, detail)
                self._failures, self._retry_ns = 0, 0
            except Exception as error:
                self._runner.fault(self.node, _as_fault(self.node, error), 1)
            done.set()

    def _fire(self, frames: list[Frame], hot: int) -> None:
        runner, clock, node, lead = self._runner, self._runner.clock, self.node, frames[hot]
        began_ns = clock.now_ns()
        arrived_ns = lead.trace[-1].done_ns if lead.trace else began_ns
        turn = runner._lane.turn if node.role is Role.MODEL else _no_lane
        runner.observers.on_fire(node.name, tuple(frames), hot)
        published, cancelled, fault = 0, False, None
        items: Iterator[Any] = iter(())
        try:
            with turn(lead.t_ns):
                ran_from_ns = clock.now_ns()
                items = self.cell.start(frames, hot)
                item = next(items, None)
            while item is not None:
                done_ns = clock.now_ns()
                span = Span(node.name, max(0, ran_from_ns - arrived_ns), done_ns - ran_from_ns, done_ns)
                self._publish(item, lead, span)
                published += 1
                if self.cell.cancelled or runner._stop.is_set():
                    cancelled = True
                    break
                arrived_ns = clock.now_ns()
                with turn(lead.t_ns):
                    ran_from_ns = clock.now_ns()
                    item = next(items, None)
            self._failures = 0
        except Exception as error:
            fault = self.cell.fault(error)
        finally:
            close = getattr(items, "close", None)
            if close:
                _quietly(close)
        runner.observers.on_done(node.name, published, cancelled, fault)
        if fault is not None:
            self._failed(fault)

    def _publish(self, item: Any, lead: Frame, span: Span) -> None:
        bare = self.cell.frame(item, lead, lead.t_ns)
        frame = Frame(item, bare.stream, bare.seq, bare.t_ns, lead, (*lead.trace, span))
        self._runner._streams[self.node.name].last = frame
        self._runner.publish(frame)

    def _failed(self, fault: Fault) -> None:
        self._back_off()
        wait_s = BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1]
        if not fault.now:
            fault.now = "the last good one is held, the rest keeps running"
        shown = type(fault)(fault.what, where=fault.where, now=f"{fault.now}; tried again in {wait_s} s", hint=fault.hint)
        self._runner.fault(self.node, shown, self._failures)

    def _back_off(self) -> None:
        self._failures += 1
        self._retry_ns = self._runner.clock.now_ns() + int(BACKOFF_S[min(self._failures, len(BACKOFF_S)) - 1] * 1e9)

    def _try_open(self) -> bool:
        try:
            self.node.open()
            self.node.reset()
        except Exception as error:
            self._failed(self.cell.fault(error))
            return False
        self._failures = 0
        return True


def _no_lane(t_ns: int):
    return _NO_LANE


_NO_LANE = nullcontext()


def _as_fault(node: Node, error: Exception) -> Fault:
    if isinstance(error, Fault):
        if not error.where:
            error.where = node.where
        return error
    kind = DeviceFault if isinstance(node, SourceNode) else Fault
    return kind(
        f"{node.name} stopped: {type(error).__name__}: {error}", where=node.where, now="the piece keeps running without it"
    )


def _quietly(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        log.debug("while closing", exc_info=True)
