"""An ONNX file read as plain bytes: what it asks for and what it holds, before any runtime sees it.

A small reader of the protobuf wire format (https://protobuf.dev/programming-guides/encoding) for the messages of
onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html). Field numbers stand beside their names. Nothing is executed and
nothing is copied but names; every length is checked against what is left of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_DEPTH = 16
"""Graphs inside graphs (If, Loop): more is no honest network."""
_ITEM = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2, 17: 1, 18: 1}
"""Bytes of one number by TensorProto.DataType."""
FLOAT = 1
TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9}
"""numpy's names -> TensorProto.DataType."""


class Broken(ValueError):
    """The bytes are no ONNX file; the message is a sentence's second half."""


@dataclass
class Summary:
    """What a network asks for and holds.

    inputs, outputs  name -> shape; -1 where the network takes any size, None where it does not say
    types            name of an input or output -> TensorProto.DataType (1 = float32)
    ops              operator -> how often
    domains          operator domains besides ONNX's own
    weights          bytes of numbers in the file
    external         paths of files that hold its numbers elsewhere
    opset            version of ONNX's operators
    """

    inputs: dict[str, list[int] | None] = field(default_factory=dict)
    outputs: dict[str, list[int] | None] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    ops: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    weights: int = 0
    external: list[str] = field(default_factory=list)
    opset: int = 0


def summary(model: bytes) -> Summary:
    """Reads the file once, all of it. Broken where it is cut short or no ONNX."""
    found = Summary()
    view = memoryview(model)
    graphs = 0
    for number, value in _fields(view):
        if number == 7:  # ModelProto.graph
            graphs += 1
            _graph(_message(value), found, 0)
        elif number == 8:  # ModelProto.opset_import
            parts = {n: v for n, v in _fields(_message(value))}
            version = parts.get(2)
            if not parts.get(1) and isinstance(version, int):
                found.opset = version
        elif number == 20:  # ModelProto.training_info
            for n, v in _fields(_message(value)):
                if n in (1, 2):
                    _graph(_message(v), Summary(external=found.external, ops=found.ops, domains=found.domains), 1)
        elif number == 25:  # ModelProto.functions
            for n, v in _fields(_message(value)):
                if n == 7:
                    _node(_message(v), found, 1)
    if graphs != 1 or not found.outputs:
        raise Broken("it holds no network")
    return found


