"""NPY and NPZ files that are not what they say, and zips."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

from . import making


def numpy_broken() -> Iterator[tuple[str, bytes]]:
    def head(text: str, data: bytes = bytes(32), version: int = 1, length: int | None = None) -> bytes:
        raw = text.encode() + b"\n"
        size = len(raw) if length is None else length
        return (
            b"\x93NUMPY" + struct.pack("<H", version) + struct.pack("<H" if version == 1 else "<I", size) + raw + data
        )

    def said(descr: str = "'<f4'", shape: str = "(8,)", order: str = "False", more: str = "") -> str:
        return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {more}}}"

    good = making.npy(4)
    for n in range(1, 6):
        yield f"cut at {n}/6", good[: len(good) * n // 6]
    for descr in (
        "'|O'",
        "'O'",
        "[('a', '<f4')]",
        "'<U8'",
        "'|S4'",
        "'<M8[s]'",
        "'|V4'",
        "'<f3'",
        "'<f16'",
        "'<i99'",
        "4",
    ):
        yield f"of {descr}", head(said(descr))
    for shape in ("(7,)", "(9,)", "(-8,)", "(4294967296, 4294967296)", f"({1 << 63},)", "8", "[8]", "(8)", "(2, 2, 2,)",
                  "(1, 1, 1, 1, 1, 1, 1, 1, 8)", "(8,) + (1,)", "(__import__('os').system('id'),)"):  # fmt: skip
        yield f"shape {shape}", head(said(shape=shape))
    yield "a header of 4 GB", head(said(), version=2, length=(1 << 32) - 1)
    yield "a short header", head(said(), length=12)
    yield "version 9", head(said(), version=9)
    yield "a word too many", head(said(more="'x': 1, "))
    yield "something behind", making.npy(4) + b"\x80\x04."
    for objects in ([{}], [b"x", None], [print]):
        out = io.BytesIO()
        np.save(out, np.array(objects, object), allow_pickle=True)
        yield f"objects {objects!r:.20}", out.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, blob in files.items():
            archive.writestr(name, blob)
    return out.getvalue()


def npz_broken() -> Iterator[tuple[str, bytes]]:
    good = making.npz(2)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    array = making.npy(4)
    for label, blob in numpy_broken():
        if "of '" in label or "shape" in label or "objects" in label:
            yield f"in a zip: {label}", zipped({"a.npy": blob})
    huge = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118)
    huge += f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 24},), }}".ljust(117).encode() + b"\n"
    yield "a bomb", zipped({"a.npy": huge + bytes(4 << 24)}, zipfile.ZIP_DEFLATED)
    yield "a pickle in it", zipped({"a.npy": array, "b.pkl": b"\x80\x04N."})
    yield "a program in it", zipped({"a.npy": array, "b.py": b"import os"})
    for name in ("../a.npy", "/a.npy", "C:/a.npy", "x\\a.npy", "a/../../b.npy"):
        yield f"called {name}", zipped({name: array}).replace(name.replace("\\", "/").encode(), name.encode())
    twice = zipped({"a.npy": array, "b.npy": array})
    yield "a name twice", twice.replace(b"b.npy", b"a.npy")
    yield "something behind", good + b"x"
    yield "something before", b"PK\3\4" + good
    locked = bytearray(good)
    central = good.index(b"PK\1\2")
    locked[central + 8] |= 1
    yield "locked", bytes(locked)
    for place, value in [(10, 99), (16, 1), (20, 1), (24, 99), (42, 1), (42, 255), (28, 200), (30, 255)]:
        bent = bytearray(good)
        bent[central + place] = value
        if bytes(bent) != good:
            yield f"table +{place} = {value}", bytes(bent)
    end = len(good) - 22
    for place, value in [(8, 9), (10, 9), (12, 1), (16, 1), (4, 1), (20, 5)]:
        bent = bytearray(good)
        bent[end + place] ^= value
        yield f"end +{place} ^ {value}", bytes(bent)
    other = zipfile.ZipInfo("a.npy")
    other.extra = struct.pack("<HHBI", 0x7075, 10, 1, zlib.crc32(b"a.npy")) + b"b.pkl"
    link = zipfile.ZipInfo("a.npy")
    link.external_attr = 0o120777 << 16
    for label, entry in (("two names", other), ("a link", link)):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(entry, array)
        yield label, out.getvalue()
    yield "alike but for how they are spelt", zipped({"\u00e9.npy": array, "e\u0301.npy": array})
    streamed = bytearray(good)
    streamed[6] |= 8
    yield "streamed in one place only", bytes(streamed)
    overlap = bytearray(twice)
    second = twice.index(b"PK\1\2", twice.index(b"PK\1\2") + 4)
    overlap[second + 42 : second + 46] = bytes(4)
    yield "two names for one place", bytes(overlap)
