"""What the stage page's camera and its microphone share: the page delivers, the piece takes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from ..core.codec import decode
from ..core.errors import DeviceFault
from ..core.kinds import Size
from ..core.source import Capture, Raw, Source
from ._common import Tells


class FromPage(Tells, Source):
    """Base of a source that a browser sends into, from any thread.

    name       as it describes itself
    holds      how many may wait for the piece; of more, the oldest goes, before it was decoded
    delivered, gone, rejected   counters: what came, what went so, and bytes that were not what they should be (the
               first is told of)
    """

    name: ClassVar[str]
    holds: ClassVar[int]
    what: ClassVar[str]
    now: ClassVar[str]
    """`what` it sends, and what happens `now` that it sent something else: words of the fault."""
    paced = False
    size: Size | None = None

    def __init__(self) -> None:
        self.delivered = self.gone = self.rejected = 0
        self._arrived = threading.Condition()
        self._waiting: deque[tuple[Raw, int]] = deque()
        self._stopped = False

    def open(self) -> None:
        with self._arrived:
            self._stopped = False
            self._waiting.clear()

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        """From any thread: a picture or a chunk as it came, and its capture time (of a chunk, that of its first sample)
        in `time.monotonic_ns()`. Never blocks for long, never raises for what the bytes are: they are decoded by the
        piece's own thread."""
        with self._arrived:
            self.delivered += 1
            if len(self._waiting) >= self.holds:
                self._waiting.popleft()
                self.gone += 1
            self._waiting.append((raw, machine_ns))
            self._arrived.notify()

    def __iter__(self) -> Iterator[Capture]:
        while True:
            with self._arrived:
                while not self._waiting and not self._stopped:
                    self._arrived.wait()
                if self._stopped:
                    return
                raw, machine_ns = self._waiting.popleft()
            if self.size:
                raw = replace(raw, note={**(raw.note or {}), "size": list(self.size)})
            try:
                data = self.kind.check(decode(raw))
            except ValueError as error:
                self.rejected += 1
                self._say_junk(raw, error)
                continue
            yield Capture(data, machine_ns=machine_ns, raw=raw)

    def _say_junk(self, raw: Raw, error: ValueError) -> None:
        self.say_once(
            "junk",
            DeviceFault(
                f"the browser sent what is no {self.what}: {error}",
                where=f"source {self.name}, codec {str(raw.codec)[:20]}",
                now=self.now,
                hint="reload the stage page; a page or program of another version may be sending",
            ),
        )

    def interrupt(self) -> None:
        with self._arrived:
            self._stopped = True
            self._arrived.notify_all()

    def close(self) -> None:
        self.interrupt()

    def describe(self) -> dict[str, Any]:
        return {"source": self.name, **({"size": list(self.size)} if self.size else {})}
