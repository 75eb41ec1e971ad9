"""What a network tells apart, in the order of its numbers: out of the file, or out of a list beside it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .found import clean

NAMES = ("labels.txt", "classes.txt", "labelmap.txt")
MAX_BYTES = 1 << 20
_NUMBERED = re.compile(r"(\d+)[ :,\t]\s*(.+)")


def beside(file: Path) -> list[str]:
    """Lines of a list of labels in the same folder; numbers before them, as Teachable Machine writes them, go."""
    for place in (file.with_suffix(".txt"), *(file.parent / name for name in NAMES)):
        if place.is_file() and place.stat().st_size <= MAX_BYTES:
            lines = [clean(line) for line in place.read_bytes().decode("utf-8", "replace").splitlines()]
            lines = [line for line in lines if line]
            numbered = [_NUMBERED.fullmatch(line) for line in lines]
            if lines and all(m and int(m[1]) == n for n, m in enumerate(numbered)):
                return [m[2] for m in numbered if m]
            return lines
    return []


def told(text: str) -> list[str]:
    """`{0: 'person', 1: 'bicycle'}`, as Ultralytics writes it into a file's metadata: a literal, never evaluated."""
    if not text or len(text) > MAX_BYTES:
        return []
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    rows = [found.get(n) for n in range(len(found))] if isinstance(found, dict) else found
    return [clean(row) for row in rows] if isinstance(rows, list) and all(isinstance(r, str) for r in rows) else []
