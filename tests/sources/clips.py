"""Small clips made in the tests, so that each property of a file is there on purpose."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pleinair.sources.synthetic import Synthetic


def make_clip(
    path: Path,
    count: int = 20,
    size: tuple[int, int] = (128, 96),
    *,
    pts: list[int] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    fast_start: bool = True,
    rate: int = 25,
    scene: str = "bars",
) -> list[np.ndarray]:
    """`count` numbered pictures of the synthetic source; the pictures that went in."""
    source = Synthetic(scene, size=size)
    pictures = [source.picture(n) for n in range(count)]
    settings = {"movflags": "faststart"} if fast_start and path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=settings) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.options = options if options is not None else {"crf": "12", "bf": "2", "g": "10"}
        stream.codec_context.time_base = stream.time_base = Fraction(1, rate * 100)
        for n, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pix_fmt)
            frame.pts = pts[n] if pts else n * 100
            frame.time_base = Fraction(1, rate * 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return pictures
