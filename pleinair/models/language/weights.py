"""Weights that a runtime opens by itself, by their path: checked first, and only then named to it."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import ModelFault
from .. import safe, store
from ..card import Card


def path(card: Card, role: str) -> Path:
    """Where that file of the card lies, its hash and its structure checked. ModelFault where it is not what it says."""
    found, file = store.path(card, role), card.files[role]
    sha256 = store.hash_of(found)
    if sha256 != file.sha256:
        raise ModelFault(
            f"{card.name} cannot be loaded: the file {file.name} is not the one that the card means",
            where=str(found),
            now="the model was not loaded",
            hint=f"pleinair fetch {card.name} brings a whole one",
        )
    safe.check(found, file.name, allow=("gguf",))
    return found
