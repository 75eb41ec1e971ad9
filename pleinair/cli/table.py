"""Columns of text, aligned: what the verbs print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .say import DIM, paint, say


def say_table(
    rows: Iterable[Sequence[Any]], head: Sequence[str] = (), *, right: Iterable[int] = (), indent: int = 2
) -> None:
    """Rows of anything (None: empty; floats with one place). `right`: columns that are aligned to the right."""
    cells = [[_cell(v) for v in row] for row in rows]
    if not cells:
        return
    columns = max(len(row) for row in cells)
    widths = [max((len(r[c]) for r in [*cells, list(head)] if c < len(r)), default=0) for c in range(columns)]
    right = set(right)

    def line(row: Sequence[str]) -> str:
        parts = [v.rjust(w) if c in right else v.ljust(w) for c, (v, w) in enumerate(zip(row, widths, strict=False))]
        return (" " * indent + "  ".join(parts)).rstrip()

    if head:
        say(paint(line(head), DIM))
    for row in cells:
        say(line(row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def heading(text: str) -> None:
    say()
    say(paint(text, DIM))
