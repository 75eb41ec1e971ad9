"""CPU time of a small model at 30 fps against the bare inference's."""

from __future__ import annotations

import statistics
import time

from pleinair import Piece
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null

from .common import BenchParts, Cached, Figure, Kept, precisions, style

SIZE = (240, 180)
"""Small enough that the model keeps up with 30 fps on a slow pair of cores: what is measured is the runtime."""


def run(quick: bool = False) -> list[Figure]:
    seconds, rounds = (4, 2) if quick else (12, 3)
    return [_one(p, seconds, rounds) for p in precisions()]


def _one(precision: str, seconds: float, rounds: int) -> Figure:
    model = style(precision, SIZE)
    source = Cached(SIZE, 30)
    bare, piece = [], []
    for _ in range(rounds):
        bare.append(_bare(model, source.values, seconds))
        piece.append(_piece(model, seconds))
    ratio = statistics.median(p / b for p, b in zip(piece, bare, strict=True))
    detail = {
        "bare_cpu_percent": round(statistics.median(bare) * 100, 1),
        "piece_cpu_percent": round(statistics.median(piece) * 100, 1),
        "rounds": rounds, "backend": model.describe()["backend"],
    }  # fmt: skip
    return Figure(
        f"CPU time at 30 fps against the bare inference's, {precision}",
        round(ratio, 3),
        "x",
        "<= 1.15",
        ratio <= 1.15,
        detail,
    )


def _bare(model, pictures, seconds: float) -> float:
    """CPU seconds per second of a loop that does nothing but infer, 30 times a second."""
    cpu, began = time.process_time(), time.perf_counter()
    count = 0
    while (now := time.perf_counter() - began) < seconds:
        model(pictures[count % len(pictures)])
        count += 1
        time.sleep(max(0.0, count / 30 - (time.perf_counter() - began)))
    return (time.process_time() - cpu) / now


def _piece(model, seconds: float) -> float:
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("null", reads="painting")
    runner = LiveRunner(piece.build(BenchParts(Cached(SIZE, 30), Kept(model), Null())))
    runner.start()
    time.sleep(0.5)
    cpu, began = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    used = (time.process_time() - cpu) / (time.perf_counter() - began)
    runner.stop()
    return used
