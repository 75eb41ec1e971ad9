"""Honest little files of every format, in any shape and type, written here: for accepting, and for breaking."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator

import numpy as np

from pleinair.models.safe import gguf as gguf_types
from pleinair.models.safe import safetensors as st

from . import tflite_files

SHAPES: list[tuple[int, ...]] = [(), (1,), (7,), (3, 4), (2, 3, 4), (1, 3, 8, 8), (0,), (5, 0), (1, 1, 1, 1, 1)]


def arrays(seed: int, dtypes: tuple[str, ...] = ("<f4", "<f2", "<i8", "|u1")) -> dict[str, np.ndarray]:
    """A few arrays of numbers."""
    dice = np.random.default_rng(seed)
    found = {}
    for n in range(1 + seed % 4):
        shape = SHAPES[(seed + n) % len(SHAPES)]
        found[f"layer{n}.weight"] = (dice.standard_normal(shape) * 50).astype(dtypes[(seed + n) % len(dtypes)])
    return found


def safetensors(seed: int) -> bytes:
    return st.save(arrays(seed, ("<f4", "<f2", "<f8", "<i4", "|i1", "|b1")), {"format": "pt"} if seed % 2 else None)


def header_of(table: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file around any header; `length`: what it claims of it."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def npy(seed: int) -> bytes:
    out = io.BytesIO()
    dice = np.random.default_rng(seed)
    array = (dice.standard_normal(SHAPES[seed % len(SHAPES)]) * 9).astype(
        ["<f4", "<f8", ">i4", "|u1", "?", "<c8"][seed % 6]
    )
    np.save(out, np.asfortranarray(array) if seed % 3 == 0 else array)
    return out.getvalue()


def npz(seed: int) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if seed % 2 else np.savez)(out, **arrays(seed))
    return out.getvalue()


def string(text: str | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def fact(key: str, kind: int, raw: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + raw


def gguf(
    seed: int = 0, *, facts: list[bytes] | None = None, listed: list[tuple] | None = None, counts: tuple | None = None,
    version: int = 3, alignment: int = 32, tail: bytes = b"",
) -> bytes:  # fmt: skip
    """`listed`: (name, shape, type, offset, bytes of data) of each tensor; `counts`: what the head claims."""
    if facts is None:
        facts = [
            fact("general.architecture", 8, string("llama")),
            fact("llama.block_count", 4, struct.pack("<I", 1 + seed)),
        ]
        facts.append(fact("rope", 6, struct.pack("<f", 1.5)))
        facts.append(fact("words", 9, struct.pack("<IQ", 8, seed) + b"".join(string(f"w{n}") for n in range(seed))))
        facts.append(fact("ids", 9, struct.pack("<IQ", 5, 3) + bytes(12)))
    if listed is None:
        listed, at = [], 0
        kinds = sorted(gguf_types.TYPES)
        for n in range(1 + seed % 5):
            kind = kinds[(seed * 3 + n) % len(kinds)]
            _, block, size = gguf_types.TYPES[kind]
            shape = (block * (1 + n), 2)
            count = 2 * (1 + n) * size
            listed.append((f"blk.{n}", shape, kind, at, count))
            at += -(-count // alignment) * alignment
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(listed), len(facts)))) + b"".join(facts)
    for name, shape, kind, offset, _ in listed:
        head += string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", kind, offset)
    head += bytes(-len(head) % alignment)
    data = b"".join(bytes(count) + bytes(-count % alignment) for *_, count in listed)
    return head + data + tail


def short_string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def table(name: str, shape: tuple[int, ...], kind: int, size: int, data: int | None = None) -> bytes:
    head = short_string(name) + bytes([len(shape)]) + struct.pack(f"<{len(shape)}I", *shape)
    return head + struct.pack("<BI", kind, size) + bytes(size if data is None else data)


def ct2(
    seed: int = 0, *, tables: list[bytes] | None = None, count: int | None = None, version: int = 6,
    spec: str = "WhisperSpec", aliases: list[tuple[str, str]] = (), tail: bytes = b"",
) -> bytes:  # fmt: skip
    if tables is None:
        items = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}
        tables = [table(f"layer_{n}/weight", (2 + n, seed + 1), k, (2 + n) * (seed + 1) * items[k]) for n, k in
                  enumerate((seed + m) % 6 for m in range(2 + seed % 4))]  # fmt: skip
    head = (
        struct.pack("<I", version) + short_string(spec) + struct.pack("<II", 3, len(tables) if count is None else count)
    )
    foot = struct.pack("<I", len(aliases)) + b"".join(short_string(a) + short_string(b) for a, b in aliases)
    return head + b"".join(tables) + foot + tail


WHISPER = {
    "encoder/conv1/weight": (8, 4, 3), "encoder/conv1/bias": (8,), "encoder/layer_0/ffn/linear_0/weight": (16, 8),
    "encoder/layer_0/ffn/linear_0/bias": (16,), "encoder/layer_0/ffn/linear_1/weight": (8, 16),
    "encoder/layer_0/self_attention/linear_0/weight": (24, 8), "encoder/layer_norm/gamma": (8,),
    "decoder/embeddings/weight": (20, 8), "decoder/layer_0/attention/linear_1/weight": (16, 8),
    "decoder/layer_0/attention/linear_1/bias": (16,), "decoder/position_encodings/encodings": (5, 8),
    "decoder/num_heads": b"\2\0", "encoder/num_heads": b"\2\0", "decoder/alignment_layer": b"\xff\xff",
    "decoder/alignment_heads": b"\1\0",
}  # fmt: skip
"""A small Whisper's tables (not all that it needs to run): sides of float32, or one number of int16."""


