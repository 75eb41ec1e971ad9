"""TFLite files of any operators, and those of them that LiteRT believes and should not."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import flatbuffers

FLOAT, INT, BOOL = 0, 2, 6


@dataclass
class Graph:
    """tensors: (name, shape, type, buffer); operators: (code, inputs, outputs, {slot of its options: int32})."""

    tensors: list[tuple]
    operators: list[tuple]
    inputs: tuple[int, ...] = (0,)
    outputs: tuple[int, ...] = (1,)


@dataclass
class File:
    graphs: list[Graph]
    codes: list[int]
    buffers: list[bytes] = field(default_factory=lambda: [b""])

    def bytes(self) -> bytes:
        make = flatbuffers.Builder(1024)

        def row(values, size: int, put) -> int:
            make.StartVector(size, len(values), size)
            for value in reversed(values):
                put(value)
            return make.EndVector()

        def whole(values) -> int:
            return row(values, 4, make.PrependInt32)

        def of(places) -> int:
            return row(places, 4, make.PrependUOffsetTRelative)

        def table(slots: int, offsets=None, numbers=None) -> int:
            make.StartObject(slots)
            for slot, place in (offsets or {}).items():
                make.PrependUOffsetTRelativeSlot(slot, place, 0)
            for slot, (how, value) in (numbers or {}).items():
                getattr(make, f"Prepend{how}Slot")(slot, value, -1 if how == "Int32" else 0)
            return make.EndObject()

        def tensor(name, shape, kind, buffer) -> int:
            return table(
                8, {0: whole(shape), 3: make.CreateString(name)}, {1: ("Int8", kind), 2: ("Uint32", buffer)}
            )  # fmt: skip

        def operator(code, taken, given, options) -> int:
            offsets = {1: whole(taken), 2: whole(given)}
            offsets[4] = table(8, {}, {slot: ("Int32", value) for slot, value in options.items()})
            return table(9, offsets, {0: ("Uint32", code), 3: ("Uint8", 1)})

        buffers = of([table(3, {0: make.CreateByteVector(b)} if b else {}) for b in self.buffers])
        graphs = []
        for graph in self.graphs:
            offsets = {0: of([tensor(*t) for t in graph.tensors]), 1: whole(graph.inputs), 2: whole(graph.outputs)}
            offsets |= {3: of([operator(*o) for o in graph.operators]), 4: make.CreateString("main")}
            graphs.append(table(5, offsets))
        codes = of([table(4, {}, {0: ("Int8", min(c, 127)), 3: ("Int32", c)}) for c in self.codes])
        offsets = {1: codes, 2: of(graphs), 3: make.CreateString("made in a test"), 4: buffers}
        make.Finish(table(8, offsets, {0: ("Uint32", 3)}), file_identifier=b"TFL3")
        return bytes(make.Output())


X, Y, Z = ("x", (1, 4), FLOAT, 0), ("y", (1, 4), FLOAT, 0), ("z", (1, 4), FLOAT, 0)
PICTURE, PAINTED = ("x", (1, 8, 8, 3), FLOAT, 0), ("y", (1, 8, 8, 4), FLOAT, 0)
RELU, CONVOLUTION, POOL, SPLIT, IF, WHILE, ONCE = 19, 3, 17, 49, 118, 119, 129


def one(code: int, options: dict[int, int], *more: tuple, taken=(0,), buffers=(), ports=(X, Y)) -> bytes:
    graph = Graph([*ports, *more], [(0, taken, (1,), options)])
    return File([graph], [code], [b"", *buffers]).bytes()


def convolution(step: int = 1, taken=(0, 2, 3), bias: int = 4, weights: bytes = bytes(432)) -> bytes:
    kernel, sums = ("w", (4, 3, 3, 3), FLOAT, 1), ("b", (bias,), FLOAT, 2)
    options = {1: step, 2: step}
    return one(
        CONVOLUTION, options, kernel, sums, taken=taken, buffers=(weights, bytes(4 * bias)), ports=(PICTURE, PAINTED)
    )


def pool(window: int, step: int) -> bytes:
    ports = (PICTURE, ("y", (1, 4, 4, 3), FLOAT, 0))
    return one(POOL, {1: step, 2: step, 3: window, 4: window}, ports=ports)


def honest() -> Iterator[tuple[str, bytes]]:
    yield "a convolution", convolution()
    yield "a pool", pool(2, 2)
    yield "a split", one(SPLIT, {0: 1}, ("a", (), INT, 1), taken=(2, 0), buffers=(struct.pack("<i", 0),))
    branch = ("c", (1,), BOOL, 1)
    main = Graph([X, Y, branch], [(0, (2, 0), (1,), {0: 1, 1: 2})])
    inner = Graph([X, Y], [(1, (0,), (1,), {})])
    yield "a branch", File([main, inner, inner], [IF, RELU], [b"", b"\1"]).bytes()


def believed() -> Iterator[tuple[str, bytes]]:
    """What ended LiteRT (marked *), or was run by it as if it were right."""
    branch = ("c", (1,), BOOL, 1)
    for first, second in ((0, 0), (77, -1), (1, 0)):
        yield f"* if {first}, {second}", one(IF, {0: first, 1: second}, branch, taken=(2, 0), buffers=(b"\1",))
        yield f"while {first}, {second}", one(WHILE, {0: first, 1: second})
    yield "once itself", one(ONCE, {0: 0})
    main, other = Graph([X, Y], [(0, (0,), (1,), {0: 1, 1: 1})]), Graph([X, Y], [(0, (0,), (1,), {0: 0, 1: 0})])
    yield "two that run each other", File([main, other], [WHILE]).bytes()
    for parts in (0, 2, -1, 1 << 30):
        axis = ("a", (), INT, 1)
        yield f"* {parts} parts", one(SPLIT, {0: parts}, axis, taken=(2, 0), buffers=(struct.pack("<i", 0),))
    for step in (0, -1, 1 << 30):
        yield f"steps of {step}", convolution(step)
        yield f"pool in steps of {step}", pool(2, step)
        yield f"a window of {step}", pool(step, 1)
    yield "* a convolution of nothing", convolution(taken=(-1, -1, -1))
    yield "a convolution without weights", convolution(taken=(0, -1, 3))
    yield "weights that are not there", convolution(weights=b"")
    for bias in (1, 3, 5):
        yield f"{bias} sums of 4", convolution(bias=bias)
    yield "a cycle", File([Graph([X, Y, Z], [(0, (2,), (1,), {}), (0, (1,), (2,), {})])], [RELU]).bytes()
    yield "in the wrong order", File([Graph([X, Y, Z], [(0, (2,), (1,), {}), (0, (0,), (2,), {})])], [RELU]).bytes()
    yield "another way to call", one(31, {})
