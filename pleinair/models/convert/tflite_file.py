"""What a TFLite file says: tensors, operators, constants. Read after `safe.tflite` has checked every offset in it.

A FlatBuffer table is a place that says, two bytes a field, how far behind it each field lies (0: the default); the
field numbers are those of TensorFlow's schema.fbs, version 3.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..safe import tflite as safe_tflite
from . import tflite_sparse
from .writing import MAX_NUMBERS

TYPES = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 6: "?", 9: "i1"}
CUSTOM = 32


@dataclass(frozen=True)
class Tensor:
    """name, shape, numpy type; data: the constant's numbers, None for one that is computed."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None


@dataclass(frozen=True)
class Operator:
    """code: of BuiltinOperator; custom: the name of one that is none; inputs, outputs: places among the tensors."""

    code: int
    custom: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None
    custom_options: bytes = b""

    @property
    def key(self) -> int | str:
        """What tells operators apart."""
        return self.custom if self.code == CUSTOM else self.code


@dataclass(frozen=True)
class Graph:
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)


class Table:
    """A table of a FlatBuffer, its fields by number."""

    def __init__(self, blob: bytes, at: int) -> None:
        self._blob, self._at = blob, at
        self._fields = at - struct.unpack_from("<i", blob, at)[0]

    def _place(self, number: int) -> int:
        size = struct.unpack_from("<H", self._blob, self._fields)[0]
        at = 4 + 2 * number
        offset = struct.unpack_from("<H", self._blob, self._fields + at)[0] if at + 2 <= size else 0
        return self._at + offset if offset else 0

    def number(self, number: int, form: str = "i", default: int = 0) -> int:
        place = self._place(number)
        return struct.unpack_from("<" + form, self._blob, place)[0] if place else default

    def table(self, number: int) -> Table | None:
        place = self._place(number)
        return Table(self._blob, self._behind(place)) if place else None

    def tables(self, number: int) -> list[Table]:
        start, count = self._vector(number)
        return [Table(self._blob, self._behind(start + 4 * n)) for n in range(count)]

    def numbers(self, number: int, dtype: str = "<i4") -> np.ndarray:
        start, count = self._vector(number)
        return np.frombuffer(self._blob, dtype, count, start) if count else np.zeros(0, dtype)

    def text(self, number: int) -> str:
        start, count = self._vector(number)
        return self._blob[start : start + count].decode("utf-8", "replace")

    def _vector(self, number: int) -> tuple[int, int]:
        place = self._place(number)
        if not place:
            return 0, 0
        start = self._behind(place)
        return start + 4, struct.unpack_from("<I", self._blob, start)[0]

    def _behind(self, place: int) -> int:
        return place + struct.unpack_from("<I", self._blob, place)[0]


def read(blob: bytes) -> Graph:
    """The first network of a file. `safe.parts.Broken` where its structure is not whole; ValueError for a constant of a
    type that is not known here."""
    safe_tflite.check(memoryview(blob))
    model = Table(blob, struct.unpack_from("<I", blob, 0)[0])
    buffers = model.tables(4)
    codes = [(max(c.number(0, "b"), c.number(3)), c.text(1)) for c in model.tables(1)]
    graph = model.tables(2)[0]
    tensors = []
    for tensor in graph.tables(0):
        shape, kind = tuple(tensor.numbers(0).tolist()), tensor.number(1, "B")
        raw = buffers[tensor.number(2, "I")].numbers(0, "u1")
        if raw.size and kind not in TYPES:
            raise ValueError(f"a constant of type {kind}")
        data = _constant(raw.view(TYPES[kind]), shape, tensor.table(6)) if raw.size else None
        tensors.append(Tensor(tensor.text(3), shape, TYPES.get(kind, ""), data))
    operators = []
    for one in graph.tables(3):
        code, custom = codes[one.number(0, "I")]
        ends: list[Any] = [tuple(one.numbers(n).tolist()) for n in (1, 2)]
        operators.append(
            Operator(code, custom if code == CUSTOM else "", *ends, one.table(4), one.numbers(5, "u1").tobytes())
        )
    return Graph(tuple(graph.numbers(1).tolist()), tuple(graph.numbers(2).tolist()), tensors, operators)


def _constant(values: np.ndarray, shape: tuple[int, ...], sparse: Table | None) -> np.ndarray:
    if sparse is None:
        return values.reshape(shape)
    if math.prod(shape) > MAX_NUMBERS:
        raise ValueError(f"a constant of {math.prod(shape)} numbers")
    return tflite_sparse.dense(values, shape, sparse)
