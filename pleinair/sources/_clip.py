"""A clip or a still picture on the disk: opened, and walked through picture by picture, loop after loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import DeviceFault
from ._av import Upright, open_file, picture_of, reason, upright_of

if TYPE_CHECKING:
    from .file import File

STILL_RATE_HZ = 30.0
"""A still picture is published this often, so that a piece that reads it moves on."""

_GAP_NS = 10_000_000_000
"""Time stamps that jump further than this, and further than the frame before said it lasts, are a splice."""
NOW = "the source stays empty; the rest of the piece runs"


def open_clip(target: str) -> Any:
    """An av container with a video stream that is ready to decode; DeviceFault."""
    import av

    path = Path(target)
    name = path.name or target

    def fault(what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=f"file {target}", now=NOW, hint=hint)

    if not target:
        raise fault("file has no clip to play", "name one: --source camera=file:clip.mp4")
    try:
        size = path.stat().st_size
    except OSError:
        raise fault(f"there is no file {name}", "look at its spelling and folder") from None
    if path.is_dir():
        raise fault(f"{name} is a folder, not a clip", "name one file in it")
    if size == 0:
        raise fault(f"{name} is empty (0 bytes)", "copy it again, or choose another clip")
    try:
        container = open_file(path, _FORMATS)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise fault(
            f"{name} cannot be read as video or picture: {reason(error)}",
            "a recording cut off before its index was written cannot be played, nor what is no video: choose another",
        ) from None
    if not container.streams.video:
        container.close()
        raise fault(f"{name} holds no picture", "it may be sound only; choose another clip")
    stream = container.streams.video[0]
    context = stream.codec_context
    if stream.width * stream.height > 1920 * 1088:
        stream.thread_type, context.thread_count = "AUTO", 4
    else:
        stream.thread_type, context.thread_count = "NONE", 1
    return container


class Walk:
    """One way through a clip, loop after loop. `index`, `t_ns`: of the picture that it stands on."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.index = -1
        self.t_ns = 0
        self._pictures = 0
        """In one pass; known after the first."""
        self._frame: Any = None
        self._image: np.ndarray | None = None
        self._upright: Upright | None = None
        self._identity: tuple[int, int] | None = None
        self._container: Any = None
        self._begin_ns = 0
        self._frames = self._pass()

    def step(self, towards: int = 0) -> bool:
        """On to the next picture; False where a clip that does not loop ends. DeviceFault."""
        file = self.file
        if self._pictures == 1:
            return file.loop and self._hold()
        if self._pictures and towards - self.index > self._pictures:  # whole loops need not be decoded to be passed
            self.index += (towards - self.index - 1) // self._pictures * self._pictures
        try:
            self._frame, self.t_ns = next(self._frames)
        except StopIteration:
            self._pictures = self._pictures or self.index + 1
            if not file.loop:
                return False
            if self._pictures == 1:
                return self._hold()
            self._frames = self._pass()
            self._frame, self.t_ns = next(self._frames)
        self.index += 1
        self._image = None
        return True

    def _hold(self) -> bool:
        self.index += 1
        self.t_ns = round(self.index * 1e9 / STILL_RATE_HZ)
        return True

    def picture(self) -> np.ndarray:
        if self._image is None:
            self._upright = self._upright or upright_of(self._frame)
            self._image = picture_of(self._frame, self.file.size, self.file.fit, self._upright)
            self._frame = None
        return self._image

    def close(self) -> None:
        self._frames.close()
        self._close_container()

    def _close_container(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None

    def _pass(self) -> Iterator[tuple[Any, int]]:
        """(frame, t_ns) from the first to the last; afterwards `_begin_ns` is where the next pass begins."""
        self._check_same()
        self._container = container = open_clip(self.file.target)
        stream = container.streams.video[0]
        nominal_ns = _nominal_ns(stream)
        origin: int | None = None
        t_ns = length_ns = 0
        count = damaged = 0
        for frame in self._decoded(container, stream):
            if frame is None:
                damaged += 1
                continue
            stated_ns = _ns(frame.duration, frame.time_base)
            stamp = _ns(frame.pts, frame.time_base)
            if count == 0:
                origin = stamp
            elif stamp is not None and origin is not None and 0 < stamp - origin - t_ns <= max(_GAP_NS, 2 * length_ns):
                t_ns = stamp - origin
            else:
                t_ns += length_ns
                origin = None if stamp is None else stamp - t_ns
            length_ns = stated_ns if stated_ns and stated_ns > 0 else nominal_ns
            count += 1
            yield frame, self._begin_ns + t_ns
        self._close_container()
        self._speak_of(stream, count, damaged, t_ns + length_ns)
        self._begin_ns += t_ns + length_ns

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Frames; None for each that is damaged."""
        import av

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                yield None
                return
            try:
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                yield None
                continue
            for frame in frames:
                yield None if frame.is_corrupt else frame

    def _check_same(self) -> None:
        try:
            stat = Path(self.file.target).stat()
        except OSError:
            return  # open_clip says it better
        now = (stat.st_size, stat.st_mtime_ns)
        if self._identity not in (None, now):
            raise DeviceFault(
                f"{Path(self.file.target).name} changed while it was playing",
                where=f"file {self.file.target}",
                now="it is opened anew",
                hint="a clip that is being written or copied is best played when it is whole",
            )
        self._identity = now

    def _speak_of(self, stream: Any, count: int, damaged: int, lasted_ns: int) -> None:
        name = Path(self.file.target).name
        if count == 0:
            raise DeviceFault(
                f"{name} holds no picture that can be decoded",
                where=f"file {self.file.target}",
                now=NOW,
                hint="copy it again, or choose another clip",
            )
        promised = stream.frames
        promised_ns = _ns(stream.duration, stream.time_base) or 0
        short = promised > 1 and count < promised and lasted_ns < 0.95 * promised_ns
        if short or damaged:
            of = f" of {promised}" if promised else ""
            self.file.say_once(
                "damaged",
                DeviceFault(
                    f"{name} is {'cut short' if short else 'damaged'}: {count}{of} pictures can be played",
                    where=f"file {self.file.target}",
                    now="what there is plays, in a loop" if self.file.loop else "what there is was played",
                    hint="copy it again from where it came",
                ),
            )


def _ns(value: int | None, time_base: Any) -> int | None:
    if value is None or not time_base:
        return None
    return value * 1_000_000_000 * time_base.numerator // time_base.denominator


def _nominal_ns(stream: Any) -> int:
    """How long a frame lasts that does not say so."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0.01 <= rate <= 1000:
            return round(1e9 / float(rate))
    return round(1e9 / STILL_RATE_HZ)


_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,nut,ivf,gif,apng,h264,"
    "hevc,m4v,av1,obu,mjpeg,mpjpeg,dv,yuv4mpegpipe,rm,wtv,image2,png_pipe,jpeg_pipe,webp_pipe,webp,bmp_pipe,"
    "tiff_pipe,gif_pipe,qoi_pipe,jpegxl_pipe,jpegxl_anim,ppm_pipe,pgm_pipe,pgmyuv_pipe,exr_pipe,dpx_pipe,"
    "sgi_pipe,xbm_pipe,svg_pipe,j2k_pipe,jpegls_pipe,hdr_pipe,phm_pipe,pbm_pipe,pam_pipe,xpm_pipe,vbn_pipe,"
    "cri_pipe,pictor_pipe,psd_pipe,photocd_pipe,gem_pipe,dds_pipe,xwd_pipe,sunrast_pipe,qdraw_pipe,avif"
)
"""FFmpeg's demuxers that may be used: none of a playlist, of a list of other files, or of a device."""
