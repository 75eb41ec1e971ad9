"""GGUF, the container of llama.cpp: facts, a list of tensors, and their numbers.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. Block sizes are those of
ggml-common.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .gguf_words import Words
from .parts import Broken, Reader, product, refused, short, text_of, viewed

MAX_TENSORS = 32_768
MAX_FACTS = 65_536
MAX_TEXTS = 1_000_000
MAX_NAME = 1024
MAX_LAYERS = 512
"""llama.cpp's own limit, beyond which it ends the process it runs in."""
SHOWN = 64
"""Longer lists of facts (a vocabulary) are only counted."""

TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1),
    25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
"""Number -> (name, numbers in a block, bytes of a block). Q8_1 and Q8_K live in memory only, never in files."""
_PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9


@dataclass(frozen=True)
class Row:
    """A long list in the metadata: only its length."""

    count: int


@dataclass(frozen=True)
class Tensor:
    """`type`: a name of TYPES; `shape` in ggml's order, the fastest side first."""

    type: str
    shape: tuple[int, ...]


@dataclass
class Gguf:
    """metadata  key -> number, bool, text, list of them, or Row where the list is longer than 64
    tensors   name -> Tensor"""

    version: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """ "llama", "qwen2", ...: "" where the file does not say."""
        return str(self.metadata.get("general.architecture", ""))


def is_gguf(view: memoryview) -> bool:
    return view[:4] == b"GGUF"


def read(data: bytes | Path, name: str = "the file") -> Gguf:
    """The file's facts and its tensors' names and shapes. ModelFault where it is refused."""
    try:
        with viewed(data) as view:
            check(view)
            found = Gguf()
            _walk(view, found)
            return found
    except Broken as error:
        raise refused(name, str(error)) from None


@dataclass(frozen=True)
class Counted:
    """What `check` found: how many tensors and facts."""

    tensors: int
    facts: int


def check(view: memoryview) -> Counted:
    """Every length against the file's end, every tensor in its place. Broken where one is not."""
    return _walk(view, None)


def _walk(view: memoryview, found: Gguf | None) -> Counted:
    reader = Reader(view)
    if reader.take(4) != b"GGUF":
        raise Broken("it is no GGUF file")
    version = reader.u32()
    if version in (0x02000000, 0x03000000):
        raise Broken("its numbers are big-endian")
    if version not in (2, 3):
        raise Broken(f"it is GGUF version {version}; 2 and 3 are read here")
    tensors, facts = reader.u64(), reader.u64()
    if tensors > MAX_TENSORS or tensors * 33 > len(view):
        raise Broken(f"it claims {tensors} tensors")
    if facts > MAX_FACTS or facts * 13 > len(view):
        raise Broken(f"it claims {facts} facts about itself")
    alignment = _facts(reader, facts, found)
    end = _tensors(reader, tensors, alignment, found)
    if found is not None:
        found.version = version
    if len(view) - end >= alignment:
        raise Broken("something lies behind its last tensor")
    return Counted(tensors, facts)


def _facts(reader: Reader, count: int, found: Gguf | None) -> int:
    """Reads the metadata; the alignment of the tensors, which is one of them."""
    keys: set[int] = set()
    texts = [MAX_TEXTS]
    alignment = 32
    words = Words()
    for _ in range(count):
        raw = bytes(_string(reader, MAX_NAME))
        if not text_of(memoryview(raw)):
            raise Broken("it says something about nothing: a fact without a name")
        if hash(raw) in keys:
            raise Broken(f"it says {short(raw.decode('utf-8', 'replace'))} twice")
        keys.add(hash(raw))
        kind = reader.u32()
        if raw.startswith(b"tokenizer.ggml."):
            words.look(raw[15:], kind, reader)
        value = _value(reader, kind, texts, raw == b"general.alignment" or found is not None)
        if raw == b"general.alignment":
            if kind != 4 or not isinstance(value, int) or not 1 <= value <= 1 << 16 or value & (value - 1):
                raise Broken(f"its tensors are aligned to {short(str(value))}, which is no power of two")
            alignment = value
        if raw == b"general.architecture" and kind != _TEXT:
            raise Broken("its architecture is no text")
        if raw.endswith((b".block_count", b".expert_count")) and isinstance(value, int) and value > MAX_LAYERS:
            raise Broken(f"it claims {value} layers, or experts")
        if raw.endswith(b".block_count") and value == 0:
            raise Broken("it claims to have no layers")
        if found is not None:
            found.metadata[raw.decode("utf-8", "replace")] = value
    words.check()
    return alignment


