"""Checks that authors of plug-ins should run: a source, a model or a sink that passes them behaves on stage.

    from pleinair.testing import check_source

    def test_my_camera():
        check_source(lambda: MyCamera(size=(320, 240)))

Each raises AssertionError with a sentence that says what would go wrong on stage, and returns what it saw.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .core.codec import decode
from .core.kinds import KINDS, Image, Kind, Mask, Vector
from .core.model import Model
from .core.source import Capture, Sink, Source

__all__ = ["check_model", "check_sink", "check_source"]


def check_source(make: Callable[[], Source], *, count: int = 10, seconds: float = 10.0) -> list[Capture]:
    """Opens a fresh source, takes `count` captures, interrupts, closes, opens again. Takes at most `seconds` for each.

    Checks kind and values, times that never go back, that no capture shares memory with a later one, that what is kept
    for the tape brings back the same, that `interrupt` ends a waiting read, that it can be opened again, and that
    `describe` is JSON.
    """
    source = make()
    _is(isinstance(source, Source), "it is made by calling it, and is a pleinair.core.source.Source")
    _is(source.kind in KINDS.values(), f"its kind is one of {', '.join(KINDS)}")
    _json(source.describe(), "describe()")
    source.open()
    try:
        captures, arrived = _take(source, count, seconds)
        _check_captures(source, captures, arrived)
        _check_raws(make, source, captures)
    finally:
        source.interrupt()
        source.close()
    _check_interrupt(make, seconds)
    source.close()
    source.open()
    again, _ = _take(source, 1, seconds)
    _is(bool(again), "after close() it can be opened again, as after a cable was pulled")
    source.interrupt()
    source.close()
    return captures


def check_model(
    make: Callable[[], Model], inputs: Mapping[str, Sequence[Any]] | None = None, *, size: tuple[int, int] = (64, 48)
) -> list[Any]:
    """Opens a fresh model and calls it with several inputs for each port (made up for pictures, masks and vectors where
    `inputs` holds none). Returns what it published.

    Checks kind and values, that it leaves its inputs as they were (they are read-only, as on stage), that what it gave
    out is not written over by a later call, that the same inputs give the same output bit for bit, also from a fresh
    one, that `open` and `close` may come twice, and that `describe` is JSON.
    """
    model = make()
    _is(isinstance(model, Model), "it is made by calling it, and is a pleinair.core.model.Model")
    _is(model.kind in KINDS.values(), f"its kind is one of {', '.join(KINDS)}")
    _is(bool(model.ports) and all(k in KINDS.values() for k in model.ports.values()), "its ports have kinds")
    given = {port: _inputs(port, kind, inputs, model.size or size) for port, kind in model.ports.items()}
    model.open()
    model.open()
    outputs = []
    for number in range(max((len(v) for v in given.values()), default=1)):
        ports = {port: values[number % len(values)] for port, values in given.items() if values}
        outputs.append(_published(model, ports))
    kept = [model.kind.digest(o) for o in outputs]
    ports = {port: values[0] for port, values in given.items() if values}
    again = _published(model, ports)
    _is(model.kind.digest(again) == kept[0], "the same inputs give the same output, bit for bit")
    now = [model.kind.digest(o) for o in outputs]
    _is(now == kept, "what it gave out is not written over by a later call: return an array of the caller's own")
    _json(model.describe(), "describe()")
    model.close()
    model.close()
    fresh = make()
    fresh.open()
    _is(model.kind.digest(_published(fresh, ports)) == kept[0], "a fresh one gives the same, bit for bit")
    fresh.close()
    return outputs


def check_sink(make: Callable[[], Sink], data: Sequence[Any], *, step_s: float = 1 / 30) -> None:
    """Opens a fresh sink, puts `data` (read-only, as on stage), closes it twice; and opens one that gets nothing."""
    sink = make()
    _is(isinstance(sink, Sink), "it is made by calling it, and is a pleinair.core.source.Sink")
    sink.open()
    for number, item in enumerate(data):
        before = _bytes(item)
        if isinstance(item, np.ndarray):
            item.setflags(write=False)
        sink.put(item, round(number * step_s * 1e9))
        _is(_bytes(item) == before, "it leaves what it is given as it is")
    sink.close()
    sink.close()
    idle = make()
    idle.open()
    idle.close()


# -- sources ---------------------------------------------------------------------------------------------------------


def _take(source: Source, count: int, seconds: float) -> tuple[list[Capture], list[Any]]:
    """Captures, and their bytes as they were when they came. In a thread of its own, as on stage: a read that never
    comes back must not hold up the test."""
    taken: list[Capture] = []
    arrived: list[Any] = []
    failed: list[BaseException] = []

    def read() -> None:
        try:
            for capture in source:
                taken.append(capture)
                arrived.append(_bytes(getattr(capture, "data", None)))
                if len(taken) >= count:
                    return
        except BaseException as error:
            failed.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(seconds)
    if reader.is_alive():
        source.interrupt()
        reader.join(seconds)
        raise AssertionError(f"{len(taken)} of {count} captures came in {seconds:g} s")
    if failed:
        raise failed[0]
    _is(bool(taken), "at least one capture comes")
    return taken, arrived


def _check_captures(source: Source, captures: list[Capture], arrived: list[Any]) -> None:
    for capture, before in zip(captures, arrived, strict=True):
        _is(isinstance(capture, Capture), "it yields pleinair.core.source.Capture")
        try:
            source.kind.check(_own(capture.data))
        except ValueError as error:
            raise AssertionError(f"it yields what its kind {source.kind.__name__} does not carry: {error}") from None
        _is(not source.paced or capture.t_ns is not None, "a paced source says when each capture is due (t_ns)")
        _is(_bytes(capture.data) == before, "a capture is not written over by a later one")
    for before, after in zip(captures, captures[1:], strict=False):
        if isinstance(before.data, np.ndarray) and isinstance(after.data, np.ndarray):
            shared = np.shares_memory(before.data, after.data) and before.data.flags.writeable
            _is(not shared, "two captures do not share memory that may be written to")
        for name in ("t_ns", "machine_ns"):
            a, b = getattr(before, name), getattr(after, name)
            _is(a is None or b is None or a <= b, f"{name} never goes back")


def _own(data: Any) -> Any:
    """A copy, so that checking freezes nothing of the source's."""
    return data.copy() if isinstance(data, np.ndarray) else data


