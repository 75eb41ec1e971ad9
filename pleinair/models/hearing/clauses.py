"""Text cut into clauses, so that the first is heard while the next is made; also of a text still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

LETTERS = ((12, 32), (30, 90), (60, 180))
"""Of the first clause, the second, later ones: from so many letters on it may end at a comma, and from half as many
more than so many at a space. The first is short, so that the first sound comes soon; later ones are longer, so that
they sound like one breath, but never so long that the one before ends before they are made."""

_HARD = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|\n+")
_SOFT = re.compile(r"[,;:—–][\"'”’»)\]]*(?=\s)|\s+(?=[-—–]\s)")
_NO_END = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|Jr|Sr|etc|approx|e\.g|i\.e)|\b[A-Z])\.$")


class Clauses:
    """Text in, as it grows; clauses out. `take(text, final)` gets the whole text so far each time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._so_far = ""
        self._done = 0
        self._count = 0

    def save(self) -> dict[str, Any]:
        return {"so_far": self._so_far, "done": self._done, "count": self._count}

    def load(self, state: Mapping[str, Any]) -> None:
        self._so_far, self._done, self._count = str(state["so_far"]), int(state["done"]), int(state["count"])

    def take(self, text: str, final: bool) -> Iterator[str]:
        """The clauses that are complete by now, and with `final` the rest. A text that does not go on from the one
        before is a new one."""
        if not text.startswith(self._so_far[: self._done]):
            self.reset()
        self._so_far = text
        while (end := self._end(text, final)) is not None:
            clause, self._done = text[self._done : end].strip(), end
            if clause:
                self._count += 1
                yield clause
        if final:
            self.reset()

    def _end(self, text: str, final: bool) -> int | None:
        """Where the next clause ends, None: not yet."""
        start = self._done
        if start >= len(text):
            return None
        least, most = LETTERS[min(self._count, len(LETTERS) - 1)]
        hard = next((m for m in _HARD.finditer(text, start) if not _NO_END.search(text[start : m.end()])), None)
        bound = hard.end() if hard else len(text)
        soft = next((m for m in _SOFT.finditer(text, start, bound) if m.end() - start >= least), None)
        if soft and bound - soft.end() > 8:
            return soft.end()
        if bound - start > most * 1.5:
            space = text.rfind(" ", start + most // 2, start + most)
            if space > start:
                return space
        if hard:
            return hard.end()
        return len(text) if final else None
