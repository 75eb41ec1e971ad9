"""Throughput of a piece against a bare loop: synthetic source, style at 320x240, null sink."""

from __future__ import annotations

import statistics
import time

from pleinair import Piece
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null

from .common import BenchParts, Cached, Figure, Kept, precisions, style

SIZE = (320, 240)


def run(quick: bool = False) -> list[Figure]:
    return [_one(p, 2.0 if quick else 4.0, 3 if quick else 7) for p in precisions()]


def _one(precision: str, seconds: float, rounds: int) -> Figure:
    model = style(precision, SIZE)
    pictures = Cached(SIZE, 30).values
    bare, piece = [], []
    _bare(model, pictures, 0.5)
    for _ in range(rounds):  # one after the other, so that a drift of the machine meets both
        bare.append(_bare(model, pictures, seconds))
        piece.append(_piece(model, bare[-1] * 1.1, seconds))
    ratio = statistics.median(p / b for p, b in zip(piece, bare, strict=True))
    return Figure(
        f"throughput of a piece against a bare loop, {precision}", round(ratio, 4), "x", ">= 0.97", ratio >= 0.97,
        {"bare_fps": round(statistics.median(bare), 1), "piece_fps": round(statistics.median(piece), 1),
         "rounds": rounds,
         "backend": model.describe()["backend"]},
    )  # fmt: skip


def _bare(model, pictures, seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        model(pictures[count % len(pictures)])
        count += 1
    return count / (time.perf_counter() - began)


def _piece(model, rate: float, seconds: float) -> float:
    """The source is somewhat quicker than the model, so that a frame is always waiting."""
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("null", reads="painting")
    runner = LiveRunner(piece.build(BenchParts(Cached(SIZE, rate), Kept(model), Null())))
    runner.start()
    time.sleep(0.3)
    before, began = runner.stats.fired["null"], time.perf_counter()
    time.sleep(seconds)
    done = (runner.stats.fired["null"] - before) / (time.perf_counter() - began)
    runner.stop()
    return done
