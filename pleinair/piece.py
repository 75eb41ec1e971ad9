"""The artist's words, and the Graph that follows from them.

A node is a function: its parameters are the streams that it reads, its name is the stream that it writes, its first
parameter makes it run. The others are looked at.
"""

from __future__ import annotations

import inspect
import keyword
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from .core.errors import PieceFault, at_line
from .core.graph import Graph, Node, SourceNode
from .core.kinds import EVERY, Control, Kind, Size, Vector
from .core.model import Model
from .core.source import Sink, Source
from .declared import RESERVED, Declared, declared_node
from .nodes import FunctionNode, ModelNode, SinkNode
from .spelling import Policy, every, is_number, latest, range_of, same

__all__ = [
    "RESERVED",
    "Declared",
    "FunctionNode",
    "ModelNode",
    "Parts",
    "Piece",
    "Policy",
    "SinkNode",
    "every",
    "latest",
    "same",
]


class Parts(Protocol):
    """What piece.toml and the machine say a declared name is made of."""

    def source(self, name: str) -> Source: ...

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        """The model, and constants for ports that no stream feeds."""

    def sink(self, name: str) -> Sink: ...

    def interrupt(self, name: str) -> str | None:
        """The stream that ends an answer of a model, where piece.toml names one."""


class Piece:
    """What is declared, in order. Nothing is opened and nothing is checked against the machine here."""

    def __init__(self) -> None:
        self.declared: dict[str, Declared] = {}

    # -- the artist's words ------------------------------------------------------------------------------------------

    def source(self, name: str) -> None:
        """A stream from a device. Which one stands in piece.toml, `[source.NAME] device = "webcam"`."""
        self._declare(Declared("source", name, _caller()))

    def knob(self, name: str, default: float = 0.5, *, range: tuple[float, float] = (0.0, 1.0)) -> None:
        """A number that a hand sets, live: on the desk, by OSC, by MIDI."""
        where = _caller()
        low, high = range_of(name, range, where)
        if not is_number(default) or not low <= float(default) <= high:
            raise PieceFault(f"the knob {name} starts at {default}, and its range is {low:g}..{high:g}", where=where)
        self._declare(Declared("knob", name, where, default=float(default), range=(low, high), kind=Control))

    def knobs(
        self, name: str, count: int | Sequence[str], default: float | Sequence[float] = 0.0, *,
        range: tuple[float, float] = (0.0, 1.0),
    ) -> None:  # fmt: skip
        """Many knobs as one Vector. `count`: how many, or their names; a model's card names them where it can."""
        where = _caller()
        counted = isinstance(count, int) and not isinstance(count, bool)
        if not (counted and count > 0) and not (
            isinstance(count, (list, tuple)) and count and all(isinstance(c, str) for c in count)
        ):
            raise PieceFault(f"{name} says how many knobs it has, or their names, and not {count!r:.40}", where=where)
        names = () if counted else tuple(count)
        n = count if counted else len(names)
        if len(set(names)) != len(names):
            raise PieceFault(f"two knobs of {name} have the same name", where=where)
        values = tuple(default) if isinstance(default, (Sequence, np.ndarray)) else (default,) * n
        if len(values) != n:
            raise PieceFault(f"{name} has {n} knobs and {len(values)} values to start from", where=where)
        low, high = range_of(name, range, where)
        for value in values:
            if not is_number(value) or not low <= float(value) <= high:
                raise PieceFault(f"a knob of {name} starts at {value}, and the range is {low:g}..{high:g}", where=where)
        values = tuple(float(v) for v in values)
        self._declare(
            Declared("knobs", name, where, default=values, range=(low, high), count=n, names=names, kind=Vector)
        )

    def model(self, name: str, reads: str | Mapping[str, str], *, interrupt: str | None = None) -> None:
        """A model's output as a stream. `reads`: the stream for its first port, or {port: stream}, the first hot.

        interrupt  a stream whose new frame ends an answer that is still being given; piece.toml may say it as well
        """
        where = _caller()
        ports = {"": reads} if isinstance(reads, str) else reads
        if (
            not isinstance(ports, Mapping)
            or not ports
            or not all(isinstance(v, str) for kv in ports.items() for v in kv)
        ):
            raise PieceFault(
                f"the model {name} reads a stream, or several by its ports, and not {reads!r:.40}",
                where=where,
                hint='reads="camera", or reads={"image": "camera", "style_weights": "styles"}',
            )
        self._declare(Declared("model", name, where, reads=dict(ports), interrupt=interrupt))

    def sink(self, name: str, reads: str) -> None:
        """Out to a device or a protocol."""
        self._declare(Declared("sink", name, _caller(), reads={"": reads}))

    def node(
        self, function: Callable[..., Any] | None = None, *, name: str | None = None,
        reads: Mapping[str, str] | None = None, interrupt: str | None = None, kind: type[Kind] | None = None,
        size: Size | None = None,
    ) -> Any:  # fmt: skip
        """A function, or any callable object, as a node: `@piece.node`, `piece.node(Calm(), name="calm", reads={...})`.

        reads      parameter -> stream, where a parameter's own name is not the stream's; "camera: same" with a policy
        interrupt  a stream whose new frame closes a generator that is still publishing
        kind       what it publishes, instead of the return annotation
        """
        how = {"name": name, "reads": reads, "interrupt": interrupt, "kind": kind, "size": size}
        return self._node("node", function, _caller(), how)

    def draw(self, function: Callable[..., Any] | None = None, *, screen: str = "main", **options: Any) -> Any:
        """A node whose output is shown. Several screens: `@piece.draw(screen="left")`."""
        return self._node("draw", function, _caller(), {"screen": screen, **options})

    # -- behind them -------------------------------------------------------------------------------------------------

    def _declare(self, declared: Declared) -> None:
        name = declared.name
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
            raise PieceFault(
                f"{name!r} cannot be a stream's name",
                where=declared.where,
                hint="a name is a word that Python takes as a parameter"
                + (f", and not one of {', '.join(RESERVED)}" if name in RESERVED else ""),
            )
        if name in self.declared:
            first = self.declared[name].where
            raise PieceFault(f'"{name}" is there twice', where=declared.where, hint=f"the first is {first}")
        for other in self.declared.values():
            if declared.screen and other.screen == declared.screen:
                raise PieceFault(
                    f'the screen "{declared.screen}" is drawn by {other.name} already',
                    where=declared.where,
                    hint='another projector is another screen: @piece.draw(screen="left")',
                )
        self.declared[name] = declared

    def _node(self, word: str, function: Any, where: str, how: Mapping[str, Any]) -> Any:
        if function is None:
            return lambda f: self._node(word, f, where, how)
        self._declare(declared_node(word, function, where, **how))
        return function

    def warnings(self) -> list[str]:
        """Likely slips, as sentences, for `check`."""
        knobs = {d.name for d in self.declared.values() if d.word in ("knob", "knobs")}
        found = []
        for d in self.declared.values():
            streams = list(d.reads.values())
            if d.function and len(streams) > 1 and streams[0] in knobs and not set(streams) <= knobs:
                found.append(
                    f"{d.name} runs only when the knob {streams[0]} moves, since that is its first parameter\n"
                    f"  {d.where}\n"
                    f"  try    let the stream that should make it run come first: {d.name}({streams[1]}, ...)"
                )
            for parameter in inspect.signature(d.function).parameters if d.function else ():
                if parameter not in d.takes and parameter in self.declared:
                    found.append(
                        f"{d.name} has a {parameter} of its own, with a default, so the stream does not reach it"
                        f"\n  {d.where}\n  try    def {d.name}(..., {parameter}), without a value"
                    )
            for parameter, policy in d.policies.items():
                if policy == EVERY and d.reads[parameter] != streams[0]:
                    found.append(
                        f"{d.name} only looks at {d.reads[parameter]}, so that it sees the newest and not every one\n"
                        f"  {d.where}\n  try    let {parameter} come first, if each of them is to make it run"
                    )
        return found

    def shapes(self) -> list[tuple[Any, ...]]:
        return [d.shape() for d in self.declared.values()]

    def build(self, parts: Parts, seed: int = 0) -> Graph:
        """The Graph, with what `parts` puts behind the names. Raises PieceFault at the artist's line."""
        if not any(d.screen or d.word == "sink" for d in self.declared.values()):
            raise PieceFault(
                "nothing is shown: the piece has no @piece.draw and no sink",
                hint="the last function of a piece is usually\n"
                "         @piece.draw\n         def draw(camera): return camera",
            )
        nodes: dict[str, Node] = {}
        for d in self.declared.values():
            nodes[d.name] = self._build_node(d, parts)
        screens = {d.screen: d.name for d in self.declared.values() if d.screen}
        return Graph(nodes, screens, seed)

    def _build_node(self, d: Declared, parts: Parts) -> Node:
        if d.word == "source":
            source = parts.source(d.name)
            return SourceNode(d.name, source, source.kind, where=d.where, size=getattr(source, "size", None))
        if d.word in ("knob", "knobs"):
            initial = d.default if d.word == "knob" else Vector.check(np.array(d.default))
            return SourceNode(d.name, None, d.kind or Control, where=d.where, initial=initial)
        if d.word == "model":
            model, constants = parts.model(d.name)
            if d.interrupt is None:
                d = replace(d, interrupt=parts.interrupt(d.name))
            return ModelNode(d, model, constants)
        if d.word == "sink":
            return SinkNode(d, parts.sink(d.name))
        knobs = {x.name for x in self.declared.values() if x.word in ("knob", "knobs")}
        return FunctionNode(d, all_hot=bool(d.reads) and set(d.reads.values()) <= knobs)


def _caller() -> str:
    frame = sys._getframe(2)
    return at_line(frame.f_code.co_filename, frame.f_lineno)
