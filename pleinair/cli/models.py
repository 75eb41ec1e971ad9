"""The shelf (cards: what there is, whose it is, under which licence) and the store (what of it is on this computer)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..manifest import USES
from .papers import checked_uses, shown, verdicts
from .say import say, write_json
from .shelf import here, size_text
from .table import heading, say_table

if TYPE_CHECKING:
    from ..models.card import Card, Licence

EXAMPLE = "pleinair models show multistyle26 --use exhibit-paid"
MOST_FILES = 8


def add(parser: argparse.ArgumentParser) -> None:
    from . import adding

    deeds = parser.add_subparsers(dest="deed", metavar="list | show | add | verify | prune", required=True)
    one = {name: deeds.add_parser(name, help=text) for name, text in _DEEDS.items()}
    one["show"].add_argument("card", metavar="CARD")
    one["show"].add_argument("--use", action="append", default=[], metavar="USE", help=", ".join(USES))
    what = "the layers that can be bent; with a file's name, also a sheet of pictures of what each does"
    one["show"].add_argument("--layers", nargs="?", const="", metavar="SHEET.jpg", help=what)
    adding.arguments(one["add"])
    one["prune"].add_argument("--yes", action="store_true", help="do not ask")
    for deed in one.values():
        deed.add_argument("--json", metavar="FILE|-", help="write what was found as one JSON object")
    parser.add_argument("--json", help=argparse.SUPPRESS, default=None)


_DEEDS = {
    "list": "every card, with what is fetched",
    "show": "a card's papers",
    "add": "a card of one's own for a file on this computer",
    "verify": "reads the whole store and compares every hash",
    "prune": "removes from the store what no card names",
}


def main(args: argparse.Namespace) -> int:
    from . import adding, keeping, shelf

    deeds = {"list": shelf.main, "show": _show, "add": adding.main, "verify": keeping.verify, "prune": keeping.prune}
    return deeds[args.deed](args)


def _show(args: argparse.Namespace) -> int:
    from ..licence.papers import with_paper
    from ..models.card import find_card

    card = find_card(args.card)
    uses = checked_uses(args.use) or list(USES)
    found = verdicts(card, uses)
    say(f"{card.name}    {card.title}")
    if card.about:
        say(f"  {card.about}")
    say()
    rows: list[tuple[str, str]] = [("task", card.task), ("on this computer", "yes" if here(card) else "no")]
    rows += [("from", card.upstream)] if card.upstream else []
    rows += _file_rows(card)
    rows += _licence_rows("clip" if card.task == "clip" else "weights", with_paper(card, card.weights)[0])
    rows += _licence_rows("container", card.code)
    for place, credit in enumerate(card.credits):
        rows.append(("credits" if not place else "", credit.who + (f": {credit.what}" if credit.what else "")))
    for place, part in enumerate(card.components):
        rows.append(("made of" if not place else "", f"{part.what} ({part.kind}): {part.licence.id}"))
    if card.files and card.task != "clip" and not any(part.kind == "data" for part in card.components):
        rows.append(("learnt from", "not named by anybody whom we read: no answer below speaks of it"))
    rows += [("senses", ", ".join(card.senses))] if card.senses else []
    rows += [("makes up", ", ".join(card.makes))] if card.makes else []
    if card.ports:
        rows.append(("ports", ", ".join(f"{name} ({kind.__name__})" for name, kind in card.ports.items())))
    if card.size:
        rows.append(("working size", f"{card.size[0]} x {card.size[1]}"))
    rows += _openness_rows(card)
    for use in uses:
        rows.append((use, shown(found[use]["verdict"])))
        rows += [("", sentence) for sentence in found[use]["because"] if args.use]
    say_table(rows)
    layers = {}
    if args.layers is not None:
        from .layers import show_layers

        heading("  layers")
        layers = {"layers": show_layers(card, Path(args.layers) if args.layers else None)}
    told = {"fetched": here(card), "verdicts": found, "open": _openness(card), **layers}
    write_json(card.as_dict() | told, args.json)
    return 0


def _file_rows(card: Card) -> list[tuple[str, str]]:
    rows = []
    for role, file in list(card.files.items())[:MOST_FILES]:
        rows.append((f"file, {role}", f"{file.name}    {size_text(file.bytes)}    sha256 {file.sha256}"))
        rows += [("", source) for part in (file, *file.parts) for source in part.sources]
        rows += [("", f"made here by {file.made} out of {', '.join(file.of)}")] if file.made else []
    if len(card.files) > MOST_FILES:
        rows.append(("", f"and {len(card.files) - MOST_FILES} more files (--json - names them)"))
    return rows


def _openness_rows(card: Card) -> list[tuple[str, str]]:
    from ..licence.openness import line, questions
    from ..licence.parts import of_card

    rows = [("openness", line(card).removeprefix(f"{card.name}: "))] if card.task != "clip" else []
    asked = questions(of_card(card)) if rows and card.files else {}
    return rows + [("", f"{question} {about['answer']}") for question, about in asked.items()]


def _openness(card: Card) -> dict[str, Any]:
    from ..licence.openness import report
    from ..licence.parts import of_card

    return report(card, of_card(card))


def _licence_rows(what: str, licence: Licence) -> list[tuple[str, str]]:
    rows = [(f"licence, {what}", licence.id)]
    rows += [("", f"stated in {licence.stated_in}")] if licence.stated_in else []
    rows += [("", f"\u201c{' '.join(licence.quote.split())}\u201d")] if licence.quote else []
    rows += [("", licence.remark)] if licence.remark else []
    rows += [("", f"its text: {licence.paper}")] if licence.paper else []
    return rows
