"""ONNX and TFLite files that are not what they say: the shapes of known attacks, and every rule broken once."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from . import making, tflite_files

PATHS = [
    "../w.bin", "../../../../etc/passwd", "/etc/passwd", "/proc/self/environ", "a/../../w", "C:\\w.bin", "c:w.bin",
    "\\\\host\\share\\w", "//host/share/w", "..\\w", "a\\..\\..\\w", "\\w.bin", "", "a\0b", "~/../x", "file:///etc/passwd",
    "./../w", "w.bin", "folder/w.bin", "link/to/w", "\\\\?\\C:\\w", "con:", "..", ".", "/", "https://host/w",
]  # fmt: skip
"""CVE-2024-27318, CVE-2025-51480, CVE-2026-27489, CVE-2026-34445: numbers in other files. A link is a path like any."""


def onnx_outside() -> Iterator[tuple[str, bytes]]:
    from onnx import StringStringEntryProto, TensorProto

    def send_out(tensor, place: str, declared: bool = True) -> None:
        tensor.ClearField("raw_data")
        if declared:
            tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.append(StringStringEntryProto(key="location", value=place))
        tensor.external_data.append(StringStringEntryProto(key="offset", value="0"))

    for n, place in enumerate(PATHS):
        model = making.onnx_model(1)
        if n % 3 == 0:
            send_out(model.graph.initializer[0], place, declared=n % 2 == 0)
        elif n % 3 == 1:
            send_out(model.graph.node[1].attribute[0].t, place)
        else:
            sparse = model.graph.sparse_initializer.add()
            sparse.values.CopyFrom(model.graph.initializer[0])
            sparse.values.name = "sparse"
            send_out(sparse.values, place)
        yield place or "empty", model.SerializeToString()
    model = making.onnx_model(1)
    function = model.functions.add(name="f", domain="d")
    function.node.add(op_type="Constant").attribute.add(name="value").t.CopyFrom(model.graph.initializer[0])
    send_out(function.node[0].attribute[0].t, "../w")
    yield "in a function", model.SerializeToString()
    model = making.onnx_model(1)
    inner = model.graph.node.add(op_type="If").attribute.add(name="then_branch", type=5).g
    inner.initializer.add().CopyFrom(model.graph.initializer[0])
    send_out(inner.initializer[0], "/etc/passwd")
    yield "in a branch", model.SerializeToString()
    model = making.onnx_model(1)
    model.training_info.add().algorithm.initializer.add().CopyFrom(model.graph.initializer[0])
    send_out(model.training_info[0].algorithm.initializer[0], "../w")
    yield "in training", model.SerializeToString()


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def block(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def onnx_broken() -> Iterator[tuple[str, bytes]]:
    good = making.onnx(1)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    sides = [[-4], [1 << 41], [1 << 62, 1 << 62], [1 << 32, 1 << 32], [65536] * 4, [1] * 40, [5], [0]]
    for dims in sides:
        model = making.onnx_model(1)
        model.graph.initializer[0].dims[:] = dims
        yield f"sides {dims[:4]}", model.SerializeToString()
    for kind in (0, 8, 27, 99, 7):
        model = making.onnx_model(1)
        model.graph.initializer[0].data_type = kind
        yield f"type {kind}", model.SerializeToString()
    for count in (0, 3, 5):
        model = making.onnx_model(0)
        del model.graph.initializer[1].float_data[:]
        model.graph.initializer[1].float_data.extend([0.5] * count)
        yield f"{count} numbers of 4", model.SerializeToString()
    model = making.onnx_model(1)
    model.graph.initializer[0].float_data.extend([1.0])
    yield "numbers twice", model.SerializeToString()
    model = making.onnx_model(1)
    model.graph.initializer.add().CopyFrom(model.graph.initializer[0])
    yield "a name twice", model.SerializeToString()
    model = making.onnx_model(1)
    model.graph.output.add().CopyFrom(model.graph.output[0])
    yield "a port twice", model.SerializeToString()
    model = making.onnx_model(1)
    model.graph.initializer[0].segment.begin = 1
    yield "in pieces", model.SerializeToString()
    model = making.onnx_model(1)
    model.graph.node[0].op_type = ""
    yield "no layer", model.SerializeToString()
    model = making.onnx_model(1)
    del model.graph.output[:]
    yield "no output", model.SerializeToString()
    deep = b""
    for _ in range(40):
        deep = block(1, block(4, b"If") + block(5, block(1, b"then") + block(6, deep)))
    yield "graphs in graphs", good + b""[:0] + block(7, deep)
    shallow = block(7, deep + block(12, block(1, b"y")))
    yield "graphs in graphs, alone", b"\x08\x08" + shallow
    yield "two graphs", good + block(7, block(12, block(1, b"z")))
    yield "a field that is none", good + block(15, b"x" * 40)
    yield "a pickle behind it", good + b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."
    yield "a group", good + b"\x3b\x3c"
    yield "field 0", good + b"\x02\x00"
    yield "an endless number", good + b"\x28" + b"\xff" * 30
    yield "a number of 70 bits", b"\x08" + b"\x80" * 10 + b"\x01" + good
    yield "a length of -1", good + b"\x72" + varint((1 << 64) - 1)
    yield "a length beyond", good + b"\x72\xff\xff\xff\xff\x07"
    yield "a text as a number", b"\x12\x80\x01" + good
    yield "the version as a text", block(1, b"8") + good
    yield "a million fields", b"\x08\x08" + block(7, b"\x0a\x03\x22\x01A" * 400_000)
    yield "a million sides", b"\x08\x08" + block(7, block(5, b"\x08\x01" * 400_000))
    yield from onnx_swelling()
    yield "types in types", b"\x08\x08" + block(7, block(12, block(1, b"y") + block(2, _types(60))))


def onnx_swelling() -> Iterator[tuple[str, bytes]]:
    """Small files that runtimes make large, hang in, or understand in two ways (ONNX Runtime, OpenVINO: tried)."""
    from onnx import TensorProto, helper, numpy_helper

    sets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]

    def function(name: str, *calls: str):
        names = ["a", *(f"t{n}" for n in range(len(calls) - 1)), "b"]
        rows = zip(calls, names, names[1:], strict=False)
        nodes = [helper.make_node(c, [i], [o], domain="" if c == "Relu" else "d") for c, i, o in rows]
        return helper.make_function("d", name, ["a"], ["b"], nodes, sets)

    def model(*functions):
        node = helper.make_node("f0", ["x"], ["y"], domain="d")
        ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in ("x", "y")]
        graph = helper.make_graph([node], "g", ports[:1], ports[1:])
        return helper.make_model(graph, opset_imports=sets, functions=list(functions)).SerializeToString()

    yield "a function that calls itself", model(function("f0", "f0"))
    yield "two functions that call each other", model(function("f0", "f1"), function("f1", "f0"))
    doubling = [function(f"f{n}", f"f{n + 1}", f"f{n + 1}") for n in range(28)]
    yield "functions that double", model(*doubling, function("f28", "Relu"))
    for label, dims, places in (
        ("of a terabyte", [1 << 40], [5]),
        ("of 2^64", [1 << 62, 4], [5]),
        ("with a place beyond", [4], [4096]),
        ("with a place before", [4], [-9]),
    ):
        for where in ("table", "layer"):
            good = making.onnx_model(1)
            if where == "table":
                sparse = good.graph.sparse_initializer.add()
            else:
                layer = good.graph.node.add(op_type="Constant")
                sparse = layer.attribute.add(name="sparse_value", type=11).sparse_tensor
            sparse.dims[:] = dims
            sparse.values.CopyFrom(numpy_helper.from_array(np.ones(1, np.float32), "s"))
            sparse.indices.CopyFrom(numpy_helper.from_array(np.array(places), "i"))
            yield f"a sparse {where} {label}", good.SerializeToString()
    for key in ("", "LOCATION", "offset", "locatıon"):
        good = making.onnx_model(1)
        tensor = good.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        if key:
            tensor.external_data.add(key=key, value="../w")
        yield f"numbers elsewhere, and not where: {key}", good.SerializeToString()
    for side in (1 << 62, 1 << 40):
        good = making.onnx_model(2)
        good.graph.input[0].type.tensor_type.shape.dim[1].dim_value = side
        yield f"a port of {side}", good.SerializeToString()
    for version in (1 << 62, -1):
        good = making.onnx_model(1)
        good.opset_import[0].version = version
        yield f"version {version}", good.SerializeToString()
    good = making.onnx_model(1)
    good.opset_import.add(domain="ai.onnx", version=3)
    yield "two versions", good.SerializeToString()
    good = making.onnx_model(1)
    good.graph.node[2].output[0] = "y0"
    yield "two layers give the same", good.SerializeToString()
    good = making.onnx_model(1)
    for value in (1, 2):
        good.graph.node[0].attribute.add(name="axis", type=2, i=value)
    yield "a word twice", good.SerializeToString()


def _types(depth: int) -> bytes:
    return block(4, block(1, _types(depth - 1))) if depth else b""


def tflite_broken() -> Iterator[tuple[str, bytes]]:
    yield from tflite_files.believed()
    good = making.tflite(2)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    for root in (0, 1, 8, len(good), len(good) - 2, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
        yield f"root at {root}", struct.pack("<I", root) + good[4:]
    at = struct.unpack_from("<I", good)[0]
    for back in (0, at + 1, -len(good), 1 << 30, -(1 << 31)):
        yield f"vtable {back} back", good[:at] + struct.pack("<i", back) + good[at + 4 :]
    vtable = at - struct.unpack_from("<i", good, at)[0]
    for place, value in [(0, 0), (0, 2), (0, 65534), (2, 0), (2, 65535), (4, 65532), (6, 3), (8, 60000), (12, 2)]:
        yield (
            f"vtable +{place} = {value}",
            good[: vtable + place] + struct.pack("<H", value) + good[vtable + place + 2 :],
        )
    fields = {n: struct.unpack_from("<H", good, vtable + 4 + 2 * n)[0] for n in (1, 2, 3, 4)}
    for field, offset in fields.items():
        where = at + offset
        for value in (1 << 31, (1 << 32) - 1, len(good), len(good) * 2):
            yield f"field {field} at +{value}", good[:where] + struct.pack("<I", value) + good[where + 4 :]
        vector = where + struct.unpack_from("<I", good, where)[0]
        for count in (1 << 20, 1 << 30, (1 << 32) - 1):
            yield f"field {field} of {count}", good[:vector] + struct.pack("<I", count) + good[vector + 4 :]
    yield "another version", making.tflite(version=2)
    yield "no such type", making.tflite(kind=99)
    for shape in [(-1, 3), (1 << 30, 1 << 30), (1,) * 40]:
        yield f"shape {shape[:2]}", making.tflite(shape=shape, data=12)
    yield "too few bytes", making.tflite(2, data=35)
    yield "too many bytes", making.tflite(2, data=40)
    yield "no such buffer", making.tflite(buffer=7)
    yield "no such code", making.tflite(opcode=3)
    for place in (2, -2, 1 << 30):
        yield f"tensor {place}", making.tflite(inputs=(0, place))
        yield f"port {place}", making.tflite(ports=(place,))
    yield "a first buffer that is not empty", making.tflite(first=8)
    yield "no operators", making.tflite(operators=0)
    for code in (6, 14, 19):
        yield f"another shape after {code}", making.tflite(builtin=code, answer=(2, 131073), inputs=(1,))
    yield "more numbers than there is memory", making.tflite(answer=(1 << 16, 1 << 17))
