"""`models verify` and `models prune`: is what lies in the store what it was, and what of it does nobody need?"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from .progress import Bars
from .say import FAULT, paint, say, write_json
from .table import say_table

if TYPE_CHECKING:
    from ..models.card import Card, File


def verify(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import all_cards

    names = {f.sha256: (c.name, f.name) for c in all_cards() for f in c.files.values()}
    total = sum(place.stat().st_size for place in store.blobs())
    found: list[dict[str, Any]] = []
    done, began = 0, time.monotonic()
    with Bars() as bars:
        for place in store.blobs():
            verdict = store.verify_one(place)
            done += verdict.bytes
            bars("reading the store", done, total)
            card, name = names.get(verdict.sha256, ("", ""))
            found.append(
                {"sha256": verdict.sha256, "bytes": verdict.bytes, "state": verdict.state, "card": card, "name": name}
            )
    seconds = time.monotonic() - began
    changed = [f for f in found if f["state"] != "whole"]
    cards = {card.name: card for card in all_cards()}
    for f in changed:
        what = f"{f['name']} of {f['card']}" if f["card"] else "a file that no card names"
        why = f"its hash is another than {f['sha256'][:12]}..."
        unread = f["state"] == "unreadable"
        say(paint(f"{what} cannot be read" if unread else f"{what} is not what it was: {why}", FAULT))
        say(f"  {store.path_of(f['sha256'])}")
        say(f"  try    {_remedy(cards.get(f['card']), f['sha256'])}")
    halves = [(card, file) for card in cards.values() if (gone := _half(card)) for file in gone]
    for card, file in halves:
        rest = ", and the rest of it is here" if len(store.missing(card)) < len(card.needed) else ""
        say(paint(f"{file.name} of {card.name} is missing{rest}", FAULT))
        say(f"  try    {_remedy(card, file.sha256)}")
    strangers = store.strangers()
    for place in strangers[:5]:
        say(f"not a file of the store, and left alone: {place}")
    say(f"{len(found) - len(changed)} of {len(found)} files whole, {done / 1e6:.1f} MB read")
    found += [
        {"sha256": f.sha256, "bytes": 0, "state": "missing", "card": card.name, "name": f.name} for card, f in halves
    ]
    ok = not changed and not halves
    told = {
        "files": found,
        "ok": ok,
        "bytes": done,
        "seconds": round(seconds, 3),
        "strangers": list(map(str, strangers)),
    }
    write_json(told, args.json)
    return 0 if ok else 1


def _half(card: Card) -> list[File]:
    """What is missing of a card of which something is here, or that has no source but its owner's disk."""
    from ..models import store
    from ..models.store_faults import has_source

    missing = store.missing(card)
    if len(missing) < len(card.needed):
        return missing
    return [file for file in missing if not has_source(card, file)]


def _remedy(card: Card | None, sha256: str) -> str:
    from ..models.store_faults import again, has_source

    if card is None:
        return "pleinair models prune      (removes what no card names)"
    file = next(f for f in card.files.values() if f.sha256 == sha256)
    return f"pleinair fetch {card.name}      (brings a whole one)" if has_source(card, file) else again(file)


def prune(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import find_card, known_names

    cards = [find_card(name) for name in known_names()]  # one that cannot be read ends it: its files must not go
    gone = store.strays(cards)
    total = sum(p.stat().st_size for p in gone)
    removed: list[tuple[str, int]] = []
    if not gone:
        say("nothing to remove: each file of the store is named by a card")
    else:
        say_table([(f"{p.name[:12]}...", p.stat().st_size / 1e6, "MB", _what(p)) for p in gone], right=[1])
        if args.yes or _asked(f"remove {len(gone)} files, {total / 1e6:.1f} MB? [y/N] "):
            try:
                removed = store.prune(cards)
            except OSError as error:
                raise store.disk_fault(error) from None
            say(f"removed {len(removed)} files, {sum(b for _, b in removed) / 1e6:.1f} MB")
        else:
            say("nothing was removed" + ("" if sys.stdin.isatty() else "; --yes removes without asking"))
    write_json({"found": [p.name for p in gone], "removed": [s for s, _ in removed], "bytes": total}, args.json)
    return 0


def _what(place: Any) -> str:
    return "the beginning of a file that no card names" if place.parent.name == "partial" else ""


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
