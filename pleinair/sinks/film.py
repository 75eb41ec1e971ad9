"""Pictures into an mp4: a piece rendered to film."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..core.codec import check_size, cover
from ..core.errors import DeviceFault
from ..core.kinds import Size
from ..core.source import Sink

_CODECS = ("libx264", "libopenh264", "mpeg4")
_TICKS_HZ = 90_000
"""MPEG's own clock: fine enough for any camera's time stamps."""


class Film(Sink):
    """An mp4 (H.264, yuv420p, BT.709, one keyframe every two seconds at 30/s) with each picture at its content time.

    path   where it is written; the folder must be there
    size   (width, height) in pixels, made even; None: the first picture's. Others are brought to it by covering
    fps    None: each picture at its own time (variable rate). A number: a steady rate; a picture is shown until the
           next one's time has come
    crf    quality, 0 (best) .. 51; 18 is close to what went in

    The same pictures give the same file, byte by byte, with the same FFmpeg: one thread encodes, no date is written.
    """

    def __init__(self, path: str = "", *, size: Size | None = None, fps: float | None = None, crf: int = 18) -> None:
        self.path = str(path)
        try:
            self.size = None if size is None else _even(int(size[0]), int(size[1]))
            self.fps = None if fps is None else Fraction(fps).limit_denominator(1001)
            if self.fps is not None and not 0 < self.fps <= 1000:
                raise ValueError(f"{fps} pictures a second")
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise self._fault(f"a film cannot be made so: {error}", "size = [640, 480], fps = 30") from None
        self.crf = int(crf)
        self.count = 0
        self._container: Any = None
        self._stream: Any = None
        self._last_tick = -1
        self._begin_ns: int | None = None
        self._held: np.ndarray | None = None
        self._written = 0

    def open(self) -> None:
        if not self.path:
            raise self._fault("the film has no name", "name a file: film.mp4")
        folder = Path(self.path).parent
        if not folder.is_dir():
            raise self._fault(f"there is no folder {folder.name} for the film", "make the folder first")
        self._container = self._stream = self._held = self._begin_ns = None
        self._last_tick, self.count, self._written = -1, 0, 0

    def put(self, data: Any, t_ns: int) -> None:
        """One picture of content time `t_ns`; the first one's is the film's beginning."""
        if self._begin_ns is None:
            self._begin_ns = t_ns
            self._begin(data)
        t_ns = max(0, t_ns - self._begin_ns)
        picture = cover(np.ascontiguousarray(data), self.size)
        self.count += 1
        if self.fps is None:
            tick = max(self._last_tick + 1, round(t_ns * _TICKS_HZ / 1_000_000_000))
            self._encode(picture, tick)
            return
        # Everything before this picture's moment shows the one before.
        due = int(t_ns * self.fps / 1_000_000_000 + Fraction(1, 2))
        while self._held is not None and self._written < due:
            self._encode(self._held, self._written)
        self._held = picture

    def close(self) -> None:
        """Writes what is left; the file is whole after it. Idempotent."""
        if self._container is None:
            return
        import av

        container, self._container = self._container, None
        try:
            if self._held is not None:
                self._encode(self._held, self._written, container)
                self._held = None
            container.mux(self._stream.encode())
            container.close()
        except (av.error.FFmpegError, OSError) as error:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()
            raise self._fault(f"the film could not be finished: {error}", "is the disk full?") from None

    def _begin(self, data: np.ndarray) -> None:
        import av

        self.size = self.size or _even(data.shape[1], data.shape[0])
        check_size(*self.size)
        name = next(codec for codec in _CODECS if codec in av.codecs_available)
        try:
            self._container = av.open(
                f"file:{self.path}", "w", format="mp4", options={"movflags": "faststart", "fflags": "bitexact"}
            )
            stream = self._stream = self._container.add_stream(name, rate=self.fps or 30)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._fault(
                f"the film cannot be written: {error}", "look at the folder's rights and the disk"
            ) from None
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = 1 / self.fps if self.fps else Fraction(1, _TICKS_HZ)
        context.thread_count, context.thread_type = 1, "NONE"
        context.colorspace, context.color_range = 1, 1
        context.color_primaries = context.color_trc = 1
        context.gop_size = 60
        stream.options = {"crf": str(self.crf), "preset": "medium"} if name == "libx264" else {"qscale": "3"}

    def _encode(self, picture: np.ndarray, tick: int, container: Any = None) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        frame = VideoReformatter().reformat(
            frame,
            format="yuv420p",
            dst_colorspace=1,
            dst_color_range=1,
            interpolation=0x2 | 0x40000 | 0x80000,
            threads=1,
        )
        frame.pts, frame.time_base = tick, self._stream.codec_context.time_base
        try:
            (container or self._container).mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise self._fault(f"the film stopped: {error}", "is the disk full?") from None
        self._last_tick, self._written = tick, tick + 1

    def _fault(self, what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=f"film {self.path}", now="the piece goes on without it", hint=hint)


def _even(width: int, height: int) -> tuple[int, int]:
    """Two at least, and even: H.264 with 4:2:0 has no odd sides."""
    return max(2, width + width % 2), max(2, height + height % 2)
