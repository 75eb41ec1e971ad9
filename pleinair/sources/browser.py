"""The stage page's camera: pictures that a browser sends. The server delivers, the piece takes the newest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..core.codec import check_size, decode
from ..core.errors import DeviceFault
from ..core.kinds import Image, Size
from ..core.source import Capture, Raw, Source
from ._common import Tells


class Browser(Tells, Source):
    """One slot: a picture that was not taken before the next one came is replaced, before it was decoded, and counted.

    delivered, replaced, rejected   counters; `rejected` were bytes that are no picture (the first is told of)
    """

    kind = Image
    paced = False

    def __init__(self, target: str = "", *, size: Size | None = None) -> None:
        if size is not None:
            try:
                check_size(*size)
            except (TypeError, ValueError) as error:
                raise DeviceFault(
                    f"browser cannot have the size {size}: {error}",
                    now="the source was not opened",
                    hint="size = [640, 480]",
                ) from None
        self.target = target
        self.size = tuple(size) if size else None
        self.delivered = self.replaced = self.rejected = 0
        self._arrived = threading.Condition()
        self._slot: tuple[Raw, int] | None = None
        self._stopped = False

    def open(self) -> None:
        with self._arrived:
            self._stopped, self._slot = False, None

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        """From any thread: a picture as it came, and its capture time in `time.monotonic_ns()`. Never blocks for long,
        never raises for what the bytes are: they are decoded by the piece's own thread."""
        with self._arrived:
            self.delivered += 1
            if self._slot is not None:
                self.replaced += 1
            self._slot = (raw, machine_ns)
            self._arrived.notify()

    def __iter__(self) -> Iterator[Capture]:
        while True:
            with self._arrived:
                while self._slot is None and not self._stopped:
                    self._arrived.wait()
                if self._stopped:
                    return
                (raw, machine_ns), self._slot = self._slot, None
            if self.size:
                raw = replace(raw, note={**(raw.note or {}), "size": list(self.size)})
            try:
                picture = Image.check(decode(raw))
            except ValueError as error:
                self.rejected += 1
                self.say_once(
                    "junk",
                    DeviceFault(
                        f"the browser sent what is no picture: {error}",
                        where=f"source browser, codec {str(raw.codec)[:20]}",
                        now="it was left out; the last picture is held, and further ones are only counted",
                        hint="reload the stage page; a page or program of another version may be sending",
                    ),
                )
                continue
            yield Capture(picture, machine_ns=machine_ns, raw=raw)

    def interrupt(self) -> None:
        with self._arrived:
            self._stopped = True
            self._arrived.notify_all()

    def close(self) -> None:
        self.interrupt()

    def describe(self) -> dict[str, Any]:
        return {"source": "browser", **({"size": list(self.size)} if self.size else {})}
