"""A whole show in a process of its own, and a real Chromium whose camera is a numbered clip."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from pleinair.addresses import open_source
from pleinair.sources.synthetic import stamp_number

SIZE = (320, 240)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]  # fmt: skip


class Running:
    """A `pleinair run` that answers."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url, self.lines = process, url, []

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(10)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "pleinair", "run", *arguments, "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        show = None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "http://" in line:
                show = Running(process, next(w for w in line.split() if w.startswith("http://")))
                break
        assert show is not None, "".join(seen)
        show.lines = seen
        threading.Thread(target=lambda: show.lines.extend(process.stderr), daemon=True).start()
        yield show
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def numbered_clip(tmp_path_factory, weights) -> Path:
    """Ten seconds of a real film at 30 fps, each frame numbered; Y4M is what Chromium's fake camera reads."""
    path = tmp_path_factory.mktemp("clip") / "camera.y4m"
    film = open_source("clip:bigbuckbunny", size=SIZE)
    film.open()
    with av.open(str(path), "w", format="yuv4mpegpipe") as out:
        stream = out.add_stream("wrapped_avframe", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number, capture in zip(range(300), film, strict=False):
            picture = capture.data.copy()
            stamp_number(picture, number)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    film.close()
    return path


@pytest.fixture(scope="session")
def camera_frames(numbered_clip) -> list[np.ndarray]:
    """The clip's frames by their number, decoded by FFmpeg and not by us: uint8 RGB."""
    with av.open(str(numbered_clip)) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


@pytest.fixture
def chromium(numbered_clip):
    """A browser whose camera plays the numbered clip."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chrome = play.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={numbered_clip}"]
        )
        yield chrome
        chrome.close()
