"""A node at run time: its edges, its last output, its own small memory. The same for every runner, so that a live run,
an offline run and a replay cannot differ in what a firing sees.

A cell has no thread and no lock. A live runner locks it; the others need not.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.edge import Edge, Every, Latest, Same
from ..core.errors import Fault, NodeFault, at_line
from ..core.frame import Frame
from ..core.graph import Graph, Input, Moment, Node, SourceNode
from ..core.kinds import (
    EVERY,
    LATEST,
    SAME,
    Audio,
    Boxes,
    Control,
    Event,
    Figure,
    Image,
    Kind,
    Landmarks,
    Mask,
    Sound,
    Text,
    Vector,
    size_of,
)

SAME_WAIT_NS = 250_000_000
"""How long a firing waits for the frame of its own moment before it is skipped."""


def make_edge(policy: str) -> Edge:
    return {LATEST: Latest, EVERY: Every, SAME: Same}[policy]()


def kind_of(data: Any) -> type[Kind]:
    """The kind that an unannotated node's first output stands for."""
    if isinstance(data, np.ndarray):
        return {3: Image, 2: Mask}.get(data.ndim, Vector)
    for kind, types in (
        (Text, str),
        (Audio, Sound),
        (Landmarks, (Landmarks, Figure)),
        (Boxes, Boxes),
        (Control, (bool, int, float, np.number)),
    ):
        if isinstance(data, types):
            return kind
    return Event


