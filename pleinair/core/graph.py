"""Nodes and the streams between them, validated. No threads here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from .chance import chance
from .errors import PieceFault, did_you_mean
from .frame import Frame
from .kinds import LATEST, SAME, Image, Kind, Mask, Size
from .source import Source


class Role(StrEnum):
    """What a node is to the rest."""

    SOURCE, MODEL, EFFECT, SINK = "source", "model", "effect", "sink"


@dataclass(frozen=True, slots=True)
class Input:
    """How a node reads a stream.

    policy   "latest", "every" or "same"; None = what the stream's kind says
    hot      its frames make the node run; the others are looked at
    cancels  its frames close a generator that is still publishing; never handed to the node
    """

    stream: str
    policy: str | None = None
    hot: bool = False
    cancels: bool = False


@dataclass(slots=True)
class Moment:
    """What a firing may know besides its inputs: content time and chance, never measured time.

    t, dt      seconds: of the hot frame, and since the node's last firing (0 at the first)
    previous   the node's own last output, the kind's empty value before there is one
    frame      the hot frame's envelope, without its measured time
    """

    t: float
    dt: float
    previous: Any
    hot: Frame
    node: str
    seed: int

    @property
    def frame(self) -> Frame:
        return self.hot.bare()

    @property
    def rng(self):
        """A numpy Generator of this firing's own."""
        return chance(self.seed, self.node, self.hot.seq)


