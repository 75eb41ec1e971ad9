"""One screen: the newest frame of its stream, encoded once however many look, and not at all when nobody waits.

Three threads meet here. The piece's thread puts a frame into the slot (microseconds). The encoder's thread makes a
packet of it. The loop's thread hands the packet to the viewers that have a credit. Each reads what the others wrote
last; the order "write mine, then read theirs" on both sides means that one of the two always sees the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from ..paint.shown import shown_of
from . import protocol

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .viewer import Viewer

LONGEST = 1920
"""Pixels: a longer side is scaled down for the page, nothing is scaled up."""
QUALITY = 90
FINE, FINE_PIXELS = 95, 480 * 360
"""A small picture is enlarged by the page, so its colours are kept at full resolution (4:4:4): with 4:2:0 a painting of
320 x 240 came out at 24 dB, so at 35; it costs 0.4 ms."""


@dataclass(slots=True)
class Packet:
    """An encoded frame and when what happened, in machine time."""

    frame: Frame
    bytes: bytes
    published_ns: int
    began_ns: int
    encoded_ns: int


class Screen:
    """`slot` is written by the piece's thread, `hungry` and `packet` by the loop's."""

    def __init__(self, name: str, stream: str, wake: Callable[[Screen], None]) -> None:
        self.name = name
        self.stream = stream
        self.slot: tuple[Frame, int] | None = None
        self.hungry = 0
        """Viewers with a credit."""
        self.viewers: list[Viewer] = []
        self.packet: Packet | None = None
        self.encoded = 0
        self._wake = wake

    def offer(self, frame: Frame) -> None:
        """In the piece's thread."""
        self.slot = (frame, time.monotonic_ns())
        if self.hungry:
            self._wake(self)

    def fed(self, viewer: Viewer, *, now: bool = True) -> None:
        """In the loop's thread: a viewer has a credit again. `now`: a frame that is there already will do."""
        viewer.credit = True
        self.hungry += 1
        if now:
            self.serve(viewer)

    def serve(self, viewer: Viewer) -> None:
        slot, packet = self.slot, self.packet
        if slot is None:
            return
        if packet is not None and packet.frame is slot[0]:
            if viewer.last is not packet.frame:
                self._give(viewer, packet)
        else:
            self._wake(self)

    def deliver(self, packet: Packet) -> None:
        """In the loop's thread: the encoder made a packet."""
        self.packet = packet
        self.encoded += 1
        for viewer in self.viewers:
            if viewer.credit and viewer.last is not packet.frame:
                self._give(viewer, packet)
        if self.hungry and self.slot is not None and self.slot[0] is not packet.frame:
            self._wake(self)

    def _give(self, viewer: Viewer, packet: Packet) -> None:
        viewer.credit = False
        self.hungry -= 1
        viewer.show(packet)

    def add(self, viewer: Viewer) -> None:
        self.viewers.append(viewer)
        self.fed(viewer)

    def remove(self, viewer: Viewer) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self.hungry -= viewer.credit


class Encoder:
    """One thread that turns frames into packets. `deliver(screen, packet)` is called in it."""

    def __init__(self, deliver: Callable[[Screen, Packet], None], origin: Callable[[], int]) -> None:
        self._queue: SimpleQueue[Screen | None] = SimpleQueue()
        self._deliver = deliver
        self._origin = origin
        self._done: dict[str, Any] = {}
        self.failed = 0
        self._thread = threading.Thread(target=self._run, name="stage-encoder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, screen: Screen) -> None:
        self._queue.put(screen)

    def stop(self, timeout: float = 1.0) -> None:
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while (screen := self._queue.get()) is not None:
            slot = screen.slot
            if slot is None or self._done.get(screen.name) is slot[0]:
                continue  # asked twice for the same one
            frame, published_ns = slot
            self._done[screen.name] = frame
            began_ns = time.monotonic_ns()
            try:
                jpeg, size = to_jpeg(shown_of(frame))
            except Exception:  # nothing that can be seen: the last picture stays on the screen
                self.failed += 1
                continue
            encoded_ns = time.monotonic_ns()
            header = {
                "type": "frame",
                "screen": screen.name,
                "stream": frame.stream,
                "seq": frame.seq,
                "t_ns": frame.t_ns,
                "codec": "jpeg",
                "width": size[0],
                "height": size[1],
                "trace": [[s.node, s.waited_ns, s.ran_ns] for s in frame.trace],
                "published_ns": published_ns - self._origin(),
                "encode_ns": encoded_ns - began_ns,
            }
            self._deliver(screen, Packet(frame, protocol.pack(header, jpeg), published_ns, began_ns, encoded_ns))


def to_jpeg(data: Any, longest: int = LONGEST, quality: int | None = None) -> tuple[bytes, tuple[int, int]]:
    """A picture or a mask as JPEG, and its (width, height). TypeError for anything else."""
    from ..core.codec import encode_jpeg

    if not isinstance(data, np.ndarray) or data.ndim not in (2, 3) or not data.size:
        raise TypeError("no picture")
    data = shrink(data, longest)
    if data.ndim == 2:
        data = np.repeat((np.clip(data, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    if quality is None:
        quality = FINE if data.shape[0] * data.shape[1] <= FINE_PIXELS else QUALITY
    return encode_jpeg(data, quality), (data.shape[1], data.shape[0])


def shrink(data: np.ndarray, longest: int) -> np.ndarray:
    """Scaled down until the longer side is `longest` pixels; never up, and never below one pixel."""
    height, width = data.shape[:2]
    if max(width, height) <= longest:
        return data
    import cv2

    scale = longest / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(
        np.asarray(data, np.float32 if data.dtype.kind == "f" else data.dtype), size, interpolation=cv2.INTER_AREA
    )
