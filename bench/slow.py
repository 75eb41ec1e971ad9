"""A 200 ms model behind a 30 fps source, for ten minutes: is its age at the end what it was at the beginning?"""

from __future__ import annotations

import os
import time

import numpy as np

from pleinair import Piece
from pleinair.core.kinds import Image
from pleinair.core.model import Model
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null

from .common import BenchParts, Cached, Figure, rss_mb, slope_per_hour


class _Slow(Model):
    """Busy for 200 ms, holding no lock, as a network is."""

    def __call__(self, image):
        time.sleep(0.2)
        return Image.check(image.copy())


def run(quick: bool = False) -> list[Figure]:
    seconds = 60 if quick else 600
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("null", reads="painting")
    ages: list[tuple[float, float]] = []
    from pleinair.core.observer import Observer

    class Watch(Observer):
        def on_frame(self, frame, raw=None) -> None:
            if frame.stream == "painting":
                ages.append((frame.t, (frame.trace[-1].done_ns - frame.t_ns) / 1e6))

    runner = LiveRunner(piece.build(BenchParts(Cached((640, 480), 30), _Slow(), Null())), observers=[Watch()])
    runner.start()
    memory = []
    while runner.clock.now_ns() < seconds * 1e9:
        time.sleep(1)
        memory.append((runner.clock.now_ns() / 1e9, rss_mb(os.getpid())))
    skipped = runner.stats.skipped["painting"]
    runner.stop()
    times, values = np.array(ages).T
    first, last = (float(np.median(values[mask])) for mask in (times < seconds / 10, times > seconds * 0.9))
    grows = slope_per_hour(*np.array(memory[10:]).T)
    detail = {"seconds": seconds, "first_ms": round(first, 1), "last_ms": round(last, 1), "skipped": skipped,
              "rss_mb": round(memory[-1][1], 1), "rss_slope_mb_per_h": round(grows, 2)}  # fmt: skip
    ratio = last / first
    return [
        Figure(
            "age behind a 200 ms model, last tenth against first", round(ratio, 3), "x", "<= 1.1", ratio <= 1.1, detail
        ),
    ]
