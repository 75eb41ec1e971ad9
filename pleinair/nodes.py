"""The nodes of a piece: an artist's function, a model, a sink."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.errors import PieceFault, did_you_mean
from .core.frame import Frame
from .core.graph import Input, Moment, Node, Role
from .core.kinds import Control, Kind, Vector
from .core.model import Model
from .core.source import Sink

if TYPE_CHECKING:
    from .declared import Declared


class FunctionNode(Node):
    """An artist's function, or a callable object with a state of its own (`reset`, `save`, `load` where it has
    them)."""

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
        """What the object remembers; of a plain function, what the objects remember that it calls by name (a `calm`
        made beside it)."""
        if not inspect.isfunction(self.function):
            return _call(self.function, "save")
        return {name: thing.save() for name, thing in _remembering(self.function).items()} or None

    def load(self, state: Any) -> None:
        if not inspect.isfunction(self.function):
            if callable(load := getattr(self.function, "load", None)):
                load(state)
            return
        things = _remembering(self.function)
        for name, saved in (state or {}).items():
            if name in things:
                things[name].load(saved)


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
        if d.interrupt:
            inputs.append(Input(d.interrupt, cancels=True))
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
        ports = {port: frame.data for port, frame in zip(self._ports, frames, strict=False)}  # an interrupt is no port
        used = getattr(self.model, "uses", ())  # a stranger's model need not be a Model
        return self.model(**self.constants, **ports, **{name: getattr(moment, name) for name in used})

    def interrupt(self) -> None:
        self.model.interrupt()

    def open(self) -> None:
        self.model.open()

    def reset(self) -> None:
        _call(self.model, "reset")

    def save(self) -> Any:
        return _call(self.model, "save")

    def load(self, state: Any) -> None:
        if callable(load := getattr(self.model, "load", None)):
            load(state)

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
            if isinstance(weight, bool) or not isinstance(weight, (int, float)):
                raise PieceFault(f"{port} is made of numbers, and {key} is {weight!r:.40}", where=where)
            row[place] = weight
        value = row
    try:
        return kind.check(value) if kind in (Vector, Control) else value
    except ValueError as error:
        raise PieceFault(f"{port} cannot be {value!r:.60}: {error}", where=where) from None


def _remembering(function: Any) -> dict[str, Any]:
    """Name -> callable object with `save` and `load` that a function knows, from its module or around it."""
    codes, names = [function.__code__], set(function.__code__.co_freevars)
    for code in codes:
        names.update(code.co_names)
        codes += [c for c in code.co_consts if inspect.iscode(c)]
    around = dict(inspect.getclosurevars(function).nonlocals)
    found = {}
    for name in sorted(names):
        thing = around.get(name, function.__globals__.get(name))
        if isinstance(thing, type) or not callable(thing):
            continue
        if callable(getattr(thing, "save", None)) and callable(getattr(thing, "load", None)):
            found[name] = thing
    return found


def _call(thing: Any, method: str) -> Any:
    found = getattr(thing, method, None) if not inspect.isfunction(thing) else None
    return found() if callable(found) else None
