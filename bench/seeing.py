"""Throughput of each vision task in a piece against a bare loop over the same function, pictures in to results out.

Every card of a task in `pleinair.models.seeing` (and stylise) whose weights are on this machine; what is not there is
named and left out: `pleinair fetch CARD` brings it. Pictures are real: frames of the film, or, for what reads people,
a portrait under a camera that moves a little.
"""

from __future__ import annotations

import statistics
import sys

import numpy as np

import pleinair
from pleinair import plugins
from pleinair.core.errors import Fault
from pleinair.core.kinds import Image
from pleinair.models import clip_path, store
from pleinair.models.card import Card, all_cards

from . import rates
from .common import Figure

GOAL = 0.9
SIZE = (640, 360)
COUNT = 24


def run(quick: bool = False) -> list[Figure]:
    from pleinair.stage.show import one_thread_each

    one_thread_each()  # as in a show: on both sides
    figures = []
    for card in cards():
        if absent := store.missing(card):
            print(f"  {card.name}: {', '.join(f.name for f in absent)} not here", file=sys.stderr, flush=True)
            continue
        try:
            figures.append(_one(card, 1.0 if quick else 2.0, 3 if quick else 9))
        except Fault as fault:
            print(f"  {card.name} was left out: {fault.what}", file=sys.stderr, flush=True)
    return figures


def cards() -> list[Card]:
    points = plugins.names("tasks")
    seeing = {task for task, point in points.items() if point.value.startswith("pleinair.models.seeing.")}
    return [card for card in all_cards() if card.task in seeing | {"stylise"}]


def _one(card: Card, seconds: float, rounds: int) -> Figure:
    model = pleinair.load(card)
    model.open()
    inputs = pictures(card) if next(iter(model.ports.values())) is Image else [n / COUNT for n in range(COUNT)]
    bare, piece = [], []
    rates.bare(model, inputs, min(seconds, 1.0))
    for _ in range(rounds):  # one after the other, so that a drift of the machine meets both
        bare.append(rates.bare(model, inputs, seconds, bare[-1] if bare else 30))
        piece.append(rates.in_piece(model, inputs, bare[-1] * 1.1, seconds))
    ratio = statistics.median(p / b for p, b in zip(piece, bare, strict=True))
    backend = model.describe()["backend"]
    model.close()
    return Figure(
        f"{card.name} in a piece against its function in a bare loop", round(ratio, 4), "x", f">= {GOAL}",
        ratio >= GOAL,
        {"bare_per_s": round(statistics.median(bare), 1), "piece_per_s": round(statistics.median(piece), 1),
         "rounds": rounds, "picture": list(SIZE), "backend": backend},
    )  # fmt: skip


def pictures(card: Card) -> list[np.ndarray]:
    """uint8 RGB, 640 x 360, read-only as frames are. Fault where neither film nor portrait is on this machine."""
    if card.senses:
        from pleinair.addresses import read_picture

        return [_panned(read_picture(clip_path("astronaut")), n) for n in range(COUNT)]
    import av

    with av.open(str(clip_path("bigbuckbunny"))) as film:
        frames = [f for n, f in enumerate(film.decode(video=0)) if n % 5 == 0]
    return [Image.check(f.to_ndarray(format="rgb24", width=SIZE[0], height=SIZE[1])) for f in frames[:COUNT]]


def _panned(picture: np.ndarray, number: int) -> np.ndarray:
    """The upper part of a portrait, from where a camera's slow swing has come to."""
    import cv2

    height, width = picture.shape[:2]
    high = round(width * 0.9 * SIZE[1] / SIZE[0])
    left = round(width * (0.05 + 0.04 * np.sin(2 * np.pi * number / COUNT)))
    part = picture[: min(high, height), left : left + round(width * 0.9)]
    return Image.check(cv2.resize(part, SIZE, interpolation=cv2.INTER_AREA))
