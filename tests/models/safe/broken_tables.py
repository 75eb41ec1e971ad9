"""safetensors, GGUF and CTranslate2 files that are not what they say."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from . import making


def gguf_broken() -> Iterator[tuple[str, bytes]]:
    """CVE-2026-7482 (a tensor larger than the file) and all else that a length can say."""
    good = making.gguf(3)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    one = [("blk", (256, 2), 0, 0, 2048)]
    for count in (2, 1 << 16, 1 << 31, 1 << 32, (1 << 64) - 1):
        yield f"{count} tensors", making.gguf(listed=one, counts=(count, 5))
        yield f"{count} facts", making.gguf(listed=one, counts=(1, count + 5 if count < 1 << 63 else count))
    for shape in [(1 << 40,), (1 << 62, 4), (1 << 32, 1 << 32), (0,), (257,), (256, 4), (1, 1, 1, 1, 1), ()]:
        yield f"shape {shape}", making.gguf(listed=[("blk", shape, 0 if shape != (257,) else 12, 0, 2048)])
    for offset in (32, 1 << 40, (1 << 64) - 32, 7):
        yield f"offset {offset}", making.gguf(listed=[("blk", (256, 2), 0, offset, 2048)])
    yield "on top of each other", making.gguf(listed=[("a", (512,), 0, 0, 2048), ("b", (512,), 0, 0, 0)])
    yield "a gap", making.gguf(listed=[("a", (512,), 0, 0, 2048), ("b", (512,), 0, 4096, 4096)])
    yield "a name twice", making.gguf(listed=[("a", (8,), 0, 0, 32), ("a", (8,), 0, 32, 32)])
    for kind in (4, 5, 9, 15, 31, 36, 99, 1 << 31):
        yield f"type {kind}", making.gguf(listed=[("a", (256, 2), kind, 0, 2048)])
    for align in (0, 3, 48, 1 << 31, (1 << 32) - 1):
        yield (
            f"alignment {align}",
            making.gguf(listed=one, facts=[making.fact("general.alignment", 4, struct.pack("<I", align))]),
        )
    odd = making.fact("general.alignment", 8, making.string("\x02\0\n"))
    yield "alignment as signs", making.gguf(listed=one, facts=[odd])
    yield "alignment as text", making.gguf(listed=one, facts=[making.fact("general.alignment", 8, making.string("32"))])
    for length in (1 << 20, 1 << 31, (1 << 63) + 1, (1 << 64) - 1):
        yield f"a text of {length}", making.gguf(listed=one, facts=[making.fact("k", 8, struct.pack("<Q", length))])
        yield f"a key of {length}", making.gguf(listed=one, facts=[struct.pack("<Q", length) + b"k"])
        for kind in (0, 8, 12):
            yield (
                f"a list of {length}",
                making.gguf(listed=one, facts=[making.fact("k", 9, struct.pack("<IQ", kind, length))]),
            )
    yield "a list of lists", making.gguf(listed=one, facts=[making.fact("k", 9, struct.pack("<IQIQ", 9, 1, 9, 1))])
    yield "a type of fact", making.gguf(listed=one, facts=[making.fact("k", 13, bytes(8))])
    yield "neither yes nor no", making.gguf(listed=one, facts=[making.fact("k", 7, b"\x07")])
    yield "a fact twice", making.gguf(listed=one, facts=[making.fact("k", 0, b"\1"), making.fact("k", 0, b"\2")])
    for version in (0, 1, 4, 0x03000000):
        yield f"version {version}", making.gguf(listed=one, version=version)
    yield "a name that is no text", making.gguf(listed=[("\0", (8,), 0, 0, 32)])
    yield "something behind it", making.gguf(3, tail=b"\x80\x04" + b"x" * 64)
    for key in ("", "a\0b", "a\x1b[2J"):
        yield f"a fact called {key!r}", making.gguf(listed=one, facts=[making.fact(key, 4, bytes(4))])
    neither = making.fact("k", 9, struct.pack("<IQ", 7, 3) + b"\1\0\2")
    yield "yes, no, neither", making.gguf(listed=one, facts=[neither])
    for kind, raw in ((4, bytes(4)), (9, struct.pack("<IQ", 8, 1) + making.string("llama"))):
        yield f"architecture {kind}", making.gguf(listed=one, facts=[making.fact("general.architecture", kind, raw)])
    yield "a tensor without a name", making.gguf(listed=[("", (8,), 0, 0, 32)])
    for label, model, tokens, kinds in (
        ("two words the same", "gpt2", ["a", "b", "a"], [1, 1, 1]),
        ("no end of a line", "llama", ["a", "b"], [1, 1]),
        ("words without letters", "llama", ["", ""], [1, 1]),
        ("bytes for an encoder", "bert", ["a", "<0x0A>"], [1, 6]),
    ):
        said = [making.fact("tokenizer.ggml.model", 8, making.string(model))]
        rows = struct.pack("<IQ", 8, len(tokens)) + b"".join(map(making.string, tokens))
        said.append(making.fact("tokenizer.ggml.tokens", 9, rows))
        said.append(
            making.fact("tokenizer.ggml.token_type", 9, struct.pack(f"<IQ{len(kinds)}i", 5, len(kinds), *kinds))
        )
        yield label, making.gguf(listed=one, facts=said)
    for count in (0, 513, (1 << 32) - 1):
        fact = making.fact("llama.block_count", 4, struct.pack("<I", count))
        yield f"{count} layers", making.gguf(listed=one, facts=[fact])
    yield "a long name", making.gguf(listed=[("n" * 5000, (8,), 0, 0, 32)])


def safetensors_broken() -> Iterator[tuple[str, bytes]]:
    def entry(begin: int = 0, end: int = 8, shape=(2,), dtype: str = "F32") -> dict:
        return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}

    data = bytes(8)
    good = making.safetensors(5)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    for length in (0, 1, 1 << 16, 100_000_001, 1 << 40, (1 << 64) - 1):
        yield f"a header of {length}", making.header_of({"a": entry()}, data, length)
    pair = '"a":' + json.dumps(entry())
    yield "a name twice", making.header_of(b"{" + f"{pair},{pair}".encode() + b"}", data)
    yield (
        "a name twice, spelt",
        making.header_of(b"{" + f"{pair},{pair}".replace('"a"', '"\\u0061"', 1).encode() + b"}", data),
    )
    yield "a key twice", making.header_of(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', data)
    for begin, end in [(0, 7), (0, 9), (4, 12), (8, 0), (-8, 0), (1 << 62, (1 << 62) + 8), (0, 1 << 63), (-4, 4)]:
        yield f"from {begin} to {end}", making.header_of({"a": entry(begin, end)}, data)
    yield "on top of each other", making.header_of({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12))
    yield "the same place", making.header_of({"a": entry(0, 8), "b": entry(0, 8)}, data)
    yield "a gap", making.header_of({"a": entry(0, 8), "b": entry(12, 20)}, bytes(20))
    yield "something behind", making.header_of({"a": entry()}, data + b"\x80\x04.")
    yield "something before", making.header_of({"a": entry(4, 12)}, bytes(12))
    yield "numbers and no list", making.header_of({}, data)
    for shape in [(3,), (-2,), (1 << 40, 1 << 40), (1 << 63, 2), (2, 0), (1,) * 20, (2.0,), ("2",), (True,), (None,)]:
        yield f"shape {shape}", making.header_of({"a": entry(shape=shape)}, data)
    for dtype in ("F31", "", "f32", "OBJECT", 7, None, ["F32"]):
        yield f"type {dtype}", making.header_of({"a": {**entry(), "dtype": dtype}}, data)
    yield "no shape", making.header_of({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, data)
    yield "no place", making.header_of({"a": {"dtype": "F32", "shape": [2]}}, data)
    yield "one place", making.header_of({"a": {**entry(), "data_offsets": [0]}}, data)
    yield "three places", making.header_of({"a": {**entry(), "data_offsets": [0, 8, 8]}}, data)
    yield "a key too many", making.header_of({"a": {**entry(), "code": "x"}}, data)
    yield "a list", making.header_of([1, 2], data)
    yield "a list in it", making.header_of({"a": [1, 2]}, data)
    yield "a number in it", making.header_of({"a": 8}, data)
    yield "metadata that is a table", making.header_of({"__metadata__": {"a": {"b": "c"}}, "a": entry()}, data)
    yield "metadata that is a number", making.header_of({"__metadata__": {"a": 7}, "a": entry()}, data)
    yield "nested", making.header_of(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", data)
    for name in (b"", b"a\\u0000b", b"a\\u001b[2J", b"\\ud800"):
        row = b'{"%s":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}' % name
        yield f"called {name!r}", making.header_of(row, data)
    yield "less than nothing", making.header_of(b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[-0,-0]}}')
    yield "no JSON", making.header_of(b"{'a': 1}", data)
    yield "no text", making.header_of(b'{"\xff\xfe": 1}', data)
    yield "NaN", making.header_of(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', data)


def ct2_broken() -> Iterator[tuple[str, bytes]]:
    good = making.ct2(3)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    for count in (0, 1, 6, 1 << 16, 1 << 31, (1 << 32) - 1):
        yield f"{count} tables", making.ct2(3, count=count)
    for version in (1, 7, 64):
        yield f"version {version}", making.ct2(3, version=version)
    for shape, kind, size, data in [
        ((2,), 0, 4, None), ((2,), 0, 16, None), ((2,), 9, 8, None), ((2,), 0, 8, 4), ((1 << 31, 1 << 31), 0, 8, None),
        ((65536,) * 5, 0, 8, None), ((1,) * 20, 0, 4, None), ((2,), 0, (1 << 32) - 1, 8), ((1 << 30,), 0, 0, None),
    ]:  # fmt: skip
        yield f"{shape[:3]} {kind} {size}", making.ct2(tables=[making.table("a", shape, kind, size, data)])
    table = making.table("a", (2,), 0, 8)
    yield "a name twice", making.ct2(tables=[table, table])
    yield "a second name for nothing", making.ct2(tables=[table], aliases=[("b", "c")])
    yield "a second name that is one", making.ct2(tables=[table], aliases=[("a", "a")])
    yield "something behind", making.ct2(3, tail=b"\x80\x04.")
    yield "a name without an end", making.ct2(tables=[table.replace(b"a\0", b"ab")])
    yield "a name that a terminal obeys", making.ct2(tables=[making.table("a\x1b[2J", (2,), 0, 8)])
    for name, told in (
        ("decoder.num_heads", b"\0\0"), ("encoder.num_heads", b"\0\0"), ("encoder.num_heads", b"\3\0"),
        ("decoder.num_heads", b"\xfe\xff"), ("decoder.alignment_layer", b"\x64\0"),
        ("decoder.alignment_heads", b"\x64\0"), ("encoder.layer_0.ffn.linear_0.bias", (1,)),
        ("encoder.layer_0.ffn.linear_1.weight", (3, 16)), ("encoder.layer_0.ffn.linear_1.weight", (8, 15)),
        ("encoder.layer_0.self_attention.linear_0.weight", (8, 8)), ("encoder.layer_norm.gamma", (1,)),
        ("encoder.conv1.bias", (1,)), ("encoder.conv1.weight", (8, 4, 2)), ("decoder.embeddings.weight", (20, 9)),
        ("decoder.embeddings.weight", (160,)), ("decoder.position_encodings.encodings", (40,)),
        ("decoder.embeddings.weight_zero", (20,)), ("encoder.layer_0.ffn.linear_0.weight_scale", (3,)),
        ("decoder.embeddings.weight", making.table("decoder/embeddings/weight", (20, 8), 2, 320)),
    ):  # fmt: skip
        yield f"a Whisper whose {name} is {str(told)[:12]}", making.whisper(**{name: told})
    for other in ("encoder/layer_norm/gamma", "encoder/conv1/weight", "decoder/layer_0/attention/linear_1/weight"):
        yield f"words that are {other}", making.whisper(aliases=[("decoder/projection/weight", other)])
    yield "a name of nothing", making.ct2(tables=[b"\0\0" + table])
