"""Which of these is meant? Decided by likeness of meaning. Task "choose".

Asked so, a small encoder decides better, and a hundred times quicker, than a small language model does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ...core.kinds import Control, Event
from ..card import Card
from .encoder import Encoder

SHARPNESS = 20.0
"""Confidence is softmax(likeness x this): 0.1 more alike is 7 times as sure."""


class Choose(Encoder):
    """`model("turn it brighter", labels=["brighter", "darker", "stop"])`: an Event
    {"label": "brighter", "confidence": 0.9, "likeness": 0.71, "all": {"brighter": 0.9, ...}}.

    text    words that are not final, or none, decide nothing
    labels  the labels; or a table, label = "what it means" or ["an example", "another"]: the nearest of them counts, or
            the label's own name
    least   a likeness (0..1) below which nothing is meant: then label is None and confidence 0
    """

    kind = Event

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self.ports = {**card.ports, "labels": Event, "least": Control}
        self._order, self.needed = tuple(self.ports), (next(iter(self.ports)), "labels")

    def _name_known(self, port: str) -> None:
        if port not in ("labels", "least"):
            super()._name_known(port)

    def _constant(self, port: str, value: Any) -> Any:
        if port == "labels":
            return labels_of(value)
        if port == "least" and not 0 <= Control.check(value) <= 1:
            raise ModelFault(f"least is a likeness, 0 to 1, and this is {value:g}")
        return value

    def _run(self, values: dict[str, Any]) -> dict[str, Any] | None:
        text = values[self.needed[0]]
        if not isinstance(text, str):
            raise ValueError(f"the text is a text, and this is {text!r:.40}")
        if not text.strip() or not getattr(text, "final", True):
            return None
        labels = labels_of(values["labels"])
        asked = self.vector(str(text))
        likeness = np.array([max(float(self.known(t) @ asked) for t in texts) for texts in labels.values()])
        shares = np.exp((likeness - likeness.max()) * SHARPNESS)
        shares /= shares.sum()
        best = int(likeness.argmax())
        meant = float(likeness[best]) >= float(values.get("least", 0.0))
        return {
            "label": list(labels)[best] if meant else None,
            "confidence": round(float(shares[best]), 4) if meant else 0.0,
            "likeness": round(float(likeness[best]), 4),
            "all": {label: round(float(share), 4) for label, share in zip(labels, shares, strict=True)},
        }


def labels_of(value: Any) -> dict[str, list[str]]:
    """Labels in any of their spellings as label -> texts. ModelFault for what is none of them."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [part.strip() for part in value.split(",")]
    if isinstance(value, Mapping):
        rows = [
            (k, [k, v] if isinstance(v, str) else [k, *v] if isinstance(v, Sequence) and v else v)
            for k, v in value.items()
        ]
    elif isinstance(value, Sequence):
        rows = [(v, [v]) for v in value]
    else:
        rows = []
    good = all(
        isinstance(k, str) and k and isinstance(v, Sequence) and v and all(isinstance(t, str) and t for t in v)
        for k, v in rows
    )
    if not rows or not good:
        raise ModelFault(
            f"labels are texts to choose from, and these are {value!r:.60}",
            hint='labels = ["brighter", "darker"], or labels = {brighter = ["more light", "up"], stop = "enough"}',
        )
    return {str(k): [str(t) for t in v] for k, v in rows}
