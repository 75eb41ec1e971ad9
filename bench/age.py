"""Age that the runtime adds at 30 fps, over the model's own time (u8 to u8, same backend, precision and threads)."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from pleinair import Piece
from pleinair.core.source import Sink
from pleinair.run.live import LiveRunner

from .common import BenchParts, Camera, Figure, Timed, precisions, style

SIZE = (240, 180)
"""Small enough that the model keeps up with 30 fps on a slow pair of cores: what is measured is the runtime."""


class _Stamp(Sink):
    """Notes when each frame came out at the far end."""

    def __init__(self) -> None:
        self.came: list[tuple[int, int]] = []

    def put(self, data, t_ns: int) -> None:
        self.came.append((t_ns, time.monotonic_ns()))


def run(quick: bool = False) -> list[Figure]:
    return [f for p in precisions() for f in _one(p, 10 if quick else 40)]


def _bare(model: Timed, seconds: float) -> float:
    """The least that three threads can add here: a slot and a semaphore between each two of them, and nothing else.
    Median in ms, over the model's own time, by the same camera."""
    slots: list[Any] = [None, None]
    ready = [threading.Semaphore(0), threading.Semaphore(0)]
    added: list[float] = []
    stop = threading.Event()

    def paint() -> None:
        while ready[0].acquire() and not stop.is_set():
            capture = slots[0]
            slots[1] = (capture.machine_ns, model(capture.data))
            ready[1].release()

    def show() -> None:
        while ready[1].acquire() and not stop.is_set():
            added.append((time.monotonic_ns() - slots[1][0] - model.calls_ns[-1]) / 1e6)

    threads = [threading.Thread(target=paint), threading.Thread(target=show)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    for capture in Camera(SIZE, 30):
        if time.monotonic() - began > seconds:
            break
        slots[0] = capture
        ready[0].release()
    stop.set()
    for gate in ready:
        gate.release()
    for thread in threads:
        thread.join()
    return float(np.median(added[30:]))


def _one(precision: str, seconds: float) -> list[Figure]:
    model, sink = Timed(style(precision, SIZE)), _Stamp()
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("screen", reads="painting")
    runner = LiveRunner(piece.build(BenchParts(Camera(SIZE, 30), model, sink)))
    runner.start()
    origin_ns = time.monotonic_ns() - runner.clock.now_ns()
    time.sleep(seconds + 1)
    runner.stop()
    calls = model.calls_ns[-len(sink.came) :]
    floor = _bare(model, seconds / 3)
    added = np.array([came - origin_ns - t - own for (t, came), own in zip(sink.came, calls, strict=True)])[30:] / 1e6
    p50, p99 = float(np.percentile(added, 50)), float(np.percentile(added, 99))
    detail = {
        "frames": len(added), "own_ms": round(float(np.median(calls)) / 1e6, 2), "p50_ms": round(p50, 3),
        "p99_ms": round(p99, 3), "max_ms": round(float(added.max()), 2), "three_bare_threads_ms": round(floor, 3),
        "backend": model.describe()["backend"],
    }  # fmt: skip
    return [
        Figure(f"age added at 30 fps, median, {precision}", round(p50, 3), "ms", "<= 0.3", p50 <= 0.3, detail),
        Figure(f"age added at 30 fps, p99, {precision}", round(p99, 3), "ms", "<= 2", p99 <= 2, detail),
    ]
