"""What visitors must be told: that a machine takes part, what it reads off them, and what becomes of it.

After Article 50 of Regulation (EU) 2024/1689, the AI Act (transparency; applies since 2 August 2026), and Article 13 of
Regulation (EU) 2016/679, the GDPR (information where data are collected). From general knowledge [K]; no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..manifest import Manifest, Operator
    from ..models.card import Card

CAMERAS = ("webcam", "browser", "rtsp", "camera")
MICROPHONES = ("mic", "microphone", "browser-mic")
READ_OFF = {
    "face": "where a face is and how it is turned",
    "body": "how a body stands and moves",
    "hands": "where hands are and how the fingers lie",
    "voice": "what is said, or that somebody speaks",
    "emotion": "what feeling a face seems to show",
    "identity": "who somebody is",
}
MADE = {"picture": "Pictures", "speech": "Voices", "text": "Texts"}


@dataclass(frozen=True)
class Notice:
    """A sentence for the wall, and the rule that asks for it."""

    text: str
    rule: str


def ai_act(cards: Iterable[Card], sensors: Iterable[str], operator: Operator | None = None) -> list[Notice]:
    """What Article 50 of the AI Act asks for, from what the cards sense and make. Empty: a work without a model."""
    cards = [c for c in cards if c.task != "clip"]
    senses = {s for card in cards for s in card.senses}
    makes = [m for m in MADE if any(m in card.makes for card in cards)]
    found: list[Notice] = []
    if not cards:
        return found
    if any(card.task == "chat" for card in cards) or ("text" in makes and "voice" in senses):
        found.append(
            Notice("You are talking with a machine: what answers is an artificial intelligence.", "AI Act, Art. 50(1)")
        )
    elif senses or set(sensors):
        found.append(
            Notice("An artificial intelligence takes part in this work and reacts to you.", "AI Act, Art. 50(1)")
        )
    if "emotion" in senses:
        text = "This work guesses feelings from faces (emotion recognition). It may be wrong."
        found.append(Notice(text, "AI Act, Art. 50(3)"))
        if operator is not None and operator.kind == "school":
            text = "To the venue: emotion recognition is forbidden in places of education, save for safety or health."
            found.append(Notice(text, "AI Act, Art. 5(1)(f)"))
    if "identity" in senses:
        text = "This work tells people apart by their face or voice (biometric data)."
        found.append(Notice(text, "AI Act, Art. 50(3); GDPR, Art. 9: have it checked before it opens"))
    if makes:
        what = " and ".join(MADE[m].lower() if n else MADE[m] for n, m in enumerate(makes))
        found.append(
            Notice(
                f"{what} in this work are generated or changed by artificial intelligence.",
                "AI Act, Art. 50(2) and (4)",
            )
        )
    return found


def sensors_of(manifest: Manifest, declared: Iterable[str]) -> list[str]:
    """ "camera" and "microphone", as far as the piece's sources are such. `declared`: names of the piece's sources."""
    found = []
    for name in declared:
        spec = manifest.sources.get(name)
        device = (spec.device if spec else name).partition(":")[0]
        if device in MICROPHONES or (spec is None and name in MICROPHONES):
            found.append("microphone")
        elif device in CAMERAS:
            found.append("camera")
    return list(dict.fromkeys(found))


def privacy(cards: Iterable[Card], sensors: Iterable[str]) -> list[str]:
    """Sentences of a privacy notice that follow from the sensors; empty where nothing looks or listens."""
    sensors = set(sensors)
    if not sensors:
        return []
    verbs = {"camera": "a camera looks", "microphone": "a microphone listens"}
    opening = " and ".join(verb for sensor, verb in verbs.items() if sensor in sensors)
    found = [opening[:1].upper() + opening[1:] + " at this place, for this work only."]
    senses = list(dict.fromkeys(s for card in cards for s in card.senses))
    if senses:
        found.append("From it the work reads " + "; ".join(READ_OFF[s] for s in senses) + ".")
    found.append(
        "All of it is worked out on the computer of this work, in the moment; nothing is sent over the internet."
    )
    found.append("Nothing is stored, unless a sign here says that this session is being recorded.")
    if {"emotion", "identity"} & set(senses):
        found.append("If you do not want that, stay outside the marked area; ask the staff where it ends.")
    return found
