"""What a card's own words, its files, and the licence texts beside it say of its licence: tags lie, texts do not.

Each finding is (identifier or "", sentence): an identifier counts beside what the card states, "" raises a question.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .ids import understood
from .texts import Match, match
from .traces import FLUX_DEV, declared, traces, words_of

if TYPE_CHECKING:
    from ..models.card import Card, Licence

MAX = 1 << 20
"""Bytes of a licence's text at most."""
Findings = list[tuple[str, str]]


def read(path: Path) -> tuple[str, str]:
    """(text, sha256 of the file) of a licence's text. OSError where it cannot be read, ValueError where it is none."""
    with path.open("rb") as file:
        blob = file.read(MAX + 1)
    if len(blob) > MAX:
        raise ValueError(f"{path.name} is too large to be a licence's text")
    if b"\0" in blob:
        raise ValueError(f"{path.name} is no text")
    return blob.decode("utf-8-sig", "replace"), hashlib.sha256(blob).hexdigest()


def with_paper(card: Card, licence: Licence) -> tuple[Licence, Findings]:
    """A licence together with the text that the card names for it (`paper`): where the card states none, the text's."""
    if not licence.paper or card.folder is None:
        return licence, []
    name, path = licence.paper, card.folder / licence.paper
    try:
        if not path.resolve().is_relative_to(card.folder.resolve()):
            return licence, [("unknown", f"its card names a paper that does not lie beside it ({name})")]
        text, sha256 = read(path)
    except OSError:
        return licence, [("", f"its card says that its licence is in {name}, and that file is not beside the card")]
    except ValueError as error:
        return licence, [("unknown", str(error))]
    if licence.paper_sha256 and licence.paper_sha256 != sha256:
        return licence, [("unknown", f"{name} is another text than the one that the card was made with")]
    matched = match(text)
    if licence.id == "unknown" and matched.ids:
        return replace(licence, id=matched.ids[0], stated_in=licence.stated_in or f"{name} beside the card, read"), []
    return licence, _against(licence.id, card.name, name, matched)


def papers_of(card: Card) -> list[str]:
    """sha256 of the licence texts that a card names, "" for one that cannot be read: another text, another question."""
    found = []
    for licence in (card.weights, *(c.licence for c in card.components)):
        if licence.paper and card.folder is not None:
            try:
                found.append(read(card.folder / licence.paper)[1])
            except (OSError, ValueError):
                found.append("")
    return found


def _against(stated: str, card: str, name: str, matched: Match) -> Findings:
    if not matched.ids:
        counts = "" if stated == "unknown" else "unknown"  # it is refused already, and this says why
        return [(counts, f"{name} beside the card is no text that is known: {matched.why}")]
    if not _rows(matched.ids[0]) & _rows(stated, card):
        return [(matched.ids[0], f"the card says {stated}, and {name} beside it is {matched.ids[0]}")]
    return []


def unproved(card: Card, licence: Licence) -> Findings:
    """What is to be done where a card of one's own states no licence, or not where it has it from."""
    if card.folder is None or licence.paper or not card.files:
        return []
    if licence.id == "unknown" and card.task != "clip":
        return [("", "nobody gave its licence: lay the text beside the card, and under [weights] write paper = "
                 '"LICENSE" (pleinair models add FILE --licence-file LICENSE does it)')]  # fmt: skip
    if licence.id != "unknown" and not licence.stated_in:
        return [("", f"its card says {licence.id} and not where that is stated: write stated_in under [weights], or "
                 'lay the text beside the card: paper = "LICENSE"')]  # fmt: skip
    return []


def spoken(card: Card) -> Iterable[tuple[str, str]]:
    """What the card's own words betray: a name, a source, a credit that says FLUX.1 [dev]."""
    names = [card.name, card.title, card.upstream, card.about, card.weights.remark, card.weights.quote]
    names += [c.what for c in card.components] + [f"{c.who} {c.what}" for c in card.credits]
    names += [s for f in card.files.values() for s in (f.name, *f.sources)]
    for name in names:
        for trace in words_of(f"its card says {name[:80]!r}", name):
            yield FLUX_DEV, trace.why


def betrayed(card: Card) -> Findings:
    """What its files, where they are here, and the papers beside the card say."""
    from ..models import store
    from ..models.card import is_added

    found: Findings = []
    for file in card.files.values():
        place = store.path_of(file.sha256)
        if place.is_file():
            found += [(t.licence, t.why) for t in traces(place) if "its name is" not in t.why]
            found += _tags(card, file.name, declared(place))
    if card.folder is not None and not card.weights.paper and not is_added(card):
        for paper in sorted(p for p in card.folder.glob("*") if re.match(r"(?i)licen[cs]e|copying|terms", p.name)):
            if paper.is_file() and paper.stat().st_size <= MAX:
                matched = match(paper.read_text("utf-8", "replace"))
                found += _against(card.weights.id, card.name, paper.name, matched)
    return found


def _tags(card: Card, name: str, said: dict[str, str]) -> Findings:
    """Licences that a file names itself and that are not the card's. "other" says nothing where its name is given."""
    found: Findings = []
    named = any(re.search(r"licen[cs]e[._-]name$", key, re.IGNORECASE) for key in said)
    for key, text in said.items():
        if named and text.strip().lower() in ("other", "custom"):
            continue
        if re.search(r"[._-](link|url)$", key, re.IGNORECASE):
            if not any(_rows(t, card.name) <= _rows(card.weights.id, card.name) for k, t in said.items() if k != key):
                found.append(("", f"{name} points to its licence at {text[:120]}, and that text was not read"))
        elif not _rows(text, card.name) <= _rows(card.weights.id, card.name):
            found.append((text, f'the card says {card.weights.id}, and {name} itself says {key} = "{text[:60]}"'))
    return found


def _rows(licence: str, name: str = "") -> set[int]:
    return {row.number for group in understood(licence, name).together for row, _ in group}
