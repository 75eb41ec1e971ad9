"""The same piece without threads, on a virtual clock: a discrete-event simulation.

Every firing really happens; how long it *takes* is declared (`costs`), so that what a slow model would skip is skipped
here too, the same each time. With no costs nothing is skipped: every frame goes through, which is how a film is made.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..core.clock import VirtualClock
from ..core.errors import DeviceFault, Fault
from ..core.frame import Frame, Span
from ..core.graph import Graph, Node, Role, SourceNode
from ..core.kinds import EVERY
from ..core.observer import Observer, Observers
from ..core.source import Capture
from .cell import ONE, PAUSE, Cell
from .quiet import quietly
from .stats import Stats


class OfflineRunner:
    """`run(until_s)`: opens everything, simulates, closes.

    costs    node -> seconds that a firing takes; models share one lane, as on a machine. Missing: no time at all
    strict   True: the first fault is raised; False: it is counted, and the node goes on with the next frame
    knobs    what is pushed from outside: [(seconds, stream, value)]

    Its sources must be paced: their captures say when they are due. Fault for one that does not.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        observers: Iterable[Observer] = (),
        costs: Mapping[str, float] | None = None,
        knobs: Iterable[tuple[float, str, Any]] = (),
        strict: bool = True,
    ) -> None:
        self.graph = graph
        self.clock = VirtualClock()
        self.stats = Stats()
        self.observers = Observers([self.stats, *observers])
        self.strict = strict
        self._costs = {name: int(s * 1e9) for name, s in (costs or {}).items()}
        self._knobs = sorted(knobs, key=lambda k: k[0])
        self._queue: list[tuple[int, int, Any]] = []
        self._count = itertools.count()
        self._cells = {n.name: Cell(n, graph) for n in graph.nodes.values() if n.role is not Role.SOURCE}
        self._readers = {n: [(self._cells[r.name], p) for r, p in graph.readers(n)] for n in graph.nodes}
        self._busy: set[str] = set()
        self._running: dict[str, Any] = {}
        self._lane: str | None = None
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._faults: Counter[str] = Counter()
        self._seq = dict.fromkeys(graph.nodes, 0)
        self.last: dict[str, Frame] = {}

    def run(self, until_s: float | None = None) -> Stats:
        """Simulates until all sources have ended, or `until_s` of content time."""
        until_ns = None if until_s is None else int(until_s * 1e9)
        try:
            self._open()
            while self._queue:
                t_ns, _, action = heapq.heappop(self._queue)
                if until_ns is not None and t_ns >= until_ns:
                    break
                self.clock.advance_to(t_ns)
                action()
            if until_ns is not None:
                self.clock.advance_to(until_ns)
        finally:
            for cell in self._cells.values():
                quietly(getattr(self._running.pop(cell.node.name, None), "close", _nothing))
            for node in self.graph.nodes.values():
                if isinstance(node, SourceNode) and node.source:
                    quietly(node.source.close)
                quietly(node.close)
            self.observers.on_stop()
        return self.stats

    def _open(self) -> None:
        for node in self.graph.order():
            if isinstance(node, SourceNode) and node.source:
                node.source.open()
            node.open()
            node.reset()
        self.clock.start()
        self.observers.on_start(self.graph, self.clock)
        for node in self.graph.nodes.values():
            if isinstance(node, SourceNode):
                if node.initial is not None:
                    self._publish_source(node.name, node.kind.check(node.initial), None)
                if node.source is not None:
                    self._next_capture(node, iter(node.source))
        for t_s, stream, value in self._knobs:
            data = self.graph.nodes[stream].kind.check(value)
            self._at(int(t_s * 1e9), lambda s=stream, v=data: self._publish_source(s, v, None))

    def _at(self, t_ns: int, action: Any) -> None:
        heapq.heappush(self._queue, (t_ns, next(self._count), action))

    # -- sources

    def _next_capture(self, node: SourceNode, captures: Iterator[Capture]) -> None:
        capture = next(captures, None)
        if capture is None:
            return
        if capture.t_ns is None:
            raise Fault(
                f"{node.name} does not say when its frames are due, so it cannot be run offline",
                hint="give it a clip: --source NAME=file:clip.mp4, or --source NAME=synthetic",
            )

        def due() -> None:
            try:
                data = node.kind.check(capture.data)
            except ValueError as error:
                self._fault(
                    node, DeviceFault(f"{node.name} sent what its stream cannot carry: {error}", where=node.where)
                )
            else:
                self._publish_source(node.name, data, capture.raw)
            self._next_capture(node, captures)

        self._at(capture.t_ns, due)

    def _publish_source(self, name: str, data: Any, raw: Any) -> None:
        now_ns = self.clock.now_ns()
        last = self.last.get(name)
        t_ns = now_ns if last is None else max(now_ns, last.t_ns + 1)  # two moments of a stream are never the same
        frame = Frame(data, name, self._seq[name], t_ns, None, (Span(name, 0, 0, now_ns),))
        self._seq[name] += 1
        self._publish(frame, raw)

    def _publish(self, frame: Frame, raw: Any = None) -> None:
        self.last[frame.stream] = frame
        self.observers.on_frame(frame, raw)
        for cell, place in self._readers[frame.stream]:
            gone = cell.offer(place, frame)
            reads = cell.node.inputs[place]
            if gone is not None and reads.hot:
                lost = self.graph.policy(reads) == EVERY
                (self.observers.on_lost if lost else self.observers.on_skip)(cell.node.name, frame.stream, gone)
        for cell, _ in self._readers[frame.stream]:
            self._soon(cell)

    def _soon(self, cell: Cell) -> None:
        """Looks at the node again in this same moment, when what is happening now is done."""
        self._at(self.clock.now_ns(), lambda: self._try(cell))

    # -- nodes

    def _try(self, cell: Cell) -> None:
        """Fires the node if it is free and has something to fire on."""
        node = cell.node
        if node.name in self._busy:
            return
        now_ns = self.clock.now_ns()
        while isinstance(taken := cell.take(now_ns), Frame):
            self.observers.on_skip(node.name, taken.stream, taken)
        if taken is None:
            if cell.waits_until_ns is not None:
                self._at(cell.waits_until_ns, lambda: self._try(cell))
        elif node.role is Role.MODEL and self._lane is not None:
            self._busy.add(node.name)
            frames, hot = taken
            heapq.heappush(self._waiting, (frames[hot].t_ns, next(self._count), lambda: self._begin(cell, frames, hot)))
        else:
            self._fire(cell, *taken)

    def _next_turn(self) -> None:
        """The lane is free: the oldest moment goes next."""
        self._lane = None
        if self._waiting:
            _, _, first = heapq.heappop(self._waiting)
            first()

    def _begin(self, cell: Cell, frames: list[Frame], hot: int) -> None:
        """A firing that waited for the lane, with the newest frame that there is by now."""
        if (newer := cell.fresher(self.clock.now_ns(), hot)) is not None:
            self.observers.on_skip(cell.node.name, frames[hot].stream, frames[hot])
            frames, hot = newer
        self._fire(cell, frames, hot)

    def _fire(self, cell: Cell, frames: list[Frame], hot: int) -> None:
        node = cell.node
        self._busy.add(node.name)
        if node.role is Role.MODEL:
            self._lane = node.name
        self.observers.on_fire(node.name, tuple(frames), hot)
        arrived_ns = frames[hot].trace[-1].done_ns if frames[hot].trace else self.clock.now_ns()
        waited_ns = self.clock.now_ns() - arrived_ns
        try:
            items = cell.start(frames, hot)
        except Fault as fault:
            self._later(cell, 0, fault)
            return
        self._running[node.name] = items
        self._step(cell, items, frames[hot], waited_ns, 0)

    def _step(self, cell: Cell, items: Iterator[Any], hot: Frame, waited_ns: int, published: int) -> None:
        """Computes the next item now; it is published when its declared cost has passed."""
        if cell.cancelled and published:
            quietly(getattr(items, "close", _nothing))
            self._done(cell, published, True, None)
            return
        try:
            while (item := next(items, None)) is PAUSE:
                self.observers.on_pause(cell.node.name)
        except Fault as fault:
            self._later(cell, published, fault)
            return
        if item is None:
            self._later(cell, published, None)
            return
        cost_ns = self._costs.get(cell.node.name, 0)
        done_ns = self.clock.now_ns() + cost_ns

        def publish() -> None:
            span = Span(cell.node.name, waited_ns, cost_ns, done_ns)
            self._publish(cell.frame(item, hot, hot.t_ns, (*hot.trace, span)))
            self._give_way(cell, items, hot, published + 1)

        self._at(done_ns, publish)

    def _give_way(self, cell: Cell, items: Iterator[Any], hot: Frame, published: int) -> None:
        """The next item; of a model, after whoever has waited for the lane meanwhile."""
        since_ns = self.clock.now_ns()

        def step() -> None:
            self._step(cell, items, hot, self.clock.now_ns() - since_ns, published)

        if cell.node.role is not Role.MODEL or not self._waiting or type(items) is ONE:
            step()
            return
        _, _, first = heapq.heappop(self._waiting)
        heapq.heappush(self._waiting, (hot.t_ns, next(self._count), lambda: self._take_lane(cell, step)))
        first()

    def _take_lane(self, cell: Cell, action: Callable[[], None]) -> None:
        self._lane = cell.node.name
        action()

    def _later(self, cell: Cell, published: int, fault: Fault | None) -> None:
        """A firing that publishes nothing (more) ends now, or when its cost has passed if it published nothing at
        all."""
        cost_ns = 0 if published else self._costs.get(cell.node.name, 0)
        if cost_ns:
            self._at(self.clock.now_ns() + cost_ns, lambda: self._done(cell, published, False, fault))
        else:
            self._done(cell, published, False, fault)

    def _fault(self, node: Node, fault: Fault) -> None:
        self._faults[node.name] += 1
        self.observers.on_fault(node.name, fault, self._faults[node.name])
        if self.strict:
            raise fault

    def _done(self, cell: Cell, published: int, cancelled: bool, fault: Fault | None) -> None:
        node: Node = cell.node
        self._busy.discard(node.name)
        self._running.pop(node.name, None)
        self.observers.on_done(node.name, published, cancelled, fault)
        if fault is not None:
            self._fault(node, fault)
        else:
            self._faults.pop(node.name, None)
        if node.role is Role.MODEL:
            self._next_turn()
        self._soon(cell)


def _nothing() -> None: ...
