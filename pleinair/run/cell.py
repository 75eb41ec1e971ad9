"""A node at run time: its edges, its last output, its own small memory. The same for every runner, so that a live run,
an offline run and a replay cannot differ in what a firing sees.

A cell has no thread and no lock. A live runner locks it; the others need not.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.edge import Edge, Every, Latest, Same
from ..core.errors import Fault, NodeFault, at_line
from ..core.frame import Frame, Span
from ..core.freeze import alone
from ..core.graph import Graph, Input, Moment, Node, SourceNode
from ..core.kinds import (
    EVERY,
    LATEST,
    SAME,
    Audio,
    Box,
    Boxes,
    Control,
    Event,
    Figure,
    Image,
    Kind,
    Landmarks,
    Mask,
    Size,
    Sound,
    Text,
    Vector,
    size_of,
)
from .quiet import HELD_ON

ONE = type(iter((0,)))
"""What `start` returns for a firing that publishes once."""
PAUSE: Any = type("Pause", (), {"__repr__": lambda self: "PAUSE"})()
"""What the iterator of `start` gives where the node's own gave None: nothing to publish, but a moment to give way in
and to be interrupted at."""
SAME_WAIT_NS = 250_000_000
"""How long a firing waits for the frame of its own moment before it is skipped."""
HELD = 64
"""How many hot frames may wait for their companions."""


def make_edge(policy: str) -> Edge:
    """An empty edge for "latest", "every" or "same"."""
    return {LATEST: Latest, EVERY: Every, SAME: Same}[policy]()


def kind_of(data: Any) -> type[Kind]:
    """The kind that an unannotated node's first output stands for."""
    if isinstance(data, np.ndarray):
        return {3: Image, 2: Mask}.get(data.ndim, Vector)
    for kind, types in (
        (Text, str),
        (Audio, Sound),
        (Landmarks, (Landmarks, Figure)),
        (Boxes, (Boxes, Box)),
        (Control, (bool, int, float, np.number, np.bool_)),
    ):
        if isinstance(data, types):
            return kind
    if isinstance(data, (list, tuple)) and data:
        for kind, part in ((Landmarks, Figure), (Boxes, Box)):
            if all(isinstance(d, part) for d in data):
                return kind
    return Event


