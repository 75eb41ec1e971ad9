"""Operators of TFLite that compute nothing: they cut, join, pad and reorder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .tflite_file import Operator

if TYPE_CHECKING:
    from .tflite import Network

TURNED = (0, 2, 3, 1)
"""Where each of TFLite's axes of a picture lies once its channels are first."""


def _reshape(net: Network, operator: Operator) -> None:
    shape = net.w.ints(net.shape(operator.outputs[0]))
    net.add(operator, "Reshape", [net.plain(operator.inputs[0]), shape], False)


def _join(net: Network, operator: Operator) -> None:
    options = operator.options
    axis, active = (options.number(0), options.number(1, "b")) if options else (0, 0)
    sides = len(net.shape(operator.outputs[0]))
    turned = sides == 4
    inputs = [net.turned(place) if turned else net.plain(place) for place in operator.inputs]
    net.add(operator, "Concat", inputs, turned, active, axis=TURNED[axis % 4] if turned else axis % sides)


def _pad(net: Network, operator: Operator) -> None:
    """PAD, PADV2 (with a value) and MIRROR_PAD (its option: 0 reflects, 1 is symmetric)."""
    taken, pads = operator.inputs[:2]
    widths = np.reshape(net.whole(pads), (-1, 2))
    turned = net.is_picture(taken)
    if turned:
        widths = widths[[0, 3, 1, 2]]
    inputs = [net.turned(taken), net.w.ints(widths.T.reshape(-1).tolist())]
    how: dict[str, Any] = {}
    if operator.code == 100:
        if operator.options is not None and operator.options.number(0, "b"):
            raise ValueError("a symmetric MIRROR_PAD has nothing in ONNX that stands for it")
        how["mode"] = "reflect"
    elif len(operator.inputs) > 2:
        inputs.append(net.w.constant(net.weights(operator.inputs[2]).reshape(())))
    net.add(operator, "Pad", inputs, turned, **how)


def _transpose(net: Network, operator: Operator) -> None:
    taken, order = operator.inputs
    net.add(operator, "Transpose", [net.plain(taken)], False, perm=net.whole(order))


def _blocks(op: str, **how: Any) -> Callable[[Network, Operator], None]:
    def write(net: Network, operator: Operator) -> None:
        size = operator.options.number(0) if operator.options else 0
        net.add(operator, op, [net.turned(operator.inputs[0])], True, blocksize=size, **how)

    return write


def _slice(net: Network, operator: Operator) -> None:
    taken, begin, size = operator.inputs
    starts, sizes = net.whole(begin), net.whole(size)
    sides = net.shape(taken)
    ends = [side if n < 0 else start + n for start, n, side in zip(starts, sizes, sides, strict=True)]
    _cut(net, operator, starts, ends, [1] * len(sides))


def _strided(net: Network, operator: Operator) -> None:
    """Its masks hold a bit for each axis: begin or end is left open, the axis is dropped. New axes and `...` are
    refused."""
    taken, *rest = operator.inputs
    begin, end, steps = (net.whole(place) for place in rest)
    options = operator.options
    from_start, to_end, dots, new, drop = (options.number(n) if options else 0 for n in range(5))
    if dots or new:
        raise ValueError("a STRIDED_SLICE with new axes or an ellipsis is not converted")
    for axis, step in enumerate(steps):
        bit = 1 << axis
        if from_start & bit:
            begin[axis] = 0 if step > 0 else 2**31 - 1
        if to_end & bit:
            end[axis] = 2**31 - 1 if step > 0 else -(2**31)
        if drop & bit:
            end[axis], steps[axis] = (begin[axis] + 1) or 2**31 - 1, 1
    _cut(net, operator, begin, end, steps)


def _cut(net: Network, operator: Operator, starts: list[int], ends: list[int], steps: list[int]) -> None:
    cut = [net.w.ints(starts), net.w.ints(ends), net.w.ints(range(len(starts))), net.w.ints(steps)]
    found = net.w.add("Slice", [net.plain(operator.inputs[0]), *cut])
    net.add(operator, "Reshape", [found, net.w.ints(net.shape(operator.outputs[0]))], False)


def _split(net: Network, operator: Operator) -> None:
    which, taken = operator.inputs
    sides = len(net.shape(taken))
    axis = net.whole(which)[0] % sides
    turned = net.is_picture(taken)
    name = net.turned(taken) if turned else net.plain(taken)
    axis_there = TURNED[axis] if turned else axis
    at = 0
    for place in operator.outputs:
        size = net.shape(place)[axis]
        ends = [net.w.ints([n]) for n in (at, at + size, axis_there)]
        net.gives(place, net.w.add("Slice", [name, *ends], net.label(place)), turned)
        at += size


OPERATORS: dict[int | str, Callable[[Network, Operator], None]] = {
    2: _join,
    5: _blocks("DepthToSpace", mode="DCR"),
    22: _reshape,
    26: _blocks("SpaceToDepth"),
    34: _pad,
    39: _transpose,
    43: _reshape,
    45: _strided,
    49: _split,
    60: _pad,
    65: _slice,
    70: _reshape,
    100: _pad,
}
