"""Runs a piece for a while and measures it: for `profile`.

With its own sources or with pictures that cost nothing, with what is shown encoded as the stage does or not, with its
models here or at the other end of a network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import assembly
from .core.clock import WallClock
from .core.frame import Frame
from .core.graph import Graph
from .core.kinds import Image, Size
from .core.observer import Observer
from .core.source import Capture, Source
from .foretell import repeated
from .piece import ModelNode
from .run.live import LiveRunner
from .run.stats import Ring, Stats

WARM_S = 1.0


class Repeated(Source):
    """A few pictures, made beforehand, over and over at a steady rate: a source that costs nothing."""

    kind = Image
    paced = True

    def __init__(self, size: Size, rate: float = 30.0, count: int = 24) -> None:
        self.size, self.rate, self._count = size, rate, count
        self._pictures: list[np.ndarray] = []
        self._stopped = False

    def open(self) -> None:
        from .sources.synthetic import Synthetic

        self._stopped = False
        if not self._pictures:
            room = Synthetic("room", size=self.size, rate=self.rate)
            self._pictures = [Image.check(room.picture(n)) for n in range(self._count)]

    def __iter__(self) -> Iterator[Capture]:
        number = 0
        while not self._stopped:
            picture = self._pictures[number % self._count]
            yield Capture(picture, t_ns=round(number * 1e9 / self.rate))
            number += 1

    def interrupt(self) -> None:
        self._stopped = True


class Encoder(Observer):
    """Encodes the newest picture of the screens in a thread of its own, as the stage does for its viewers."""

    def __init__(self) -> None:
        self.took, self.age = Ring(), Ring()
        self.bytes = self.count = 0
        self._screens: set[str] = set()
        self._newest: Frame | None = None
        self._there = threading.Condition()
        self._stopped = False
        self._clock: Any = None

    def forget(self) -> None:
        self.took, self.age, self.bytes, self.count = Ring(), Ring(), 0, 0

    def on_start(self, graph: Graph, clock: Any) -> None:
        self._screens, self._clock = set(graph.screens.values()), clock
        threading.Thread(target=self._run, name="pleinair:encoder", daemon=True).start()

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        if frame.stream in self._screens:
            with self._there:
                self._newest = frame
                self._there.notify()

    def on_stop(self) -> None:
        with self._there:
            self._stopped = True
            self._there.notify()

    def _run(self) -> None:
        from .stage.screen import to_jpeg

        while True:
            with self._there:
                while self._newest is None and not self._stopped:
                    self._there.wait()
                if self._stopped:
                    return
                frame, self._newest = self._newest, None
            if frame is None or not isinstance(frame.data, np.ndarray) or frame.data.ndim != 3:
                continue
            began = time.perf_counter_ns()
            self.bytes += len(to_jpeg(frame.data)[0])
            self.took.add(time.perf_counter_ns() - began)
            self.age.add(self._clock.now_ns() - frame.t_ns)
            self.count += 1


class CheapParts:
    """The piece's own parts, but for its picture sources: those give pictures that cost nothing."""

    def __init__(self, parts: assembly.MachineParts, rate: float = 30.0) -> None:
        self._parts, self._rate = parts, rate
        self.model, self.sink, self.interrupt = parts.model, parts.sink, parts.interrupt

    def source(self, name: str) -> Source:
        source = self._parts.source(name)
        if source.kind is not Image:
            return source
        return Repeated(getattr(source, "size", None) or (640, 480), self._rate)


Change = Callable[[Graph, WallClock], Graph]


def run(
    piece: str, seconds: float, *, site: Any = None, sources: dict[str, str] | None = None, cheap: bool = False,
    encode: bool = False, change: Change | None = None,
) -> tuple[dict[str, Any], LiveRunner]:  # fmt: skip
    """(the runner's report, the runner, which has stopped). The first WARM_S seconds do not count.

    cheap    pictures that cost nothing instead of the piece's sources
    encode   also encode what is shown, as for a viewer; its age is in report["encoded"]
    change   makes another graph of the piece's own before it runs
    """
    loaded = assembly.load(piece, site)
    parts = assembly.MachineParts(loaded, sources=sources, live=True)
    graph = loaded.piece.build(CheapParts(parts), loaded.manifest.seed) if cheap else assembly.assemble(loaded, parts)
    clock = WallClock()
    if change is not None:
        graph = change(graph, clock)
    encoder = Encoder()
    runner = LiveRunner(graph, observers=[encoder] if encode else [], clock=clock)
    before = time.process_time()
    runner.start()
    try:
        runner.wait(WARM_S)
        stats = Stats()  # another one, so that the start does not count
        stats.on_start(graph, clock)
        runner.observers.add(stats)
        encoder.forget()
        before, began = time.process_time(), time.monotonic()
        runner.wait(seconds)
        lasted = time.monotonic() - began
        report = stats.report() | {
            "first_frame_s": runner.report()["first_frame_s"],
            "faults": runner.report()["faults"],
        }
        report["seconds"] = round(lasted, 2)
        report["cpu_s"] = round(time.process_time() - before, 2)
        report["fps"] = round(report["frames"] / max(1, len(graph.screens)) / lasted, 2)
    finally:
        runner.stop()
    report["notices"] = parts.notices
    report["encoded"] = None
    if encode and encoder.count:
        report["encoded"] = {
            "ran_ms": encoder.took.percentiles(), "age_ms": encoder.age.percentiles(),
            "kb": round(encoder.bytes / encoder.count / 1e3, 1),
        }  # fmt: skip
    return report, runner


def alone(runner: LiveRunner, seconds: float = 2.0) -> dict[str, dict[str, Any]]:
    """Each model by itself, in a bare loop over the last frames that it read, u8 to u8: {name: {"ran_ms", "fps",
    "backend"}}. The runner has stopped."""
    found = {}
    for node in runner.graph.nodes.values():
        if not isinstance(node, ModelNode):
            continue
        frames = {p: runner.latest(i.stream) for p, i in zip(node._ports, node.inputs, strict=False)}
        ports = {p: f.data for p, f in frames.items() if f is not None}
        if len(ports) < len(frames):
            continue  # it was never fed
        node.open()
        turns = repeated(node.model, {**node.constants, **ports})
        for _ in range(3):
            next(turns)
        took, end = Ring(), time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter_ns()
            next(turns)
            took.add(time.perf_counter_ns() - began)
        node.close()
        figures = took.percentiles()
        found[node.name] = {
            "ran_ms": figures, "fps": round(1e3 / figures["p50"], 1) if figures else None,
            "backend": node.describe().get("backend", {}),
        }  # fmt: skip
    return found
