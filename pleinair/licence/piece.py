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
from .gate import Verdict, verdict
from .parts import Part, of_card, of_environment
from .terms import VERDICTS

if TYPE_CHECKING:
    from ..manifest import Lock, Manifest
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
    """

    use: str
    today: Verdict
    locked: dict[str, Any] | None = None
    accepted: dict[str, str] | None = None

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
        """What changed since the piece was locked, "" where nothing did."""
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
    digest = digest_of(cards, parts)
    found = []
    for use in uses or manifest.uses:
        locked = lock.verdicts.get(use)
        if locked is not None and (locked.get("parts") != digest or locked.get("verdict") not in VERDICTS):
            locked = None
        accepted = next((o for o in reversed(lock.overrides) if o.get("use") == use), None)
        found.append(Opinion(use, verdict(parts, use, manifest.operator, senses), locked, accepted))
    return found


def digest_of(cards: Sequence[Card], parts: Iterable[Part]) -> str:
    """Of what the verdicts are about: files and licences as stated, not the wheels' versions."""
    own = [[p.what, p.kind, p.licence] for p in parts if p.kind != "wheel"]
    return json_digest({"files": [c.sha256 for c in cards if c.files], "parts": own})[:16]


def lock_in(lock: Lock, manifest: Manifest, cards: Sequence[Card], found: Iterable[Opinion]) -> bool:
    """Writes into the lock what it does not say yet of these parts. True where something is new."""
    digest, today, new = None, datetime.date.today().isoformat(), False
    for opinion in found:
        if opinion.locked is None:
            digest = digest or digest_of(cards, parts_of(cards, files=False))
            lock.verdicts[opinion.use] = {
                "verdict": opinion.today.verdict,
                "date": today,
                "parts": digest,
                "because": opinion.today.because[:8],
            }
            new = True
    return new


def accept(lock: Lock, use: str, signed: str, judged: str) -> dict[str, str]:
    """Adds an override, "NAME: reason", to the lock. ManifestFault where either is missing."""
    name, colon, reason = (part.strip() for part in signed.partition(":"))
    if not (name and colon and reason):
        raise ManifestFault(
            f'an override is signed and has a reason, and "{signed}" has not both',
            now="nothing was accepted",
            hint='--accept "Ada Lovelace: the author allowed it by letter of 3 May 2026"',
        )
    entry = {
        "use": use, "name": name, "reason": reason, "date": datetime.date.today().isoformat(), "verdict": judged,
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
