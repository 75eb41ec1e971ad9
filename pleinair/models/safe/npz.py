"""NPY and NPZ: numpy's arrays, without objects (an array of objects is a pickle).

numpy/lib/format.py describes the header: a Python dict as text. It is matched here by a pattern, never evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import zipped
from .parts import Broken, Reader, product, refused, short, viewed

MAX_HEADER = 4096
MAX_RATIO = 100
"""Unpacked bytes for each packed one, beyond the first 16 MB: more is a bomb."""
_FREE_BYTES = 16 << 20
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?)([biufc?])([0-9]{0,2})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,15}(?:, ?[0-9]{1,15})*,?)?)\), ?\} *\n"
)
_SIZES = {"b": (1,), "?": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}


@dataclass(frozen=True)
class Array:
    """`dtype` as numpy spells it ("<f4"), its shape, whether the first side is the fastest, where its numbers begin."""

    dtype: str
    shape: tuple[int, ...]
    fortran: bool
    start: int
    bytes: int


@dataclass(frozen=True)
class Npz:
    """How many arrays, and the bytes of their numbers."""

    arrays: int
    bytes: int


def is_npy(view: memoryview) -> bool:
    return view[:6] == b"\x93NUMPY"


def is_npz(view: memoryview) -> bool:
    """A zip whose first file is an array."""
    if view[:4] != b"PK\3\4" or len(view) < 34:
        return False
    return bytes(view[30 : 30 + int.from_bytes(view[26:28], "little")]).endswith(b".npy")


def check_npy(view: memoryview) -> Array:
    """The header against the file's size. Broken: objects, records, or another size."""
    found = header(view)
    if found.start + found.bytes != len(view):
        raise Broken(f"its array should have {found.bytes} bytes and has {len(view) - found.start}")
    return found


def check(view: memoryview) -> Npz:
    """Every array's header, unpacked alone, against the sizes in the zip's table."""
    total = packed = count = 0
    for entry in zipped.entries(view):
        if not entry.name.endswith(".npy"):
            raise Broken(f"it holds {short(entry.name)}, which is no array")
        packed, total, count = packed + entry.packed, total + entry.size, count + 1
        if total > _FREE_BYTES + MAX_RATIO * packed:
            raise Broken(f"it would swell to {total} bytes out of {packed}")
        found = header(memoryview(zipped.unpack(view, entry, MAX_HEADER + 12)))
        if found.start + found.bytes != entry.size:
            raise Broken(f"the array {short(entry.name)} should have {found.bytes} bytes, and another number is packed")
    if not count:
        raise Broken("it holds no arrays")
    return Npz(count, total)


def tensors(data: bytes | Path, name: str = "the file") -> dict[str, np.ndarray]:
    """Every array by its name, C-contiguous, the caller's own. ModelFault where the file is refused."""
    try:
        with viewed(data) as view:
            if is_npy(view):
                check_npy(view)
                return {"array": _array(view)}
            check(view)
            return {
                e.name.removesuffix(".npy"): _array(memoryview(zipped.unpack(view, e))) for e in zipped.entries(view)
            }
    except Broken as error:
        raise refused(name, str(error)) from None


def header(view: memoryview) -> Array:
    """What the first bytes of an array say."""
    reader = Reader(view)
    if reader.take(6) != b"\x93NUMPY":
        raise Broken("it is no array of numpy's")
    version = reader.u16()
    if version not in (1, 2, 3):
        raise Broken(f"it is version {version & 255}.{version >> 8} of numpy's format")
    length = reader.u16() if version == 1 else reader.u32()
    if length > MAX_HEADER:
        raise Broken(f"its header would be {length} bytes long")
    text = bytes(reader.take(length))
    match = _HEADER.fullmatch(text)
    if not match:
        if re.search(rb"'descr': '[<>|=]?O", text):
            raise Broken("it is an array of objects: a pickle, which could run anything")
        raise Broken("it is no plain array of numbers")
    order, kind, size, fortran, sides = match.groups()
    bytes_each = int(size or b"1")
    if bytes_each not in _SIZES[kind.decode()]:
        raise Broken("its numbers are of a size that there is not")
    shape = tuple(int(side) for side in sides.replace(b" ", b"").split(b",") if side)
    if len(shape) > 1 and sides.endswith(b",") or len(shape) == 1 and not sides.endswith(b","):
        raise Broken("it is no plain array of numbers")
    count = product(shape, "its array")
    dtype = (order + kind + size).decode()
    return Array(dtype, shape, fortran == b"True", reader.at, count * bytes_each)


def _array(view: memoryview) -> np.ndarray:
    found = header(view)
    flat = np.frombuffer(view[found.start : found.start + found.bytes], found.dtype)
    return np.array(flat.reshape(found.shape, order="F" if found.fortran else "C"), order="C")
