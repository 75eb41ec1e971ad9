"""What a card says about its licence, for a use: word for word, and no verdict that nobody has thought through.

The gate that weighs licences against uses is an issue of its own. Until it is here the verdict is "ask" where a licence
is stated and "unknown" where none is: never "allow".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..core.errors import did_you_mean
from ..manifest import USES
from .say import WrongCall

if TYPE_CHECKING:
    from ..models.card import Card


def checked_uses(uses: Iterable[str]) -> list[str]:
    """WrongCall where one is no use that the contract names."""
    for use in uses:
        if use not in USES:
            raise WrongCall(f'there is no use "{use}"', hint=did_you_mean(use, USES))
    return list(dict.fromkeys(uses))


def verdicts(card: Card, uses: Iterable[str]) -> dict[str, dict[str, Any]]:
    """{use: {"verdict": "ask" or "unknown", "because": [...]}}."""
    because = [stated(card)]
    if card.weights.remark:
        because.append(card.weights.remark)
    unknown = card.weights.id == "unknown"
    because.append(
        "no licence is stated, so nothing is allowed but what the law allows anyway"
        if unknown
        else "no licence gate is built in yet: read the licence for this use, or ask who gave it"
    )
    return {use: {"verdict": "unknown" if unknown else "ask", "because": because} for use in uses}


def stated(card: Card) -> str:
    """`weights: Apache-2.0, stated in METADATA of ...`."""
    place = f", stated in {card.weights.stated_in}" if card.weights.stated_in else ""
    return f"{'clip' if card.task == 'clip' else 'weights'}: {card.weights.id}{place}"
