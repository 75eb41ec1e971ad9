"""`models verify` and `models prune`: is what lies in the store what it was, and what of it does nobody need?"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from .progress import Bars
from .say import FAULT, paint, say, write_json
from .table import say_table


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
    for f in changed:
        what = f"{f['name']} of {f['card']}" if f["card"] else "a file that no card names"
        say(paint(f"{what} is not what it was: its hash is another than {f['sha256'][:12]}...", FAULT))
        say(f"  {store.path_of(f['sha256'])}")
        if f["card"]:
            say(f"  try    pleinair fetch {f['card']}      (brings a whole one)")
    say(f"{len(found) - len(changed)} of {len(found)} files whole, {done / 1e6:.1f} MB read")
    write_json({"files": found, "ok": not changed, "bytes": done, "seconds": round(seconds, 3)}, args.json)
    return 1 if changed else 0


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
            removed = store.prune(cards)
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