def with_shapes(model: bytes, shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """The same network with its inputs declared at these shapes, and its outputs at any.

    For runtimes that hold a file to the sizes that its maker happened to write down.
    """
    out = bytearray()
    for number, start, end, value in _spans(memoryview(model)):
        if number == 7:
            graph = bytearray()
            for inner, low, high, part in _spans(_message(value)):
                if inner in (11, 12):
                    graph += _block(inner, _reshaped(_message(part), shapes, keep=inner == 11))
                elif inner != 13:  # value_info of the old sizes would contradict
                    graph += _message(value)[low:high]
            out += _block(7, graph)
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
    for number, start, end, value in _spans(memoryview(model)):
        if number != 7:
            out += model[start:end]
            continue
        view = _message(value)
        constants = {_tensor(_message(v), Summary()) for n, v in _fields(view) if n == 5}
        graph = bytearray()
        for inner, low, high, part in _spans(view):
            if inner == 1:
                graph += _block(1, _unrounded(_message(part), constants))
            elif inner != 13:
                graph += view[low:high]
        out += _block(7, graph)
    return bytes(out)


def _unrounded(node: memoryview, constants: set[str]) -> bytes:
    inputs, outputs, op = [], [], ""
    for number, value in _fields(node):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            op = _text(value)
    if op not in ("QuantizeLinear", "DequantizeLinear") or inputs[0] in constants:
        return bytes(node)
    return _block(1, inputs[0].encode()) + _block(2, outputs[0].encode()) + _block(4, b"Identity")


def _reshaped(info: memoryview, shapes: Mapping[str, tuple[int, ...]], keep: bool) -> bytes:
    """A ValueInfoProto at another shape: name = 1, type = 2 {tensor_type = 1 {elem_type = 1, shape = 2 {dim = 1}}}."""
    name, kind = "", FLOAT
    for number, value in _fields(info):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for n, v in _fields(_message(value)):
                if n == 1:
                    kind = next((x for m, x in _fields(_message(v)) if m == 1 and isinstance(x, int)), FLOAT)
    if keep and name not in shapes:
        return bytes(info)
    tensor = _varint_field(1, kind)
    if keep:
        tensor += _block(2, b"".join(_block(1, _varint_field(1, side)) for side in shapes[name]))
    return _block(1, name.encode()) + _block(2, _block(1, tensor))


def _graph(graph: memoryview, found: Summary, depth: int) -> None:
    """GraphProto: node 1, initializer 5, input 11, output 12, sparse_initializer 15."""
    if depth > MAX_DEPTH:
        raise Broken("graphs are nested without end")
    inputs: dict[str, list[int] | None] = {}
    constants: set[str] = set()
    for number, value in _fields(graph):
        if number == 1:
            _node(_message(value), found, depth)
        elif number == 5:
            constants.add(_tensor(_message(value), found))
        elif number == 15:
            for n, v in _fields(_message(value)):
                if n in (1, 2):
                    constants.add(_tensor(_message(v), found))
        elif number in (11, 12) and depth == 0:
            name, kind, shape = _value_info(_message(value))
            found.types[name] = kind
            (inputs if number == 11 else found.outputs)[name] = shape
    if depth == 0:
        found.inputs = {n: s for n, s in inputs.items() if n not in constants}


def _node(node: memoryview, found: Summary, depth: int) -> None:
    """NodeProto: op_type 4, attribute 5, domain 7."""
    op = domain = ""
    for number, value in _fields(node):
        if number == 4:
            op = _text(value)
        elif number == 7:
            domain = _text(value)
        elif number == 5:
            for n, v in _fields(_message(value)):  # AttributeProto: t 5, g 6, tensors 10, graphs 11
                if n in (5, 10):
                    _tensor(_message(v), found)
                elif n in (6, 11):
                    _graph(_message(v), found, depth + 1)
    found.ops[op] = found.ops.get(op, 0) + 1
    if domain not in ("", "ai.onnx"):
        found.domains.add(domain)


def _tensor(tensor: memoryview, found: Summary) -> str:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13 {key 1, value 2}, data_location 14."""
    name, kind, count, raw, outside = "", 0, 1, None, False
    for number, value in _fields(tensor):
        if number == 1:
            for side in _numbers(value):
                if side < 0 or side > 1 << 40:
                    raise Broken(f"a table of numbers has a side of {side}")
                count *= side
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = len(_message(value))
        elif number == 13:
            pair = {n: _text(v) for n, v in _fields(_message(value)) if n in (1, 2)}
            if pair.get(1) == "location":
                found.external.append(pair.get(2, ""))
            outside = True
        elif number == 14:
            outside = outside or value == 1
    if raw is not None and not outside and kind in _ITEM and raw != count * _ITEM[kind]:
        raise Broken(f'the table "{name[:60]}" should have {count * _ITEM[kind]} bytes and has {raw}')
    found.weights += raw or 0
    return name


def _value_info(info: memoryview) -> tuple[str, int, list[int] | None]:
    name, kind = "", 0
    shape: list[int] | None = None
    for number, value in _fields(info):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for n, v in _fields(_message(value)):
                if n != 1:  # only tensors, no sequences and maps
                    continue
                for m, part in _fields(_message(v)):
                    if m == 1 and isinstance(part, int):
                        kind = part
                    elif m == 2:
                        shape = []
                        for k, side in _fields(_message(part)):
                            if k == 1:
                                sides = (x for d, x in _fields(_message(side)) if d == 1 and isinstance(x, int))
                                shape.append(next(sides, -1))
    return name, kind, shape


# The wire format: fields of (number << 3 | type), type 0 = varint, 1 = 8 bytes, 2 = length and bytes, 5 = 4 bytes


def _fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    for number, _, _, value in _spans(view):
        yield number, value


def _spans(view: memoryview) -> Iterator[tuple[int, int, int, int | memoryview]]:
    """(field number, start, end, value) of each field; value is an int or a view of its bytes."""
    at, end = 0, len(view)
    while at < end:
        start = at
        key, at = _varint(view, at)
        number, how = key >> 3, key & 7
        if how == 0:
            value, at = _varint(view, at)
            yield number, start, at, value
            continue
        if how == 2:
            size, at = _varint(view, at)
        elif how in (1, 5):
            size = 8 if how == 1 else 4
        else:
            raise Broken("its bytes are not those of an ONNX file")
        if number == 0 or size > end - at:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        yield number, start, at + size, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    value &= (1 << 64) - 1
    return (value - (1 << 64) if value >> 63 else value), at


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise Broken("its bytes are not those of an ONNX file")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)[:4096]).decode("utf-8", "replace")


def _numbers(value: int | memoryview) -> Iterator[int]:
    """A repeated int64, packed or not."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _encode(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint_field(number: int, value: int) -> bytes:
    return _encode(number << 3) + _encode(value)


def _block(number: int, body: bytes | bytearray) -> bytes:
    return _encode(number << 3 | 2) + _encode(len(body)) + bytes(body)
