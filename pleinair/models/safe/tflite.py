"""TFLite: a FlatBuffer, checked offset by offset, and the network in it, index by index.

FlatBuffers: https://flatbuffers.dev/internals; the tables are those of TensorFlow's schema.fbs (version 3). Every
table, its vtable, every vector and every text must lie inside the file; then every tensor's buffer, every operator's
tensors and its code must be there, and constant tensors must have as many bytes as their shape says.
"""

from __future__ import annotations

import graphlib
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from .parts import Broken, product

MAX_LOOKS = 150_000
"""Tables, vectors and texts: as much work as a file may ask for."""

_BITS = {0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64, 15: 32, 16: 16, 17: 4}
_BITS |= {18: 16, 19: 2, 20: 4}
"""Bits of one number by TensorType: float32, float16, int32, uint8, int64, bool, int16, complex64, int8, float64 ..."""
_TEXT, _RESOURCE, _VARIANT = 5, 13, 14
MAX_NUMBERS = 1 << 31
_SAME_SHAPE = frozenset({6, 14, 19, 21, 28, 47, 59, 75, 76, 92, 98, 101, 114, 117})
"""Operators whose output has their input's shape (dequantize, logistic, relu ...). LiteRT believes what the file says
of it, and reads beyond its memory where that is wrong: found by changing bytes of real networks."""

_BRANCHES = {118: (0, 1), 119: (0, 1), 129: (0,)}
"""IF, WHILE, CALL_ONCE -> fields of their options that name a network in the file."""
_CALL = 31
_SPLITS = frozenset({49, 88, 102})
"""SPLIT, UNPACK, SPLIT_V: one output for each part, as many as the options say."""
_AT_LEAST_ONE = {1: (1, 2, 3, 4), 17: (1, 2, 3, 4), 3: (1, 2), 4: (1, 2)}
"""Pools and convolutions -> fields of their options (steps, windows) that divide."""
_MOST_STEP = 1 << 16
_BIAS = {3: (1, 2, 0), 4: (1, 2, 3), 9: (1, 2, 0)}
"""Convolutions, FULLY_CONNECTED -> their inputs weights and bias, and the side of the weights that is as long as it."""
_OPTIONAL_SECOND = frozenset({16, 44, 52})
"""LSTMs: their second input may be left out. No other operator's first two may."""
# What LiteRT believes of the above, and ends in where it is wrong, was tried with files made for it (tests/models/safe)

# Tables as the schema has them: field number -> what it is. An int: a number of that many bytes (kept where it has a
# name in `_table`'s answer); "s": a text; "vN": a vector of numbers of N bytes; "tNAME": a table; "VNAME": a vector of
# tables; "Vs": a vector of texts; "U": a union whose type is the field before it.
_SCHEMA: dict[str, dict[int, int | str]] = {
    "Model": {0: 4, 1: "VCode", 2: "VGraph", 3: "s", 4: "VBuffer", 5: "v4", 6: "VMetadata", 7: "VSignature"},
    "Code": {0: 1, 1: "s", 2: 4, 3: 4},
    "Graph": {0: "VTensor", 1: "v4", 2: "v4", 3: "VOperator", 4: "s", 5: 4},
    "Buffer": {0: "v1", 1: 8, 2: 8},
    "Metadata": {0: "s", 1: 4},
    "Signature": {0: "VMap", 1: "VMap", 2: "s", 4: 4},
    "Map": {0: "s", 1: 4},
    "Tensor": {0: "v4", 1: 1, 2: 4, 3: "s", 4: "tScale", 5: 1, 6: "tSparse", 7: "v4", 8: 1, 9: "VVariant"},
    "Variant": {0: "v4", 1: 1, 2: 1},
    "Scale": {0: "v4", 1: "v4", 2: "v4", 3: "v8", 4: 1, 5: "U", 6: 4},
    "Sparse": {0: "v4", 1: "v4", 2: "VSide"},
    "Side": {0: 1, 1: 4, 2: 1, 3: "U", 4: 1, 5: "U"},
    "Operator": {
        0: 4, 1: "v4", 2: "v4", 3: 1, 4: "U", 5: "v1", 6: 1, 7: "v1", 8: "v4", 9: 8, 10: 8, 11: 1, 12: "U", 13: 4,
    },
    "Any": {},
}  # fmt: skip


