"""A stream of a live run: its readers, its numbers, its newest frame; and the thread that reads a source into it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..core.errors import DeviceFault, Fault
from ..core.frame import Frame, Span
from ..core.graph import SourceNode
from ..core.source import Capture, Raw
from .quiet import as_fault, backoff_s, quietly, tried_again

if TYPE_CHECKING:
    from .live import LiveRunner

LATE_NS = 250_000_000
"""A paced source that fell this far behind goes on from now, instead of being late for ever."""
MUTED_NS = 1_000_000_000
"""A source of its own is silent for so long after frames were pushed into its stream (a page's camera, instead of the
clip that stood in for one)."""


class Stream:
    """Frames of a source pass here, one at a time; those of a node are only remembered."""

    def __init__(self, runner: LiveRunner, name: str) -> None:
        self._runner = runner
        self._name = name
        self.readers = [(runner.workers[n.name], place) for n, place in runner.graph.readers(name)]
        self.last: Frame | None = None
        self._offset_ns = 0
        self._muted_until_ns = 0
        self._seq = 0
        self._lock = threading.Lock()

    def publish(self, data: Any, t_ns: int, raw: Raw | None) -> Frame:
        """A source's frame, captured at content time `t_ns`, to all who read it. Any thread."""
        with self._lock:
            if self.last is not None and t_ns <= self.last.t_ns:
                t_ns = self.last.t_ns + 1  # two moments of a stream are never the same
            now_ns = self._runner.clock.now_ns()
            span = Span(self._name, 0, max(0, now_ns - t_ns), now_ns)
            frame = Frame(data, self._name, self._seq, t_ns, None, (span,))
            self._seq += 1
            self._runner.publish(frame, raw)
        return frame

    def push(self, data: Any, machine_ns: int | None, raw: Raw | None) -> Frame:
        """A frame from outside, seen now or at `machine_ns` of the machine's clock. Any thread."""
        clock = self._runner.clock
        now_ns = clock.now_ns()
        self._muted_until_ns = now_ns + MUTED_NS
        t_ns = now_ns if machine_ns is None else max(0, min(now_ns, clock.from_machine(machine_ns)))
        return self.publish(data, t_ns, raw)

    def run_source(self, node: SourceNode, is_open: bool) -> None:
        """Reads a source for ever: one that went away is opened again after 1, 2, 4 ... 60 s."""
        runner, source = self._runner, node.source
        failures = 0 if is_open else 1
        while not runner.stopping.is_set():
            if failures:
                wait_ns = backoff_s(failures) * 1_000_000_000
                if runner.clock.wait_until(runner.clock.now_ns() + wait_ns, runner.stopping):
                    return
            try:
                if not is_open:
                    source.open()
                    is_open = True
                refused = 0
                for capture in source:
                    if runner.stopping.is_set():
                        return
                    failures = 0
                    try:
                        data = node.kind.check(capture.data)
                    except Exception as error:  # one bad picture does not end a camera
                        refused += 1
                        self._refused(node, error, refused)
                        continue
                    refused = 0
                    if not self._publish_capture(node, data, capture):
                        return
                return  # a source that ends has ended
            except Exception as error:
                if runner.stopping.is_set():
                    return
                failures += 1
                is_open = False
                runner.fault(node, tried_again(as_fault(node, error), backoff_s(failures)), failures)
                quietly(source.close)

    def _refused(self, node: SourceNode, error: Exception, count: int) -> None:
        fault = DeviceFault(
            f"{node.name} sent what its stream cannot carry: {error}",
            where=node.where,
            now="that one was left out; the last good one is held",
        )
        self._runner.fault(node, fault, count)

    def _publish_capture(self, node: SourceNode, data: Any, capture: Capture) -> bool:
        """False: the run ends."""
        clock = self._runner.clock
        if node.source.paced and capture.t_ns is not None:
            t_ns = capture.t_ns + self._offset_ns
            if clock.wait_until(t_ns, self._runner.stopping):
                return False
            late_ns = clock.now_ns() - t_ns
            if late_ns > LATE_NS:
                self._offset_ns += late_ns
                t_ns += late_ns
        elif capture.machine_ns is not None:
            seen_ns = clock.from_machine(capture.machine_ns)
            t_ns = max(0, min(clock.now_ns(), seen_ns))  # below 0: seen before the clock started
        else:
            t_ns = clock.now_ns()
        if t_ns >= self._muted_until_ns:
            self.publish(data, t_ns, capture.raw)
        return True

    def listen(self, node: SourceNode) -> None:
        """A source that has something to say of itself, without ending, says it here."""
        if hasattr(node.source, "tell"):
            node.source.tell = lambda fault: self._tell(node, fault)

    def _tell(self, node: SourceNode, fault: Fault) -> None:
        fault.where = fault.where or node.where
        self._runner.fault(node, fault, 1)
