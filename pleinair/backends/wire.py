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
MAX_LOOKS = 100_000
"""Fields of messages: as much work as a file may ask for. A network of 700 layers has 8,000."""
MAX_SIDES = 16
MAX_NAMES = 65_536
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
_BITS |= {17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}
"""Bits of one number by TensorProto.DataType."""
_STRING = 8
FLOAT = 1
TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
"""numpy's names -> TensorProto.DataType."""


class Broken(ValueError):
    """The bytes are not what they should be; the message is a sentence's second half. `hint`: what to try, or ""."""

    hint = ""


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
    looks            fields that were looked at
    """

    inputs: dict[str, list[int] | None] = field(default_factory=dict)
    outputs: dict[str, list[int] | None] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    ops: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    weights: int = 0
    external: list[str] = field(default_factory=list)
    opset: int = 0
    looks: int = 0


def summary(model: bytes | memoryview) -> Summary:
    """Reads the file once, all of it. Broken where it is cut short or no ONNX."""
    found = Summary()
    for number, value in _known(memoryview(model), _MODEL, found):
        if number == 7:  # ModelProto.graph
            _graph(_message(value), found, 0)
        elif number == 8:  # ModelProto.opset_import
            parts = dict(_known(_message(value), _OPSET, found))
            version = parts.get(2)
            if not parts.get(1) and isinstance(version, int):
                found.opset = version
        elif number == 14:
            _pair(_message(value), found)
        elif number == 20:  # ModelProto.training_info
            inner = Summary(external=found.external, ops=found.ops, domains=found.domains)
            for n, v in _known(_message(value), _TRAINING, inner):
                if n in (1, 2):
                    _graph(_message(v), inner, 1)
            found.looks += inner.looks
        elif number == 25:  # ModelProto.functions
            for n, v in _known(_message(value), _FUNCTION, found):
                if n == 7:
                    _node(_message(v), found, 1)
                elif n == 11:
                    _attribute(_message(v), found, 1)
    if not found.outputs:
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


# The messages of onnx.proto (1.23): field number -> how it stands in the file, + MANY where there may be several, + ROW
# where several numbers may stand in one block. A test compares them with the onnx package's own.
MANY, ROW = 8, 24
_MODEL = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, **dict.fromkeys((8, 14, 20, 25, 26), 2 | MANY)}
_OPSET = {1: 2, 2: 0}
_PAIR = {1: 2, 2: 2}
_TRAINING = {1: 2, 2: 2, 3: 2 | MANY, 4: 2 | MANY}
_FUNCTION = {1: 2, 8: 2, 10: 2, 13: 2, **dict.fromkeys((4, 5, 6, 7, 9, 11, 12, 14), 2 | MANY)}
_GRAPH = {2: 2, 10: 2, **dict.fromkeys((1, 5, 11, 12, 13, 14, 15, 16), 2 | MANY)}
_NODE = {3: 2, 4: 2, 6: 2, 7: 2, 8: 2, **dict.fromkeys((1, 2, 5, 9, 10), 2 | MANY)}
_ATTRIBUTE = {1: 2, 2: 5, 3: 0, 4: 2, 5: 2, 6: 2, 13: 2, 14: 2, 20: 0, 21: 2, 22: 2, 7: 5 | ROW, 8: 0 | ROW}
_ATTRIBUTE |= dict.fromkeys((9, 10, 11, 15, 23), 2 | MANY)
_TENSOR = {1: 0 | ROW, 2: 0, 3: 2, 4: 5 | ROW, 5: 0 | ROW, 6: 2 | MANY, 7: 0 | ROW, 8: 2, 9: 2, 10: 1 | ROW}
_TENSOR |= {11: 0 | ROW, 12: 2, 13: 2 | MANY, 14: 0, 16: 2 | MANY}
_SPARSE = {1: 2, 2: 2, 3: 0 | ROW}
_VALUE_INFO = {1: 2, 2: 2, 3: 2, 4: 2 | MANY}
_TYPE = dict.fromkeys((1, 4, 5, 6, 7, 8, 9), 2)
_TENSOR_TYPE = {1: 0, 2: 2}
_INNER_TYPE = {4: {1: 2}, 5: {1: 0, 2: 2}, 9: {1: 2}}
_SHAPE = {1: 2 | MANY}
_SIDE = {1: 0, 2: 2, 3: 2}


def _known(view: memoryview, message: dict[int, int], found: Summary) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message. Broken: one that it has not, one in another form, one twice, or too many to read."""
    seen = 0
    for number, how, value in _spelt(view):
        found.looks += 1
        if found.looks > MAX_LOOKS:
            raise Broken("it has more parts than are read here")
        meant = message.get(number)
        if meant is None or (how != meant & 7 and not (meant & ROW == ROW and how == 2)):
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        if not meant & MANY:
            if seen >> number & 1:
                raise Broken("it says one thing twice")
            seen |= 1 << number
        yield number, value


