"""The artist's words, and the Graph that follows from them.

A node is a function: its parameters are the streams that it reads, its name is the stream that it writes, its first
parameter makes it run. The others are looked at.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .core.errors import PieceFault, at_line, did_you_mean
from .core.frame import Frame
from .core.graph import Graph, Input, Moment, Node, Role, SourceNode
from .core.kinds import EVERY, KINDS, LATEST, SAME, Control, Kind, Size, Vector
from .core.model import Model
from .core.source import Sink, Source


class Policy(str):
    """How a parameter reads its stream: `camera: same`."""


latest, every, same = Policy(LATEST), Policy(EVERY), Policy(SAME)

RESERVED = ("t", "dt", "rng", "previous", "frame")
"""Parameters that name no stream: content time and time since the last firing in seconds, a seeded generator, the node's
own last output, the hot frame's envelope."""


@dataclass(frozen=True)
class Declared:
    """One line of the piece: what was asked for, and where."""

    word: str
    name: str
    where: str
    reads: Mapping[str, str] = field(default_factory=dict)
    """parameter or port -> stream; a bare `reads="camera"` has the port "" """
    function: Callable[..., Any] | None = None
    kind: type[Kind] | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    interrupt: str | None = None
    default: Any = None
    range: tuple[float, float] = (0.0, 1.0)
    count: int = 0
    names: tuple[str, ...] = ()
    size: Size | None = None
    screen: str | None = None
    takes: tuple[str, ...] = ()

    def shape(self) -> tuple[Any, ...]:
        """All but the function and its place: two pieces of equal shapes differ in what their functions do only."""
        return (
            self.word, self.name, tuple(self.reads.items()), self.kind, tuple(self.policies.items()), self.interrupt,
            self.default, self.range, self.count, self.names, self.size, self.screen,
        )  # fmt: skip