def _check_raws(make: Callable[[], Source], source: Source, captures: list[Capture]) -> None:
    """What the tape keeps brings back the same: decoded, or recalled by another source of the same making."""
    recaller = None
    for capture in captures:
        if capture.raw is None:
            continue
        _json(capture.raw.note, "a raw's note")
        if capture.raw.codec == "recall":
            recaller = recaller or make()
            data = recaller.recall(json.loads(json.dumps(capture.raw.note)))
        else:
            data = decode(capture.raw)
        same = source.kind.digest(source.kind.check(_own(data))) == source.kind.digest(
            source.kind.check(_own(capture.data))
        )
        _is(same, f'what is kept for the tape ("{capture.raw.codec}") brings back the same, bit for bit')
    if recaller is not None:
        recaller.close()


def _check_interrupt(make: Callable[[], Source], seconds: float) -> None:
    source = make()
    source.open()
    ended = threading.Event()

    def read() -> None:
        try:
            for _ in source:
                pass
        finally:
            ended.set()

    threading.Thread(target=read, daemon=True).start()
    source.interrupt()
    interrupted = ended.wait(seconds)
    source.close()
    _is(interrupted, f"interrupt() ends a read within {seconds:g} s, from another thread")


# -- models ----------------------------------------------------------------------------------------------------------


def _inputs(port: str, kind: type[Kind], given: Mapping[str, Sequence[Any]] | None, size: tuple[int, int]) -> list[Any]:
    if given is not None and port in given:
        return [kind.check(value) for value in given[port]]
    chance = np.random.default_rng(7)
    width, height = size
    if kind is Image:
        made = [chance.integers(0, 256, (height, width, 3), np.uint8) for _ in range(3)]
    elif kind is Mask:
        made = [chance.random((height, width), np.float32) for _ in range(3)]
    elif kind is Vector or given is not None:
        return []  # how long it is, only its author knows: the constant stands
    else:
        made = [kind.empty()]
    return [kind.check(value) for value in made]


def _published(model: Model, ports: dict[str, Any]) -> Any:
    before = {port: _bytes(value) for port, value in ports.items()}
    try:
        data = model.kind.check(model(**ports))
    except ValueError as error:
        raise AssertionError(f"it publishes what its kind {model.kind.__name__} does not carry: {error}") from None
    for port, value in ports.items():
        _is(_bytes(value) == before[port], f"it leaves its input {port} as it is")
    return data


# -- all -------------------------------------------------------------------------------------------------------------


def _bytes(value: Any) -> Any:
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


def _json(value: Any, what: str) -> None:
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{what} is what JSON can hold: {error}") from None


def _is(fine: bool, sentence: str) -> None:
    if not fine:
        raise AssertionError(f"this should hold, and does not: {sentence}")
