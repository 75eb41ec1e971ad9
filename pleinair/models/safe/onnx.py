"""ONNX: the network read by `backends.wire`, and nothing in it that lies outside its file.

What onnxruntime and the onnx package got wrong with such files: CVE-2024-27318, CVE-2025-51480, CVE-2026-27489 and
CVE-2026-34445, all of them paths to numbers in other files (climbing, absolute, through links, on other systems). Here
every path is refused: a network is one file.
"""

from __future__ import annotations

from ...backends import wire
from .parts import Broken, short

MAX_BYTES = 2_000_000_000
"""Protobuf ends at 2 GiB."""


def check(view: memoryview) -> wire.Summary:
    """What the network asks for and holds. Broken where it is cut short, no ONNX, or not in one file."""
    from ..check_onnx import leaves_its_folder

    if len(view) > MAX_BYTES:
        raise Broken(f"it has {len(view)} bytes; an ONNX file ends at 2 GB")
    found = wire.summary(view)
    for place in found.external:
        if leaves_its_folder(place):
            error = Broken(f"it reaches for the file {short(place)} outside its own folder")
            error.hint = "do not use this file"
            raise error
    if found.external:
        error = Broken(f"its numbers are in another file, {short(found.external[0])}")
        error.hint = "save it as one file: onnx.save(model, path, save_as_external_data=False)"
        raise error
    return found
