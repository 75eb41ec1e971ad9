"""Recording while running at 640x480, 30 fps, pixels as a device hands them over: what it costs, and whether all is
there."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

from pleinair import Piece
from pleinair.run.live import LiveRunner
from pleinair.run.tape import Recorder
from pleinair.sinks.null import Null

from .common import BenchParts, Cached, Figure, Kept, precisions, style


def run(quick: bool = False) -> list[Figure]:
    precision = precisions()[0]
    model = style(precision, (320, 240))
    seconds = 8 if quick else 60
    plain, _ = _rate(model, seconds, None)
    folder = Path(tempfile.mkdtemp(prefix="pleinair-bench-"))
    try:
        taped, stored = _rate(model, seconds, folder / "tape")
        size = sum(f.stat().st_size for f in (folder / "tape").rglob("*") if f.is_file())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cost = 1 - taped / plain
    detail = {"fps": round(plain, 2), "recording_fps": round(taped, 2),
              "mb_per_s": round(size / 1e6 / (seconds + 0.5), 1),
              "codec": "QOI, lossless", **stored, "backend": model.describe()["backend"]}  # fmt: skip
    return [
        Figure(
            f"recording at 640x480, 30 fps: cost of the rate, {precision}",
            round(cost * 100, 2),
            "%",
            "< 5",
            cost < 0.05,
            detail,
        ),
        Figure(
            "recording: frames missing from the tape", stored["missing"], "frames", "0", stored["missing"] == 0, detail
        ),
    ]


def _rate(model, seconds: float, tape: Path | None) -> tuple[float, dict[str, int]]:
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("null", reads="painting")
    recorder = Recorder(tape) if tape else None
    runner = LiveRunner(
        piece.build(BenchParts(Cached((640, 480), 30), Kept(model), Null())), observers=[recorder] if recorder else []
    )
    runner.start()
    time.sleep(0.5)
    before, began = runner.stats.fired["null"], time.perf_counter()
    time.sleep(seconds)
    rate = (runner.stats.fired["null"] - before) / (time.perf_counter() - began)
    published = runner.latest("camera").seq + 1
    runner.stop()
    if recorder is None:
        return rate, {}
    recorder.close()
    inputs = (tape / "inputs.jsonl").read_text().splitlines()
    stored = sum(json.loads(line)["s"] == "camera" for line in inputs)
    return rate, {"published": published, "stored": stored, "missing": max(0, published - stored)}
