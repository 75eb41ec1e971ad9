"""Stylised from a clip with one viewer in Chromium on the same cores; memory of the whole; command to first painted
frame."""

from __future__ import annotations

import time

from .common import Figure, browser, piece_folder, precisions, running, until

PAINTS = """
const draw = CanvasRenderingContext2D.prototype.drawImage;
window.paints = [];
CanvasRenderingContext2D.prototype.drawImage = function (...a) {
  const r = draw.apply(this, a);
  if (this.canvas.id === "stage") window.paints.push(performance.timeOrigin + performance.now());
  return r;
};
const transfer = ImageBitmapRenderingContext.prototype.transferFromImageBitmap;
ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (...a) {
  const r = transfer.apply(this, a);
  if (this.canvas.id === "stage") window.paints.push(performance.timeOrigin + performance.now());
  return r;
};
"""
PIECE = """from pleinair import Piece
piece = Piece()
piece.source("camera")
piece.model("painting", reads="camera")

@piece.draw
def draw(painting): return painting
"""


def _toml(size: tuple[int, int], precision: str) -> str:
    weights = [0.5 if i in (5, 12) else 0.0 for i in range(26)]
    return (
        f'[source.camera]\ndevice = "clip:bigbuckbunny"\nsize = {list(size)}\nrate = 30\n'
        f'[model.painting]\ncard = "multistyle26"\nsize = {list(size)}\n'
        f'backend = "openvino"\nprecision = "{precision}"\n'
        f"style_weights = {weights}\n"
    )


def run(quick: bool = False) -> list[Figure]:
    seconds = 6 if quick else 30
    figures = [_rate((320, 240), "f32", 29, seconds)]
    if "bf16" in precisions():
        figures.append(_rate((640, 480), "bf16", 20, seconds))
    return figures


def _rate(size: tuple[int, int], precision: str, goal: float, seconds: float) -> Figure:
    with piece_folder(PIECE, _toml(size, precision)) as folder, running(folder) as (_, url), browser() as chrome:
        page = chrome.new_page(viewport={"width": 640, "height": 480})
        page.add_init_script(PAINTS)
        page.goto(url)
        until(page, "paints.length > 30")
        page.evaluate("paints.length = 0")
        time.sleep(seconds)
        paints = page.evaluate("paints")
        report = page.evaluate("fetch('/api/report').then((r) => r.json())")
    fps = (len(paints) - 1) / (paints[-1] - paints[0]) * 1000
    detail = {
        "glass_ms": report["glass_ms"],
        "painting_ran_ms": report["nodes"]["painting"]["ran_ms"],
        "backend": report["backends"]["painting"],
    }
    name = f"from a clip with a viewer in Chromium, {size[0]}x{size[1]} {precision}"
    return Figure(name, round(fps, 2), "fps", f">= {goal}", fps >= goal, detail)
