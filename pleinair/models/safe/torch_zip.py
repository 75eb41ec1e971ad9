"""Tensors out of torch's own files (.pth, .pt, .ckpt), with no torch, and nothing in them run.

Both layouts of torch/serialization.py: the zip (since torch 1.6: PREFIX/data.pkl and PREFIX/data/KEY) and the row of
pickles before it. The file is read in a process of its own (`jail`), by an interpreter that can build tensors only
(`tensors_only`); what comes back is safetensors, and is checked as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import jail, safetensors, zipped
from .parts import Broken, Reader, product, refused, short, viewed
from .tensors_only import Storage, Tensor, named, run

_MAGIC = 0x1950A86A20F9469CFC6C
MAX_PICKLE_BYTES = 64 << 20
MAX_TENSORS = 100_000


def tensors(data: bytes | Path, name: str = "the file") -> dict[str, np.ndarray]:
    """Every tensor by its path in the file ("model_state.linear.weight"), C-contiguous; bfloat16 comes as float32.

    ModelFault: no torch file, one that holds more than tensors, TorchScript, or one that took too long.
    """
    return safetensors.tensors(as_safetensors(data, name), name)


def as_safetensors(data: bytes | Path, name: str = "the file") -> bytes:
    """The same, as the bytes of a safetensors file."""
    try:
        with viewed(data) as view:
            if not is_torch(view):
                raise Broken("it is no torch file")
            size = len(view)
        return jail.call("pleinair.models.safe.torch_zip:convert", data, most=2 * size + MAX_PICKLE_BYTES)
    except Broken as error:
        raise refused(name, str(error), "use a safetensors file, which can hold tensors and nothing else") from None


def is_torch(view: memoryview) -> bool:
    """Whether it looks like one of torch's layouts, from its first bytes and its table of contents."""
    if bytes(view[:14]) == b"\x80\x02\x8a\n" + _MAGIC.to_bytes(10, "little"):
        return True
    if view[:4] != b"PK\3\4":
        return False
    length = int.from_bytes(view[26:28], "little")
    first = bytes(view[30 : 30 + length])
    return first.endswith((b"/data.pkl", b"/version", b"/byteorder")) and first.count(b"/") == 1


def convert(view: memoryview) -> bytes:
    """A torch file's tensors as safetensors. Runs in the jail; Broken with the reason."""
    found, where = _zip(view) if view[:2] == b"PK" else _row(view)
    placed: dict[str, tuple[Tensor, memoryview]] = {}
    for name, tensor in named(found).items():
        if name == "__metadata__":  # which is no tensor in safetensors, whatever stands there
            raise Broken("a tensor in it has a name that no tensor has")
        placed[name] = (tensor, where(tensor.storage))
    if len(placed) > MAX_TENSORS:
        raise Broken(f"it holds {len(placed)} tensors")
    header: dict[str, object] = {}
    at = 0
    for name, (tensor, _) in placed.items():
        size = product(tensor.shape, short(name)) * safetensors.ITEM[tensor.storage.dtype]
        header[name] = {"dtype": tensor.storage.dtype, "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
        if at > 2 * len(view):
            raise Broken("its tensors would be larger than the file they are in")
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return b"".join([len(head).to_bytes(8, "little"), head, *(_numbers(t, raw, n) for n, (t, raw) in placed.items())])


def _numbers(tensor: Tensor, raw: memoryview, name: str) -> bytes:
    """A tensor's numbers in C order, out of its storage."""
    item = safetensors.ITEM[tensor.storage.dtype]
    if not product(tensor.shape, short(name)):
        return b""
    last = tensor.offset + sum((side - 1) * step for side, step in zip(tensor.shape, tensor.strides, strict=True))
    if last >= tensor.storage.count:
        raise Broken(f"the tensor {short(name)} reaches beyond its numbers")
    flat = np.frombuffer(raw, f"V{item}")
    steps = tuple(step * item for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, steps).tobytes()


def _zip(view: memoryview) -> tuple[object, Callable[[Storage], memoryview]]:
    table = {entry.name: entry for entry in zipped.entries(view)}
    folders = {name.split("/")[0] for name in table}
    prefix = folders.pop()
    if folders or f"{prefix}/data.pkl" not in table:
        raise Broken("it is a zip, and none of torch's")
    if any(name.startswith(f"{prefix}/code/") or name == f"{prefix}/constants.pkl" for name in table):
        raise Broken("it is TorchScript: a program, with tensors in it")
    order = table.get(f"{prefix}/byteorder")
    if order and zipped.unpack(view, order, 16) != b"little":
        raise Broken("its numbers are big-endian")
    listed = table[f"{prefix}/data.pkl"]
    if listed.size > MAX_PICKLE_BYTES:
        raise Broken("the list of its tensors is far too long")
    reader = Reader(memoryview(zipped.unpack(view, listed)))
    found = run(reader)

    def where(storage: Storage) -> memoryview:
        entry = table.get(f"{prefix}/data/{storage.key}")
        if entry is None or not entry.stored or entry.size != storage.count * safetensors.ITEM[storage.dtype]:
            raise Broken(f"the numbers {short(storage.key)} are missing, or not as many as it says")
        return view[entry.start : entry.start + entry.size]

    return found, where


def _row(view: memoryview) -> tuple[object, Callable[[Storage], memoryview]]:
    """The layout before torch 1.6: magic number, protocol, system, the object, the keys, and the numbers in a row."""
    reader = Reader(view)
    if run(reader) != _MAGIC or run(reader) != 1001:
        raise Broken("it is no torch file")
    system = run(reader)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Broken("its numbers are big-endian")
    found = run(reader)
    keys = run(reader)
    if reader.at > MAX_PICKLE_BYTES or not isinstance(keys, list) or len(set(map(str, keys))) != len(keys):
        raise Broken("the list of its tensors is damaged")
    kinds = {t.storage.key: t.storage for t in named(found).values()}
    places: dict[str, memoryview] = {}
    for key in keys:
        storage = kinds.get(key) if isinstance(key, str) else None
        count = reader.u64()
        if storage is None or count != storage.count:
            raise Broken("the numbers in it are not those that it lists")
        places[key] = reader.take(count * safetensors.ITEM[storage.dtype])
    if reader.at != reader.end:
        raise Broken("something lies behind its numbers")

    def where(storage: Storage) -> memoryview:
        if storage.key not in places or kinds[storage.key] != storage:
            raise Broken(f"the numbers {short(storage.key)} are missing, or not as many as it says")
        return places[storage.key]

    return found, where
