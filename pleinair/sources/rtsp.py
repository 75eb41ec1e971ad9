"""A camera or a stream on the network."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from ..core.codec import check_size
from ..core.errors import DeviceFault
from ..core.kinds import Size
from ..core.source import Capture
from ._av import FITS, Upright, decoded, open_input, picture_of, upright_of
from ._live import Live

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt", "rtp")

_LATE_NS = 1_000_000_000


class Rtsp(Live):
    """rtsp://, and whatever else FFmpeg reads from the network (rtmp, http, udp, tcp, srt).

    target  the address; what stands before an @ (a password) is shown nowhere
    size    (width, height) to bring it to; None: as it comes. fit: as in the file source

    Nothing is buffered, and RTSP comes over TCP. Every picture is decoded, since the next one needs it, and only the
    newest is converted and kept. One that comes more than a second later than the fastest did makes the reader skip to
    the next key picture, so that a delay is made up for. Capture time is arrival: what the camera and the network
    took before is not known. A stream that ends or is silent for 3 s is a DeviceFault, and the runner connects again.
    """

    what = "the stream"
    opening_s = 12.0

    def __init__(self, target: str = "", *, size: Size | None = None, fit: str = "cover") -> None:
        super().__init__()
        self.target = target if "://" in target else f"rtsp:{target}" if target.startswith("//") else target
        scheme = self.target.partition("://")[0]
        if scheme not in SCHEMES:
            raise DeviceFault(
                f'"{shown(self.target)}" is no address of a stream',
                now="the source was not opened",
                hint="rtsp://camera.local/stream; also: " + ", ".join(SCHEMES[1:]),
            )
        try:
            self.size = (int(size[0]), int(size[1])) if size else None
            if self.size:
                check_size(*self.size)
            if fit not in FITS:
                raise ValueError(f'there is no fit "{fit}"')
        except (TypeError, ValueError, IndexError) as error:
            raise DeviceFault(
                f"a stream cannot be shown so: {error}", now="the source was not opened", hint="size = [640, 480]"
            ) from None
        self.fit = fit
        self.skipped_late = 0
        """Pictures that were not decoded because they came too late."""
        self._options: dict[str, str] = {}

    def _where(self) -> str:
        return shown(self.target)

    def _open_container(self) -> Any:
        options = {"fflags": "nobuffer", "flags": "low_delay", **self._options}
        if self.target.startswith("rtsp"):
            options.setdefault("rtsp_transport", "tcp")
            options.setdefault("allowed_media_types", "video")
        else:
            options.setdefault("probesize", "500000")
            options.setdefault("analyzeduration", "500000")
        # A playlist or a redirection must not lead to this computer's files.
        options["protocol_whitelist"] = "rtsp,rtsps,rtmp,rtmps,rtp,http,https,udp,tcp,tls,srt,crypto"
        container = open_input(self.target, timeout_s=(self.opening_s - 1, self.patience_s - 1), **options)
        if not container.streams.video:
            container.close()
            raise self._fault("the stream holds no picture", "it may be sound only; look at its address")
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1  # threads would hold frames back
        self._about = {"codec": stream.codec_context.name}
        self._upright: Upright | None = None
        return container

    def _items(self, container: Any) -> Iterator[tuple[Any, int]]:
        stream = container.streams.video[0]
        lateness = Lateness()
        skipping = False
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            now_ns = time.monotonic_ns()
            if packet.pts is not None and packet.time_base:
                stamp_ns = packet.pts * 1_000_000_000 * packet.time_base.numerator // packet.time_base.denominator
                skipping = skipping or lateness.of(stamp_ns, now_ns) > _LATE_NS
            if skipping and not packet.is_keyframe:
                self.skipped_late += 1
                continue
            skipping = False
            for frame in decoded(packet):
                yield frame, now_ns

    def _capture(self, item: Any, machine_ns: int) -> Capture:
        self._upright = self._upright or upright_of(item)
        picture = picture_of(item, self.size, self.fit, self._upright)
        self._about["size"] = [picture.shape[1], picture.shape[0]]
        return Capture(picture, machine_ns=machine_ns)

    def describe(self) -> dict[str, Any]:
        return {"source": "rtsp", "address": shown(self.target), **self._about}


class Lateness:
    """How much later than the fastest a picture arrived, in ns, although two clocks are compared that drift apart.

    The least difference between arrival and stamp counts as on time. It creeps up by a thousandth, more than any two
    clocks differ, so that a slow camera clock is not taken for a delay; a real one is over long before.
    """

    def __init__(self) -> None:
        self._base_ns: int | None = None
        self._last_ns = 0

    def of(self, stamp_ns: int, now_ns: int) -> int:
        gap_ns = now_ns - stamp_ns
        if self._base_ns is None or abs(gap_ns - self._base_ns) > 60_000_000_000:  # the first, or a clock that was set
            self._base_ns = gap_ns
        else:
            self._base_ns = min(gap_ns, self._base_ns + (now_ns - self._last_ns) // 1000)
        self._last_ns = now_ns
        return gap_ns - self._base_ns


def shown(address: str) -> str:
    """The address without name and password."""
    return re.sub(r"(?<=://)[^/@]*@", "", address)
