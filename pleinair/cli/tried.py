"""A piece tried out on a virtual clock: two seconds of it, or a film."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..core.errors import Fault
from ..core.graph import Graph
from .say import FAULT, paint, say, say_fault
from .table import heading, say_table

VIRTUAL_S = 2.0


def two_seconds(graph: Graph, found: dict[str, Any]) -> bool:
    """Two virtual seconds, strict: the first fault ends it. Whether every screen showed something and nothing was lost;
    into `found` what happened."""
    from ..foretell import declared_costs
    from ..run.offline import OfflineRunner

    heading(f"{VIRTUAL_S:g} virtual seconds")
    try:
        costs = declared_costs(graph)
        runner = OfflineRunner(graph, costs=costs)
        report = runner.run(VIRTUAL_S).report()
    except Fault as fault:
        return _ended(fault, found)
    nodes = {n: {k: v[k] for k in ("fired", "published", "skipped", "lost")} for n, v in report["nodes"].items()}
    found["run"] = {"seconds": VIRTUAL_S, "frames": report["frames"], "fps": report["fps"], "nodes": nodes,
                    "declared_ms": {n: round(s * 1e3, 2) for n, s in costs.items()}}  # fmt: skip
    rows = [
        (n, v["fired"], v["skipped"] or None, v["lost"] or None, costs[n] * 1e3 if n in costs else None)
        for n, v in nodes.items()
    ]
    say_table(rows, ("stream", "fired", "skipped", "lost", "takes ms"), right=[1, 2, 3, 4])
    silent = [n for n in graph.screens.values() if not nodes[n]["published"]]
    for name in silent:
        say(paint(f"  {name} showed nothing in {VIRTUAL_S:g} seconds", FAULT))
    return not silent and not any(v["lost"] for v in nodes.values())


def film(graph: Graph, args: argparse.Namespace, size: tuple[int, int] | None, found: dict[str, Any]) -> bool:
    """The piece as a film at `args.film`, every frame: without costs nothing is skipped. Whether there is one."""
    from ..core.observer import Observer
    from ..observers.screen_film import ScreenFilm
    from ..plugins import find
    from ..run.offline import OfflineRunner
    from .progress import Bars

    seconds = args.seconds or film_length(graph)
    writer = ScreenFilm(
        args.film, size=size, make=lambda path, size: find("sinks", "film")(path, size=size, fps=args.fps)
    )
    shown = set(graph.screens.values())
    with Bars("seconds") as bars:

        class Tell(Observer):
            def on_frame(self, frame: Any, raw: Any = None) -> None:
                if frame.stream in shown:
                    bars(args.film.name, min(frame.t, seconds - 1e-3), seconds)

        heading(f"film, {seconds:.2f} s")
        runner = OfflineRunner(graph, observers=[writer, Tell()])
        try:
            runner.run(seconds)
        except Fault as fault:
            return _ended(fault, found)
        bars(args.film.name, seconds, seconds)
    if runner.observers.failed:
        return _ended(runner.observers.failed[0], found)
    if not writer.frames:
        return _ended(Fault("nothing was shown, so there is no film", hint="is a source empty?"), found)
    files = sorted(
        {args.film, *args.film.parent.glob(f"{args.film.stem}-*{args.film.suffix}")} if len(shown) > 1 else {args.film}
    )
    found["film"] = {"files": [str(f) for f in files if f.exists()], "frames": writer.frames, "seconds": seconds}
    say(f"  {args.film}    {writer.frames} frames")
    return True


def film_length(graph: Graph) -> float:
    """The longest clip's length in seconds; 10 s where there is none."""
    longest = 0.0
    for node in graph.nodes.values():
        target = getattr(getattr(node, "source", None), "target", "")
        if target and Path(target).is_file():
            import av

            try:
                with av.open(f"file:{target}") as container:
                    stream = container.streams.video[0]
                    length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
                    longest = max(longest, length or (container.duration or 0) / 1e6)
            except (av.error.FFmpegError, IndexError, OSError):
                continue  # the source says what is wrong with it when it is opened
    return longest or 10.0


def _ended(fault: Fault, found: dict[str, Any]) -> bool:
    found["fault"] = fault.as_dict()
    say_fault(fault)
    return False
