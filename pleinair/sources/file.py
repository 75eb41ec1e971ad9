"""Any video or still picture as a source, at its own pace, looping without a seam."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..core.codec import check_size
from ..core.errors import DeviceFault
from ..core.kinds import Image, Size
from ..core.source import Capture, Raw, Source
from ._av import FITS, Upright, picture_of, reason, upright_of
from ._common import Tells, paced_at

STILL_RATE_HZ = 30.0
"""A still picture is published this often, so that a piece that reads it moves on."""

_GAP_NS = 10_000_000_000
"""Time stamps that jump further than this, and further than the frame before said it lasts, are a splice."""

_NOW = "the source stays empty; the rest of the piece runs"


class File(Tells, Source):
    """A clip or a still picture. Paced: frame n of a loop is due when its own time stamp says.

    target  the file
    size    (width, height) to bring it to; None: as it is
    loop    True: after the last frame has lasted its own time the first follows, without a gap; `t` goes on
    rate    None: its own pace (a still: 30 a second). A number: each picture once, that many a second (faster or
            slower than it was filmed). 0: not paced, as fast as they are taken, without content time
    fit     where the proportions of `size` differ: "cover" cuts off, "contain" leaves bars, "stretch" squashes

    A tape stores the number of the picture and, in `describe()`, the clip's sha256. Time stamps that are missing or run
    backwards are repaired by the frame's duration. Damaged frames are left out, always the same ones: one thread
    decodes, since concealment by several depends on chance (above full HD several are needed to keep up).
    """

    kind = Image

    def __init__(
        self,
        target: str = "",
        *,
        size: Size | None = None,
        loop: bool = True,
        rate: float | None = None,
        fit: str = "cover",
    ) -> None:
        self.target = str(target)
        self.loop = bool(loop)
        self.rate = None if rate is None else paced_at(rate, "file", zero=True)
        self.paced = self.rate != 0
        if fit not in FITS:
            raise DeviceFault(f'file does not know fit "{fit}"', now=_NOW, hint=f"there is: {', '.join(FITS)}")
        self.fit = fit
        try:
            self.size = None if size is None else (int(size[0]), int(size[1]))
            if self.size:
                check_size(*self.size)
        except (TypeError, ValueError, IndexError) as error:
            raise DeviceFault(
                f"file cannot have the size {size}: {error}", now=_NOW, hint="size = [640, 480]"
            ) from None
        self._stopped = False
        self._first: _Walk | None = None
        self._recalled: _Walk | None = None

    def open(self) -> None:
        """Reads the header and decodes the first picture, so that it is there when the clock starts."""
        self._stopped = False
        self._first = _Walk(self)
        self._first.step()

    def __iter__(self) -> Iterator[Capture]:
        walk, self._first = self._first or _Walk(self), None
        try:
            if walk.index < 0:
                walk.step()
            while not self._stopped:
                t_ns = None if self.rate == 0 else walk.t_ns if not self.rate else round(walk.index * 1e9 / self.rate)
                yield Capture(walk.picture(), t_ns=t_ns, raw=Raw("recall", b"", {"index": walk.index}))
                if self._stopped or not walk.step():
                    return
        finally:
            walk.close()

    def recall(self, note: dict[str, Any]) -> np.ndarray:
        """Picture number `index`, counted through all loops. Forward is cheap; backward starts again."""
        index = int(note["index"])
        if self._recalled is None or self._recalled.index > index:
            self._close_recalled()
            self._recalled = _Walk(self)
        walk = self._recalled
        while walk.index < index:
            if not walk.step(towards=index):
                raise DeviceFault(
                    f"{Path(self.target).name} has no picture number {index}",
                    where=f"file {self.target}",
                    now="the replay stops here",
                    hint="the clip is not the one that was recorded: compare its sha256 with the tape's",
                )
        return walk.picture()

    def interrupt(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._stopped = True
        if self._first:
            self._first.close()
            self._first = None
        self._close_recalled()

    def _close_recalled(self) -> None:
        if self._recalled:
            self._recalled.close()
            self._recalled = None

    def describe(self) -> dict[str, Any]:
        """The clip's name (never its folder), sha256, size and rate as its header says; JSON."""
        about: dict[str, Any] = {"source": "file", "clip": Path(self.target).name}
        try:
            stat = Path(self.target).stat()
            about["sha256"] = _sha256(self.target, stat.st_size, stat.st_mtime_ns)
            with open_clip(self.target) as container:
                stream = container.streams.video[0]
                about["fps"] = round(float(stream.average_rate or 0), 3)
                about["size"] = list(self.size or (stream.width, stream.height))
                if stream.frames:
                    about["frames"] = stream.frames
        except (OSError, DeviceFault):
            pass  # what is wrong with it is said by open()
        return about


@lru_cache(maxsize=32)
def _sha256(path: str, size: int, mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_clip(target: str) -> Any:
    """An av container with a video stream that is ready to decode; DeviceFault.

    Only local files: a text that calls itself .mp4 may be a playlist, and must not make FFmpeg fetch what it names.
    """
    import av

    path = Path(target)
    name = path.name or target

    def fault(what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=f"file {target}", now=_NOW, hint=hint)

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
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file", "format_whitelist": _FORMATS})
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


class _Walk:
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
                now=_NOW,
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
