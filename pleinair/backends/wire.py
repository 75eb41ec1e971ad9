"""An ONNX file read as plain bytes: what it asks for and what it holds, before any runtime sees it.

The messages are those of onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html), read by `protobuf`. Field numbers stand
beside their names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import onnx_fields as proto
from . import unrolled
from .protobuf import Broken, message, numbers, short, spelt, text

MAX_DEPTH = 16
"""Graphs inside graphs (If, Loop): more is no honest network."""
MAX_LOOKS = 100_000
"""Fields of messages: as much work as a file may ask for. A network of 700 layers has 8,000."""
MAX_SIDES = 16
MAX_NAMES = 65_536
MAX_VERSION = 1000
"""Of a set of operators; ONNX is at 26. Asked for the version 2^62, a runtime looks for it for hours."""
MAX_PORT = 1 << 31
"""Numbers in one input or output of fixed size."""
_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
_BITS |= {17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}
"""Bits of one number by TensorProto.DataType."""
_STRING = 8
FLOAT = 1
TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
"""numpy's names -> TensorProto.DataType."""


@dataclass
class Summary:
    """What a network asks for and holds.

    inputs, outputs  name -> shape; -1 where the network takes any size, None where it does not say
    types            name of an input or output -> TensorProto.DataType (1 = float32)
    ops              operator -> how often
    domains          operator domains besides ONNX's own
    weights          bytes of numbers in the file
    external         paths of files that hold its numbers elsewhere
    called           (domain, operator) -> how often, in the network or the function that is being read
    looks            fields that were looked at
    """

    inputs: dict[str, list[int] | None] = field(default_factory=dict)
    outputs: dict[str, list[int] | None] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    ops: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    weights: int = 0
    external: list[str] = field(default_factory=list)
    called: dict[unrolled.Call, int] = field(default_factory=dict)
    looks: int = 0


def summary(model: bytes | memoryview) -> Summary:
    """Reads the file once, all of it. Broken where it is cut short or no ONNX."""
    found = Summary()
    functions: dict[unrolled.Call, dict[unrolled.Call, int]] = {}
    sets: dict[str, int] = {}
    for number, value in _known(memoryview(model), proto.MODEL, found):
        if number == 7:  # ModelProto.graph
            _graph(message(value), found, 0)
        elif number == 8:  # ModelProto.opset_import
            domain, version = _opset(message(value), found)
            if sets.setdefault(domain, version) != version:
                raise Broken(f"it asks for two versions of the operators {short(domain or 'ai.onnx')}")
        elif number == 14:
            _pair(message(value), found)
        elif number == 20:  # ModelProto.training_info
            inner = Summary(external=found.external, ops=found.ops, domains=found.domains)
            for n, v in _known(message(value), proto.TRAINING, inner):
                if n in (1, 2):
                    _graph(message(v), inner, 1)
            found.looks += inner.looks
        elif number == 25:  # ModelProto.functions
            name, calls = _function(message(value), found)
            known = functions.setdefault(name, {})  # of one name and two overloads: both together
            known |= {call: known.get(call, 0) + count for call, count in calls.items()}
    if not found.outputs:
        raise Broken("it holds no network")
    unrolled.check(found.called, functions, MAX_LOOKS)
    return found


def _opset(view: memoryview, found: Summary) -> tuple[str, int]:
    """OperatorSetIdProto: domain 1, version 2."""
    domain, version = "", 0
    for number, value in _known(view, proto.OPSET, found):
        if number == 1:
            domain = text(value)
        elif isinstance(value, int):
            version = value
    if not 0 <= version <= MAX_VERSION:
        raise Broken(f"it asks for version {version} of the operators, which there is not")
    return "" if domain == "ai.onnx" else domain, version


def _function(view: memoryview, found: Summary) -> tuple[unrolled.Call, dict[unrolled.Call, int]]:
    """FunctionProto: name 1, node 7, opset_import 9, domain 10, attribute_proto 11. Its name, and what it calls."""
    name = domain = ""
    outer, found.called, given = found.called, {}, set()
    for number, value in _known(view, proto.FUNCTION, found):
        if number == 1:
            name = text(value)
        elif number == 7:
            _node(message(value), found, 1, given)
        elif number == 9:
            _opset(message(value), found)
        elif number == 10:
            domain = text(value)
        elif number == 11:
            _attribute(message(value), found, 1)
    calls, found.called = found.called, outer
    return ("" if domain == "ai.onnx" else domain, name), calls


