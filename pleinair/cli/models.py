"""The shelf (cards: what there is, whose it is, under which licence) and the store (what of it is on this computer).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ModelFault, did_you_mean
from ..manifest import USES
from .papers import checked_uses, verdicts
from .say import FAULT, WrongCall, paint, say, write_json
from .table import say_table

if TYPE_CHECKING:
    from ..models.card import Card, Licence

EXAMPLE = "pleinair models show multistyle26 --use exhibit-paid"


def add(parser: argparse.ArgumentParser) -> None:
    deeds = parser.add_subparsers(dest="deed", metavar="list | show | add | verify | prune", required=True)
    one = {name: deeds.add_parser(name, help=text) for name, text in _DEEDS.items()}
    one["show"].add_argument("card", metavar="CARD")
    one["show"].add_argument("--use", action="append", default=[], metavar="USE", help=", ".join(USES))
    one["add"].add_argument("file", metavar="FILE", type=Path, help="an .onnx file")
    one["add"].add_argument("--name", metavar="N", help="what a piece will call it (the file's own name)")
    one["add"].add_argument("--task", metavar="T", default="stylise", help="stylise, or vector: bare tensors")
    one["add"].add_argument("--licence", metavar="ID", default="unknown", help="of the weights, an SPDX identifier")
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
    return {"list": _list, "show": _show, "add": _add, "verify": _verify, "prune": _prune}[args.deed](args)


def _list(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import find_card, known_names

    cards, broken = [], []
    for name in known_names():
        try:
            cards.append(find_card(name))
        except ModelFault as fault:
            broken.append({"name": name, **fault.as_dict()})
    rows = [(c.name, c.task, c.weights.id, c.bytes / 1e6, "fetched" if _here(c) else "", c.title) for c in cards]
    say_table(rows, ("name", "task", "licence", "MB", "", ""), right=[3])
    for unreadable in broken:
        say(paint(f"  {unreadable['what']}", FAULT))
    found = [_entry(c) for c in cards]
    total = sum(p.stat().st_size for p in store.blobs())
    say(f"\n  {sum(e['fetched'] for e in found)} of {len(found)} fetched, {total / 1e6:.1f} MB in the store")
    write_json({"models": found, "broken": broken, "store_bytes": total}, args.json)
    return 1 if broken else 0


def _here(card: Card) -> bool:
    from ..models import store

    return not store.missing(card)


def _entry(card: Card) -> dict[str, Any]:
    return {
        "name": card.name, "task": card.task, "title": card.title, "licence": card.weights.id, "bytes": card.bytes,
        "sha256": card.sha256, "fetched": _here(card),
    }  # fmt: skip


def _show(args: argparse.Namespace) -> int:
    from ..models.card import find_card

    card = find_card(args.card)
    uses = checked_uses(args.use) or list(USES)
    found = verdicts(card, uses)
    say(f"{card.name}    {card.title}")
    if card.about:
        say(f"  {card.about}")
    say()
    rows: list[tuple[str, str]] = [("task", card.task), ("on this computer", "yes" if _here(card) else "no")]
    rows += [("from", card.upstream)] if card.upstream else []
    for role, file in card.files.items():
        rows.append((f"file, {role}", f"{file.name}    {file.bytes / 1e6:.1f} MB    sha256 {file.sha256}"))
        rows += [("", source) for source in file.sources]
    rows += _licence_rows("clip" if card.task == "clip" else "weights", card.weights)
    rows += _licence_rows("container", card.code)
    for place, credit in enumerate(card.credits):
        rows.append(("credits" if not place else "", credit.who + (f": {credit.what}" if credit.what else "")))
    if card.ports:
        rows.append(("ports", ", ".join(f"{name} ({kind.__name__})" for name, kind in card.ports.items())))
    if card.size:
        rows.append(("working size", f"{card.size[0]} x {card.size[1]}"))
    for use in uses if args.use else []:
        rows.append((use, found[use]["verdict"]))
        rows += [("", sentence) for sentence in found[use]["because"]]
    say_table(rows)
    write_json({**card.as_dict(), "fetched": _here(card), "verdicts": found}, args.json)
    return 0


def _licence_rows(what: str, licence: Licence) -> list[tuple[str, str]]:
    rows = [(f"licence, {what}", licence.id)]
    rows += [("", f"stated in {licence.stated_in}")] if licence.stated_in else []
    rows += [("", f"\u201c{licence.quote}\u201d")] if licence.quote else []
    rows += [("", licence.remark)] if licence.remark else []
    return rows


def _add(args: argparse.Namespace) -> int:
    from .. import folders
    from ..models import adding
    from ..models.card import known_names

    name = args.name or adding.name_of(args.file)
    if name in known_names():
        raise ModelFault(f'there is a card "{name}" already', now="nothing was written", hint=f"--name {name}-2")
    if args.task not in adding.TASKS:
        raise WrongCall(f'no card can be made for the task "{args.task}"', hint=did_you_mean(args.task, adding.TASKS))
    card, path = adding.add(args.file, name, args.task, args.licence, folders.cards_dir())
    say(f"{card.name}    {card.bytes / 1e6:.1f} MB    {card.weights.id}")
    say(f"  card     {path}")
    if card.weights.id == "unknown":
        say("  licence  unknown: write it into the card before you show, sell or pass on what it makes")
    say(f'  use      [model.NAME]\n           card = "{card.name}"')
    write_json({**card.as_dict(), "path": str(path)}, args.json)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import all_cards

    names = {f.sha256: (c.name, f.name) for c in all_cards() for f in c.files.values()}
    found: list[dict[str, Any]] = []
    for verdict in store.verify():
        card, name = names.get(verdict.sha256, ("", ""))
        found.append(
            {"sha256": verdict.sha256, "bytes": verdict.bytes, "state": verdict.state, "card": card, "name": name}
        )
    changed = [f for f in found if f["state"] != "whole"]
    for f in changed:
        what = f"{f['name']} of {f['card']}" if f["card"] else "a file that no card names"
        say(paint(f"{what} is not what it was: its hash is another than {f['sha256'][:12]}...", FAULT))
        say(f"  {store.path_of(f['sha256'])}")
        if f["card"]:
            say(f"  try    pleinair fetch {f['card']}      (brings a whole one)")
    total = sum(f["bytes"] for f in found)
    say(f"{len(found) - len(changed)} of {len(found)} files whole, {total / 1e6:.1f} MB read")
    write_json({"files": found, "ok": not changed}, args.json)
    return 1 if changed else 0


def _prune(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import find_card, known_names

    cards = [find_card(name) for name in known_names()]  # one that cannot be read ends it: its files must not go
    wanted = {f.sha256 for card in cards for f in card.files.values()}
    gone = [p for p in store.blobs() if p.name not in wanted]
    total = sum(p.stat().st_size for p in gone)
    removed: list[tuple[str, int]] = []
    if not gone:
        say("nothing to remove: each file of the store is named by a card")
    else:
        say_table([(p.name[:12] + "...", p.stat().st_size / 1e6, "MB") for p in gone], right=[1])
        if args.yes or _asked(f"remove {len(gone)} files, {total / 1e6:.1f} MB? [y/N] "):
            removed = store.prune(cards)
            say(f"removed {len(removed)} files, {sum(b for _, b in removed) / 1e6:.1f} MB")
        else:
            say("nothing was removed" + ("" if sys.stdin.isatty() else "; --yes removes without asking"))
    write_json({"found": [p.name for p in gone], "removed": [s for s, _ in removed], "bytes": total}, args.json)
    return 0


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
