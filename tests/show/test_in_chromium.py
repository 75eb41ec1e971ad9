"""The whole way on real parts: Chromium's camera, the real network, Chromium's canvas."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import pleinair
from pleinair.sources.synthetic import read_number

from .conftest import SIZE, running

pytestmark = pytest.mark.browser
SHOTS = Path(__file__).parent.parent / "shots"
STRIP = 2 * (SIZE[1] // 24)

PIECE = """from pleinair import Piece, blend, same
piece = Piece()
piece.source("camera")
piece.knob("strength", 1.0)
piece.model("painting", reads="camera")

@piece.draw
def draw(painting, camera: same, strength):
    shown = blend(camera, painting, strength).copy()
    shown[-20:] = camera[-20:]          # the strip with the frame's number
    return shown
"""
TOML = """[source.camera]
device = "browser"
size = [320, 240]
[model.painting]
card = "multistyle26"
size = [320, 240]
backend = "openvino"
precision = "f32"
style_weights = { "warm oil" = 1.0 }
"""
CANVAS = """() => {
  const stage = document.getElementById("stage");
  const copy = new OffscreenCanvas(stage.width, stage.height).getContext("2d");
  copy.drawImage(stage, 0, 0);
  const data = copy.getImageData(0, 0, stage.width, stage.height).data;
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [stage.width, stage.height, btoa(text)];
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, weights):
    folder = tmp_path_factory.mktemp("piece")
    (folder / "piece.py").write_text(PIECE)
    (folder / "piece.toml").write_text(TOML)
    return folder


def canvas(page) -> np.ndarray:
    """What stands on the stage's canvas now: uint8 RGB."""
    width, height, text = page.evaluate(CANVAS)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[..., :3].copy()


def numbered(page, count: int, timeout_s: float = 40) -> dict[int, np.ndarray]:
    """So many different frames off the canvas, by their number."""
    found: dict[int, np.ndarray] = {}
    deadline = time.monotonic() + timeout_s
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {len(found)} numbered frames were seen"
        image = canvas(page)
        if image.shape[:2] == (SIZE[1], SIZE[0]) and (number := read_number(image)) is not None:
            found.setdefault(number, image)
    return found


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a[:-STRIP].astype(np.float64), b[:-STRIP].astype(np.float64)
    return float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))


def test_the_canvas_shows_the_model_s_own_picture_of_that_very_frame(chromium, folder, camera_frames):
    warm, ember = np.eye(26, dtype=np.float32)[[5, 20]]
    model = pleinair.load("multistyle26", size=SIZE, backend="openvino", precision="f32")
    with running(str(folder)) as show:
        page = chromium.new_page(viewport={"width": 640, "height": 480})
        page.goto(show.url)
        frames = numbered(page, 6)
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=str(SHOTS / "show-stage.png"))
    right = [psnr(image, model(camera_frames[n], style_weights=warm)) for n, image in frames.items()]
    wrong = [psnr(image, model(camera_frames[n], style_weights=ember)) for n, image in frames.items()]
    other = [psnr(image, model(camera_frames[(n + 40) % 300], style_weights=warm)) for n, image in frames.items()]
    assert min(right) >= 30, right
    assert max(wrong) < 25, "other weights are another picture"
    assert max(other) < min(right) - 3, "another frame is another picture"


def test_a_knob_turned_by_a_stranger_changes_the_picture(chromium, folder, camera_frames):
    with running(str(folder)) as show:
        page = chromium.new_page(viewport={"width": 640, "height": 480})
        page.goto(show.url)
        painted = numbered(page, 2)
        request = urllib.request.Request(
            show.url + "api/knobs/strength", json.dumps({"value": 0.0}).encode(), {"Content-Type": "application/json"},
            method="PUT",
        )  # fmt: skip
        assert urllib.request.urlopen(request).status == 200
        time.sleep(0.5)  # a real browser: what was under way is shown first
        plain = numbered(page, 2)
    assert max(psnr(image, camera_frames[n]) for n, image in painted.items()) < 20
    assert min(psnr(image, camera_frames[n]) for n, image in plain.items()) >= 30




def test_the_age_shown_is_the_age_measured_from_outside(chromium, folder):
    """Outside: a clone of the camera's own track tells when a frame was handed over, and a look at the canvas at each
    display refresh tells when it is there. Inside: what the stage reports as age at the glass."""
    probe = (Path(__file__).parent.parent.parent / "bench" / "probe.js").read_text()
    with running(str(folder)) as show:
        page = chromium.new_page(viewport={"width": 640, "height": 480})
        page.add_init_script(probe)
        page.goto(show.url)
        deadline = time.monotonic() + 40
        while page.evaluate("probe.seen.length") < 120 and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        seen = page.evaluate("probe.seen")
        report = page.evaluate("fetch('/api/report').then((r) => r.json())")
    assert len(seen) >= 60
    outside = float(np.median([age for _, age, _ in seen]))
    assert abs(report["glass_ms"]["p50"] - outside) <= 10, (report["glass_ms"], outside)
