"""torch's files, written without torch: the zip and the row of pickles, for honest ones and others."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

STORAGE = {
    "float32": "FloatStorage", "float64": "DoubleStorage", "float16": "HalfStorage", "int64": "LongStorage",
    "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage",
    "bool": "BoolStorage",
}  # fmt: skip
PROTO, STOP = b"\x80\x02", b"."


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def row(values) -> bytes:
    return b"(" + b"".join(number(v) for v in values) + b"t"


def tensor(key: str, array: np.ndarray, legacy: bool, *, count=None, offset=0, shape=None, strides=None) -> bytes:
    """torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())"""
    storage = b"(" + text("storage") + b"ctorch\n" + STORAGE[array.dtype.name].encode() + b"\n" + text(key)
    storage += text("cpu") + number(array.size if count is None else count) + (b"N" if legacy else b"") + b"tQ"
    steps = [s // array.itemsize for s in np.empty(array.shape, array.dtype).strides] if strides is None else strides
    body = storage + number(offset) + row(array.shape if shape is None else shape) + row(steps)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + body + b"\x89ccollections\nOrderedDict\n)RtR"


def state(arrays: dict[str, np.ndarray], legacy: bool = False, **odd) -> bytes:
    """The pickle of an OrderedDict of tensors."""
    items = b"".join(text(n) + tensor(str(i), a, legacy, **odd) for i, (n, a) in enumerate(arrays.items()))
    return PROTO + b"ccollections\nOrderedDict\n)R(" + items + b"u" + STOP


def zipped(arrays: dict[str, np.ndarray], pickle: bytes | None = None, extra: dict[str, bytes] | None = None) -> bytes:
    """The layout since torch 1.6."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", state(arrays) if pickle is None else pickle)
        archive.writestr("archive/byteorder", b"little")
        for index, array in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{index}", np.ascontiguousarray(array).tobytes())
        archive.writestr("archive/version", b"3\n")
        for name, blob in (extra or {}).items():
            archive.writestr(name, blob)
    return out.getvalue()


def in_a_row(arrays: dict[str, np.ndarray], pickle: bytes | None = None) -> bytes:
    """The layout before it."""
    out = PROTO + b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19" + STOP + PROTO + b"M\xe9\x03" + STOP
    out += PROTO + b"}(" + text("protocol_version") + b"M\xe9\x03" + text("little_endian") + b"\x88u" + STOP
    out += state(arrays, legacy=True) if pickle is None else pickle
    out += PROTO + b"](" + b"".join(text(str(i)) for i in range(len(arrays))) + b"e" + STOP
    for array in arrays.values():
        out += struct.pack("<q", array.size) + np.ascontiguousarray(array).tobytes()
    return out
