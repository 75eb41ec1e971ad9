"""Live shows for tests: run until so much has come, recorded, and proved."""

from __future__ import annotations

import os
from pathlib import Path

from pleinair import assembly
from pleinair.run.replay import Replay
from pleinair.run.tape import Tape
from pleinair.stage.show import Show
from pleinair.tapes import TapeHand

from .parts import Log

PLAIN = """
import numpy as np
from pleinair import Piece, Mask
piece = Piece()
piece.source("camera")
piece.knob("strength", 0.5)
shared = []

@piece.node
def first(camera, previous):
    shared.append(1)
    return camera // 2 + previous // 2

@piece.draw
def draw(first, strength):
    return first // 2 + np.uint8(10)
"""
PLAIN_TOML = '[source.camera]\ndevice = "synthetic:room"\nsize = [64, 48]\nrate = 60\n'


def play(folder: Path, tape: Path | None, until=("frame", "draw", 25), during=None, **options) -> tuple[Show, Log]:
    """Runs a piece live until so much has come."""
    log = Log()
    show = Show(assembly.load(folder), record=tape, observers=[log], **options)
    show.start()
    try:
        if during:
            during(show, log)
        log.until(*until, seconds=25)
    finally:
        show.stop()
    return show, log


def prove(tape: Path, hand: TapeHand | None = None):
    """How long a node is busy is nothing that a replay depends on, so here it is not busy at all."""
    os.environ["NOT_BUSY"] = "1"
    try:
        return Replay(Tape(tape), hand or TapeHand()).run()
    finally:
        del os.environ["NOT_BUSY"]


def settle(log: Log, what: str, node: str | None, more: int) -> None:
    """Until `more` of them came after now."""
    log.until(what, node, len(log.of(what, node)) + more)
