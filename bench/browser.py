"""Browser camera -> style 320x240 -> browser canvas at 30 fps, in Chromium, against `fastrtc` in the same run.

Both pages are looked at by the same script (probe.js): a clone of the camera's own track tells when frame n was handed
over, and at each display refresh the number is read off whatever is shown. So "age" is camera track -> seen on the
page.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from .common import Figure, browser, piece_folder, precisions, running, until

SIZE = (320, 240)
PROBE = (Path(__file__).parent / "probe.js").read_text()

PASS = """from pleinair import Piece
piece = Piece()
piece.source("camera")

@piece.draw
def draw(camera): return camera
"""
STYLE = """from pleinair import Piece, same
piece = Piece()
piece.source("camera")
piece.model("painting", reads="camera")

@piece.draw
def draw(painting, camera: same):
    shown = painting.copy()
    shown[-20:] = camera[-20:]      # the strip with the frame's number, as it came
    return shown
"""
SOURCE = '[source.camera]\ndevice = "browser"\nsize = [320, 240]\n'


def toml(mode: str) -> str:
    if mode == "pass":
        return SOURCE
    weights = [0.5 if i in (5, 12) else 0.0 for i in range(26)]
    model = f'card = "multistyle26"\nsize = [320, 240]\nbackend = "openvino"\nprecision = "{mode}"\n'
    return f"{SOURCE}[model.painting]\n{model}style_weights = {weights}\n"


def clip(folder: Path, seconds: int) -> Path:
    """A numbered clip for Chromium's fake camera, MJPEG at 30 fps."""
    import av

    from pleinair.sources.synthetic import Synthetic

    path = folder / "camera.mjpeg"
    scene = Synthetic("room", size=SIZE, rate=30)
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=30, options={"q:v": "2", "qmin": "1"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for number in range(30 * seconds):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(scene.picture(number), format="rgb24")))
        out.mux(stream.encode())
    return path


def run(quick: bool = False) -> list[Figure]:
    seconds, rounds = (8, 1) if quick else (15, 1)
    if importlib.util.find_spec("fastrtc") is None:
        return [
            Figure(
                "browser round trip against fastrtc",
                None,
                "x",
                "",
                None,
                {"why": "fastrtc is not installed: make install"},
            )
        ]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        camera = clip(Path(folder), seconds + 25)
        for mode in ["pass", *precisions()]:
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(_ours(mode, camera, seconds))
                theirs.append(_theirs(mode, camera, seconds))
            figures += _figures(mode, ours, theirs)
    return figures


def _figures(mode: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[Figure]:
    goal = {"pass": 0.25, "bf16": 0.4, "f32": 0.7}[mode]
    what = "pass-through" if mode == "pass" else f"style 320x240 {mode}"
    mine, other = (statistics.median(r["p50"] for r in rs) for rs in (ours, theirs))
    fps = statistics.median(r["fps"] for r in ours)
    detail = {"ours": ours, "fastrtc": theirs}
    ratio = mine / other
    return [
        Figure(
            f"browser -> {what} -> browser, median against fastrtc",
            round(ratio, 3),
            "x",
            f"<= {goal}",
            ratio <= goal,
            detail,
        ),
        Figure(
            f"browser -> {what} -> browser, shown",
            round(fps, 1),
            "fps",
            ">= 28",
            fps >= 28,
            {"median_ms": round(mine, 1)},
        ),
    ]


def _ours(mode: str, camera: Path, seconds: float) -> dict[str, Any]:
    with piece_folder(PASS if mode == "pass" else STYLE, toml(mode)) as folder, running(folder) as (_, url):
        return _look(url, camera, seconds)


def _theirs(mode: str, camera: Path, seconds: float) -> dict[str, Any]:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.fastrtc_server", str(port), mode], stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=1).close()
                break
            time.sleep(0.25)
        found = _look(url, camera, seconds)
        with urllib.request.urlopen(url + "painted") as answer:
            found["painted"] = json.load(answer)["painted"]
        if not found["painted"]:
            raise RuntimeError("fastrtc sent frames back as they came: its handler never ran")
        return found
    finally:
        process.kill()
        process.wait()


def _look(url: str, camera: Path, seconds: float) -> dict[str, Any]:
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    with browser(*flags) as chrome:
        page = chrome.new_page(viewport={"width": 640, "height": 480})
        page.add_init_script(PROBE)
        page.goto(url)
        until(page, "probe.seen.length > 60")
        page.evaluate("probe.seen.length = 0")
        time.sleep(seconds)
        seen = page.evaluate("probe.seen")
    ages = [age for _, age, _ in seen]
    span = (seen[-1][2] - seen[0][2]) / 1000
    cuts = statistics.quantiles(ages, n=100)
    return {
        "p50": round(statistics.median(ages), 2),
        "p95": round(cuts[94], 2),
        "fps": round((len(seen) - 1) / span, 2),
    }