def _known(view: memoryview, table: dict[int, int], found: Summary) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message. Broken: one that it has not, one in another form, one twice, or too many to read."""
    seen = 0
    for number, how, value in spelt(view):
        found.looks += 1
        if found.looks > MAX_LOOKS:
            raise Broken("it has more parts than are read here")
        meant = table.get(number)
        if meant is None or (how != meant & 7 and not (meant & proto.ROW == proto.ROW and how == 2)):
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        if not meant & proto.MANY:
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
    given: set[int] = set()
    for number, value in _known(graph, proto.GRAPH, found):
        if number == 1:
            _node(message(value), found, depth, given)
        elif number in (5, 15):
            name = _tensor(message(value), found) if number == 5 else _sparse(message(value), found)
            if len(constants) > MAX_NAMES:
                raise Broken("it has more tables than are read here")
            if hash(name) in constants:
                raise Broken(f"it holds two tables called {short(name)}")
            constants.add(hash(name))
        elif number in (11, 12, 13):
            name, kind, shape = _value_info(message(value), found)
            if depth == 0 and number != 13:
                ports = inputs if number == 11 else found.outputs
                if name in ports or len(ports) > 4096:
                    raise Broken(f"it has two ports called {short(name)}")
                found.types[name] = kind
                ports[name] = shape
        elif number == 16:
            _pair(message(value), found)
    if depth == 0:
        found.inputs = {n: s for n, s in inputs.items() if hash(n) not in constants}


def _node(node: memoryview, found: Summary, depth: int, given: set[int]) -> None:
    """NodeProto: output 2, op_type 4, attribute 5, domain 7. `given`: hashes of what layers before it give."""
    op = domain = ""
    said: set[bytes] = set()
    for number, value in _known(node, proto.NODE, found):
        if number == 2 and (name := bytes(message(value))):
            if hash(name) in given:
                raise Broken(f"two layers in it give {short(name.decode('utf-8', 'replace'))}")
            given.add(hash(name))
        elif number == 4:
            op = text(value)
        elif number == 7:
            domain = text(value)
        elif number == 5:
            name = _attribute(message(value), found, depth)
            if name in said:
                raise Broken(f"a layer in it says {short(name.decode('utf-8', 'replace'))} twice")
            said.add(name)
    if not op:
        raise Broken("a layer in it has no name")
    found.ops[op] = found.ops.get(op, 0) + 1
    domain = "" if domain == "ai.onnx" else domain
    found.called[domain, op] = found.called.get((domain, op), 0) + 1
    if domain:
        found.domains.add(domain)
    if len(found.called) > 4096 or len(found.domains) > 256:
        raise Broken("it asks for more kinds of layers than there are")


def _attribute(attribute: memoryview, found: Summary, depth: int) -> bytes:
    """AttributeProto: name 1, t 5, g 6, tensors 10, graphs 11, tp 14, type_protos 15, sparse_tensor 22,
    sparse_tensors 23. Its name."""
    name = b""
    for number, value in _known(attribute, proto.ATTRIBUTE, found):
        if number == 1:
            name = bytes(message(value)[:256])
        elif number in (5, 10):
            _tensor(message(value), found)
        elif number in (6, 11):
            _graph(message(value), found, depth + 1)
        elif number in (22, 23):
            _sparse(message(value), found)
        elif number in (14, 15):
            _type(message(value), found, 0)
    return name


def _sparse(sparse: memoryview, found: Summary) -> str:
    """SparseTensorProto: values 1, indices 2. Refused: a few numbers can mean a table of terabytes, and places in it
    that there are not; runtimes fill such tables when they open a file. A path in it is named first."""
    before = len(found.external)
    for number, value in _known(sparse, proto.SPARSE, found):
        if number in (1, 2):
            _tensor(message(value), found)
    if len(found.external) == before:
        raise Broken("it holds a sparse table, which is not read here; export it with full ones")
    return ""


def _tensor(tensor: memoryview, found: Summary) -> str:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13 {key 1, value 2}, data_location 14, and
    its numbers in rows: float 4, int32 5, string 6, int64 7, double 10, uint64 11."""
    name, kind, count, sides, raw, outside = "", 0, 1, 0, None, False
    rows: dict[int, int] = {}
    elsewhere = len(found.external)
    for number, value in _known(tensor, proto.TENSOR, found):
        if number == 1:
            for side in numbers(value):
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
            name = text(value)
        elif number == 9:
            raw = len(message(value))
        elif number == 13:
            key, said = _pair(message(value), found)
            outside = True
            if key == "location":
                found.external.append(said)
        elif number == 14:
            outside = outside or value == 1
    if kind not in _BITS and kind != _STRING:
        raise Broken(f"the table {short(name)} is of a type {kind} that there is not")
    if outside and len(found.external) == elsewhere:
        raise Broken(f"the numbers of {short(name)} are said to be elsewhere, and not where")
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
    parts = {n: text(v) for n, v in _known(pair, proto.PAIR, found)}
    return parts.get(1, ""), parts.get(2, "")


def _value_info(info: memoryview, found: Summary) -> tuple[str, int, list[int] | None]:
    name, kind = "", 0
    shape: list[int] | None = None
    for number, value in _known(info, proto.VALUE_INFO, found):
        if number == 1:
            name = text(value)
        elif number == 2:
            kind, shape = _type(message(value), found, 0)
        elif number == 4:
            _pair(message(value), found)
    return name, kind, shape


def _type(view: memoryview, found: Summary, depth: int) -> tuple[int, list[int] | None]:
    """TypeProto: element type and shape of a tensor; (0, None) for sequences and maps, which are walked too."""
    kind, shape = 0, None
    if depth > 8:
        raise Broken("its types are nested without end")
    for number, value in _known(view, proto.TYPE, found):
        if number in (1, 8):
            for n, part in _known(message(value), proto.TENSOR_TYPE, found):
                if n == 1 and isinstance(part, int):
                    kind = part if number == 1 else 0
                elif n == 2:
                    shape = [_side(message(side), found) for _, side in _known(message(part), proto.SHAPE, found)]
                    if len(shape) > 64:
                        raise Broken(f"a port of it has {len(shape)} sides")
                    if math.prod(side for side in shape if side > 0) > MAX_PORT:
                        raise Broken("a port of it would hold more numbers than a computer has room for")
        elif number in proto.INNER_TYPE:
            for _, part in _known(message(value), proto.INNER_TYPE[number], found):
                if not isinstance(part, int):
                    _type(part, found, depth + 1)
    return kind, shape if kind else None


def _side(view: memoryview, found: Summary) -> int:
    """TensorShapeProto.Dimension: its size, -1 where it is any."""
    for number, value in _known(view, proto.SIDE, found):
        if number == 1 and isinstance(value, int):
            return value
    return -1
