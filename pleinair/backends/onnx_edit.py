"""An ONNX file written again, field by field, for runtimes that would take the old one too literally."""

from __future__ import annotations

from collections.abc import Mapping

from .protobuf import block, fields, message, spans, text, varint_field
from .wire import FLOAT


def with_shapes(model: bytes, shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """The same network with its inputs declared at these shapes, and its outputs at any.

    For runtimes that hold a file to the sizes that its maker happened to write down.
    """
    out = bytearray()
    for number, start, end, value in spans(memoryview(model)):
        if number == 7:
            graph = bytearray()
            for inner, low, high, part in spans(message(value)):
                if inner in (11, 12):
                    graph += block(inner, _reshaped(message(part), shapes, keep=inner == 11))
                elif inner != 13:  # value_info of the old sizes would contradict
                    graph += message(value)[low:high]
            out += block(7, graph)
        else:
            out += model[start:end]
    return bytes(out)


def without_rounding(model: bytes) -> bytes:
    """The same network with its activations left as floats: quantising and dequantising them becomes a no-op.

    Weights stay as they are in the file (their DequantizeLinear is kept). A network that rounds to 8 bits some 200
    times in a row comes out differently wherever one sum is off by its last bit: two runtimes agree to 28 dB. Without
    the rounding they agree to more than 70.
    """
    out = bytearray()
    for number, start, end, value in spans(memoryview(model)):
        if number != 7:
            out += model[start:end]
            continue
        view = message(value)
        constants = {text(name) for n, v in fields(view) if n == 5 for m, name in fields(message(v)) if m == 8}
        graph = bytearray()
        for inner, low, high, part in spans(view):
            if inner == 1:
                graph += block(1, _unrounded(message(part), constants))
            elif inner != 13:
                graph += view[low:high]
        out += block(7, graph)
    return bytes(out)


def _unrounded(node: memoryview, constants: set[str]) -> bytes:
    inputs, outputs, op = [], [], ""
    for number, value in fields(node):
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 4:
            op = text(value)
    if op not in ("QuantizeLinear", "DequantizeLinear") or inputs[0] in constants:
        return bytes(node)
    return block(1, inputs[0].encode()) + block(2, outputs[0].encode()) + block(4, b"Identity")


def _reshaped(info: memoryview, shapes: Mapping[str, tuple[int, ...]], keep: bool) -> bytes:
    """A ValueInfoProto at another shape: name = 1, type = 2 {tensor_type = 1 {elem_type = 1, shape = 2 {dim = 1}}}. An
    output of which nothing but the name is said stays so: a runtime finds its type."""
    name, kind, typed = "", FLOAT, False
    for number, value in fields(info):
        if number == 1:
            name = text(value)
        elif number == 2:
            typed = True
            for n, v in fields(message(value)):
                if n == 1:
                    kind = next((x for m, x in fields(message(v)) if m == 1 and isinstance(x, int)), FLOAT)
    if name not in shapes if keep else not typed:
        return bytes(info)
    tensor = varint_field(1, kind)
    if keep:
        tensor += block(2, b"".join(block(1, varint_field(1, side)) for side in shapes[name]))
    return block(1, name.encode()) + block(2, block(1, tensor))
