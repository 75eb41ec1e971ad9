"""Kokoro's voices, each a file of bare numbers, into one file of named tables (safetensors)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...core.errors import ModelFault

ROWS, COLUMNS = 510, 256
"""One row of 256 numbers for each number of phonemes."""


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """A safetensors file: for each role a table of its name, float32 (510, 256). The same bytes on every machine.

    ModelFault: a file of another size.
    """
    size = ROWS * COLUMNS * 4
    header: dict[str, Any] = {}
    for place, (role, blob) in enumerate(files.items()):
        if len(blob) != size:
            raise ModelFault(
                f"the voice {role} cannot be used: it has {len(blob)} bytes, and {ROWS} rows of {COLUMNS} numbers "
                f"have {size}",
                now="nothing was put into the store",
            )
        header[role] = {
            "dtype": "F32", "shape": [ROWS, COLUMNS], "data_offsets": [place * size, (place + 1) * size],
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(files.values())
