"""What a work is made of, for the gate: weights, what they were made from, voices, data, clips, libraries, wheels."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .terms import FOLDER

if TYPE_CHECKING:
    from ..models.card import Card

KINDS = ("weights", "clip", "base", "adapter", "data", "voice", "library", "container", "wheel")
PLAIN = {
    "weights": "the weights", "clip": "the clip", "base": "a model that it came from", "adapter": "an adapter",
    "data": "what it learnt from", "voice": "a voice", "library": "a library it runs with",
    "container": "the package it came in", "wheel": "a library of the environment",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One thing with a licence.

    what       its name                    kind  one of KINDS          of  the card or wheel that it belongs to
    licence    as it is stated: an SPDX expression, a hub's tag, or "unknown"          stated_in  where, and `quote`
    found      licences that its own files betray: (identifier or "", sentence); "" only raises a question
    """

    what: str
    kind: str
    licence: str
    of: str = ""
    stated_in: str = ""
    quote: str = ""
    found: tuple[tuple[str, str], ...] = ()


def of_card(card: Card, *, files: bool = True) -> list[Part]:
    """A card's parts. `files`: look into its files, where they are here, for what they say of themselves."""
    kind = "clip" if card.task == "clip" else "weights"
    found = list(_spoken(card))
    if files:
        found += _betrayed(card)
    parts = []
    if card.files or card.weights.id != "unknown" or card.weights.stated_in:  # a task without weights has no licence
        licence = card.weights
        parts.append(
            Part(card.name, kind, licence.id, card.name, licence.stated_in, licence.quote, tuple(dict.fromkeys(found)))
        )
    for c in card.components:
        parts.append(Part(c.what, c.kind, c.licence.id, card.name, c.licence.stated_in, c.licence.quote))
    if card.code.id != "unknown" or card.code.stated_in:  # nothing said: the file came by itself
        parts.append(Part(f"package of {card.name}", "container", card.code.id, card.name, card.code.stated_in))
    return parts


def _spoken(card: Card) -> Iterable[tuple[str, str]]:
    """What the card's own words betray: a name, a source, a credit that says FLUX.1 [dev]."""
    from .traces import FLUX_DEV, _words

    names = [card.name, card.title, card.upstream, card.weights.remark, *(c.what for c in card.components)]
    names += [f"{c.who} {c.what}" for c in card.credits]
    names += [s for f in card.files.values() for s in (f.name, *f.sources)]
    for name in names:
        for trace in _words(f"its card says {name[:80]!r}", name):
            yield FLUX_DEV, trace.why


def _betrayed(card: Card) -> list[tuple[str, str]]:
    """What its files and the papers beside the card say."""
    from ..models import store
    from .ids import understood
    from .texts import match
    from .traces import declared, traces

    found: list[tuple[str, str]] = []
    stated = {row.number for group in understood(card.weights.id, card.name).together for row, _ in group}
    for file in card.files.values():
        place = store.path_of(file.sha256)
        if not place.is_file():
            continue
        found += [(t.licence, t.why) for t in traces(place) if "its name is" not in t.why]
        for key, text in declared(place).items():
            rows = {row.number for group in understood(text, card.name).together for row, _ in group}
            if not rows & stated:
                found.append(
                    (text, f'the card says {card.weights.id}, and {file.name} itself says {key} = "{text[:60]}"')
                )
    if card.folder is not None:
        for paper in sorted(p for p in card.folder.glob("*") if re.match(r"(?i)licen[cs]e|copying|terms", p.name)):
            if not paper.is_file() or paper.stat().st_size > 1 << 20:
                continue
            matched = match(paper.read_text("utf-8", "replace"))
            if not matched.ids:
                found.append(("unknown", f"{paper.name} beside the card is no text that is known: {matched.why}"))
            elif not {row.number for i in matched.ids for g in understood(i).together for row, _ in g} & stated:
                found.append(
                    (matched.ids[0], f"the card says {card.weights.id}, and {paper.name} beside it is {matched.ids[0]}")
                )
    return found


# -- wheels ----------------------------------------------------------------------------------------------------------


def of_environment(tasks: Iterable[str] = ()) -> list[Part]:
    """The wheels that a piece runs in, and what they carry: those of every piece, and those of its tasks."""
    extra = tuple(sorted({name for task in tasks for name in _table()["needs"].get(task, [])}))
    return list(_environment(extra))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "wheels.toml").read_text("utf-8"))


@cache
def _environment(extra: tuple[str, ...]) -> tuple[Part, ...]:
    from importlib import metadata

    seen: dict[str, Any] = {}

    def walk(name: str) -> None:
        key = _plain(name)
        if key in seen:
            return
        try:
            seen[key] = dist = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            return  # wanted on another system only, or not installed: then it does not run either
        for line in dist.requires or []:
            if "extra ==" not in line and (word := re.match(r"[A-Za-z0-9._-]+", line)):
                walk(word[0])

    for name in ("pleinair", *extra):
        walk(name)
    return tuple(part for key, dist in sorted(seen.items()) if key != "pleinair" for part in _of_wheel(key, dist))


def _of_wheel(name: str, dist: Any) -> list[Part]:
    licence, where = _metadata(name, dist)
    parts = [Part(f"{name} {dist.version}", "wheel", licence, name, where)]
    carried = [e for e in _table()["inside"] if e["wheel"] == name]
    root = Path(str(dist.locate_file("")))
    libs = sorted(p.name for p in root.glob(f"{name.replace('-', '_').replace('.', '_')}.libs/*") if p.is_file())
    hit: dict[str, Part] = {}
    for lib in libs:
        entry = next((e for e in carried if any(fnmatch.fnmatch(lib, pattern) for pattern in e["files"])), None)
        if entry is None:
            what, licence = f"{lib} inside {name}", "unknown"
            hit[lib] = Part(what, "wheel", licence, name, "", found=(("", f"nobody has written down what {lib} is"),))
        else:
            said = entry.get("said", "general knowledge; the wheel itself does not say")
            hit[entry["what"]] = Part(f"{entry['what']} inside {name}", "wheel", entry["licence"], name, said)
    return [*parts, *hit.values()]


def _metadata(name: str, dist: Any) -> tuple[str, str]:
    """A distribution's licence as its own metadata state it, and in which field."""
    from .ids import understood
    from .terms import none_row

    if name in _table()["metadata"]:
        return _table()["metadata"][name], "its licence file, since its metadata are not understood"
    meta = dist.metadata
    classifiers = [c.split("::")[-1].strip() for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    for field, text in (
        ("License-Expression", meta.get("License-Expression")),
        ("License", meta.get("License")),
        *(("Classifier", c) for c in classifiers),
    ):
        if text and len(text) < 120 and not any(r is none_row() for g in understood(text).together for r, _ in g):
            return text, f"METADATA, {field}"
    return "unknown", "METADATA says nothing that is understood"


def _plain(name: str) -> str:
    return re.sub(r"[-_]+", "-", name).lower()
