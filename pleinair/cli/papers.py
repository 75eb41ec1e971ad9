"""The uses of the licence gate on the command line, and what a card says of its licence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..core.errors import did_you_mean
from ..manifest import USES
from .say import FAULT, WrongCall, paint

if TYPE_CHECKING:
    from ..manifest import Operator
    from ..models.card import Card


def checked_uses(uses: Iterable[str]) -> list[str]:
    """WrongCall where one is no use that the contract names."""
    for use in uses:
        if use not in USES:
            raise WrongCall(f'there is no use "{use}"', hint=did_you_mean(use, USES))
    return list(dict.fromkeys(uses))


def verdicts(card: Card, uses: Iterable[str], operator: Operator | None = None) -> dict[str, dict[str, Any]]:
    """{use: {"verdict": "allow", "duties", "ask" or "refuse", "because": [...], "findings": [...]}} of a card alone."""
    from ..licence.gate import verdict
    from ..licence.parts import of_card, of_environment

    parts = of_card(card) or of_environment([card.task])  # a task without weights is made of libraries only
    found = {}
    for use in uses:
        judged = verdict(parts, use, operator, card.senses)
        found[use] = {**judged.as_dict(), "findings": [f.as_dict() for f in judged.findings]}
    return found


def shown(verdict: str) -> str:
    """A verdict as it is printed: only a refusal has a colour."""
    return paint(verdict, FAULT) if verdict == "refuse" else verdict


def stated(card: Card) -> str:
    """`weights: Apache-2.0, stated in METADATA of ...`."""
    place = f", stated in {card.weights.stated_in}" if card.weights.stated_in else ""
    return f"{'clip' if card.task == 'clip' else 'weights'}: {card.weights.id}{place}"
