"""`models list`: every card, by what it is for, and what of it is on this computer."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING, Any

from ..core.errors import ModelFault
from .say import ACCENT, DIM, FAULT, paint, say, write_json
from .table import heading

if TYPE_CHECKING:
    from ..models.card import Card


def main(args: argparse.Namespace) -> int:
    from ..models import store
    from ..models.card import find_card, known_names

    cards, broken = [], []
    for name in known_names():
        try:
            cards.append(find_card(name))
        except ModelFault as fault:
            broken.append({"name": name, **fault.as_dict()})
    for task, of_task in _grouped(cards):
        heading(f"  {task}")
        for line in _lines(of_task):
            say(line)
    for unreadable in broken:
        say(paint(f"\n  {unreadable['what']}", FAULT))
    found = [entry(c) for c in cards]
    total = sum(p.stat().st_size for p in store.blobs())
    say(f"\n  {sum(e['fetched'] for e in found)} of {len(found)} are here, {total / 1e6:.1f} MB in the store")
    if any(not e["fetched"] for e in found):
        say("  pleinair fetch NAME brings one")
    write_json({"models": found, "broken": broken, "store_bytes": total}, args.json)
    return 1 if broken else 0


def here(card: Card) -> bool:
    from ..models import store

    return not store.missing(card)


def entry(card: Card) -> dict[str, Any]:
    return {
        "name": card.name, "task": card.task, "title": card.title, "licence": card.weights.id, "bytes": card.bytes,
        "sha256": card.sha256, "fetched": here(card),
    }  # fmt: skip


def _grouped(cards: list[Card]) -> list[tuple[str, list[Card]]]:
    """By task, in the order in which the package names its tasks; clips at the end."""
    from .. import plugins

    order = {task: n for n, task in enumerate(plugins.names("tasks"))}
    tasks: dict[str, list[Card]] = {}
    for card in sorted(cards, key=lambda c: (c.task == "clip", order.get(c.task, len(order)), c.task, c.name)):
        tasks.setdefault(card.task, []).append(card)
    return [(("clips, to be shown where there is no camera" if t == "clip" else t), c) for t, c in tasks.items()]


def _lines(cards: list[Card]) -> list[str]:
    """A dot for what is here, the name, its size, its licence, its title; as wide as the terminal."""
    width = shutil.get_terminal_size((120, 24)).columns if sys.stderr.isatty() else 10_000
    lines = []
    for card in cards:
        licence = card.weights.id.removeprefix("LicenseRef-").removeprefix("scancode-")
        text = f"{card.name:<18} {size_text(card.bytes):>9}  {licence:<17}  {card.title}"
        mark = paint("\u25cf", ACCENT) if here(card) else paint("\u25cb", DIM)
        text = text if len(text) <= width - 8 else text[: width - 9] + "\u2026"
        lines.append(f"    {mark} {text}")
    return lines


def size_text(count: int) -> str:
    """`92.4 MB`, `28 kB`."""
    if not count:
        return "no file"
    return f"{count / 1e6:.1f} MB" if count >= 95_000 else f"{count / 1e3:.0f} kB"