@dataclass(frozen=True)
class Tflite:
    """version  of the schema (3)
    graphs, tensors, operators  how many
    bytes    of constant numbers
    custom   operators that are not TensorFlow Lite's own
    """

    version: int
    graphs: int
    tensors: int
    operators: int
    bytes: int
    custom: tuple[str, ...]


def is_tflite(view: memoryview) -> bool:
    return view[4:8] == b"TFL3"


def check(view: memoryview) -> Tflite:
    """Broken where anything points outside the file, or means something that is not there."""
    if len(view) < 32:
        raise Broken("it was cut short")
    if len(view) > 1 << 31:
        raise Broken("it is larger than 2 GB, where a FlatBuffer ends")
    if not is_tflite(view):
        raise Broken("it is no TFLite file")
    return _Flat(view).model()


class _Flat:
    def __init__(self, view: memoryview) -> None:
        self.view, self.size, self.looks = view, len(view), 0

    # -- the network ---------------------------------------------------------------------------------------------------

    def model(self) -> Tflite:
        model = self.table(self.u32(0), "Model")
        version, count = self.number(model, 0), len(self.places(model, 2))
        if version != 3 or not count:
            raise Broken(f"it is version {version} of TFLite's file, with {count} networks")
        sizes = array("q", (self._bytes(buffer) for buffer in self.each(model, 4)))
        if not sizes or sizes[0]:
            raise Broken("its first buffer, which is to be empty, is not")
        custom, codes = [], array("q")
        for code in self.each(model, 1):
            codes.append(self.number(code, 3) or self.number(code, 0))
            if codes[-1] == 32 and len(custom) < 64:
                custom.append(self.text(code.get(1)))
        for place in self.numbers(model.get(5)):
            self._index(place, len(sizes), "a note")
        for note in self.each(model, 6):
            self._index(self.number(note, 1), len(sizes), "a note")
        tensors, operators, total = [], 0, 0
        calls: dict[int, set[int]] = {}
        for place, graph in enumerate(self.each(model, 2)):
            tensors.append(len(self.places(graph, 0)))
            shapes, ready = array("q"), bytearray()
            for tensor in self.each(graph, 0):
                size = self._tensor(tensor, sizes)
                total += size
                shape = self.numbers(tensor.get(0))
                shapes.append(hash(shape))
                kept = self.number(tensor, 1) in (_RESOURCE, _VARIANT) or self.number(tensor, 5) or 0 in shape
                ready.append(bool(size or kept))
            calls[place] = {self._index(n, count, "a branch") for n in self._wires(graph, shapes, ready, codes)}
            operators += len(self.places(graph, 3))
        try:
            graphlib.TopologicalSorter(calls).prepare()
        except graphlib.CycleError:
            raise Broken("a network in it runs itself, without end") from None
        for signature in self.each(model, 7):
            graph = self._index(self.number(signature, 4), count, "a signature")
            for ports in (0, 1):
                for port in self.each(signature, ports):
                    self._index(self.number(port, 1), tensors[graph], "a signature")
        if not operators:
            raise Broken("it holds no network")
        return Tflite(version, count, sum(tensors), operators, total, tuple(custom))

    def _tensor(self, tensor: dict, sizes: array) -> int:
        kind = self.number(tensor, 1)
        if kind not in _BITS and kind not in (_TEXT, _RESOURCE, _VARIANT):
            raise Broken(f"a tensor is of a type {kind} that there is not")
        count = product(self.numbers(tensor.get(0)), "a tensor")
        if count > MAX_NUMBERS:
            raise Broken(f"a tensor would hold {count} numbers")
        size = sizes[self._index(self.number(tensor, 2), len(sizes), "a tensor")]
        if size and 6 not in tensor and kind in _BITS and -(-count * _BITS[kind] // 8) != size:
            raise Broken(f"a tensor should have {-(-count * _BITS[kind] // 8)} bytes and has {size}")
        if 6 in tensor:
            for _ in self.each(tensor[6], 2):
                pass
        for variant in self.each(tensor, 9):
            product(self.numbers(variant.get(0)), "a tensor")
        return size

    def _wires(self, graph: dict, shapes: array, ready: bytearray, codes: array) -> Iterator[int]:
        """Ports and operators of one network; which other networks in the file it runs.

        shapes  of its tensors, their hashes; ready: which of them hold something before anything has run
        """
        tensors = len(shapes)
        for place in (*self.numbers(graph.get(1)), *self.numbers(graph.get(2))):
            self._index(place, tensors, "a port")
        for place in self.numbers(graph.get(1)):
            ready[place] = True
        for operator in self.each(graph, 3):
            code = codes[self._index(self.number(operator, 0), len(codes), "an operator")]
            taken, given = self.numbers(operator.get(1)), self.numbers(operator.get(2))
            for place in (*taken, *given, *self.numbers(operator.get(8))):
                if place != -1:  # an optional input that is not there
                    self._index(place, tensors, "an operator")
            if -1 in taken[: 1 if code in _OPTIONAL_SECOND else 2]:
                raise Broken("an operator in it is given nothing")
            if not all(ready[place] for place in taken if place != -1):
                raise Broken("an operator in it reads what nothing has written yet")
            for place in given:
                if place != -1:
                    ready[place] = True
            both = code in _SAME_SHAPE and -1 not in taken[:1] + given[:1]
            if both and [shapes[t] for t in taken[:1]] != [shapes[t] for t in given[:1]]:
                raise Broken("an operator in it gives another shape than it takes")
            yield from self._options(graph, operator, code, taken, given)
            if self.number(operator, 9) or self.number(operator, 10):
                self._outside(operator, 9, 10)

    def _options(
        self, graph: dict, operator: dict, code: int, taken: tuple[int, ...], given: tuple[int, ...]
    ) -> Iterator[int]:
        """What an operator's options and shapes may not say; which networks it runs."""
        options = operator.get(4)
        if code == _CALL:
            raise Broken("it calls a network in it in a way that is not read here")
        for field in _BRANCHES.get(code, ()):
            yield self.option(options, field)
        for field in _AT_LEAST_ONE.get(code, ()):
            if not 1 <= self.option(options, field) <= _MOST_STEP:
                raise Broken("an operator in it goes on in steps, or over windows, that there are not")
        if code in _SPLITS and self.option(options, 0) != len(given):
            raise Broken("an operator in it gives another number of parts than it says")
        if code in _BIAS and len(taken) > 2 and taken[2] != -1:
            weights, bias, side = _BIAS[code]
            sides, count = (self._shape(graph, taken[n]) for n in (weights, bias))
            if side < len(sides) and product(count, "a tensor") != sides[side]:
                raise Broken("an operator in it adds other numbers than it has sums")

    def _shape(self, graph: dict, tensor: int) -> tuple[int, ...]:
        place = self.places(graph, 0)[tensor]
        return self.numbers(self.table(place + self.u32(place), "Tensor").get(0))

    def _bytes(self, buffer: dict) -> int:
        """A buffer's size; its bytes lie in the table, or behind the FlatBuffer (in files beyond 2 GB)."""
        if self.number(buffer, 1) > 1:
            return self._outside(buffer, 1, 2)
        return buffer[0][1] if 0 in buffer else 0

    def _outside(self, table: dict, offset: int, size: int) -> int:
        start, count = self.number(table, offset), self.number(table, size)
        if start > self.size or count > self.size - start:
            raise Broken("a buffer would lie outside the file")
        return count

    @staticmethod
    def _index(place: int, count: int, who: str) -> int:
        if not 0 <= place < count:
            raise Broken(f"{who} in it asks for number {place} of {count}")
        return place

    # -- the FlatBuffer ------------------------------------------------------------------------------------------------

    def table(self, at: int, name: str) -> dict:
        """A table's fields: a number as (place, size), a vector as (place, count), one of tables with their name."""
        self._look()
        start = at - self._signed(at)
        length, extent = self._u16(start), self._u16(start + 2)
        if length < 4 or length % 2 or start + length > self.size or extent < 4 or at + extent > self.size:
            raise Broken("a table in it does not lie where it says")
        schema = _SCHEMA[name]
        found: dict = {}
        for field in range((length - 4) // 2):
            offset = self._u16(start + 4 + 2 * field)
            if not offset:
                continue
            kind = schema.get(field)
            width = kind if isinstance(kind, int) else 1 if kind is None else 4
            if offset < 4 or offset + width > extent:
                raise Broken("a table in it does not lie where it says")
            if kind is not None:
                found[field] = self._field(at + offset, kind)
        if name == "Any":
            found[-1] = (at, start, length, extent)
        return found

    def option(self, table: dict | None, field: int) -> int:
        """An int32 of an operator's options; 0 where it is left out."""
        at, start, length, extent = (table or {}).get(-1, (0, 0, 0, 0))
        if 4 + 2 * field + 2 > length or not (offset := self._u16(start + 4 + 2 * field)):
            return 0
        if offset + 4 > extent:
            raise Broken("a table in it does not lie where it says")
        return self._signed(at + offset)

    def _field(self, at: int, kind: int | str):
        if isinstance(kind, int):
            return (at, kind)
        place = at + self.u32(at)
        if kind == "U":
            return self.table(place, "Any")
        if kind[0] == "t":
            return self.table(place, kind[1:])
        if kind == "s":
            found = self._vector(place, 1)
            if found[0] + found[1] >= self.size or self.view[found[0] + found[1]] != 0:
                raise Broken("a text in it has no end")
            return found
        if kind[0] == "v":
            return self._vector(place, int(kind[1:]))
        start, count = self._vector(place, 4)
        if count > MAX_LOOKS - self.looks:
            raise Broken("it lists more than is read here")
        return (start, count, kind[1:])

    def places(self, table: dict, field: int) -> range:
        """Where a vector of tables keeps its offsets."""
        start, count, _ = table.get(field, (0, 0, ""))
        return range(start, start + 4 * count, 4)

    def each(self, table: dict, field: int) -> Iterator[dict]:
        """The tables of a vector, one at a time: they are not kept."""
        for place in self.places(table, field):
            yield self.table(place + self.u32(place), table[field][2])

    def _vector(self, at: int, item: int) -> tuple[int, int]:
        self._look()
        count = self.u32(at)
        if count > (self.size - at - 4) // item:
            raise Broken("a list in it would be longer than the file")
        return at + 4, count

    def numbers(self, vector: tuple[int, int] | None) -> tuple[int, ...]:
        """A vector of int32."""
        if vector is None:
            return ()
        start, count = vector
        self.looks += count
        self._look()
        return struct.unpack_from(f"<{count}i", self.view, start)

    def number(self, table: dict, field: int) -> int:
        """A number of the table; 0 where it is left out. Indices are read as they are meant: unsigned."""
        if field not in table:
            return 0
        at, size = table[field]
        return int.from_bytes(self.view[at : at + size], "little")

    def text(self, vector: tuple[int, int] | None) -> str:
        start, count = vector or (0, 0)
        return bytes(self.view[start : start + min(count, 64)]).decode("utf-8", "replace")

    def u32(self, at: int) -> int:
        if not 0 <= at <= self.size - 4:
            raise Broken("it points outside itself")
        return int.from_bytes(self.view[at : at + 4], "little")

    def _u16(self, at: int) -> int:
        if not 0 <= at <= self.size - 2:
            raise Broken("it points outside itself")
        return int.from_bytes(self.view[at : at + 2], "little")

    def _signed(self, at: int) -> int:
        value = self.u32(at)
        return value - (1 << 32) if value >> 31 else value

    def _look(self) -> None:
        self.looks += 1
        if self.looks > MAX_LOOKS:
            raise Broken("it has more parts than are read here")
