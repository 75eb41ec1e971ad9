"""ONNX whose numbers lie in a file beside it (what exporters write for larger networks): joined into one file.

A path in such a file has made runtimes read what was none of their business (see `safe.onnx`), so this is narrow: the
name of an ordinary file in the same folder, no folder in it, no link, and bytes that are there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ...backends import wire
from ..safe.onnx import MAX_BYTES
from .found import refuse

_BESIDE = (
    "put both files into one folder, as they are (no links); or onnx.save(model, path, save_as_external_data=False)"
)


def places(blob: bytes) -> list[str]:
    """The files that it names; none where it is whole, or no ONNX (which is said elsewhere)."""
    try:
        return wire.summary(blob).external
    except wire.Broken:
        return []


def joined(file: Path, blob: bytes) -> bytes:
    """The network in one file, to be checked like any other. ModelFault: a file that is elsewhere, missing or short."""
    import onnx

    model = onnx.ModelProto()
    model.ParseFromString(blob)
    del model.training_info[:]
    beside = _Beside(file)
    try:
        for tensor in _tensors(model):
            if tensor.external_data or tensor.data_location:
                told = {entry.key: entry.value for entry in tensor.external_data}
                tensor.raw_data = beside.read(told)
                del tensor.external_data[:]
                tensor.ClearField("data_location")
        return bytes(model.SerializeToString())
    finally:
        beside.close()


class _Beside:
    """The files beside a network, each opened once."""

    def __init__(self, file: Path) -> None:
        self.file, self.left = file, MAX_BYTES
        self._open: dict[str, tuple[IO[bytes], int]] = {}

    def read(self, told: dict[str, str]) -> bytes:
        name = told.get("location", "")
        try:
            start, length = int(told.get("offset") or 0), int(told.get("length") or -1)
        except ValueError:
            start = length = -1
        stream, size = self._stream(name)
        length = size - start if length < 0 else length
        if start < 0 or length < 0 or start > size or length > size - start:
            raise refuse(self.file.name, f"{wire.short(name)} beside it is too short", "fetch both files again")
        self.left -= length
        if self.left < 0:
            raise refuse(self.file.name, "its numbers are more than the 2 GB that an ONNX file may have", "as GGUF?")
        stream.seek(start)
        return stream.read(length)

    def _stream(self, name: str) -> tuple[IO[bytes], int]:
        if name in self._open:
            return self._open[name]
        if name in ("", ".", "..") or set(name) & set("/\\:\0") or len(self._open) >= 64:
            raise refuse(self.file.name, f"it reaches for {wire.short(name)}, which is not beside it", "do not use it")
        path = self.file.parent / name
        try:
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or path.is_symlink():
                os.close(handle)
                raise OSError
        except OSError:
            why = "is a link" if path.is_symlink() else "is not there"
            raise refuse(
                self.file.name, f"its numbers are in {wire.short(name)} beside it, which {why}", _BESIDE
            ) from None
        self._open[name] = os.fdopen(handle, "rb"), found.st_size
        return self._open[name]

    def close(self) -> None:
        for stream, _ in self._open.values():
            stream.close()


def _tensors(model: Any) -> Iterator[Any]:
    graphs, nodes = [model.graph], [n for f in model.functions for n in f.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
            continue
        for attribute in nodes.pop().attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t
            for sparse in attribute.sparse_tensors:
                yield from (sparse.values, sparse.indices)
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
            graphs += attribute.graphs
            if attribute.HasField("g"):
                graphs.append(attribute.g)
