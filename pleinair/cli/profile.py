"""Where the time goes: each stream's waiting, running and age; the model alone; the price of camera and encoding.

The piece runs without a stage. What is shown is encoded as for a viewer, and the age is that of the encoded picture:
what the browser adds is not in it. With --cloud the same piece runs again with its models at a network's other end: a
real connection over the loopback carries the pictures as JPEG, and each message takes half of RTT_MS on its way;
EXTRA_MS of computing are added here and there alike. Exit status 1: the age (p95) is over the piece's own budget.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .run import source_options
from .say import ACCENT, FAULT, WrongCall, paint, say, say_fault, write_json
from .table import heading, say_table

if TYPE_CHECKING:
    from ..cloud import Network
    from ..core.clock import WallClock
    from ..core.graph import Graph

EXAMPLE = "pleinair profile mirror --for 20 --cloud 72,100"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("piece", metavar="PIECE")
    parser.add_argument("--for", dest="seconds", type=float, metavar="S", default=10.0, help="each run (10 seconds)")
    parser.add_argument("--site", type=Path, metavar="FILE", help="the venue's site.toml, laid over piece.toml")
    parser.add_argument("--source", action="append", default=[], metavar="NAME=URI", help="as for run")
    parser.add_argument("--cloud", metavar="RTT_MS[,EXTRA_MS]", help="with a network in between, in milliseconds")


def main(args: argparse.Namespace) -> int:
    from .. import assembly, measure

    network = parse_cloud(args.cloud)
    sources = source_options(args.source)
    if not 0.2 <= args.seconds <= 3600:
        raise WrongCall(f"--for {args.seconds:g} is no time to measure in", hint="--for 10")
    loaded = assembly.load(args.piece, args.site)
    for name, spec in loaded.manifest.sources.items():
        if spec.device == "browser" and name not in sources:
            sources[name] = "synthetic:room"
            say(f"{name}: no page is open here to lend its camera; synthetic:room plays in its place")
    options: dict[str, Any] = {"site": args.site, "sources": sources}
    say(paint(loaded.manifest.title, ACCENT) + f"    {args.seconds:g} s each")

    whole, runner = measure.run(args.piece, args.seconds, encode=True, **options)
    for notice in whole["notices"]:
        say(f"  {notice['name']}: {notice['text']}")
    models = measure.alone(runner)
    _streams(whole)
    bare, _ = measure.run(args.piece, args.seconds, cheap=True, **options)
    found = {
        "piece": loaded.name, "title": loaded.manifest.title, **_contract(whole, models),
        "encoded": whole["encoded"], "alone": models, "without_sensor": _short(bare), "cloud": None,
    }  # fmt: skip
    found["overheads"] = _overheads(whole, bare, models)
    if network:
        found["cloud"] = _cloud(args, options, network, models)
    fine = _budget(loaded.manifest.age_ms, whole, found)
    for fault in whole["faults"]:
        from ..core.errors import Fault

        say_fault(Fault(fault["what"], where=fault["where"], now=fault["now"], hint=fault["hint"]), fault["count"])
    write_json(found, args.json)
    return 0 if fine else 1


def parse_cloud(text: str | None) -> Network | None:
    """Network(72, 100) of "72,100". WrongCall where it is not."""
    from ..cloud import Network

    if text is None:
        return None
    try:
        figures = [float(part) for part in text.split(",")]
        if not 1 <= len(figures) <= 2 or not all(math.isfinite(f) and 0 <= f <= 60_000 for f in figures):
            raise ValueError
    except ValueError:
        raise WrongCall(
            f"--cloud {text} is no round trip in milliseconds", hint="--cloud 72 or --cloud 72,100"
        ) from None
    return Network(*figures)


# -- what is told ----------------------------------------------------------------------------------------------------


def _contract(report: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    """The report of the contract."""
    from .. import machine

    keys = ("seconds", "frames", "fps", "age_ms", "nodes", "first_frame_s", "cpu_s", "faults", "notices")
    return {k: report[k] for k in keys} | {
        "glass_ms": None,
        "rss_mb": machine.rss_mb(),
        "energy": {"grade": "E", "wh": None, "low_wh": None, "high_wh": None},
        "backends": {name: m["backend"] for name, m in models.items()},
    }


def _short(report: dict[str, Any]) -> dict[str, Any]:
    return {k: report[k] for k in ("seconds", "frames", "fps", "age_ms", "cpu_s")}


def _streams(report: dict[str, Any]) -> None:
    heading("each stream, in ms")
    rows = []
    for name, n in report["nodes"].items():
        row: list[Any] = [name, n["fired"], n["skipped"] or None, n["lost"] or None]
        for figures in (n["waited_ms"], n["ran_ms"], n["age_ms"]):
            row += [figures[p] for p in ("p50", "p95", "p99")] if figures and n["published"] else [None] * 3
        rows.append(row)
    head = ["stream", "fired", "skipped", "lost", "waited", "p95", "p99", "ran", "p95", "p99", "age", "p95", "p99"]
    say_table(rows, head, right=range(1, 13))


def _overheads(whole: dict[str, Any], bare: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    heading("what costs what")
    rows: list[list[Any]] = []
    for name, m in models.items():
        backend = m["backend"]
        told = f"{backend.get('name')} {backend.get('precision')}, {backend.get('threads')} threads"
        rows.append([f"{name} alone", m["fps"], m["ran_ms"]["p50"], m["ran_ms"]["p95"], f"u8 to u8, {told}"])
    rows.append(["piece, pictures that cost nothing", bare["fps"], *_ages(bare), "age at the draw"])
    rows.append(["piece, its own sources", whole["fps"], *_ages(whole), "age at the draw"])
    if whole["encoded"]:
        age, ran = whole["encoded"]["age_ms"], whole["encoded"]["ran_ms"]
        told = f"age when encoded ({ran['p50']:.1f} ms, {whole['encoded']['kb']:.0f} kB each)"
        rows.append(["piece, and encoded for a viewer", whole["fps"], age["p50"], age["p95"], told])
    say_table(rows, ("", "fps", "ms", "p95", ""), right=[1, 2, 3])
    sensor = whole["nodes"]
    own = {n: v["ran_ms"]["p50"] for n, v in sensor.items() if n not in models and v["published"] > 1 and v["ran_ms"]}
    return {
        "draw_and_runtime_ms": _minus(bare["age_ms"], _slowest(models)),
        "sensor_ms": _minus(whole["age_ms"], bare["age_ms"]),
        "encode_ms": whole["encoded"]["ran_ms"]["p50"] if whole["encoded"] else None,
        "nodes_ms": own,
    }


def _ages(report: dict[str, Any]) -> tuple[float | None, float | None]:
    age = report["age_ms"]
    return (age["p50"], age["p95"]) if age else (None, None)


def _slowest(models: dict[str, Any]) -> dict[str, float] | None:
    return max((m["ran_ms"] for m in models.values()), key=lambda f: f["p50"], default=None)


def _minus(a: dict[str, float] | None, b: dict[str, float] | None) -> float | None:
    return round(a["p50"] - b["p50"], 2) if a and b else None


def _budget(budget_ms: float | None, report: dict[str, Any], found: dict[str, Any]) -> bool:
    age = report["encoded"]["age_ms"] if report["encoded"] else report["age_ms"]
    found["budget"] = {"age_ms": budget_ms, "p95_ms": age["p95"] if age else None, "kept": None}
    say()
    if age is None:
        say(paint("nothing was shown", FAULT))
        return False
    if budget_ms is None:
        say(f"the age is {age['p95']:.0f} ms (p95); piece.toml sets no budget ([budget] age_ms = 100)")
        return True
    kept = found["budget"]["kept"] = age["p95"] <= budget_ms
    if kept:
        left = f"{budget_ms - age['p95']:.0f} ms are left for the glass"
        say(f"the age is {age['p95']:.0f} ms (p95), of {budget_ms:g}: {left}")
    else:
        say(paint(f"the age is {age['p95']:.0f} ms (p95), over the budget of {budget_ms:g}", FAULT))
    return kept


# -- with a network in between -----------------------------------------------------------------------------------------


def _cloud(
    args: argparse.Namespace, options: dict[str, Any], network: Network, models: dict[str, Any]
) -> dict[str, Any]:
    """The piece here, asking one after the other, and with the connection kept full; pictures that cost nothing."""
    from .. import cloud, measure
    from ..piece import ModelNode

    slowest = _slowest(models)
    if slowest is None:
        say("  no model: there is nothing that a network could take away")
        return {"rtt_ms": network.rtt_ms, "extra_ms": network.extra_ms}
    computing_ms = slowest["p50"] + network.extra_ms
    full = 1 + math.ceil(network.rtt_ms / computing_ms)

    def here(graph: Graph, clock: WallClock) -> Graph:
        for node in graph.nodes.values():
            if isinstance(node, ModelNode) and network.extra_ms:
                node.model = cloud.Slower(node.model, network.extra_ms)
        return graph

    def away(window: int) -> measure.Change:
        def change(graph: Graph, clock: WallClock) -> Graph:
            for name in [n.name for n in graph.nodes.values() if isinstance(n, ModelNode)]:
                graph = cloud.move_away(graph, name, network, window, clock)
            return graph

        return change

    found: dict[str, Any] = {"rtt_ms": network.rtt_ms, "extra_ms": network.extra_ms, "window": full}
    runs: dict[str, tuple[str, measure.Change]] = {
        "here": ("here", here),
        "serial": ("there, one after the other", away(1)),
        "pipelined": (f"there, {full} pictures under way", away(full)),
    }
    heading(f"with a network of {network.rtt_ms:g} ms in between, and {network.extra_ms:g} ms more computing")
    rows = []
    for key, (title, change) in runs.items():
        report, _ = measure.run(args.piece, args.seconds, cheap=True, change=change, **options)
        found[key] = _short(report)
        rows.append([title, report["fps"], *_ages(report)])
    say_table(rows, ("", "fps", "age ms", "p95"), right=[1, 2, 3])
    found["sentence"] = _sentence(found)
    say(f"  {found['sentence']}")
    return found


def _sentence(found: dict[str, Any]) -> str:
    here, serial, pipelined = (found[k] for k in ("here", "serial", "pipelined"))
    if not all(r["age_ms"] for r in (here, serial, pipelined)):
        return "nothing came back in this time: measure longer (--for 20)"
    before, after = here["age_ms"]["p50"], pipelined["age_ms"]["p50"]
    slower = f"Asking one after the other, {here['fps']:.1f} fps become {serial['fps']:.1f}."
    if pipelined["fps"] >= 0.9 * here["fps"]:
        kept = f"the rate survives ({pipelined['fps']:.1f}), and the age does not: {before:.0f} ms become {after:.0f}."
    else:
        kept = f"the rate is {pipelined['fps']:.1f}, and the age goes from {before:.0f} to {after:.0f} ms."
    return f"{slower} With the connection kept full {kept}"
