"""The gate over a whole piece: what it says today, what it said when the piece was locked, and who took it upon
themselves.

The gate decides when a piece is locked. What opened yesterday opens today: where today's opinion differs from the
locked one, that is a warning and nothing else. An override is signed by name and dated, stands in piece.lock, and is
shown wherever the verdict is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import ManifestFault
from ..core.kinds import json_digest
from ..models import store
from .gate import Verdict, verdict
from .papers import papers_of
from .parts import Part, of_card, of_environment
from .terms import VERDICTS

if TYPE_CHECKING:
    from ..manifest import Lock, Manifest, Operator
    from ..models.card import Card

WORDS = {
    "allow": "allowed",
    "duties": "allowed, with duties (pleinair label says which)",
    "ask": "not clear: ask first",
    "refuse": "refused",
}


@dataclass(frozen=True)
class Opinion:
    """One use of a piece.

    today     the verdict by today's table          locked    what piece.lock says of the same parts, None where nothing
    accepted  the override that covers it: {"name", "reason", "date", "verdict"}, or None
    others    an override of this use that was signed for other parts, and so does not cover it
    """

    use: str
    today: Verdict
    locked: dict[str, Any] | None = None
    accepted: dict[str, str] | None = None
    others: dict[str, str] | None = None

    @property
    def verdict(self) -> str:
        """What counts: the locked one where the parts are the same, else today's."""
        return self.locked["verdict"] if self.locked else self.today.verdict

    @property
    def because(self) -> list[str]:
        return list(self.locked["because"]) if self.locked else self.today.because

    @property
    def clear(self) -> bool:
        """Whether it may go on without a word: allowed, or somebody signed for it."""
        return self.verdict in ("allow", "duties") or self.accepted is not None

    @property
    def line(self) -> str:
        """One line for the desk and the terminal."""
        text = f"{self.use}: {WORDS[self.verdict]}"
        if self.accepted:
            a = self.accepted
            text += f"; accepted by {a['name']} on {a['date']}: {a['reason']}"
        elif self.verdict in ("ask", "refuse") and self.because:
            text += f". {self.because[0]}"
        return text

    @property
    def warning(self) -> str:
        """What changed since the piece was locked or signed for, "" where nothing did."""
        if self.others is not None and self.verdict in ("ask", "refuse"):
            o = self.others
            return f"{o['name']} signed for {self.use} on {o['date']}, and the piece was made of other things then."
        if self.locked is None or self.locked["verdict"] == self.today.verdict:
            return ""
        why = f" {self.today.because[0]}" if self.today.because else ""
        return (
            f"{self.use} was {WORDS[self.locked['verdict']]} when the piece was locked on {self.locked['date']}; "
            f"today the gate says: {WORDS[self.today.verdict]}.{why} It opens as it did."
        )

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"verdict": self.verdict, "because": self.because}
        found["today"] = self.today.as_dict()
        found["locked"], found["accepted"], found["warning"] = self.locked, self.accepted, self.warning
        return found


def parts_of(cards: Iterable[Card], *, files: bool = True) -> list[Part]:
    """Everything that a piece of these cards is made of and runs in."""
    cards = list(cards)
    own = [part for card in cards for part in of_card(card, files=files)]
    return [*own, *of_environment(card.task for card in cards)]


def senses_of(cards: Iterable[Card]) -> list[str]:
    """What these cards read off people, each once."""
    return list(dict.fromkeys(sense for card in cards for sense in card.senses))


def opinions(
    manifest: Manifest, cards: Sequence[Card], lock: Lock, uses: Iterable[str] = (), *, files: bool = True
) -> list[Opinion]:
    """For each use (those of piece.toml unless others are asked for)."""
    parts, senses = parts_of(cards, files=files), senses_of(cards)
    about, by = digest_of(cards), manifest.operator
    found = []
    for use in uses or manifest.uses:
        locked = lock.verdicts.get(use)
        same = locked is not None and (locked.get("parts"), locked.get("operator")) == (about, _who(by))
        accepted = next((o for o in reversed(lock.overrides) if (o.get("use"), o.get("parts")) == (use, about)), None)
        others = next((o for o in reversed(lock.overrides) if o.get("use") == use), None) if accepted is None else None
        judged = verdict(parts, use, by, senses)
        locked = locked if same and locked["verdict"] in VERDICTS else None
        found.append(Opinion(use, judged, locked, accepted, others))
    return found


def digest_of(cards: Sequence[Card]) -> str:
    """Of what verdicts and overrides are about: files, licences as stated, what is sensed; not the wheels' versions."""
    own = [[p.what, p.kind, p.licence] for card in cards for p in of_card(card, files=False)]
    files = [c.sha256 for c in cards if c.files]
    about: dict[str, Any] = {"files": files, "parts": own, "senses": senses_of(cards)}
    if papers := [p for c in cards for p in papers_of(c)]:
        about["papers"] = papers
    return json_digest(about)[:16]


def _who(operator: Operator) -> str:
    """An operator in a line: another one is judged anew."""
    revenue = "" if operator.revenue_eur is None else f"{operator.revenue_eur:.0f}"
    return " ".join(filter(None, (operator.kind, operator.territory, revenue))) or "nobody named"


def lock_in(lock: Lock, manifest: Manifest, cards: Sequence[Card], found: Iterable[Opinion]) -> bool:
    """Writes into the lock what it does not say yet of these parts and this operator. True where something is new.

    Weights of one's own that are not here were not looked into: what they say of themselves may be another thing than
    what their card says, so nothing is locked before they are."""
    if any(card.folder is not None and store.missing(card) for card in cards):
        return False
    new = [opinion for opinion in found if opinion.locked is None]
    for opinion in new:
        lock.verdicts[opinion.use] = {
            "verdict": opinion.today.verdict,
            "date": datetime.date.today().isoformat(),
            "operator": _who(manifest.operator),
            "parts": digest_of(cards),
            "because": opinion.today.because[:8],
        }
    return bool(new)


def accept(lock: Lock, use: str, signed: str, judged: str, cards: Sequence[Card]) -> dict[str, str]:
    """Adds an override, "NAME: reason", to the lock: for this use of these very parts. ManifestFault where name or
    reason is missing."""
    name, colon, reason = (part.strip() for part in signed.partition(":"))
    if not (name and colon and reason):
        raise ManifestFault(
            f'an override is signed and has a reason, and "{signed}" has not both',
            now="nothing was accepted",
            hint='--accept "Ada Lovelace: the author allowed it by letter of 3 May 2026"',
        )
    entry = {
        "use": use, "name": name, "reason": reason, "date": datetime.date.today().isoformat(), "verdict": judged,
        "parts": digest_of(cards),
    }  # fmt: skip
    lock.overrides = [*lock.overrides, entry]
    return entry


def notices(found: Iterable[Opinion]) -> list[dict[str, str]]:
    """For `run` and the desk's foot: a line for each use, with the reasons behind it, and warnings."""
    lines = []
    for opinion in found:
        entry = {"name": "licences", "text": opinion.line, "verdict": opinion.verdict, "use": opinion.use}
        entry["more"] = "\n".join(opinion.because)
        if opinion.accepted:
            entry["accepted"] = opinion.accepted["name"]
        lines.append(entry)
        if opinion.warning:
            lines.append({"name": "licences", "text": opinion.warning, "verdict": "warning", "more": ""})
    return lines
