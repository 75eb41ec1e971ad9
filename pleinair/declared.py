"""A line of a piece as a value; and how a function is read: its parameters are the streams that it reads."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .core.errors import PieceFault, at_line, did_you_mean
from .core.kinds import EVERY, LATEST, SAME, Kind, Size
from .spelling import check_size, kind_of, policy_of, resolved, stream_of

RESERVED = ("t", "dt", "rng", "previous", "frame")
"""Parameters that name no stream: content time and time since the last firing in seconds, a seeded generator, the
node's own last output, the hot frame's envelope."""


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


def declared_node(
    word: str, function: Any, where: str, *, name: str | None = None, reads: Mapping[str, str] | None = None,
    interrupt: str | None = None, kind: type[Kind] | None = None, size: Size | None = None, screen: str | None = None,
) -> Declared:  # fmt: skip
    """A function, or any callable object, as a line of the piece. The words are those of `Piece.node`; `where` is
    better known where Python says where the function stands. PieceFault for one that cannot be a node."""
    if not callable(function):
        raise PieceFault(f"{function!r:.60} is not a function", where=where)
    if isinstance(function, type):
        raise PieceFault(
            f"{function.__name__} is a class, and a node is one object of it",
            where=where,
            hint=f"piece.{word}({function.__name__}(...), ...)",
        )
    code = getattr(function, "__code__", None)
    if code is not None:
        where = at_line(code.co_filename, _def_line(function))
    if name is None:
        name = getattr(function, "__name__", type(function).__name__.lower())
        if name == "<lambda>" and word == "draw":
            name = "draw"
    if not isinstance(name, str):
        raise PieceFault(f"{name!r:.40} cannot be a stream's name", where=where)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PieceFault(
            f"{name} is async, and a node is a plain function: it has a thread of its own",
            where=where,
            hint="def instead of async def; a node may wait, and one that yields publishes each item as it comes",
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise PieceFault(
            f"Python does not say what {name} takes", where=where, hint=f"def {name}(camera): return ...(camera)"
        ) from None
    inputs, policies, takes = _streams(signature, function, name, reads or {}, where)
    kind = kind_of(kind if kind is not None else resolved(signature.return_annotation, function), where)
    check_size(size, name, where)
    return Declared(
        word, name, where, reads=inputs, function=function, kind=kind, policies=policies, interrupt=interrupt,
        size=size, screen=screen, takes=takes,
    )  # fmt: skip


def _streams(
    signature: inspect.Signature, function: Any, name: str, reads: Mapping[str, str], where: str
) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """(parameter -> stream, parameter -> policy where it has one of its own, all that the function is called with)."""
    inputs, policies, takes = {}, {}, []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise PieceFault(f"{name} takes *{parameter.name}, and a node's parameters name its streams", where=where)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise PieceFault(
                f"{name} hides the name of {parameter.name} behind a /", where=where, hint="leave out the /"
            )
        stream, asked = stream_of(reads.get(parameter.name, parameter.name), name, where)
        if parameter.name in RESERVED and parameter.name not in reads:
            takes.append(parameter.name)
            continue
        if parameter.default is not parameter.empty and parameter.name not in reads:
            continue  # a plain default is the artist's own constant
        takes.append(parameter.name)
        inputs[parameter.name] = stream
        annotation = resolved(parameter.annotation, function)
        policy = asked or policy_of(annotation)
        if policy is not None:
            policies[parameter.name] = policy
        elif isinstance(annotation, str):  # what is no policy may be a type of the artist's own; a near miss is a slip
            meant = did_you_mean(annotation, (LATEST, EVERY, SAME))
            if meant.startswith("did"):
                raise PieceFault(
                    f'{name} reads {stream} as "{annotation}", which means nothing', where=where, hint=meant
                )
    for parameter in reads:
        if parameter not in signature.parameters:
            raise PieceFault(
                f"{name} has no parameter {parameter}", where=where, hint=did_you_mean(parameter, signature.parameters)
            )
    return inputs, policies, tuple(takes)


def _def_line(function: Any) -> int:
    """The line of `def`, not that of its decorator."""
    code = function.__code__
    lines = inspect.getsource(function).splitlines() if code.co_filename != "<string>" else []
    for offset, line in enumerate(lines):
        if line.lstrip().startswith(("def ", "async def ")):
            return code.co_firstlineno + offset
    return code.co_firstlineno