def _value(reader: Reader, kind: int, texts: list[int], wanted: bool) -> Any:
    if kind in _PLAIN:
        if kind == 7 and reader.end > reader.at and reader.view[reader.at] > 1:
            raise Broken("a yes or no in it is neither")
        return reader.number(_PLAIN[kind])
    if kind == _TEXT:
        raw = _string(reader, reader.end)
        return bytes(raw).decode("utf-8", "replace") if wanted else None
    if kind != _LIST:
        raise Broken(f"a fact in it is of a type {kind} that there is not")
    inner, count = reader.u32(), reader.u64()
    wanted = wanted and count <= SHOWN
    if inner in _PLAIN:
        size = struct.calcsize("<" + _PLAIN[inner])
        if count > (reader.end - reader.at) // size:
            raise Broken(f"a list in it claims {count} numbers")
        raw = reader.take(count * size)
        if inner == 7 and bytes(raw).translate(None, b"\0\1"):
            raise Broken("a yes or no in it is neither")
        return list(struct.unpack(f"<{count}{_PLAIN[inner]}", raw)) if wanted else Row(count)
    if inner != _TEXT:
        raise Broken(f"a list in it is of a type {inner} that is not read here")
    texts[0] -= count
    if texts[0] < 0 or count > (reader.end - reader.at) // 8:
        raise Broken(f"a list in it claims {count} texts")
    if wanted:
        return [bytes(_string(reader, reader.end)).decode("utf-8", "replace") for _ in range(count)]
    view, at, end, length = reader.view, reader.at, reader.end, struct.Struct("<Q").unpack_from
    for _ in range(count):
        if at + 8 > end:
            raise Broken("it was cut short")
        at += 8 + length(view, at)[0]
        if at > end:
            raise Broken("a text in it is longer than the file")
    reader.at = at
    return Row(count)


def _string(reader: Reader, most: int) -> memoryview:
    length = reader.u64()
    if length > most or length > reader.end - reader.at:
        raise Broken(f"a text in it would be {length} bytes long")
    return reader.take(length)


def _tensors(reader: Reader, count: int, alignment: int, found: Gguf | None) -> int:
    """Reads the list of tensors; where the last one ends. They lie one behind the other, in the order of the list."""
    names: set[int] = set()
    expected = 0
    for _ in range(count):
        raw = _string(reader, MAX_NAME)
        name = text_of(raw)
        if not name:
            raise Broken("a tensor in it has no name")
        if hash(bytes(raw)) in names:
            raise Broken(f"two of its tensors are called {short(name)}")
        names.add(hash(bytes(raw)))
        sides = reader.u32()
        if not 1 <= sides <= 4:
            raise Broken(f"the tensor {short(name)} has {sides} sides")
        shape = tuple(reader.u64() for _ in range(sides))
        kind, offset = reader.u32(), reader.u64()
        if kind not in TYPES:
            raise Broken(f"the tensor {short(name)} is of a type {kind} that there is not")
        typed, block, size = TYPES[kind]
        numbers = product(shape, f"the tensor {short(name)}")
        if not numbers or shape[0] % block:
            raise Broken(f"the tensor {short(name)} has a side of {shape[0]}, which is no multiple of {block}")
        if offset != expected:
            raise Broken(f"the tensor {short(name)} lies on top of another, or behind a gap")
        end = offset + numbers // block * size
        expected = -(-end // alignment) * alignment
        if found is not None:
            found.tensors[name] = Tensor(typed, shape)
        if expected > reader.end + alignment:
            raise Broken(f"the tensor {short(name)} would be larger than the file")
    start = -(-reader.at // alignment) * alignment
    if not count:
        return reader.at
    if start + end > reader.end:
        raise Broken("its last tensor would be larger than the file")
    return max(start + end, min(start + expected, reader.end))