def _graph(graph: memoryview, found: Summary, depth: int) -> None:
    """GraphProto: node 1, initializer 5, input 11, output 12, value_info 13, sparse_initializer 15."""
    if depth > MAX_DEPTH:
        raise Broken("graphs are nested without end")
    inputs: dict[str, list[int] | None] = {}
    constants: set[int] = set()
    for number, value in _known(graph, _GRAPH, found):
        if number == 1:
            _node(_message(value), found, depth)
        elif number in (5, 15):
            name = _tensor(_message(value), found) if number == 5 else _sparse(_message(value), found)
            if len(constants) > MAX_NAMES:
                raise Broken("it has more tables than are read here")
            if hash(name) in constants:
                raise Broken(f"it holds two tables called {short(name)}")
            constants.add(hash(name))
        elif number in (11, 12, 13):
            name, kind, shape = _value_info(_message(value), found)
            if depth == 0 and number != 13:
                ports = inputs if number == 11 else found.outputs
                if name in ports or len(ports) > 4096:
                    raise Broken(f"it has two ports called {short(name)}")
                found.types[name] = kind
                ports[name] = shape
        elif number == 16:
            _pair(_message(value), found)
    if depth == 0:
        found.inputs = {n: s for n, s in inputs.items() if hash(n) not in constants}


def _node(node: memoryview, found: Summary, depth: int) -> None:
    """NodeProto: op_type 4, attribute 5, domain 7."""
    op = domain = ""
    for number, value in _known(node, _NODE, found):
        if number == 4:
            op = _text(value)
        elif number == 7:
            domain = _text(value)
        elif number == 5:
            _attribute(_message(value), found, depth)
    if not op:
        raise Broken("a layer in it has no name")
    found.ops[op] = found.ops.get(op, 0) + 1
    if domain not in ("", "ai.onnx"):
        found.domains.add(domain)
    if len(found.ops) > 4096 or len(found.domains) > 256:
        raise Broken("it asks for more kinds of layers than there are")


def _attribute(attribute: memoryview, found: Summary, depth: int) -> None:
    """AttributeProto: t 5, g 6, tensors 10, graphs 11, tp 14, type_protos 15, sparse_tensor 22, sparse_tensors 23."""
    for number, value in _known(attribute, _ATTRIBUTE, found):
        if number in (5, 10):
            _tensor(_message(value), found)
        elif number in (6, 11):
            _graph(_message(value), found, depth + 1)
        elif number in (22, 23):
            _sparse(_message(value), found)
        elif number in (14, 15):
            _type(_message(value), found, 0)


def _sparse(sparse: memoryview, found: Summary) -> str:
    """SparseTensorProto: values 1 (whose name is its name), indices 2."""
    name = ""
    for number, value in _known(sparse, _SPARSE, found):
        if number in (1, 2):
            its = _tensor(_message(value), found)
            name = its if number == 1 else name
    return name


