"""Tapes for tests: a piece with a bit of everything, recorded and replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pleinair import Figure, Mask, Piece, Text, same
from pleinair.core.errors import Fault
from pleinair.core.kinds import Event, Landmarks
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape

from .parts import Clip, Parts, number_of


class Again:
    """Replay's way to a piece that a test builds."""

    def __init__(self, make, change=None):
        self._make, self._change = make, change

    def build(self, tape, start):
        return self._make()

    def change(self, tape, graph, node, what, detail):
        if self._change:
            self._change(graph, node, what, detail)


def record(folder: Path, graph, **options) -> Recorder:
    recorder = Recorder(folder, meta={"title": "test"}, files={"piece.py": "# nothing"})
    try:
        OfflineRunner(graph, observers=[recorder], **options).run(options.pop("until", None))
    finally:
        recorder.close()
    return recorder


def replay(folder: Path, make, change=None, **options):
    return Replay(Tape(folder), Again(make, change), **options).run()


def everything():
    """Feedback, chance, a generator that is interrupted, faults, knobs, masks, several sources, two models."""
    piece = Piece()
    piece.source("camera")
    piece.source("words")
    piece.source("voice")
    piece.knob("strength", 0.5)
    piece.knobs("styles", 3, [0.1, 0.2, 0.3])
    piece.model("painting", reads="camera")
    piece.model("other", reads="painting")

    @piece.node
    def mask(camera, previous, rng, dt) -> Mask:
        noise = rng.random(camera.shape[:2], np.float32)
        return np.clip(previous * 0.5 + noise * 0.5, 0, 1)

    @piece.node(interrupt="voice")
    def spoken(words) -> Text:
        for n, word in enumerate(words.split()):
            yield f"{n} {word}"

    @piece.node
    def hands(camera) -> Landmarks:
        return [Figure([[0.1, 0.2]], ["tip"], 0.5, n=number_of(camera))]

    @piece.draw
    def draw(painting, camera: same, mask, strength, styles, spoken, hands, t):
        if number_of(camera) % 7 == 3:
            raise RuntimeError(f"number {number_of(camera)} is bad")
        return (painting * strength + camera * styles[0] + mask[..., None] * len(spoken) + t + hands.tip.x).astype(
            np.uint8
        )

    def make():
        words = [(0.05, "one two three four five"), (0.4, "six seven")]
        voice = [(0.16, {"said": ["stop", 1.5]})]
        parts = Parts(
            camera=Clip(20), words=Clip(items=words, kind=Text), voice=Clip(items=voice, kind=Event)
        )  # fmt: skip
        return piece.build(parts, seed=7)

    return make


COSTS = {"painting": 0.03, "other": 0.02, "spoken": 0.04, "draw": 0.01}
KNOBS = [(0.2, "strength", 0.9), (0.3, "styles", [0, 0, 1])]


def attempt(folder: Path, make) -> str | None:
    """What is found wrong with a tape, as a sentence; None where nothing is."""
    try:
        result = replay(folder, make)
    except Fault as fault:
        assert fault.what and not fault.what.startswith("Traceback")
        return fault.what
    return result.first


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)
