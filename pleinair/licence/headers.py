"""What stands in front of a file of weights: tensor names, shapes and metadata of GGUF and safetensors.

Any other file is searched for names that a fingerprint could match. Nothing is loaded, nothing executed; every count is
bounded, since the file may be anybody's.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

HEADER = 64 << 20
"""Bytes of a header that are read at most."""
SCANNED = 32 << 20
"""Bytes at each end that are searched for names where the format is not known."""
MAX_STRING = 1 << 20


@dataclass(frozen=True)
class Seen:
    """What a header holds. `tensors`: name -> shape, () where only the name is known. `said`: key -> text."""

    tensors: dict[str, tuple[int, ...]]
    said: dict[str, str]


def read(path: Path) -> Seen:
    """Names, shapes and metadata out of a file's header. What cannot be read is searched for names instead."""
    status = path.stat()
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(256)
def _read(path: Path, size: int, changed_ns: int) -> Seen:
    """Once for each file, as it is now: the gate is asked for every use."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            if start[:4] == b"GGUF":
                return _gguf(file)
            if len(start) == 8 and 2 <= struct.unpack("<Q", start)[0] <= HEADER and file.read(9)[8:] == b"{":
                file.seek(0)
                return _safetensors(file)
    except (OSError, ValueError, struct.error, KeyError, RecursionError, MemoryError, AttributeError, TypeError):
        pass
    return _searched(path)


def _safetensors(file: BinaryIO) -> Seen:
    """https://github.com/huggingface/safetensors: eight bytes of length, then JSON."""
    (length,) = struct.unpack("<Q", file.read(8))
    head = json.loads(file.read(length))
    meta = {str(k): str(v)[:MAX_STRING] for k, v in (head.pop("__metadata__", None) or {}).items()}
    return Seen({str(n): tuple(map(int, t["shape"])) for n, t in head.items()}, meta)


_SIZES = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def _gguf(file: BinaryIO) -> Seen:
    """https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: key-value pairs, then names and shapes."""

    def number(kind: str) -> int:
        return struct.unpack(kind, file.read(struct.calcsize(kind)))[0]

    def string() -> str:
        length = number("<Q")
        if length > MAX_STRING:
            raise ValueError("a string that is too long")
        return file.read(length).decode("utf-8", "replace")

    def value(kind: int, depth: int = 0) -> str:
        if kind == 8:
            return string()
        if kind == 9:
            inner, count = number("<I"), number("<Q")
            if count > 4_000_000 or depth > 4:
                raise ValueError("an array that is too long")
            items = [value(inner, depth + 1) for _ in range(count)]
            return " ".join(items[:50])
        return str(number(_SIZES[kind]))

    file.read(4)
    number("<I")
    tensors, pairs = number("<Q"), number("<Q")
    if tensors > 200_000 or pairs > 20_000:
        raise ValueError("too many entries")
    said = {}
    for _ in range(pairs):
        key = string()
        said[key] = value(number("<I"))
    shapes = {}
    for _ in range(tensors):
        name, sides = string(), number("<I")
        if sides > 8:
            raise ValueError("too many sides")
        shapes[name] = tuple(number("<Q") for _ in range(sides))
        file.read(12)  # its type and its place
    return Seen(shapes, {k: v for k, v in said.items() if not k.startswith("tokenizer.")})


_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{7,160}")


def _searched(path: Path) -> Seen:
    """Names that stand as plain text in both ends of any file: ONNX, pickles, uncompressed zips, and the rest."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            ends = [file.read(SCANNED)]
            if size > SCANNED:
                file.seek(max(SCANNED, size - SCANNED))
                ends.append(file.read(SCANNED))
    except OSError:
        return Seen({}, {})
    names = dict.fromkeys(hit.decode() for end in ends for hit in _relevant(end))
    spelt = [hit for end in ends for hit in _spelt(end)]
    said = {f"text {n}": hit for n, hit in enumerate(spelt)}
    for end in ends:
        said |= _entries(end)
    return Seen({n: () for n in names}, said)


_ENTRY = re.compile(rb"\n([\x07-\x40])([\w. -]{0,40}?licen[cs]e[\w. -]{0,20})\x12([\x01-\x7f])", re.IGNORECASE)


def _entries(blob: bytes) -> dict[str, str]:
    """What an ONNX file says of its licence in its metadata_props: protobuf's StringStringEntry, up to 127 bytes."""
    found = {}
    for needle in (b"icense", b"icence", b"ICENSE", b"ICENCE"):
        place, seen = blob.find(needle), 0
        while place >= 0 and seen < 200:
            seen += 1
            for hit in _ENTRY.finditer(blob, max(0, place - 50), place + 40):
                if hit[1][0] == len(hit[2]):
                    found[hit[2].decode()] = blob[hit.end() : hit.end() + hit[3][0]].decode("utf-8", "replace")
            place = blob.find(needle, place + 1)
    return found


def _spelt(blob: bytes) -> Iterable[str]:
    """What stands around a word that sounds like FLUX [dev]."""
    for needle in (b"flux", b"FLUX", b"Flux"):
        place = blob.find(needle)
        if place >= 0:
            yield "".join(chr(c) if 32 <= c < 127 else " " for c in blob[place : place + 60])


def _relevant(blob: bytes) -> Iterable[bytes]:
    """Only names that a fingerprint could match: a gigabyte of weights holds much that looks like one."""
    for needle in (b"blocks", b"guidance_", b"lora_", b".lora"):
        place = blob.find(needle)
        seen = 0
        while place >= 0 and seen < 20_000:
            around = blob[max(0, place - 120) : place + 120]
            seen += 1
            yield from (hit[0] for hit in _NAME.finditer(around) if needle in hit[0])
            place = blob.find(needle, place + len(needle))
