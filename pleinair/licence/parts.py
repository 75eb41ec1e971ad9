"""What a work is made of, for the gate: weights, what they were made from, voices, data, clips, libraries, wheels."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    from . import papers

    kind = "clip" if card.task == "clip" else "weights"
    licence, of_paper = papers.with_paper(card, card.weights)
    found = [*papers.spoken(card), *of_paper, *papers.unproved(card, licence)]
    if files:
        found += papers.betrayed(replace(card, weights=licence))
    parts = []
    if card.files or card.weights.id != "unknown" or card.weights.stated_in:  # a task without weights has no licence
        parts.append(
            Part(card.name, kind, licence.id, card.name, licence.stated_in, licence.quote, tuple(dict.fromkeys(found)))
        )
    for c in card.components:
        own, told = papers.with_paper(card, c.licence)
        parts.append(Part(c.what, c.kind, own.id, card.name, own.stated_in, own.quote, tuple(told)))
    if card.code.id != "unknown" or card.code.stated_in:  # nothing said: the file came by itself
        parts.append(Part(f"package of {card.name}", "container", card.code.id, card.name, card.code.stated_in))
    return parts


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
