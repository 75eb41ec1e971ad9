"""What visitors must be told: that a machine takes part, what it reads off them, and what becomes of it.

After Article 50 of Regulation (EU) 2024/1689, the AI Act (transparency; applies since 2 August 2026), and Article 13 of
Regulation (EU) 2016/679, the GDPR (information where data are collected). From general knowledge [K]; no legal advice.
The sentences stand in terms/wall.toml, by language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ManifestFault, did_you_mean
from .terms import FOLDER

if TYPE_CHECKING:
    from ..manifest import Manifest, Operator
    from ..models.card import Card

NO_SENSORS = ("file", "clip", "sound", "picture", "synthetic", "tick", "silence")
"""Sources that nobody stands before. Any other is taken for a camera, if it is no microphone: a stranger's plug-in, an
address in the network."""
MICROPHONES = ("mic", "microphone")
SEEN = ("face", "body", "hands", "emotion", "identity")
HEARD = ("voice", "identity")
MADE = ("picture", "speech", "text")
KEEPS = ("film", "wav")
"""Sinks that write what comes to them into a file."""
Words = Mapping[str, str]


@dataclass(frozen=True)
class Notice:
    """A sentence for the wall, and the rule that asks for it."""

    text: str
    rule: str


@cache
def _languages() -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / "wall.toml").read_text("utf-8"))


def words_in(language: str = "en") -> Words:
    """The wall's sentences: of a language that is here ("en", "de", "fr"), or out of a .toml file of one's own.
    ManifestFault where there is neither."""
    known = _languages()
    if language in known:
        return known[language]
    path = Path(language)
    if path.suffix != ".toml":
        raise ManifestFault(
            f'the notices are not here in "{language}"', hint=did_you_mean(language, [*known, "MY.toml"])
        )
    try:
        own = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestFault(f"{path} cannot be read: {error}", hint="its keys: licence/terms/wall.toml") from None
    table = next((t for t in own.values() if isinstance(t, dict)), own)
    for key, text in table.items():
        if key not in known["en"] or not isinstance(text, str):
            raise ManifestFault(f"{path.name} has no sentence to put at {key!r}", hint=did_you_mean(key, known["en"]))
        if lacking := [name for name in ("{what}", "{why}") if name in known["en"][key] and name not in text]:
            raise ManifestFault(f"{path.name}: {key} needs {lacking[0]} in it", hint=known["en"][key])
    return {**known["en"], **table}


def ai_act(
    cards: Iterable[Card], sensors: Iterable[str], operator: Operator | None = None, words: Words | None = None
) -> list[Notice]:
    """What Article 50 of the AI Act asks for, from what the cards sense and make. Empty: a work without a model.

    Who is not sensed is not told so: without a camera nobody's feelings are guessed, whatever the card could do.
    """
    words = words or words_in()
    cards, sensors = [c for c in cards if c.task != "clip"], set(sensors)
    senses = _read_off(cards, sensors)
    makes = [m for m in MADE if any(m in card.makes for card in cards)]
    found: list[Notice] = []
    if not cards:
        return found
    answers = any(card.task == "chat" for card in cards)
    if "microphone" in sensors and (answers or ("voice" in senses and {"text", "speech"} & set(makes))):
        found.append(Notice(words["talk"], "AI Act, Art. 50(1)"))
    elif answers or sensors:
        found.append(Notice(words["reacts" if sensors else "answers"], "AI Act, Art. 50(1)"))
    if "emotion" in senses:
        found.append(Notice(words["emotion"], "AI Act, Art. 50(3)"))
        if operator is not None and operator.kind == "school":
            found.append(Notice(words["school"], "AI Act, Art. 5(1)(f)"))
    if "identity" in senses:
        rule = "AI Act, Art. 50(3); GDPR, Art. 9: have it checked before it opens"
        found.append(Notice(words["identity"], rule))
    if makes:
        what = _listed([words[m] for m in makes], words["and"])
        text = words["generated"].format(what=what)
        found.append(Notice(text[:1].upper() + text[1:], "AI Act, Art. 50(2) and (4)"))
    return found


def sensors_of(manifest: Manifest, declared: Iterable[str], sources: Mapping[str, str] | None = None) -> list[str]:
    """ "camera" and "microphone", as far as the piece's sources are such. `declared`: names of the piece's sources;
    `sources`: NAME -> URI that take their place (`run --source`)."""
    found = []
    for name in declared:
        spec = manifest.sources.get(name)
        uri = (sources or {}).get(name) or (spec.device if spec else name)
        device = uri.partition(":")[0]
        if device not in NO_SENSORS:
            found.append("microphone" if device in MICROPHONES else "camera")
    return [s for s in ("camera", "microphone") if s in found]


def recording(cards: Iterable[Card], sensors: Iterable[str], piece: str) -> str:
    """What the artist is told when a session with visitors is recorded, "" where nobody is sensed."""
    sensors = list(sensors)
    if not sensors:
        return ""
    verbs = {"camera": "what the camera sees", "microphone": "what the microphone hears"}
    what = " and ".join(verb for sensor, verb in verbs.items() if sensor in sensors)
    words = words_in()
    read = "; ".join(words.get(f"reads_{s}", words.get(s, s)) for s in _read_off(cards, sensors))
    also = f", and from it {read}" if read else ""
    return (
        f'{what} goes onto the tape{also}: the wall must say so (pleinair label {piece} --recorded "WHY, WHO, UNTIL")'
    )


def keeps(manifest: Manifest) -> bool:
    """Whether the piece itself writes into files what it shows or says."""
    return any(spec.device.partition(":")[0] in KEEPS for spec in manifest.sinks.values())


def _read_off(cards: Iterable[Card], sensors: Iterable[str]) -> list[str]:
    """What the cards read off people by these sensors, each once."""
    reach = {s for sensor in sensors for s in (SEEN if sensor == "camera" else HEARD)}
    return list(dict.fromkeys(s for card in cards for s in card.senses if s in reach))


def privacy(
    cards: Iterable[Card], sensors: Iterable[str], recorded: str | None = None, words: Words | None = None
) -> list[str]:
    """Sentences of a privacy notice that follow from the sensors; empty where nothing looks or listens.

    recorded  None: nothing is kept; else the session is, and this says what for, who keeps it and until when
              ("": a line to be filled in by hand)
    """
    words, sensors, cards = words or words_in(), set(sensors), list(cards)
    if not sensors:
        return []
    both = {"camera", "microphone"} <= sensors
    which = "both" if both else "camera" if "camera" in sensors else "microphone"
    found = [words["both_here" if both else "looks" if which == "camera" else "listens"]]
    senses = _read_off(cards, sensors)
    what = "; ".join(words[f"reads_{s}"] if s in ("emotion", "identity") else words[s] for s in senses)
    if what:
        found.append(words["reads"].format(what=what))
    found.append(words["local"])
    if recorded is None:
        found.append(words["not_stored"])
    else:
        found.append(words[f"recorded_{which}"])
        if what:
            found.append(words["recorded_reads"])
        found += [words["purpose"].format(why=recorded.strip().rstrip(".") or "_" * 40), words["rights"]]
    if {"emotion", "identity"} & set(senses) or recorded is not None:
        found.append(words["aside"])
    return found


def _listed(items: list[str], and_: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {and_} {items[-1]}"
