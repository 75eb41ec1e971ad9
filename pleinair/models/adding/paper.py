"""The text of a licence that somebody was given with the weights: it is laid beside the card, under the card's name."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Paper:
    """name: as it was called; blob: its bytes, as they were given."""

    name: str
    blob: bytes

    def said(self, card: str) -> dict[str, Any]:
        """What a card says of it, under [weights]."""
        sha256 = hashlib.sha256(self.blob).hexdigest()
        return {"stated_in": f"{self.name}, which came with the file", "paper": _place(card), "paper_sha256": sha256}

    def lay(self, folder: Path, card: str) -> None:
        """Writes it beside the card of that name."""
        draft = folder / f"{_place(card)}.{os.getpid()}.tmp"
        draft.write_bytes(self.blob)
        draft.replace(folder / _place(card))


def _place(card: str) -> str:
    return f"{card}.LICENSE.txt"