class Node:
    """One named stream and what writes it. `fire` gets one Frame per input, in the order of `inputs`.

    kind   what it publishes; None: the first output decides
    where  the artist's line, for faults
    size   (width, height) in pixels of its empty value; None: that of the hot input
    """

    role = Role.EFFECT

    def __init__(
        self,
        name: str,
        inputs: Sequence[Input] = (),
        kind: type[Kind] | None = None,
        *,
        where: str = "",
        size: Size | None = None,
    ) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.kind = kind
        self.where = where
        self.size = size

    def open(self) -> None:
        """Loads what a firing needs. Before the clock starts; again after a failure."""

    def reset(self) -> None:
        """Forgets all firings before: after each `open`, and when its function was replaced."""

    def fire(self, frames: Sequence[Frame], moment: Moment) -> Any:
        """One datum, None for nothing, or an iterator that publishes each item as it comes (an item None: nothing,
        but a moment to give way)."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """The firing that runs now may end at once. From any thread; comes back at once."""

    def close(self) -> None: ...

    def save(self) -> Any:
        """State that a tape may begin from, as JSON or numpy arrays; None: there is none."""
        return None

    def load(self, state: Any) -> None: ...

    def describe(self) -> dict[str, Any]:
        """What tape, report and desk say of it besides its wiring. JSON."""
        return {}


class SourceNode(Node):
    """A device, a clip, a knob. `source` None: frames are pushed from outside (a knob)."""

    role = Role.SOURCE

    def __init__(self, name: str, source: Source | None, kind: type[Kind], *, initial: Any = None, **rest: Any) -> None:
        super().__init__(name, (), kind, **rest)
        self.source = source
        self.initial = initial
        """Published when the clock starts (a knob's value); None: nothing."""
        self.about: dict[str, Any] = {}
        """What else tape and report should say of it: the address that it was opened by."""

    def describe(self) -> dict[str, Any]:
        return {**self.about, **(self.source.describe() if self.source else {})}


@dataclass
class Graph:
    """Nodes by name, checked: streams exist, no loop of hot inputs. `screens`: screen -> the stream that it shows."""

    nodes: dict[str, Node]
    screens: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for node in self.nodes.values():
            for place in node.inputs:
                if place.stream not in self.nodes:
                    others = [n for n in self.nodes if n != node.name]
                    raise PieceFault(
                        f'{node.name} reads "{place.stream}", and no stream has that name',
                        where=node.where,
                        now="the piece was not started",
                        hint=did_you_mean(place.stream, others),
                    )
                if self.nodes[place.stream].role is Role.SINK:
                    raise PieceFault(
                        f'{node.name} reads "{place.stream}", which is a sink: nothing comes out of it',
                        where=node.where,
                        now="the piece was not started",
                        hint=f"read what it reads: {self.nodes[place.stream].inputs[0].stream}",
                    )
                if place.hot and place.policy == SAME:
                    raise PieceFault(
                        f"{node.name} is to run on {place.stream} of the same moment, and that is its own moment",
                        where=node.where,
                        now="the piece was not started",
                        hint='the first parameter makes it run; "same" is for the others, which follow it',
                    )
            if node.role is not Role.SOURCE and not any(i.hot for i in node.inputs):
                raise PieceFault(
                    f"{node.name} reads nothing, so nothing would ever make it run",
                    where=node.where,
                    now="the piece was not started",
                    hint='let a stream come first; piece.source("tick") is the clock for a piece that moves by itself',
                )
        for screen, stream in self.screens.items():
            if stream not in self.nodes:
                raise PieceFault(f'the screen {screen} shows "{stream}", and no stream has that name')
        self._refuse_loops()

    def _refuse_loops(self) -> None:
        done: set[str] = set()

        def walk(name: str, path: list[str]) -> None:
            if name in path:
                around = [*path[path.index(name) :], name]
                loop = " -> ".join(reversed(around))
                hot = all(i.hot for a, b in pairwise(around) for i in self.nodes[a].inputs if i.stream == b)
                raise PieceFault(
                    f"these nodes make each other run without end: {loop}"
                    if hot
                    else f"these nodes wait for each other's same moment without end: {loop}",
                    where=self.nodes[name].where,
                    now="the piece was not started",
                    hint="feedback goes through a cold input: let another stream come first in one of them"
                    if hot
                    else 'what a node makes itself comes after its moment: let it read that as it is, without "same"',
                )
            if name in done:
                return
            for place in self.nodes[name].inputs:
                if place.hot or place.policy == SAME:
                    walk(place.stream, [*path, name])
            done.add(name)

        for name in self.nodes:
            walk(name, [])

    def policy(self, place: Input) -> str:
        """How the stream is read. What does not make a node run is only looked at, so its newest is enough."""
        if place.policy == SAME:
            return SAME
        if not place.hot:
            return LATEST
        if place.policy:
            return place.policy
        kind = self.nodes[place.stream].kind
        return kind.policy if kind else LATEST

    def readers(self, stream: str) -> Iterator[tuple[Node, int]]:
        """Who reads it, and which of its inputs that is."""
        for node in self.nodes.values():
            for place, reads in enumerate(node.inputs):
                if reads.stream == stream:
                    yield node, place

    def is_picture(self, stream: str) -> bool:
        """Whether a reader waits for its first frame: it has no size to be empty at before."""
        return self.nodes[stream].kind in (Image, Mask, None)

    def descends(self, stream: str, ancestor: str) -> bool:
        """Whether every frame of `stream` was made of one of `ancestor`, so that it carries it along."""
        while stream != ancestor:
            hot = [i.stream for i in self.nodes[stream].inputs if i.hot]
            if len(hot) != 1:
                return False
            stream = hot[0]
        return True

    def beginnings(self, stream: str) -> set[str]:
        """The sources whose capture times the frames of `stream` carry."""
        hot = [i.stream for i in self.nodes[stream].inputs if i.hot]
        return {b for s in hot for b in self.beginnings(s)} if hot else {stream}

    def feeds_back(self, node: str, stream: str) -> bool:
        """Whether `stream` is made, by whatever way, of what `node` writes: a reader cannot wait for its own child."""
        seen: set[str] = set()
        ahead = [stream]
        while ahead:
            name = ahead.pop()
            if name == node:
                return True
            if name not in seen:
                seen.add(name)
                ahead.extend(i.stream for i in self.nodes[name].inputs)
        return False

    def order(self) -> list[Node]:
        """Nodes so that a hot input comes before its reader."""
        seen: dict[str, Node] = {}

        def visit(name: str) -> None:
            if name in seen:
                return
            for place in self.nodes[name].inputs:
                if place.hot:
                    visit(place.stream)
            seen[name] = self.nodes[name]

        for name in self.nodes:
            visit(name)
        return list(seen.values())

    def as_dict(self) -> dict[str, Any]:
        """What the desk draws: nodes in order with what they read."""
        return {
            "nodes": [
                {
                    "name": n.name,
                    "role": n.role.value,
                    "kind": n.kind.__name__ if n.kind else None,
                    "where": n.where,
                    "reads": [{"stream": i.stream, "policy": self.policy(i), "hot": i.hot} for i in n.inputs],
                    "screens": [s for s, stream in self.screens.items() if stream == n.name],
                    **({"about": about} if (about := n.describe()) else {}),
                }
                for n in self.order()
            ],
            "seed": self.seed,
        }