def _tensor(tensor: memoryview, found: Summary) -> str:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13 {key 1, value 2}, data_location 14, and
    its numbers in rows: float 4, int32 5, string 6, int64 7, double 10, uint64 11."""
    name, kind, count, sides, raw, outside = "", 0, 1, 0, None, False
    rows: dict[int, int] = {}
    for number, value in _known(tensor, _TENSOR, found):
        if number == 1:
            for side in _numbers(value):
                sides += 1
                count *= side
                if sides > MAX_SIDES:
                    raise Broken(f"a table of numbers has more than {MAX_SIDES} sides")
                if not 0 <= side <= 1 << 40 or count > 1 << 48:
                    raise Broken(f"a table of numbers has a side of {side}")
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 3:
            raise Broken("a table of numbers in it is in pieces")
        elif number in (4, 5, 6, 7, 10, 11):
            here = 1 if number == 6 or isinstance(value, int) else len(value)
            rows[number] = rows.get(number, 0) + here
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = len(_message(value))
        elif number == 13:
            key, said = _pair(_message(value), found)
            if key == "location" and len(found.external) < 16:
                found.external.append(said)
            outside = True
        elif number == 14:
            outside = outside or value == 1
    if kind not in _BITS and kind != _STRING:
        raise Broken(f"the table {short(name)} is of a type {kind} that there is not")
    if not outside:
        _holds(name, kind, count, raw, rows)
    found.weights += raw or sum(rows.values())
    return name


def _holds(name: str, kind: int, count: int, raw: int | None, rows: dict[int, int]) -> None:
    """Broken unless a table holds as many numbers as its shape says, in one place."""
    if raw is not None and kind != _STRING:
        wanted = -(-count * _BITS[kind] // 8)
        if raw != wanted or rows:
            raise Broken(f"the table {short(name)} should have {wanted} bytes and has {raw}")
        return
    place, least, most = 5, 1, 10  # varints
    if kind in (1, 14):
        place, least, most = 4, 4 * (kind // 14 + 1), 4 * (kind // 14 + 1)
    elif kind in (11, 15):
        place, least, most = 10, 8 * (kind // 15 + 1), 8 * (kind // 15 + 1)
    elif kind == _STRING:
        place, least, most = 6, 1, 1
    elif kind in (7, 12, 13):
        place = 7 if kind == 7 else 11
    elif _BITS[kind] < 8:
        count = -(-count * _BITS[kind] // 8)
    there = rows.get(place, 0)
    if raw is not None or set(rows) - {place} or not count * least <= there <= count * most:
        raise Broken(f"the table {short(name)} should have {count} numbers and has others")


def _pair(pair: memoryview, found: Summary) -> tuple[str, str]:
    """StringStringEntryProto."""
    parts = {n: _text(v) for n, v in _known(pair, _PAIR, found)}
    return parts.get(1, ""), parts.get(2, "")


def _value_info(info: memoryview, found: Summary) -> tuple[str, int, list[int] | None]:
    name, kind = "", 0
    shape: list[int] | None = None
    for number, value in _known(info, _VALUE_INFO, found):
        if number == 1:
            name = _text(value)
        elif number == 2:
            kind, shape = _type(_message(value), found, 0)
        elif number == 4:
            _pair(_message(value), found)
    return name, kind, shape


def _type(view: memoryview, found: Summary, depth: int) -> tuple[int, list[int] | None]:
    """TypeProto: element type and shape of a tensor; (0, None) for sequences and maps, which are walked too."""
    kind, shape = 0, None
    if depth > 8:
        raise Broken("its types are nested without end")
    for number, value in _known(view, _TYPE, found):
        if number in (1, 8):
            for n, part in _known(_message(value), _TENSOR_TYPE, found):
                if n == 1 and isinstance(part, int):
                    kind = part if number == 1 else 0
                elif n == 2:
                    shape = [_side(_message(side), found) for _, side in _known(_message(part), _SHAPE, found)]
                    if len(shape) > 64:
                        raise Broken(f"a port of it has {len(shape)} sides")
        elif number in _INNER_TYPE:
            for _, part in _known(_message(value), _INNER_TYPE[number], found):
                if not isinstance(part, int):
                    _type(part, found, depth + 1)
    return kind, shape if kind else None


def _side(view: memoryview, found: Summary) -> int:
    """TensorShapeProto.Dimension: its size, -1 where it is any."""
    for number, value in _known(view, _SIDE, found):
        if number == 1 and isinstance(value, int):
            return value
    return -1


# The wire format: fields of (number << 3 | type), type 0 = varint, 1 = 8 bytes, 2 = length and bytes, 5 = 4 bytes


def _fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    for number, _, _, value in _spans(view):
        yield number, value


def _spans(view: memoryview) -> Iterator[tuple[int, int, int, int | memoryview]]:
    """(field number, start, end, value) of each field; value is an int or a view of its bytes."""
    for number, _, value, start, end in _places(view):
        yield number, start, end, value


def _spelt(view: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """(field number, its form, value) of each field."""
    for number, how, value, _, _ in _places(view):
        yield number, how, value


def _places(view: memoryview) -> Iterator[tuple[int, int, int | memoryview, int, int]]:
    at, end = 0, len(view)
    while at < end:
        start = at
        key = view[at]
        if key < 128:
            at += 1
        else:
            key, at = _varint(view, at)
        number, how = key >> 3, key & 7
        if number < 1:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        if how == 0:
            value, at = _varint(view, at)
            yield number, how, value, start, at
            continue
        if how == 2:
            size, at = _varint(view, at)
        elif how in (1, 5):
            size = 8 if how == 1 else 4
        else:
            raise Broken("its bytes are not those of an ONNX file")
        if size < 0 or size > end - at:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        yield number, how, view[at : at + size], start, at + size
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


def short(name: str) -> str:
    """A name out of a file, fit for a sentence: quoted, no line breaks, no escapes, not too long."""
    clean = "".join(c if c.isprintable() else "?" for c in name[:61])
    return f'"{clean[:57]}..."' if len(name) > 60 else f'"{clean}"'


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
