"""The wall label and the credits page of a piece: what its licences demand, what visitors must be told.

All of it follows from cards, table and piece.toml; what nobody has written down is left as a line for the curator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .gate import Finding, verdict
from .notices import Notice, Words, ai_act, keeps, privacy, words_in
from .parts import of_card, of_environment
from .piece import WORDS, Opinion, senses_of

if TYPE_CHECKING:
    from ..manifest import Manifest
    from ..models.card import Card

HAND_OVER = ("sell-edition", "archive-deposit", "publish-weights")


@dataclass(frozen=True)
class Credit:
    """One ingredient: who is named, the licence, where that is stated and can be read, and what was changed."""

    what: str
    who: tuple[str, ...]
    licence: str
    link: str
    stated_in: str
    remark: str
    duties: tuple[str, ...]


@dataclass(frozen=True)
class Label:
    """All that stands on the wall and on the credits page.

    shows      sentences that licences want on the wall ("Built with Llama")
    files      sentences that a Notice file in an edition or archive must carry
    libraries  (licence, names) of the environment; `sources`: those whose source must be offered with every copy
    """

    title: str
    artist: str
    year: int | None
    about: str
    shows: tuple[str, ...]
    notices: tuple[Notice, ...]
    privacy: tuple[str, ...]
    credits: tuple[Credit, ...]
    files: tuple[str, ...]
    libraries: tuple[tuple[str, tuple[str, ...]], ...]
    sources: tuple[str, ...]
    verdicts: tuple[tuple[str, str], ...] = ()
    overrides: tuple[str, ...] = field(default_factory=tuple)
    heading: str = ""
    language: str = "en"
    words: Words = field(default_factory=words_in, repr=False)

    def as_dict(self) -> dict[str, Any]:
        from dataclasses import asdict

        return {k: v for k, v in asdict(self).items() if k not in ("words", "heading")}


def label_of(
    manifest: Manifest, cards: Sequence[Card], sensors: Iterable[str], opinions: Sequence[Opinion], *,
    recorded: str | None = None, language: str = "en",
) -> Label:  # fmt: skip
    """The label for the piece's own uses (and others that `opinions` are about).

    recorded  the session is recorded: what for, who keeps it, until when ("": to be filled in); a piece that writes
              films or sounds of what it makes is recorded anyhow
    language  of what is said to visitors: "en", "de", "fr", or a .toml of one's own
    """
    sensors, words = list(sensors), words_in(language)
    recorded = "" if recorded is None and keeps(manifest) else recorded
    uses = [o.use for o in opinions] or list(manifest.uses)
    credits, shows, files = [], [], []
    for card in cards:
        all_found = _findings(card, uses, manifest, cards)
        findings = [f for f in all_found if f.part.kind != "data"]
        credits.append(_credit(card, findings, [f for f in all_found if f.part.kind == "data"]))
        for f in findings:
            shows += f.row.owed.show
            files += [f.row.owed.notice_of(f.licence)] if f.row.owed.notice_of(f.licence) else []
    libraries, sources = _libraries(cards)
    return Label(
        title=manifest.title,
        artist=manifest.artist,
        year=manifest.year,
        about=manifest.about,
        shows=tuple(dict.fromkeys(shows)),
        notices=tuple(ai_act(cards, sensors, manifest.operator, words)),
        privacy=tuple(privacy(cards, sensors, recorded, words)),
        heading=words["both" if len(sensors) == 2 else sensors[0]] if sensors else "",
        language=language if len(language) == 2 else "",
        words=words,
        credits=tuple(credits),
        files=tuple(dict.fromkeys(files)),
        libraries=libraries,
        sources=sources if set(uses) & set(HAND_OVER) else (),
        verdicts=tuple((o.use, WORDS[o.verdict].replace(" (pleinair label says which)", "")) for o in opinions),
        overrides=tuple(
            f"{o.use}: accepted by {o.accepted['name']} on {o.accepted['date']}: {o.accepted['reason']}"
            for o in opinions
            if o.accepted
        ),
    )


def _findings(card: Card, uses: list[str], manifest: Manifest, cards: Sequence[Card]) -> list[Finding]:
    parts, senses = of_card(card, files=False), senses_of(cards)
    found = [f for use in uses for f in verdict(parts, use, manifest.operator, senses).findings]
    return [f for f in found if f.part.kind != "container"]


def _credit(card: Card, findings: list[Finding], learnt: list[Finding]) -> Credit:
    """`learnt`: what was found of the data that it learnt from, which is named where its licence asks for that."""
    owed = [f.row.owed for f in findings]
    beside = {f.part.what: f"{f.shown} ({f.part.what})" for f in findings if f.part.kind == "library"}
    licences = list(dict.fromkeys(beside.get(f.part.what, f.shown) for f in findings))
    names = [f"{c.who}{f': {c.what}' if c.what else ''}" for c in card.credits]
    made_of = [
        f"{f.part.what}: what it learnt from, {f.shown}, {link_of(f.licence)}" for f in learnt if f.row.owed.credit
    ]
    names += list(dict.fromkeys(one.removesuffix(", ") for one in made_of))
    return Credit(
        what=card.title,
        who=tuple(names),
        licence=", ".join(licences) or "no weights",
        link=next((link for f in findings if f.row.owed.link and (link := link_of(f.licence))), ""),
        stated_in=next((f.part.stated_in for f in findings if f.part.kind in ("weights", "clip")), ""),
        remark=_changes(card) if any(o.changes for o in owed) else "" if names else card.weights.remark,
        duties=tuple(dict.fromkeys(s for f in findings for s in _asked(f))),
    )


def _changes(card: Card) -> str:
    """What was changed, which several licences want said: by who made the card, by our converters, by the piece."""
    made = sorted({f.made for f in card.files.values() if f.made})
    here = (
        f"Converted to another format here ({', '.join(made)})."
        if made
        else "Its file is used as it was published there."
    )
    if card.task == "clip":
        here = "Its pictures and sounds are worked on in this work."
    return " ".join(filter(None, (card.weights.remark, here)))


def _asked(finding: Finding) -> list[str]:
    owed, found = finding.row.owed, []
    if owed.text or owed.notice:
        found.append("the licence's text goes with every copy")
    if owed.restrictions:
        found.append("its use restrictions are passed on")
    if owed.source:
        found.append("its source goes with every copy")
    if owed.alike:
        found.append("what is made of it stays under its licence")
    if finding.part.kind == "library":  # a program beside the weights: what it asks for is not asked of them
        return [f"{finding.part.what}: {sentence}" for sentence in found]
    return found


def link_of(licence: str) -> str:
    """Where a licence of Creative Commons or Open Data Commons can be read: their terms ask for the address."""
    if licence == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if licence.startswith("CC-BY"):
        kind, version = licence.removeprefix("CC-").rsplit("-", 1)
        return f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"
    if licence == "ODC-By-1.0":
        return "https://opendatacommons.org/licenses/by/1-0/"
    return ""


def _libraries(cards: Sequence[Card]) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], tuple[str, ...]]:
    judged = verdict(of_environment(card.task for card in cards), "archive-deposit")
    by: dict[str, list[str]] = {}
    for f in judged.findings:
        by.setdefault(f.row.name, []).append(f.part.what)
    sources = [f.part.what for f in judged.findings if f.row.owed.source]
    groups = tuple((name, tuple(sorted(dict.fromkeys(whats), key=str.lower))) for name, whats in sorted(by.items()))
    return groups, tuple(dict.fromkeys(sources))
