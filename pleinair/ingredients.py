"""Every card that a piece may need: its models, the cards that may take their place, the clips that stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .addresses import is_clip, split_uri
from .core.errors import Fault
from .core.kinds import json_digest

if TYPE_CHECKING:
    from .manifest import Manifest
    from .models.card import Card


def cards_in(manifest: Manifest, sources: Mapping[str, str] | None = None) -> list[Card]:
    """In the order of piece.toml. `sources`: NAME -> URI that take the place of its own (`run --source`).

    ModelFault, at the line of piece.toml, where there is no such card.
    """
    from .models.card import find_card

    found = []
    for spec in manifest.models.values():
        for name in dict.fromkeys((spec.card, *spec.cards)):
            try:
                found.append(find_card(name))
            except Fault as fault:
                fault.where = fault.where or spec.where
                raise
    others = dict(sources or {})
    for name, source in manifest.sources.items():
        asked = others.pop(name, None)
        for uri in (asked,) if asked is not None else (source.device, source.fallback or ""):
            scheme, target = split_uri(uri)
            if scheme == "clip" or (scheme == "sound" and is_clip(target)):
                try:
                    found.append(find_card(target))
                except Fault as fault:
                    fault.where = fault.where or source.where
                    raise
    found += [find_card(uri.partition(":")[2]) for uri in others.values() if uri.startswith("clip:")]
    return list({(card.name, json_digest(card.as_dict())): card for card in found}.values())  # two of a name are two
