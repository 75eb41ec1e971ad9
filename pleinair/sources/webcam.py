"""A camera on this computer, by a name that stays the same whichever socket it is plugged into."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.codec import check_size, decode
from ..core.errors import DeviceFault, did_you_mean
from ..core.kinds import Size
from ..core.source import Capture, Raw
from ._av import decoded, open_input, picture_of
from ._common import paced_at
from ._live import Live, machine_time

_DEV = Path("/dev")
_SYS = Path("/sys/class/video4linux")

_NO_CAMERA_HINT = (
    "play a clip instead (--source NAME=file:clip.mp4), or the browser's own camera (--source NAME=browser)"
)


def list_cameras() -> list[dict[str, str]]:
    """[{"name": what to write after `webcam:`, "device": where it is now, "label": what it calls itself}].

    On Linux from /dev/v4l/by-id and /sys, without opening anything. On macOS and Windows FFmpeg is asked (untested).
    """
    if sys.platform.startswith("linux"):
        return _linux_cameras()
    import av

    try:
        devices = av.enumerate_input_devices("avfoundation" if sys.platform == "darwin" else "dshow")
    except Exception:  # a list for a person: an old FFmpeg without it is no fault
        return []
    return [
        {"name": str(d.description or d.name), "device": str(d.name), "label": str(d.description or d.name)}
        for d in devices
        if "video" in [str(m) for m in getattr(d, "media_types", ["video"])]
    ]


def _linux_cameras() -> list[dict[str, str]]:
    by_id = {link.resolve(): link.name for link in sorted((_DEV / "v4l" / "by-id").glob("*"))}
    cameras = []
    for entry in sorted(_SYS.glob("video*"), key=lambda p: int(p.name[5:]) if p.name[5:].isdigit() else 1 << 30):
        if _read(entry / "index") not in ("", "0"):
            continue  # a camera's second node carries its metadata
        device = _DEV / entry.name
        name = by_id.get(device.resolve(), entry.name)
        cameras.append({"name": name, "device": str(device), "label": _read(entry / "name") or entry.name})
    return cameras


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


class Webcam(Live):
    """A camera. What is asked for is a wish: the camera gives the nearest that it has, and says so in `describe()`.

    target  "": the first one; a name of `list_cameras()` or a part of its name or label; a number; a path
    size    (width, height) asked for
    rate    pictures a second asked for

    On Linux the kernel's time stamp is the capture time, and the camera's JPEG goes on the tape as it came. Unplugged,
    frozen for 3 s: DeviceFault. On macOS (AVFoundation) and Windows (DirectShow) untested.
    """

    what = "the webcam"

    def __init__(self, target: str = "", *, size: Size | None = (640, 480), rate: float = 30) -> None:
        super().__init__()
        self.target = str(target)
        try:
            self.size = (int(size[0]), int(size[1])) if size else (640, 480)
            check_size(*self.size)
        except (TypeError, ValueError, IndexError) as error:
            raise DeviceFault(
                f"webcam cannot have the size {size}: {error}",
                now="the source was not opened",
                hint="size = [640, 480]",
            ) from None
        self.rate = paced_at(rate, "webcam")
        self._label = self.target or "the first"

    @classmethod
    def absent(cls, target: str) -> str | None:
        """Why this camera is not there, as far as can be told without opening it; None: it may be. A piece's
        `fallback` then plays in its place."""
        if not sys.platform.startswith("linux"):
            return None  # what FFmpeg lists elsewhere is not sure enough to decide by
        if target.startswith("/"):
            return None if Path(target).exists() else f"there is no camera at {target}"
        try:
            return None if Path(cls(target)._device()).exists() else f"there is no camera {target}"
        except DeviceFault as fault:
            return fault.what

    def _where(self) -> str:
        return f"webcam {self._label}"

    def _open_container(self) -> Any:
        import av

        url, form, tries = self._address()
        first: Exception | None = None
        for options in tries:
            try:
                return open_input(url, form=form, **options)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                first = first or error
                if isinstance(error, (av.error.PermissionError, av.error.FileNotFoundError)) or _busy(error):
                    break
        raise self._of_opening(first)

    def _of_opening(self, error: Exception | None) -> Exception:
        if _busy(error):
            return self._fault(f"{self.what} is in use by another program", "close the other program")
        if isinstance(error, PermissionError):
            return self._fault(
                f"{self.what} may not be opened by this user", "add the user to the group video, log in again"
            )
        return error or self._fault(f"{self.what} cannot be opened", _NO_CAMERA_HINT)

    def _address(self) -> tuple[str, str, list[dict[str, Any]]]:
        """FFmpeg's URL, input format, and the options to try one after the other."""
        size = {"video_size": f"{self.size[0]}x{self.size[1]}"}
        rate = {"framerate": f"{self.rate:g}"}
        if sys.platform == "darwin":
            return self.target or "0", "avfoundation", [{**size, **rate}, size, rate, {}]
        if sys.platform == "win32":
            cameras = list_cameras() if not self.target else []
            name = self.target or (cameras[0]["device"] if cameras else "")
            return f"video={name}", "dshow", [{**size, **rate}, size, rate, {}]
        jpeg = {"input_format": "mjpeg"}  # at 640x480 most cameras reach 30 a second only so
        tries = [{**jpeg, **size, **rate}, {**jpeg, **size}, {**size, **rate}, size, {}]
        return self._device(), "v4l2", tries

    def _device(self) -> str:
        """The device file of `target`; looked up at each opening, since numbers change with every plugging in."""
        cameras = _linux_cameras()
        if self.target.startswith("/"):
            return self.target
        if self.target.isdigit():
            return str(_DEV / f"video{self.target}")
        wanted = self.target.lower()
        exact = [c for c in cameras if wanted in (c["name"].lower(), c["label"].lower())]
        partly = [c for c in cameras if wanted in c["name"].lower() or wanted in c["label"].lower()]
        for camera in exact + partly:
            self._label = camera["name"]
            return camera["device"]
        if not cameras:
            raise DeviceFault(
                "there is no camera on this computer",
                where=self._where(),
                now="the source stays empty; it is looked for again by itself",
                hint=_NO_CAMERA_HINT,
            )
        raise DeviceFault(
            f'no camera is called "{self.target}"',
            where=self._where(),
            now="the source stays empty; it is looked for again by itself",
            hint=did_you_mean(self.target, [c["name"] for c in cameras]),
        )

    def _items(self, container: Any) -> Iterator[tuple[Any, int]]:
        stream = container.streams.video[0]
        jpeg = stream.codec_context.name == "mjpeg"
        self._about = {"format": stream.codec_context.name if jpeg else str(stream.codec_context.pix_fmt)}
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            stamp_ns = None
            if packet.pts is not None and packet.time_base:
                stamp_ns = packet.pts * 1_000_000_000 * packet.time_base.numerator // packet.time_base.denominator
            machine_ns = machine_time(stamp_ns)
            if jpeg:
                yield bytes(packet), machine_ns
            else:
                for frame in decoded(packet):
                    yield frame, machine_ns

    def _capture(self, item: Any, machine_ns: int) -> Capture:
        if isinstance(item, bytes):
            raw = Raw("jpeg", item)
            picture = decode(raw)
        else:
            raw, picture = None, picture_of(item, upright=(0, False))
        self._about["size"] = [picture.shape[1], picture.shape[0]]
        return Capture(picture, machine_ns=machine_ns, raw=raw)

    def describe(self) -> dict[str, Any]:
        return {"source": "webcam", "camera": self._label, "rate": self.rate, "size": list(self.size), **self._about}


def _busy(error: Exception | None) -> bool:
    return getattr(error, "errno", None) == 16  # EBUSY
