"""Every card that a piece may need: its models, the cards that may take their place, the clips that stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.errors import Fault

if TYPE_CHECKING:
    from .manifest import Manifest
    from .models.card import Card


def cards_in(manifest: Manifest) -> list[Card]:
    """In the order of piece.toml. ModelFault, at the line of piece.toml, where there is no such card."""
    from .models.card import find_card

    found = []
    for spec in manifest.models.values():
        for name in dict.fromkeys((spec.card, *spec.cards)):
            try:
                found.append(find_card(name))
            except Fault as fault:
                fault.where = fault.where or spec.where
                raise
    for source in manifest.sources.values():
        for uri in (source.device, source.fallback or ""):
            scheme, _, target = uri.partition(":")
            if scheme == "clip":
                try:
                    found.append(find_card(target))
                except Fault as fault:
                    fault.where = fault.where or source.where
                    raise
    return found