def whisper(aliases: list[tuple[str, str]] | None = None, **changed) -> bytes:
    """`changed`: a table's name with "." for "/" -> its sides, its number, raw bytes of a table, None: not there."""
    tables = []
    for name, told in (WHISPER | {k.replace(".", "/"): v for k, v in changed.items()}).items():
        if isinstance(told, bytes) and len(told) == 2:
            tables.append(table(name, (), 2, 2, 0) + told)
        elif isinstance(told, bytes):
            tables.append(told)
        elif told is not None:
            size = 4
            for side in told:
                size *= side
            tables.append(table(name, told, 0, size))
    again = [("decoder/projection/weight", "decoder/embeddings/weight")] if aliases is None else aliases
    return ct2(tables=tables, aliases=again)


def onnx_model(seed: int = 0):
    """A ModelProto: a few layers, constants of several types, an attribute with a tensor in it."""
    from onnx import TensorProto, helper, numpy_helper

    dice = np.random.default_rng(seed)
    types = [np.float32, np.float16, np.int64, np.int32, np.uint8, np.float64, np.bool_, np.int8]
    weights, nodes = [], []
    for n in range(1 + seed % 4):
        array = (dice.standard_normal(SHAPES[(seed + n) % len(SHAPES)]) * 9).astype(types[(seed + n) % len(types)])
        weights.append(numpy_helper.from_array(array, f"w{n}"))
    if seed % 3 == 0:
        weights.append(helper.make_tensor("typed", TensorProto.FLOAT, [2, 2], [1.0, 2.0, 3.0, 4.0]))
        weights.append(helper.make_tensor("whole", TensorProto.INT64, [3], [1, -2, 1 << 40]))
        weights.append(helper.make_tensor("words", TensorProto.STRING, [2], [b"a", b"b"]))
    nodes.append(helper.make_node("Identity", ["x"], ["y0"]))
    nodes.append(
        helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.arange(4, dtype=np.float32), "c"))
    )
    nodes.append(helper.make_node("Relu", ["y0"], ["y"], domain="" if seed % 2 else "ai.onnx"))
    sides = [1, 3, "h", "w"] if seed % 2 else [1, seed + 1]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, sides) for n in ("x", "y")]
    return helper.make_model(helper.make_graph(nodes, f"g{seed}", ports[:1], ports[1:], weights), producer_name="test")


def onnx(seed: int = 0) -> bytes:
    return onnx_model(seed).SerializeToString()


