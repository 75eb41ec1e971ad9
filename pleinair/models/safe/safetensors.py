"""safetensors: a header in JSON and the numbers behind it.

https://github.com/huggingface/safetensors (README, "Format"). Stricter than the library where it lets things pass:
a name twice in the header is refused, and so are gaps, overlaps and bytes behind the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .jsontext import as_int, as_text, walk
from .parts import MAX_SIDES, Broken, plain, product, refused, short, viewed

MAX_HEADER = 8 << 20
MAX_TENSORS = 16_384
ITEM = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
    "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8,
}  # fmt: skip
"""Bytes of one number."""
_NUMPY = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8",
    "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "C64": "<c8",
}  # fmt: skip


@dataclass
class Safetensors:
    """What the file holds. `tensors`: how many; `bytes`: of numbers; `metadata`: the first 64 texts of its own."""

    tensors: int = 0
    bytes: int = 0
    metadata: dict[str, str] = field(default_factory=dict)


def is_safetensors(view: memoryview) -> bool:
    return len(view) >= 10 and view[8] == 0x7B and int.from_bytes(view[:8], "little") < 1 << 32


def check(view: memoryview) -> Safetensors:
    """Reads the header. Broken where anything in it is not exactly so."""
    found = Safetensors()
    begins = np.empty(1024, np.int64)
    ends = np.empty(1024, np.int64)
    for _, _, _, begin, end in _entries(view, found.metadata):
        if found.tensors == len(begins):
            begins.resize(2 * len(begins), refcheck=False)
            ends.resize(2 * len(ends), refcheck=False)
        begins[found.tensors], ends[found.tensors] = begin, end
        found.tensors += 1
    begins, ends = begins[: found.tensors], ends[: found.tensors]
    order = np.lexsort((ends, begins))
    begins, ends = begins[order], ends[order]
    size = len(view) - 8 - int.from_bytes(view[:8], "little")
    if found.tensors and (begins[0] != 0 or (begins[1:] != ends[:-1]).any() or ends[-1] != size):
        raise Broken("its tables overlap, leave gaps, or do not end where the file ends")
    if not found.tensors and size:
        raise Broken("it lists no tables, and holds numbers")
    found.bytes = size
    return found


def header(data: bytes | Path, name: str = "the file") -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name -> (dtype as in ITEM, shape) of every tensor, the file checked. ModelFault where it is refused."""
    try:
        with viewed(data) as view:
            check(view)
            return {n: (dtype, shape) for n, dtype, shape, _, _ in _entries(view, {})}
    except Broken as error:
        raise refused(name, str(error)) from None


def metadata(data: bytes | Path, name: str = "the file") -> dict[str, str]:
    """The file's own texts (`__metadata__`), the file checked."""
    try:
        with viewed(data) as view:
            return check(view).metadata
    except Broken as error:
        raise refused(name, str(error)) from None


def tensors(data: bytes | Path, name: str = "the file") -> dict[str, np.ndarray]:
    """Every tensor by its name: arrays of its own dtype, read-only views of `data` (of a path: copies).

    bfloat16 comes as float32, which holds it exactly. ModelFault: a broken file, or 8-bit floats, which numpy has not.
    """
    try:
        with viewed(data) as view:
            check(view)
            start = 8 + int.from_bytes(view[:8], "little")
            found: dict[str, np.ndarray] = {}
            for tensor, dtype, shape, begin, end in _entries(view, {}):
                raw = view[start + begin : start + end]
                if dtype == "BF16":
                    wide = np.frombuffer(raw, "<u2").astype("<u4")
                    wide <<= 16
                    found[tensor] = wide.view("<f4").reshape(shape)
                elif dtype in _NUMPY:
                    array = np.frombuffer(raw, _NUMPY[dtype]).reshape(shape)
                    found[tensor] = array.copy() if isinstance(data, (str, Path)) else array
                else:
                    raise Broken(f"{short(tensor)} is {dtype}, which is not read here")
            return found
    except Broken as error:
        raise refused(name, str(error)) from None


def save(arrays: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a safetensors file that holds these arrays."""
    import json

    spelt = {np.dtype(form).str.lstrip("<|"): name for name, form in _NUMPY.items()}
    head: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    parts, at = [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        dtype = spelt[array.dtype.newbyteorder("<").str.lstrip("<|")]
        head[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + len(raw)]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


Row = tuple[str, str, tuple[int, ...], int, int]


def _entries(view: memoryview, metadata: dict[str, str]) -> Iterator[Row]:
    """(name, dtype, shape, begin, end) of every tensor; what is in `__metadata__` goes into `metadata`."""
    if len(view) < 10:
        raise Broken("it was cut short")
    length = int.from_bytes(view[:8], "little")
    if length > len(view) - 8 or length > MAX_HEADER:
        raise Broken(f"its header would be {length} bytes long")
    if view[8] != 0x7B:
        raise Broken("its header is no table")
    depth, count = 0, 0
    name = key = dtype = ""
    lists: dict[str, list[int]] = {}
    for kind, raw in walk(view[8 : 8 + length], depth=3):
        if kind in "{[":
            depth += 1
            if (kind == "[") != (depth == 3) or (depth == 3 and key not in ("shape", "data_offsets")):
                raise Broken("its header is not a table of tables")
            if depth == 2:
                dtype, lists = "", {}
            elif depth == 3:
                lists[key] = []
        elif kind in "]}":
            depth -= 1
            if kind == "}" and depth == 1 and name != "__metadata__":
                count += 1
                if count > MAX_TENSORS:
                    raise Broken(f"it lists more than {MAX_TENSORS} tables")
                yield _row(name, dtype, lists, len(view) - 8 - length)
        elif kind == "key":
            key = as_text(raw)
            if depth == 1:
                name = key
                if len(raw) > 1024:
                    raise Broken("a name in it is far too long")
                if not name or not plain(name):
                    raise Broken("a name in it is empty, or holds a control character")
            elif name != "__metadata__" and key not in ("dtype", "shape", "data_offsets"):
                raise Broken(f"its header says {short(key)}, which means nothing there")
        elif depth == 2 and name == "__metadata__" and kind == "text":
            if len(metadata) < 64:
                metadata[key[:256]] = as_text(raw)[:4096]
        elif depth == 2 and key == "dtype" and kind == "text":
            dtype = as_text(raw)
        elif depth == 3 and kind == "number" and len(lists[key]) <= MAX_SIDES:
            if raw[:1] == b"-":
                raise Broken(f"a size in its header is {raw.decode()}")
            lists[key].append(as_int(raw))
        else:
            raise Broken("its header is not a table of tables")


def _row(name: str, dtype: str, lists: dict[str, list[int]], size: int) -> Row:
    if dtype not in ITEM:
        raise Broken(f"the table {short(name)} is of a type {short(dtype)}, which there is not")
    if set(lists) != {"shape", "data_offsets"} or len(lists["data_offsets"]) != 2:
        raise Broken(f"the table {short(name)} has no shape, or no place")
    begin, end = lists["data_offsets"]
    if not 0 <= begin <= end <= size:
        raise Broken(f"the table {short(name)} would lie outside the file")
    wanted = product(lists["shape"], f"the table {short(name)}") * ITEM[dtype]
    if wanted != end - begin:
        raise Broken(f"the table {short(name)} should have {wanted} bytes and has {end - begin}")
    return name, dtype, tuple(lists["shape"]), begin, end
