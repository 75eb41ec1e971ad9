"""Throughput of a piece against a bare loop: synthetic source, style at 320x240, null sink."""

from __future__ import annotations

import statistics

from . import rates
from .common import Cached, Figure, precisions, style

SIZE = (320, 240)


def run(quick: bool = False) -> list[Figure]:
    return [_one(p, 2.0 if quick else 4.0, 3 if quick else 7) for p in precisions()]


def _one(precision: str, seconds: float, rounds: int) -> Figure:
    model = style(precision, SIZE)
    pictures = Cached(SIZE, 30).values
    bare, piece = [], []
    rates.bare(model, pictures, 0.5)
    for _ in range(rounds):  # one after the other, so that a drift of the machine meets both
        bare.append(rates.bare(model, pictures, seconds))
        piece.append(rates.in_piece(model, pictures, bare[-1] * 1.1, seconds))
    ratio = statistics.median(p / b for p, b in zip(piece, bare, strict=True))
    return Figure(
        f"throughput of a piece against a bare loop, {precision}", round(ratio, 4), "x", ">= 0.97", ratio >= 0.97,
        {"bare_fps": round(statistics.median(bare), 1), "piece_fps": round(statistics.median(piece), 1),
         "rounds": rounds,
         "backend": model.describe()["backend"]},
    )  # fmt: skip