def tflite(
    seed: int = 0, *, version: int = 3, shape: tuple[int, ...] | None = None, kind: int = 0, data: int | None = None,
    inputs: tuple[int, ...] = (0, 1), buffer: int = 1, opcode: int = 0, ports: tuple[int, ...] = (0,), first: int = 0,
    mark: bytes = b"TFL3", operators: int = 1, builtin: int = 22, answer: tuple[int, ...] | None = None,
) -> bytes:  # fmt: skip
    """Two tensors and an operator between them."""
    import flatbuffers

    make = flatbuffers.Builder(256)
    shape = (1 + seed, 3) if shape is None else shape

    def whole(values) -> int:
        return make.CreateNumpyVector(np.asarray(values, np.int32))

    def of(places: list[int]) -> int:
        make.StartVector(4, len(places), 4)
        for place in reversed(places):
            make.PrependUOffsetTRelative(place)
        return make.EndVector()

    def entry(fields: int, offsets: dict[int, int] | None = None, numbers: dict[int, tuple] | None = None) -> int:
        make.StartObject(fields)
        for slot, place in (offsets or {}).items():
            make.PrependUOffsetTRelativeSlot(slot, place, 0)
        for slot, (how, value) in (numbers or {}).items():
            getattr(make, f"Prepend{how}Slot")(slot, value, 0)
        return make.EndObject()

    size = int(np.prod(shape)) * 4 if data is None else data
    buffers = of(
        [
            entry(3, {0: make.CreateByteVector(bytes(first))} if first else {}),
            entry(3, {0: make.CreateByteVector(bytes(size))}),
        ]
    )
    tensors = []
    for n, name in enumerate(("x", "w")):
        offsets = {3: make.CreateString(name + "a" * seed), 0: whole(shape if n else answer or shape)}
        tensors.append(entry(8, offsets, {1: ("Int8", kind), 2: ("Uint32", buffer if n else 0)}))
    options = entry(2, {0: whole([1, -1])})
    made = [
        entry(9, {1: whole(inputs), 2: whole([0]), 4: options}, {0: ("Uint32", opcode), 3: ("Uint8", 17)})
        for _ in range(operators)
    ]
    graph = entry(5, {0: of(tensors), 1: whole(ports), 2: whole([0]), 3: of(made), 4: make.CreateString("main")})
    code = entry(4, {}, {0: ("Int8", builtin), 2: ("Int32", 1), 3: ("Int32", builtin)})
    model = entry(
        8, {1: of([code]), 2: of([graph]), 3: make.CreateString("made in a test"), 4: buffers}, {0: ("Uint32", version)}
    )
    make.Finish(model, file_identifier=mark)
    return bytes(make.Output())


def tfjs(seed: int = 0, **odd) -> bytes:
    weights = [{"name": f"w{n}", "shape": [1 + n, 2], "dtype": "float32"} for n in range(1 + seed % 4)]
    weights[0].update(odd)
    manifest = [{"paths": [odd.pop("path", "group1-shard1of1.bin")], "weights": weights}]
    return json.dumps({"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": manifest}).encode()


def words(seed: int = 0) -> bytes:
    """A vocabulary in JSON, with what JSON allows: escapes, other scripts, exponents, nothing."""
    table = {f"w{n}\u00e9\u2603": n for n in range(seed)} | {
        "武": 1,
        "fk": 2,
        'a"\\b\n': [1.5e-7, -3, None, True, {}, []],
    }
    return json.dumps(
        {"version": "1.0", "model": {"vocab": table}}, ensure_ascii=bool(seed % 2), indent=seed % 3
    ).encode()


def text(seed: int = 0) -> bytes:
    return ("[PAD]\n[UNK]\n" + "".join(f"{'cin'[n % 3]}word{n}\nüber{n}\n" for n in range(1 + seed))).encode()


MAKERS = {
    "safetensors": safetensors, "npy": npy, "npz": npz, "gguf": gguf, "ctranslate2": ct2, "onnx": onnx,
    "tflite": tflite, "json": words, "text": text,
}  # fmt: skip


def valid() -> Iterator[tuple[str, str, bytes]]:
    """(format, name, bytes): honest files of every format."""
    for kind, make in MAKERS.items():
        for seed in range(24):
            yield kind, f"{kind}-{seed}", make(seed)
    for seed in range(8):
        yield "json", f"tfjs-{seed}", tfjs(seed)
    for label, blob in tflite_files.honest():
        yield "tflite", label, blob