class Cell:
    """`offer` frames to it; `take` says whether it can fire, and with what; `start` fires."""

    def __init__(self, node: Node, graph: Graph) -> None:
        self.node = node
        self.graph = graph
        self.edges: list[Edge] = [make_edge(graph.policy(i)) for i in node.inputs]
        self.hot = [p for p, i in enumerate(node.inputs) if i.hot]
        self._waits = [self._waits_for(i) for i in node.inputs]
        self._held: tuple[Frame, int] | None = None  # a hot frame whose companion of the same moment is still to come
        self._held_until_ns = 0
        self.cancelled = False
        self.clear()

    def clear(self) -> None:
        self.kind = self.node.kind
        self.previous: Any = None
        self.last_t_ns: int | None = None
        self.next_seq = 0
        self.firings = 0

    def _waits_for(self, reads: Input) -> bool:
        """Whether the first firing waits for this stream's first frame: pictures have no size to be empty at. What
        is made of the node's own output cannot be waited for, and neither can a knob."""
        if reads.hot or reads.cancels:
            return False
        return self.graph.is_picture(reads.stream) and not self.graph.feeds_back(self.node.name, reads.stream)

    # -- frames in ---------------------------------------------------------------------------------------------------

    def offer(self, place: int, frame: Frame) -> Frame | None:
        """Puts a frame into an edge; returns the one that had to go."""
        reads = self.node.inputs[place]
        if reads.cancels:
            self.cancelled = True
        if reads.policy is None and self.graph.policy(reads) == EVERY and isinstance(self.edges[place], Latest):
            self.edges[place] = make_edge(EVERY)  # the stream's kind came to be known with its first frame
        return self.edges[place].put(frame)

    def take(self, now_ns: int) -> tuple[list[Frame], int] | Frame | None:
        """What a firing would read and the place of its hot frame; or a hot frame that was given up because the
        frame of its moment did not come; or None: nothing to do yet."""
        for place, waits in enumerate(self._waits):
            if waits and self.edges[place].look() is None:
                return None
        hot, place = self._next_hot()
        if hot is None:
            return None
        frames: list[Frame] = []
        for p, reads in enumerate(self.node.inputs):
            if p == place:
                frames.append(hot)
            elif reads.policy == SAME:
                companion = hot.ancestor(reads.stream) or self.edges[p].at(hot.t_ns)
                if companion is None:
                    return self._wait_for_same(hot, place, p, now_ns)
                frames.append(companion)
                self.edges[p].forget_before(hot.t_ns)
            else:
                frames.append(self.edges[p].look() or self._nothing(reads, hot))
        self._held = None
        return frames, place

    def _next_hot(self) -> tuple[Frame | None, int]:
        if self._held and isinstance(self.edges[self._held[1]], Every):
            return self._held  # one after the other, none passed over
        found: tuple[Frame | None, int] = (None, -1)
        for place in self.hot:  # several only where a node reads nothing but knobs
            if (frame := self.edges[place].take()) is not None:
                found = (frame, place)
                if isinstance(self.edges[place], Every):
                    break
        if found[0] is not None:
            return found
        return self._held or (None, -1)

    def _wait_for_same(self, hot: Frame, place: int, companion: int, now_ns: int) -> Frame | None:
        if self._held is None or self._held[0] is not hot:
            self._held, self._held_until_ns = (hot, place), now_ns + SAME_WAIT_NS
        if self.edges[companion].passed(hot.t_ns) or now_ns >= self._held_until_ns:
            self._held = None
            return hot
        return None

    @property
    def waits_until_ns(self) -> int | None:
        """When to look again, although nothing came."""
        return self._held_until_ns if self._held else None

    def _nothing(self, reads: Input, hot: Frame) -> Frame:
        """A stream before its first frame: its kind's empty value, a picture at the size declared or the hot one's."""
        source = self.graph.nodes[reads.stream]
        empty = (source.kind or Image).empty(source.size or size_of(hot.data))
        if isinstance(source, SourceNode) and source.initial is not None:
            empty = source.initial
        return Frame(empty, reads.stream, -1, 0)

    # -- firing ------------------------------------------------------------------------------------------------------

    def start(self, frames: list[Frame], hot: int) -> Iterator[Any]:
        """Runs the node: an iterator over what it publishes, checked and read-only. Raises Fault."""
        node, lead = self.node, frames[hot]
        dt_ns = 0 if self.last_t_ns is None else max(0, lead.t_ns - self.last_t_ns)
        previous = self.previous
        if previous is None:
            previous = (self.kind or Image).empty(node.size or size_of(lead.data))
        moment = Moment(lead.t, dt_ns / 1e9, previous, lead.bare(), node.name, self.graph.seed)
        self.last_t_ns = lead.t_ns
        self.firings += 1
        self.cancelled = False
        try:
            result = node.fire(frames, moment)
        except Exception as error:
            raise self.fault(error) from error
        if result is None:
            return iter(())
        if isinstance(result, Iterator):
            return self._items(result)
        return iter((self._checked(result),))

    def _items(self, items: Iterator[Any]) -> Iterator[Any]:
        try:
            for item in items:
                if item is not None:
                    yield self._checked(item)
        except Exception as error:
            raise self.fault(error) from error
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _checked(self, data: Any) -> Any:
        if self.kind is None:
            self.kind = self.node.kind = kind_of(data)
        try:
            data = self.kind.check(data)
        except ValueError as error:
            raise self._refused(error) from None
        self.previous = data
        return data

    def _refused(self, error: ValueError) -> NodeFault:
        return NodeFault(
            f"{self.node.name} returned what its stream cannot carry: {error}",
            where=self.node.where,
            now="the last good one is held",
            hint="" if self.kind is not Image else "pleinair's picture(), blend() and the like saturate and return uint8",
        )

    def fault(self, error: BaseException) -> Fault:
        """The exception as an artist reads it, at the artist's own line."""
        if isinstance(error, Fault):
            return error
        where = self.node.where
        file = where_file(self.node)
        for entry in reversed(traceback.extract_tb(error.__traceback__)):
            if file and entry.filename == file:
                where = at_line(entry.filename, entry.lineno or 0)
                break
        hint = ""
        if isinstance(error, ValueError) and "read-only" in str(error):
            hint = "frames are shared by all who read them: work on a copy, image.copy()"
        return NodeFault(
            f"{self.node.name} stopped: {type(error).__name__}: {error}",
            where=where,
            now="the last good one is held, the rest keeps running",
            hint=hint,
        )

    def frame(self, data: Any, hot: Frame | None, t_ns: int) -> Frame:
        """The next frame of this stream, as yet without a trace."""
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return Frame(data, self.node.name, seq, t_ns, parent=hot)


def where_file(node: Node) -> str | None:
    """The artist's file in which the node's function stands, if it is a function."""
    function = getattr(node, "function", None)
    code = getattr(function, "__code__", None) or getattr(getattr(type(function), "__call__", None), "__code__", None)
    return code.co_filename if code else None


def quiet_switches() -> float:
    """Half-millisecond thread switches: a Python-heavy neighbour then disturbs by about 1 ms instead of 5-8. Returns
    what it was."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    return before