class Parts(Protocol):
    """What piece.toml and the machine say a declared name is made of."""

    def source(self, name: str) -> Source: ...

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        """The model, and constants for ports that no stream feeds."""

    def sink(self, name: str) -> Sink: ...


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
        low, high = (float(v) for v in range)
        if not low < high or not low <= float(default) <= high:
            raise PieceFault(f"the knob {name} starts at {default}, and its range is {low}..{high}", where=where)
        self._declare(Declared("knob", name, where, default=float(default), range=(low, high), kind=Control))

    def knobs(
        self, name: str, count: int | Sequence[str], default: float | Sequence[float] = 0.0, *,
        range: tuple[float, float] = (0.0, 1.0),
    ) -> None:  # fmt: skip
        """Many knobs as one Vector. `count`: how many, or their names; a model's card names them where it can."""
        names = () if isinstance(count, int) else tuple(count)
        n = count if isinstance(count, int) else len(names)
        where = _caller()
        values = tuple(float(v) for v in default) if isinstance(default, Sequence) else (float(default),) * n
        if len(values) != n:
            raise PieceFault(f"{name} has {n} knobs and {len(values)} values to start from", where=where)
        low, high = (float(v) for v in range)
        self._declare(
            Declared("knobs", name, where, default=values, range=(low, high), count=n, names=names, kind=Vector)
        )

    def model(self, name: str, reads: str | Mapping[str, str]) -> None:
        """A model's output as a stream. `reads`: the stream for its first port, or {port: stream}, the first hot."""
        ports = {"": reads} if isinstance(reads, str) else dict(reads)
        self._declare(Declared("model", name, _caller(), reads=ports))

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
        where = _caller()
        if function is None:
            return lambda f: self._node("node", f, where, name, reads, interrupt, kind, size)
        return self._node("node", function, where, name, reads, interrupt, kind, size)

    def draw(self, function: Callable[..., Any] | None = None, *, screen: str = "main", **options: Any) -> Any:
        """A node whose output is shown. Several screens: `@piece.draw(screen="left")`."""
        where = _caller()
        if function is None:
            return lambda f: self._node("draw", f, where, screen=screen, **options)
        return self._node("draw", function, where, screen=screen, **options)

    # -- behind them -------------------------------------------------------------------------------------------------

    def _declare(self, declared: Declared) -> None:
        name = declared.name
        if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
            raise PieceFault(
                f"{name!r} cannot be a stream's name",
                where=declared.where,
                hint="a name is a word that Python takes as a parameter" + (f", and not one of {', '.join(RESERVED)}" if name in RESERVED else ""),
            )
        if name in self.declared:
            raise PieceFault(f'"{name}" is there twice', where=declared.where, hint=f"the first is {self.declared[name].where}")
        self.declared[name] = declared

    def _node(
        self, word: str, function: Any, where: str, name: str | None = None, reads: Mapping[str, str] | None = None,
        interrupt: str | None = None, kind: type[Kind] | None = None, size: Size | None = None, screen: str | None = None,
    ) -> Any:  # fmt: skip
        if not callable(function):
            raise PieceFault(f"{function!r} is not a function", where=where)
        code = getattr(function, "__code__", None)
        if code is not None:
            where = at_line(code.co_filename, _def_line(function))
        name = name or getattr(function, "__name__", type(function).__name__.lower())
        signature = inspect.signature(function)
        policies, takes, inputs = {}, [], {}
        for parameter in signature.parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise PieceFault(f"{name} takes *{parameter.name}, and a node's parameters name its streams", where=where)
            stream, asked = _stream((reads or {}).get(parameter.name, parameter.name))
            if parameter.name in RESERVED and parameter.name not in (reads or {}):
                takes.append(parameter.name)
                continue
            if parameter.default is not parameter.empty and parameter.name not in (reads or {}):
                continue  # a plain default is the artist's own constant
            takes.append(parameter.name)
            inputs[parameter.name] = stream
            if (policy := asked or _policy(parameter.annotation)) is not None:
                policies[parameter.name] = policy
        for parameter in reads or {}:
            if parameter not in signature.parameters:
                raise PieceFault(
                    f"{name} has no parameter {parameter}", where=where, hint=did_you_mean(parameter, signature.parameters)
                )
        annotated = kind or _kind(signature.return_annotation, where)
        self._declare(
            Declared(
                word, name, where, reads=inputs, function=function, kind=annotated, policies=policies,
                interrupt=interrupt, size=size, screen=screen, takes=tuple(takes),
            )  # fmt: skip
        )
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
                    f"  {d.where}\n  try    let the stream that should make it run come first: {d.name}({streams[1]}, ...)"
                )
        return found

    def shapes(self) -> list[tuple[Any, ...]]:
        return [d.shape() for d in self.declared.values()]

    def build(self, parts: Parts, seed: int = 0) -> Graph:
        """The Graph, with what `parts` puts behind the names. Raises PieceFault at the artist's line."""
        if not any(d.screen or d.word == "sink" for d in self.declared.values()):
            raise PieceFault(
                "nothing is shown: the piece has no @piece.draw and no sink",
                hint="the last function of a piece is usually\n         @piece.draw\n         def draw(camera): return camera",
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
            return ModelNode(d, model, constants)
        if d.word == "sink":
            return SinkNode(d, parts.sink(d.name))
        knobs = {x.name for x in self.declared.values() if x.word in ("knob", "knobs")}
        return FunctionNode(d, all_hot=bool(d.reads) and set(d.reads.values()) <= knobs)


class FunctionNode(Node):
    """An artist's function, or a callable object with a state of its own (`reset`, `save`, `load` where it has them)."""

    def __init__(self, d: Declared, *, all_hot: bool = False) -> None:
        if not d.reads:
            raise PieceFault(
                f"{d.name} reads no stream, so nothing would ever make it run",
                where=d.where,
                hint='let a stream come first; piece.source("tick") is the clock for a piece that moves by itself',
            )
        inputs = [
            Input(stream, d.policies.get(parameter), hot=all_hot or place == 0)
            for place, (parameter, stream) in enumerate(d.reads.items())
        ]
        if d.interrupt:
            inputs.append(Input(d.interrupt, cancels=True))
        super().__init__(d.name, inputs, d.kind, where=d.where, size=d.size)
        self._put(d)

    def _put(self, d: Declared) -> None:
        self.function = d.function
        self.where = d.where
        order = list(d.reads)
        self._takes = [(p, order.index(p) if p in order else -1) for p in d.takes]

    def replace(self, d: Declared) -> None:
        """Another function of the same parameters in its place (hot reload); between two firings only. What a fresh
        object's `open` raises leaves the one before in its place."""
        _call(d.function, "open")
        before = self.function
        self._put(d)
        self.kind = d.kind  # without an annotation, its first output decides anew
        self.reset()
        if before is not d.function:
            _call(before, "close")

    def fire(self, frames: Sequence[Frame], moment: Moment) -> Any:
        arguments = {p: frames[i].data if i >= 0 else getattr(moment, p) for p, i in self._takes}
        return self.function(**arguments)

    def open(self) -> None:
        _call(self.function, "open")

    def reset(self) -> None:
        _call(self.function, "reset")

    def close(self) -> None:
        _call(self.function, "close")

    def save(self) -> Any:
        return _call(self.function, "save")

    def load(self, state: Any) -> None:
        if hasattr(self.function, "load"):
            self.function.load(state)


class ModelNode(Node):
    """A model fed by streams and constants."""

    role = Role.MODEL

    def __init__(self, d: Declared, model: Model, constants: dict[str, Any]) -> None:
        ports = list(model.ports)
        reads = {(port or ports[0]): stream for port, stream in d.reads.items()}
        for port in [*reads, *constants]:
            if port not in ports:
                raise PieceFault(
                    f'the model of {d.name} has no port "{port}"', where=d.where, hint=did_you_mean(port, ports)
                )
        inputs = [Input(stream, hot=place == 0) for place, stream in enumerate(reads.values())]
        super().__init__(d.name, inputs, model.kind, where=d.where)
        self.model = model
        self.constants = {
            port: _constant(value, model.ports[port], model.names.get(port, []), f"{d.name}.{port}", d.where)
            for port, value in constants.items()
            if port not in reads
        }
        self._ports = list(reads)

    def swap(self, model: Model) -> Model:
        """Another model in its place, already open; returns the one before."""
        before, self.model = self.model, model
        return before

    def fire(self, frames: Sequence[Frame], moment: Moment) -> Any:
        ports = {port: frame.data for port, frame in zip(self._ports, frames, strict=True)}
        return self.model(**self.constants, **ports)

    def open(self) -> None:
        self.model.open()

    def reset(self) -> None:
        _call(self.model, "reset")

    def close(self) -> None:
        self.model.close()

    def describe(self) -> dict[str, Any]:
        return self.model.describe()


class SinkNode(Node):
    """A device or a protocol at a stream's end."""

    role = Role.SINK

    def __init__(self, d: Declared, sink: Sink) -> None:
        super().__init__(d.name, [Input(s, hot=True) for s in d.reads.values()], None, where=d.where)
        self.sink = sink

    def open(self) -> None:
        self.sink.open()

    def fire(self, frames: Sequence[Frame], moment: Moment) -> None:
        self.sink.put(frames[0].data, frames[0].t_ns)

    def close(self) -> None:
        self.sink.close()


def _constant(value: Any, kind: type[Kind], names: Sequence[str], port: str, where: str) -> Any:
    """A port's constant as piece.toml spells it. For a Vector, `{"lavender haze" = 0.5, 6 = 0.5}` names places, by name
    or counted from 1, and leaves the others at 0."""
    if kind is Vector and isinstance(value, Mapping):
        row = np.zeros(len(names), np.float32)
        for key, weight in value.items():
            place = names.index(key) if key in names else int(key) - 1 if str(key).isdigit() else -1
            if not 0 <= place < len(names):
                raise PieceFault(f'{port} has no place "{key}"', where=where, hint=did_you_mean(str(key), names))
            row[place] = weight
        value = row
    try:
        return kind.check(value) if kind in (Vector, Control) else value
    except ValueError as error:
        raise PieceFault(f"{port} cannot be {value!r:.60}: {error}", where=where) from None


def _call(thing: Any, method: str) -> Any:
    found = getattr(thing, method, None) if not inspect.isfunction(thing) else None
    return found() if callable(found) else None


def _caller() -> str:
    frame = sys._getframe(2)
    return at_line(frame.f_code.co_filename, frame.f_lineno)


def _def_line(function: Any) -> int:
    """The line of `def`, not that of its decorator."""
    code = function.__code__
    lines = inspect.getsource(function).splitlines() if code.co_filename != "<string>" else []
    for offset, line in enumerate(lines):
        if line.lstrip().startswith(("def ", "async def ")):
            return code.co_firstlineno + offset
    return code.co_firstlineno


def _stream(reads: str) -> tuple[str, str | None]:
    """("camera", "same") of "camera: same"."""
    stream, colon, policy = (part.strip() for part in reads.partition(":"))
    return stream, _policy(policy) if colon else None


def _policy(annotation: Any) -> str | None:
    if isinstance(annotation, str) and annotation in (LATEST, EVERY, SAME):  # also under `from __future__ import annotations`
        return str(annotation)
    return None


def _kind(annotation: Any, where: str) -> type[Kind] | None:
    if annotation in (inspect.Signature.empty, None, "None", np.ndarray, "np.ndarray", "numpy.ndarray"):
        return None  # an array may be a picture, a mask or a vector: the first one decides
    if isinstance(annotation, str):
        annotation = KINDS.get(annotation, annotation)
    if isinstance(annotation, type) and issubclass(annotation, Kind):
        return annotation
    name = getattr(annotation, "__name__", str(annotation))
    raise PieceFault(f"-> {name} is not a kind of stream", where=where, hint=did_you_mean(name, KINDS))
