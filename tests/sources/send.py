"""A camera on the loopback, as a program: `python -m tests.sources.send URL FORMAT COUNT` sends numbered pictures.

A process of its own, since PyAV keeps Python's lock while it opens an output that waits for the other side.
"""

from __future__ import annotations

import sys
import threading

import av

from pleinair.sources.synthetic import Synthetic


def main(url: str, form: str, count: int) -> None:
    options = {"rtsp_transport": "tcp"} if form == "rtsp" else {}
    pace = threading.Event()
    source = Synthetic("bars", size=(128, 96))
    for _ in range(500):  # a receiver that listens has to be there first
        try:
            container = av.open(url, "w", format=form, options=options)
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5", "crf": "12"}
            container.start_encoding()
            break
        except (av.error.ConnectionRefusedError, av.error.OSError):
            pace.wait(0.02)
    for n in range(count):
        frame = av.VideoFrame.from_ndarray(source.picture(n), "rgb24")
        frame.pts = n
        container.mux(stream.encode(frame))
        pace.wait(0.01)  # a stream that is live, not a file in one gulp
    container.mux(stream.encode())
    container.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
