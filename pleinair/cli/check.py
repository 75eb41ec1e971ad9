"""Looks a piece over without a device and without a clock: wiring, models, licences, what would break a replay.

Then it runs two virtual seconds, with synthetic sources in place of devices and each model taking as long as it was
measured to take here, so that what a slow model would skip is skipped. With --film the piece is rendered instead, every
frame, as a film. Exit status 1: it would not run here, or a replay of it would differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import Fault
from . import tried
from .papers import checked_uses, verdicts
from .run import source_options
from .say import ACCENT, FAULT, WrongCall, paint, say, say_fault, write_json
from .table import heading, say_table

if TYPE_CHECKING:
    from ..assembly import Loaded
    from ..core.graph import Graph

EXAMPLE = "pleinair check mirror --film mirror.mp4 --source camera=file:clip.mp4 --size 1280x720"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("piece", metavar="PIECE")
    parser.add_argument(
        "--use", action="append", default=[], metavar="USE", help="exhibit-free, exhibit-paid, sell-edition ..."
    )
    parser.add_argument(
        "--accept", metavar="NAME: REASON", help="sign for the uses named: kept in piece.lock with the date"
    )
    parser.add_argument("--site", type=Path, metavar="FILE", help="the venue's site.toml, laid over piece.toml")
    parser.add_argument(
        "--source", action="append", default=[], metavar="NAME=URI", help="file:clip.mp4, clip:CARD, synthetic"
    )
    parser.add_argument("--film", type=Path, metavar="OUT.mp4", help="render the piece, every frame")
    parser.add_argument("--size", metavar="WxH", help="of the film; sources are opened at this size too")
    parser.add_argument("--model-size", metavar="WxH", help="the models work at this size, not at their own")
    parser.add_argument(
        "--for", dest="seconds", type=float, metavar="SECONDS", help="length of the film (the clip's own)"
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="a steady rate for the film (each frame at its own time)"
    )


def main(args: argparse.Namespace) -> int:
    from .. import assembly

    uses = checked_uses(args.use)
    if args.accept is not None and not uses:
        raise WrongCall("--accept signs for a use, and none is named", hint='--use USE --accept "NAME: reason"')
    size, sources = parse_size(args.size), source_options(args.source)
    if args.film is None and (size or args.fps or args.seconds or args.model_size):
        raise WrongCall("--size, --model-size, --for and --fps are the film's", hint="--film out.mp4 makes one")
    loaded = assembly.load(args.piece, args.site)
    for spec in loaded.manifest.models.values():
        spec.size = parse_size(args.model_size, "--model-size") or spec.size
    found: dict[str, Any] = {"piece": loaded.name, "title": loaded.manifest.title}
    say(paint(loaded.manifest.title, ACCENT) + f"    {loaded.file.parent.name}/{loaded.file.name}")
    found["models"] = _models(loaded)
    permitted = _licences(loaded, uses, sources, args.accept, found)
    graph = _wired(loaded, sources, size, found)
    _findings(loaded, graph, found)
    fine = all(m["state"] == "whole" for m in found["models"]) and found["fault"] is None and permitted
    fine &= not any(f["weight"] == "breaks" for f in found["findings"])
    if graph is not None:
        fine &= tried.film(graph, args, size, found) if args.film else tried.two_seconds(graph, found)
    found["ok"] = bool(fine)
    say()
    say("fine" if fine else paint("not fine", FAULT))
    write_json(found, args.json)
    return 0 if fine else 1


def parse_size(text: str | None, option: str = "--size") -> tuple[int, int] | None:
    """(1280, 720) of "1280x720". WrongCall where it is not."""
    if text is None:
        return None
    width, x, height = text.lower().partition("x")
    if not (x and width.isdigit() and height.isdigit() and 0 < int(width) <= 16_384 and 0 < int(height) <= 16_384):
        raise WrongCall(f"{option} {text} is no size in pixels", hint=f"{option} 1280x720")
    return int(width), int(height)


# -- what it is made of ----------------------------------------------------------------------------------------------


def _models(loaded: Loaded) -> list[dict[str, Any]]:
    """Each card that the piece may need, its files read and hashed."""
    from ..ingredients import cards_in
    from ..licence.papers import with_paper
    from ..models import fetch, store

    cards = cards_in(loaded.manifest)
    if cards:
        heading("made of")
    entries: list[dict[str, Any]] = []
    rows = []
    for card in cards:
        fetch.take_local(card)
        states = {v.state for v in store.verify([card])}
        state = next((s for s in ("missing", "changed") if s in states), "whole")
        licence = with_paper(card, card.weights)[0].id
        entries.append({"card": card.name, "task": card.task, "bytes": card.bytes, "state": state, "licence": licence})
        told = {"whole": "whole", "missing": "not on this computer", "changed": "changed on this disk"}[state]
        rows.append((card.name, card.task, f"{card.bytes / 1e6:.1f} MB", licence, told))
    say_table(rows, right=[2])
    if bad := [e["card"] for e in entries if e["state"] != "whole"]:
        say(f"  try    pleinair fetch {' '.join(bad)}")
    return entries


def _licences(
    loaded: Loaded, uses: list[str], sources: dict[str, str], signed: str | None, found: dict[str, Any]
) -> bool:
    """The gate's opinion of the piece, use by use, and of each card; signs an override where one is given. True where
    nothing but developing is refused without a signature."""
    from ..ingredients import cards_in
    from ..licence import piece
    from ..manifest import Lock

    cards = cards_in(loaded.manifest, sources)
    lock = Lock.load(loaded.lock_file)
    opinions = piece.opinions(loaded.manifest, cards, lock, uses)
    if signed is not None:
        for opinion in opinions:
            piece.accept(lock, opinion.use, signed, opinion.verdict, cards)
        piece.lock_in(lock, loaded.manifest, cards, [o for o in opinions if o.use in loaded.manifest.uses])
        lock.save(loaded.lock_file)
        opinions = piece.opinions(loaded.manifest, cards, lock, uses)
    found["licences"] = {card.name: verdicts(card, uses, loaded.manifest.operator) for card in cards}
    found["verdicts"] = {opinion.use: opinion.as_dict() for opinion in opinions}
    heading("licences (no legal advice)")
    for opinion in opinions:
        refused = opinion.verdict == "refuse" and opinion.accepted is None
        first = f"  {opinion.use}    {piece.WORDS[opinion.verdict]}"
        say(paint(first, FAULT) if refused else first)
        if opinion.accepted:
            a = opinion.accepted
            say(f"    accepted by {a['name']} on {a['date']}: {a['reason']}")
        if opinion.verdict != "allow":
            for sentence in _few(opinion.because):
                say(f"    {sentence}")
        if opinion.warning:
            say(f"    {opinion.warning}")
        if refused or (opinion.verdict == "ask" and opinion.accepted is None):
            say(f'    try    pleinair check {loaded.name} --use {opinion.use} --accept "NAME: reason"   (once settled)')
    return all(o.use == "develop" or o.verdict != "refuse" or o.accepted is not None for o in opinions)


MANY = 12


def _few(sentences: list[str]) -> list[str]:
    """Libraries that all ask for the same are many; the JSON has every one."""
    if len(sentences) <= MANY:
        return sentences
    return [*sentences[:MANY], f"... and {len(sentences) - MANY} more (--json - writes them all)"]


# -- wiring ----------------------------------------------------------------------------------------------------------


def _wired(
    loaded: Loaded, sources: dict[str, str], size: tuple[int, int] | None, found: dict[str, Any]
) -> Graph | None:
    """The graph, with stand-ins for devices; None where it cannot be built (then `fault` says why)."""
    from .. import assembly
    from ..addresses import split_uri

    for name, spec in loaded.manifest.sources.items():
        scheme = split_uri(spec.device)[0]
        if scheme in ("file", "clip", "picture") and name in loaded.piece.declared:
            sources.setdefault(name, spec.device)  # no device: it can be played here too
        if size is not None and ("size" in spec.options or name in sources):
            spec.options["size"] = size
    found["fault"] = found["graph"] = None
    try:
        parts = assembly.MachineParts(loaded, sources=sources, stand_in=True)
        graph = assembly.assemble(loaded, parts)
    except Fault as fault:
        found["fault"] = fault.as_dict()
        say()
        say_fault(fault)
        return None
    found["graph"] = graph.as_dict()
    heading("wiring")
    rows = []
    for node in found["graph"]["nodes"]:
        hot, cold, cuts = [], [], []
        for r, reads in zip(node["reads"], graph.nodes[node["name"]].inputs, strict=True):
            row = cuts if reads.cancels else hot if r["hot"] else cold
            row.append(r["stream"] + ("" if reads.cancels else _policy(r, graph)))
        told = (("looks at", cold), ("interrupted by", cuts))
        reads = hot + [f"{how} {', '.join(names)}" for how, names in told if names]
        shown = f"-> {', '.join(node['screens'])}" if node["screens"] else ""
        what = f"{node['about'].get('uri', '')}" if node["role"] == "source" and "about" in node else "; ".join(reads)
        rows.append(
            (node["name"], node["role"] if what or reads else "knob", node["kind"] or "as it comes", what, shown)
        )
    say_table(rows, ("stream", "role", "kind", "reads", ""))
    return graph


def _policy(reads: dict[str, Any], graph: Graph) -> str:
    kind = graph.nodes[reads["stream"]].kind
    usual = kind.policy if kind else "latest"
    return f" ({reads['policy']})" if reads["policy"] != usual else ""


def _findings(loaded: Loaded, graph: Graph | None, found: dict[str, Any]) -> None:
    """Slips in the wiring, and what the text of piece.py would do to a replay."""
    from ..lint import BREAKS, lint

    found["warnings"] = loaded.piece.warnings()
    findings = lint(loaded.text, loaded.file.name, pictures_of(loaded, graph))
    found["findings"] = [f.as_dict() for f in findings]
    for title, chosen in (
        ("would break a replay", [f for f in findings if f.weight == BREAKS]),
        ("look at", [f for f in findings if f.weight != BREAKS]),
    ):
        if chosen or (title == "look at" and found["warnings"]):
            heading(title)
        for place, f in enumerate(chosen):
            say("  " + (paint(f.what, FAULT) if f.weight == BREAKS else f.what))
            following = chosen[place + 1] if place + 1 < len(chosen) else None
            if following is None or following.line != f.line:
                say(f"    {f.where}")
            if following is None or (following.line, following.hint) != (f.line, f.hint):
                say(f"    try    {f.hint}")
    for warning in found["warnings"]:
        for line in warning.split("\n"):
            say("  " + line)


def pictures_of(loaded: Loaded, graph: Graph | None) -> dict[str, set[str]]:
    """For each function of the piece: its parameters that carry pictures (u8)."""
    from ..core.kinds import Image

    if graph is None:
        return {}
    found: dict[str, set[str]] = {}
    for d in loaded.piece.declared.values():
        if d.function is None or d.name not in graph.nodes:
            continue
        kinds = {p: graph.nodes[s].kind for p, s in d.reads.items()}
        first = next(iter(kinds.values()), None)
        if "previous" in d.takes:
            kinds["previous"] = graph.nodes[d.name].kind or (Image if d.screen else first)
        name = getattr(d.function, "__name__", "")
        found.setdefault(name, set()).update(p for p, kind in kinds.items() if kind is Image)
    return found
