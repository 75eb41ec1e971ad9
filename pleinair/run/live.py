"""The show: one thread for each source and node, the wall's clock, and a nursery that none of them outlives."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..core.clock import Clock, WallClock
from ..core.errors import Fault
from ..core.frame import Frame
from ..core.graph import Graph, Node, Role, SourceNode
from ..core.observer import Observer, Observers
from ..core.source import Raw
from .lane import LANE, Lane
from .quiet import as_fault, backoff_s, log, quietly
from .stats import Counts
from .stream import Stream
from .worker import Change, Worker

JOIN_S = 1.2
"""How long the end waits for a thread. Python cannot kill one: what does not come back is named and left behind."""
CLOSE_S = 0.5
"""How long it waits then for a node or a source to close."""
SWITCH_S = 0.0005
"""How long Python lets one thread go on while another waits: a neighbour of much Python then disturbs by about 1 ms,
and by 5-8 ms at Python's own 5 ms."""


class LiveRunner:
    """Runs a Graph on the wall's clock.

        runner = LiveRunner(graph, observers=[...])
        runner.start()      # opens, loads and warms up everything, then the clock starts
        runner.push("strength", 0.5)
        runner.stop()       # closes everything; no thread is left

    strict   True: the first fault stops the run and `stop` raises it (tests)
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
        self.lane = lane
        self.stats = Counts()
        self.observers = Observers([self.stats, *observers])
        self.strict = strict
        self.stopping = threading.Event()
        self.workers = {n.name: Worker(self, n) for n in graph.nodes.values() if n.role is not Role.SOURCE}
        self._streams = {name: Stream(self, name) for name in graph.nodes}
        self._threads: dict[threading.Thread, str] = {}
        self._openers: dict[threading.Thread, list[Node]] = {}
        self._opened: dict[str, bool] = {}
        self._failed_to_open: list[tuple[Node, Fault]] = []
        self._fault: Fault | None = None
        self.left: list[Fault] = []
        """Of nodes that did not come back when the run ended."""
        self._shutting = threading.RLock()
        self._running = self._shut = False
        self._switch_interval: float | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Opens every node, then starts the clock and the threads. A node that does not open is a fault of its own:
        the others run, and it is tried again. Comes back early, with nothing started, when `end` is called
        meanwhile."""
        if not self._open_all():
            return
        with self._shutting:  # an end that comes now waits until there is something to end
            if not self.stopping.is_set():
                self._run_all([n for n in self.graph.nodes.values() if isinstance(n, SourceNode)])

    def _run_all(self, sources: list[SourceNode]) -> None:
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        self.clock.start()
        self._running = True
        self.observers.on_start(self.graph, self.clock)
        for node, fault in self._failed_to_open:
            fault.now = fault.now or f"the rest runs; tried again in {backoff_s(1)} s"
            self.fault(node, fault, 1)
        for name, worker in self.workers.items():
            self._spawn(worker.run, name, self._opened[name])
        for node in sources:
            if node.initial is not None:
                self.push(node.name, node.initial)
        for node in sources:
            if node.source is not None:
                self._streams[node.name].listen(node)
                self._spawn(self._streams[node.name].run_source, node.name, node, self._opened[node.name])

    def _open_all(self) -> bool:
        """Whether all was opened, well or not, before the end came."""
        sources: list[list[Node]] = [[n] for n in self.graph.nodes.values() if isinstance(n, SourceNode)]
        rest = [n for n in self.graph.order() if not isinstance(n, SourceNode)]
        for nodes in [*sources, rest]:  # a camera takes its time; the models load meanwhile
            thread = threading.Thread(target=self._open, args=(nodes,), name="pleinair:opening", daemon=True)
            self._openers[thread] = nodes
            thread.start()
        for thread in self._openers:
            while thread.is_alive() and not self.stopping.is_set():
                thread.join(0.05)
        return not self.stopping.is_set()

    def _open(self, nodes: list[Node]) -> None:
        for node in nodes:
            if self.stopping.is_set():
                return
            try:
                if isinstance(node, SourceNode) and node.source:
                    node.source.open()
                node.open()
                node.reset()
                self._opened[node.name] = True
            except Exception as error:
                self._opened[node.name] = False
                self._failed_to_open.append((node, as_fault(node, error)))

    def _spawn(self, target: Callable[..., None], name: str, *args: Any) -> None:
        thread = threading.Thread(
            target=self._guarded, args=(target, name, *args), name=f"pleinair:{name}", daemon=True
        )
        self._threads[thread] = name
        thread.start()

    def _guarded(self, target: Callable[..., None], name: str, *args: Any) -> None:
        try:
            target(*args)
        except BaseException as error:  # ours, not the artist's: say so, and keep the others running
            log.exception("internal error in %s", name)
            self.fault(self.graph.nodes[name], Fault(f"{name} ended: an error inside Pleinair: {error!r}"), 1)

    def end(self) -> None:
        """Asks for the end and comes back at once. Any thread."""
        self.stopping.set()
        for node in self.graph.nodes.values():
            if isinstance(node, SourceNode) and node.source:
                quietly(node.source.interrupt)
        for worker in self.workers.values():
            quietly(worker.node.interrupt)
            worker.wake()

    def stop(self) -> None:
        """Ends every thread, closes every node, within about 2 s. Idempotent; raises the first fault of a strict run.

        A function that does not return cannot be ended from outside: its node is named in a fault, is not closed, and
        its thread (a daemon) is left behind; nothing that it still publishes goes anywhere.
        """
        self.end()
        if threading.current_thread() in self._threads:
            return  # a node or a watcher asked for the end: the owner of the run sees to it
        with self._shutting:
            if not self._shut:
                self._shut = True
                self._close()
        if self.strict and self._fault is not None:
            raise self._fault

    def _close(self) -> None:
        self.lane.dismiss(self)
        deadline = time.monotonic() + JOIN_S
        for thread in [*self._threads, *self._openers]:
            if thread.ident is not None:  # else it was never started
                thread.join(max(0.0, deadline - time.monotonic()))
        stuck = {name for thread, name in self._threads.items() if thread.is_alive()}
        stuck |= {n.name for thread, nodes in self._openers.items() if thread.is_alive() for n in nodes}
        closers = []
        for node in self.graph.nodes.values():
            if node.name not in stuck:
                closers.append(threading.Thread(target=_close, args=(node,), name=f"pleinair:{node.name}", daemon=True))
                closers[-1].start()
        deadline = time.monotonic() + CLOSE_S
        for closer in closers:
            closer.join(max(0.0, deadline - time.monotonic()))
        stuck |= {closer.name.partition(":")[2] for closer in closers if closer.is_alive()}
        for name in sorted(stuck):
            self._left_behind(self.graph.nodes[name])
        if self._running:
            self.observers.on_stop()
        self.observers.silence()
        if self._switch_interval is not None:
            sys.setswitchinterval(self._switch_interval)

    def _left_behind(self, node: Node) -> None:
        fault = Fault(
            f"{node.name} did not come back when the piece ended",
            where=node.where,
            now="its thread is left behind; it ends with the program",
            hint="a node's function returns soon; work that takes long yields now and then",
        )
        self.left.append(fault)
        self.observers.on_fault(node.name, fault, 1)

    def wait(self, seconds: float | None = None) -> bool:
        """Until the run is stopped from elsewhere (True) or the time is over (False)."""
        return self.stopping.wait(seconds)

    def __enter__(self) -> LiveRunner:
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    # -- frames ------------------------------------------------------------------------------------------------------

    def push(self, stream: str, data: Any, *, machine_ns: int | None = None, raw: Raw | None = None) -> Frame | None:
        """A frame from outside: a knob, a page. Any thread. ValueError where the kind refuses it."""
        if self.stopping.is_set():
            return None
        node = self.graph.nodes[stream]
        return self._streams[stream].push(node.kind.check(data) if node.kind else data, machine_ns, raw)

    def latest(self, stream: str) -> Frame | None:
        """The newest frame of a stream, or None before the first."""
        return self._streams[stream].last

    def publish(self, frame: Frame, raw: Raw | None = None) -> None:
        """A frame to all who read its stream: announced first, so that no firing on it is told of before it."""
        stream = self._streams[frame.stream]
        stream.last = frame
        self.observers.on_frame(frame, raw)
        for worker, place in stream.readers:
            worker.offer(place, frame)
        if not self._shut:
            self.stats.passed(frame)  # after the hand-over: nobody who waits for the frame waits for it

    def fault(self, node: Node | str, fault: Fault, count: int) -> None:
        """Something went wrong, for the `count`-th time in a row: told to all who watch; the end of a strict run."""
        name = node if isinstance(node, str) else node.name
        self.observers.on_fault(name, fault, count)
        if self.strict and self._fault is None:
            self._fault = fault
            self.end()

    def change(self, node: str, what: str, detail: dict[str, Any], apply: Callable[[], None]) -> Change:
        """Has `apply` run in the node's own thread between two firings, and written on the tape. The event is set
        when it is done; its `fault` says why it was not."""
        return self.workers[node].change(what, detail, apply)

    def report(self) -> dict[str, Any]:
        """The runner's part of the report of the command-line contract."""
        return self.stats.report()


def _close(node: Node) -> None:
    if isinstance(node, SourceNode) and node.source:
        quietly(node.source.close)
    quietly(node.close)
