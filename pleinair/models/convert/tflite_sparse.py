"""Sparse weights of a TFLite file, written out densely.

A sparse tensor says for each of its axes, in the order in which they are walked through, whether all places along it
are there or only those that it names (as in compressed sparse rows). Axes may be cut into blocks of a fixed size, whose
places are walked through last (SparsityParameters of TensorFlow's schema.fbs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .tflite_file import Table

_WIDTHS = {1: "<i4", 2: "<u2", 3: "u1"}
"""SparseIndexVector: numbers of 32, 16 and 8 bits."""


def dense(values: np.ndarray, shape: tuple[int, ...], how: Table) -> np.ndarray:
    """`values` at their places, 0 everywhere else. ValueError where they do not fit the shape."""
    order, blocked = how.numbers(0).tolist(), how.numbers(1).tolist()
    levels = how.tables(2)
    if sorted(order) != list(range(len(levels))) or len(levels) != len(shape) + len(blocked):
        raise ValueError("a sparse tensor's axes are not those of its shape")
    places = np.zeros((1, 0), np.int64)  # one row for each branch, one column for each level walked so far
    sizes = []
    for level in levels:
        if level.number(0, "b") == 0:
            size = level.number(1)
            count = np.full(len(places), size)
            along = np.tile(np.arange(size), len(places)) if 0 < len(places) * size <= values.size else None
        else:
            starts, along = _numbers(level, 2), _numbers(level, 4)
            size = 0
            count = np.diff(starts)
            if len(starts) != len(places) + 1 or starts[0] or (count < 0).any() or starts[-1] != len(along):
                along = None
        if along is None or len(along) > values.size:
            raise ValueError("a sparse tensor's places do not fit its numbers")
        places = np.column_stack([np.repeat(places, count, axis=0), along])
        sizes.append(size)
    if len(places) != values.size:
        raise ValueError("a sparse tensor's places do not fit its numbers")
    index = [np.zeros(len(places), np.int64) for _ in shape]
    for level in np.argsort(order):  # the axes themselves first, then the places within their blocks
        axis = order[level]
        if axis < len(shape):
            index[axis] += places[:, level]
        else:
            inner = blocked[axis - len(shape)]
            index[inner] = index[inner] * sizes[level] + places[:, level]
    if any(len(i) and not 0 <= i.min() <= i.max() < side for i, side in zip(index, shape, strict=True)):
        raise ValueError("a sparse tensor has numbers outside of its shape")
    out = np.zeros(shape, values.dtype)
    out[tuple(index)] = values
    return out


def _numbers(level: Table, field: int) -> np.ndarray:
    kind, vector = level.number(field, "B"), level.table(field + 1)
    if kind not in _WIDTHS or vector is None:
        raise ValueError("a sparse tensor does not say where its numbers are")
    return vector.numbers(0, _WIDTHS[kind]).astype(np.int64)
