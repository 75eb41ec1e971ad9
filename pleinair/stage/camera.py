"""A page's camera: planes or a JPEG, checked before memory is taken, stamped in this machine's time, handed on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..core.codec import check_size
from ..core.source import Raw
from . import protocol

if TYPE_CHECKING:
    from .server import Stage
    from .viewer import Viewer

CODECS = ("i420", "nv12", "jpeg")
MATRICES = ("bt601", "bt709", "bt2020")


def take(stage: Stage, viewer: Viewer, header: dict[str, Any], payload: memoryview) -> None:
    """One picture from `viewer`; its credit goes back at once, since the source keeps only the latest."""
    name = header.get("input")
    if header.get("type") != "camera" or name not in viewer.cameras:
        raise ValueError("a binary message is a camera picture for an input that the address named")
    source = stage.host.browser_inputs.get(name)
    n = protocol.whole(header.get("n"), "n", 0, 2**53)
    if source is None:  # the piece was changed and has no such input any more
        viewer.say({"type": "taken", "input": name, "n": n}, key=f"taken {name}")
        return
    codec = header.get("codec")
    if codec not in CODECS:
        raise ValueError(f"codec is one of {', '.join(CODECS)}")
    note = _note(codec, header, payload)
    now_ns = time.monotonic_ns()
    at = header.get("at")
    machine_ns = now_ns if at is None else viewer.clock.capture_ns(protocol.number(at, "at", 0, 1e13), now_ns)
    source.deliver(Raw(codec, bytes(payload), note), machine_ns)
    viewer.say({"type": "taken", "input": name, "n": n}, key=f"taken {name}")


def _note(codec: str, header: dict[str, Any], payload: memoryview) -> dict[str, Any] | None:
    if codec == "jpeg":
        import simplejpeg

        if bytes(payload[:3]) != b"\xff\xd8\xff":
            raise ValueError("this is not a JPEG")
        height, width, _, _ = simplejpeg.decode_jpeg_header(payload)
        check_size(width, height)
        return None
    width = protocol.whole(header.get("width"), "width", 2, 8192)
    height = protocol.whole(header.get("height"), "height", 2, 8192)
    check_size(width, height)
    if width % 2 or height % 2 or len(payload) != width * height * 3 // 2:
        raise ValueError(f"{len(payload)} bytes are not a {width} x {height} picture in {codec}")
    note: dict[str, Any] = {"width": width, "height": height}
    if (matrix := header.get("matrix")) in MATRICES:
        note["matrix"] = matrix
    if isinstance(header.get("full"), bool):
        note["full"] = header["full"]
    return note