class Cell:
    """`offer` frames to it; `take` says whether it can fire, and with what; `start` fires."""

    def __init__(self, node: Node, graph: Graph) -> None:
        self.node = node
        self.graph = graph
        self.hot = [p for p, i in enumerate(node.inputs) if i.hot]
        self.edges: list[Edge] = [self._make_edge(i) for i in node.inputs]
        self._same = [p for p, i in enumerate(node.inputs) if graph.policy(i) == SAME]
        self._waits = [self._waits_for(i) for i in node.inputs]
        self._held: deque[tuple[Frame, int]] = deque()
        """Hot frames whose companion of the same moment is still to come, and until when it is waited for."""
        self._given_up: deque[Frame] = deque()
        self.cancelled = False
        self.previous: Any = None
        self._before: tuple[tuple[type[Kind], Size | None], Any] | None = None
        self.last_t_ns: int | None = None
        self.next_seq = 0
        self.firings = 0

    @property
    def kind(self) -> type[Kind] | None:
        """What it publishes; None until the first output decides."""
        return self.node.kind

    def _make_edge(self, reads: Input) -> Edge:
        policy = self.graph.policy(reads)
        if policy == SAME and self.hot and self.graph.descends(self.node.inputs[self.hot[0]].stream, reads.stream):
            return Same(1)  # the hot frame brings its companion along: no history of pictures is kept
        return make_edge(policy)

    def _waits_for(self, reads: Input) -> bool:
        """Whether the first firing waits for this stream's first frame: pictures have no size to be empty at. What
        is made of the node's own output cannot be waited for, and neither can a knob."""
        if reads.hot or reads.cancels:
            return False
        if self.graph.policy(reads) == SAME:
            return False  # it is waited for each time
        return self.graph.is_picture(reads.stream) and not self.graph.feeds_back(self.node.name, reads.stream)

    # -- frames in ---------------------------------------------------------------------------------------------------

    def offer(self, place: int, frame: Frame) -> Frame | None:
        """Puts a frame into an edge; returns the one that had to go."""
        reads = self.node.inputs[place]
        if reads.cancels:
            self.cancelled = True
        edge = self.edges[place]
        if reads.hot and (self.graph.policy(reads) == EVERY) is not isinstance(edge, Every):
            edge = self.edges[place] = self._make_edge(reads)  # the kind came to be known with the first frame
        return edge.put(frame)

    def take(self, now_ns: int) -> tuple[list[Frame], int] | Frame | None:
        """What a firing would read and the place of its hot frame; or a hot frame that was given up because the
        frame of its moment did not come; or None: nothing to do yet."""
        if self._same:
            self._hold(now_ns)
        if self._given_up:
            return self._given_up.popleft()
        for place, waits in enumerate(self._waits):
            if waits and self.edges[place].look() is None:
                return None
        hot, place = self._next_same() if self._same else self._next_hot()
        if hot is None:
            return None
        frames: list[Frame] = []
        for p, reads in enumerate(self.node.inputs):
            if p == place:
                frames.append(hot)
            elif reads.cancels:
                frames.append(self.nothing(reads, hot))  # it is not read: only its coming counts
            elif p in self._same:
                frames.append(self._companion(hot, p))
                self.edges[p].forget_before(hot.t_ns)
            else:
                frames.append(self.edges[p].look() or self.nothing(reads, hot))
        self.cancelled = False  # an interrupt counts from here on
        return frames, place

    def fresher(self, now_ns: int, place: int) -> tuple[list[Frame], int] | None:
        """What a firing that was held up would read now, where its hot frame is no longer the newest."""
        if isinstance(self.edges[place], Latest) and self.edges[place].waiting is not None and not self._same:
            taken = self.take(now_ns)
            return taken if isinstance(taken, tuple) else None
        return None

    def _next_hot(self) -> tuple[Frame | None, int]:
        for place in self.hot:  # several only where a node reads nothing but knobs
            if (frame := self.edges[place].take()) is not None:
                return frame, place
        return None, -1

    def _hold(self, now_ns: int) -> None:
        """Takes in hot frames, and gives up those whose companions do not come. They are held for a while, because a
        companion may be slower to make than the next hot frame: to look at the newest only would find no pair, ever."""
        edge = self.edges[self.hot[0]]
        ordered = isinstance(edge, Every)
        if not (ordered and self._held) and (frame := edge.take()) is not None:
            self._held.append((frame, now_ns + SAME_WAIT_NS))
        while self._held and (len(self._held) > HELD or now_ns >= self._held[0][1] or self._too_late(self._held[0][0])):
            self._given_up.append(self._held.popleft()[0])

    def _next_same(self) -> tuple[Frame | None, int]:
        """The newest hot frame whose companions are all there, or None; those before it are given up. Where the hot
        stream is read one by one, only its oldest is held."""
        for at in reversed(range(len(self._held))):
            if all(self._companion(self._held[at][0], p) is not None for p in self._same):
                for _ in range(at):
                    self._given_up.append(self._held.popleft()[0])
                return self._held.popleft()[0], self.hot[0]
        return None, -1

    def _companion(self, hot: Frame, place: int) -> Frame | None:
        return hot.ancestor(self.node.inputs[place].stream) or self.edges[place].at(hot.t_ns)

    def _too_late(self, hot: Frame) -> bool:
        """Whether a companion will not come any more: its stream is past that moment."""
        return any(self._companion(hot, p) is None and self.edges[p].passed(hot.t_ns) for p in self._same)

    @property
    def waits_until_ns(self) -> int | None:
        """When to look again, although nothing came."""
        return self._held[0][1] if self._held else None

    def nothing(self, reads: Input, hot: Frame) -> Frame:
        """A stream before its first frame: its kind's empty value, a picture at the size declared or the hot one's."""
        source = self.graph.nodes[reads.stream]
        if isinstance(source, SourceNode) and source.initial is not None:
            return Frame(source.initial, reads.stream, -1, 0)
        return Frame((source.kind or Image).empty(source.size or size_of(hot.data)), reads.stream, -1, 0)

    # -- firing ------------------------------------------------------------------------------------------------------

    def start(self, frames: list[Frame], hot: int) -> Iterator[Any]:
        """Runs the node: an iterator over what it publishes, checked and read-only. Raises Fault."""
        node, lead = self.node, frames[hot]
        dt_ns = 0 if self.last_t_ns is None else max(0, lead.t_ns - self.last_t_ns)
        previous = self.previous
        if previous is None:
            sizes = (size_of(f.data) for f in (lead, *frames))
            previous = self._empty(node.size or next(filter(None, sizes), None))
        moment = Moment(lead.t, dt_ns / 1e9, previous, lead, node.name, self.graph.seed)
        self.last_t_ns = lead.t_ns
        self.firings += 1
        try:
            result = node.fire(frames, moment)
        except (Exception, SystemExit) as error:  # exit() in a piece ends the node, not the show
            raise self.fault(error) from error
        if result is None:
            return iter(())
        if isinstance(result, Iterator):
            return self._items(result)
        if isinstance(result, np.ndarray):
            result = alone(result)
        return iter((self._checked(result),))

    def _empty(self, size: Size | None) -> Any:
        """What stands for an output before the first: made once, since a sink never has one."""
        what = (self.kind or Image, size)
        if self._before is None or self._before[0] != what:
            self._before = what, what[0].empty(size)
        return self._before[1]

    def _items(self, items: Iterator[Any]) -> Iterator[Any]:
        try:
            for item in items:
                if isinstance(item, np.ndarray):
                    item = alone(item)
                yield PAUSE if item is None else self._checked(item)
        except (Exception, SystemExit) as error:
            raise self.fault(error) from error
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    def _checked(self, data: Any) -> Any:
        kind = self.node.kind or kind_of(data)
        try:
            data = kind.check(data)
        except Exception as error:  # a ValueError with a sentence; anything else is odd data all the same
            raise self._refused(error, kind) from None
        self.node.kind = kind  # decided by the first that is good
        self.previous = data
        return data

    def _refused(self, error: Exception, kind: type[Kind]) -> NodeFault:
        return NodeFault(
            f"{self.node.name} returned what its stream cannot carry: {error}",
            where=self.node.where,
            now=HELD_ON,
            hint="" if kind is not Image else "pleinair's picture(), blend() and the like saturate and return uint8",
        )

    def fault(self, error: BaseException) -> Fault:
        """The exception as an artist reads it, at the artist's own line."""
        if isinstance(error, Fault):
            error.where = error.where or self.node.where
            return error
        where = self.node.where
        file = _file_of(self.node)
        for entry in reversed(traceback.extract_tb(error.__traceback__)):
            if file and entry.filename == file:
                where = at_line(entry.filename, entry.lineno or 0)
                break
        hint = ""
        if "read-only" in str(error) or "readonly" in str(error):  # numpy's and OpenCV's word for it
            hint = "frames are shared by all who read them: work on a copy, image.copy()"
        return NodeFault(
            f"{self.node.name} stopped: {type(error).__name__}: {error}".rstrip(": "),
            where=where,
            now=HELD_ON,
            hint=hint,
        )

    def frame(self, data: Any, hot: Frame | None, t_ns: int, trace: tuple[Span, ...]) -> Frame:
        """The next frame of this stream."""
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return Frame(data, self.node.name, seq, t_ns, hot, trace)


def _file_of(node: Node) -> str | None:
    """The artist's file in which the node's function stands, if it is a function."""
    function = getattr(node, "function", None)
    code = getattr(function, "__code__", None) or getattr(getattr(type(function), "__call__", None), "__code__", None)  # noqa: B004
    return code.co_filename if code else None
