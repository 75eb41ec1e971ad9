"""A page's microphone: 16-bit samples, checked before they are handed on, stamped in this machine's time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..core.source import Raw
from . import protocol

if TYPE_CHECKING:
    from .server import Stage
    from .viewer import Viewer

LONGEST_S = 0.5
"""Of a chunk: a longer one is no chunk of a live microphone."""


def take(stage: Stage, viewer: Viewer, header: dict[str, Any], payload: memoryview) -> None:
    """One chunk from `viewer`. There is no credit: sound is little, and every chunk of it counts."""
    name = header.get("input")
    if name not in viewer.cameras:
        raise ValueError("a chunk of sound is for a microphone that the address named")
    protocol.whole(header.get("n"), "n", 0, 2**53)
    rate = protocol.whole(header.get("rate"), "rate", 8_000, 192_000)
    channels = protocol.whole(header.get("channels", 1), "channels", 1, 2)
    if header.get("codec") != "pcm16":
        raise ValueError("codec is pcm16")
    if not len(payload) or len(payload) % (2 * channels) or len(payload) > 2 * channels * rate * LONGEST_S:
        raise ValueError(f"{len(payload)} bytes are no chunk of sound of {channels} channels, half a second at most")
    source = stage.host.browser_inputs.get(name)
    if source is None:  # the piece was changed and has no such input any more
        return
    now_ns = time.monotonic_ns()
    at = header.get("at")
    machine_ns = now_ns if at is None else viewer.clock.capture_ns(protocol.number(at, "at", 0, 1e13), now_ns)
    source.deliver(Raw("pcm16", bytes(payload), {"rate": rate, "channels": channels}), machine_ns)
