"""What cameras share: a thread of their own that reads, one slot that keeps the newest, and a patience.

A read from a device can block in the kernel where nothing reaches it, so it happens in a thread apart. The piece's
thread waits for the slot, and can therefore be interrupted at once, and sees when nothing comes any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from ..core.errors import DeviceFault
from ..core.kinds import Image
from ..core.source import Capture, Source
from ._av import reason
from ._common import Tells

_NOW = "the last picture is held; it is tried again by itself"


class Live(Tells, Source):
    """Base of sources that read a live device through FFmpeg. A subclass gives `_open_container`, `_items`, `_capture`.

    patience_s   without a picture for this long the device froze: DeviceFault, so that the runner opens it again
    replaced     pictures that were there and not taken before the next one came
    rejected     pictures that could not be decoded (the first is told of)
    """

    kind = Image
    paced = False
    patience_s = 3.0
    opening_s = 8.0
    what = "the camera"

    def __init__(self) -> None:
        self.replaced = self.rejected = 0
        self._reader: _Reader | None = None
        self._about: dict[str, Any] = {}

    def _open_container(self) -> Any:
        """In the reader's thread: an av container; DeviceFault or av.error."""
        raise NotImplementedError

    def _items(self, container: Any) -> Iterator[tuple[Any, int]]:
        """In the reader's thread: what `_capture` makes a picture of, and its time in `time.monotonic_ns()`."""
        raise NotImplementedError

    def _capture(self, item: Any, machine_ns: int) -> Capture:
        """In the piece's thread; ValueError where it is no picture."""
        raise NotImplementedError

    def _where(self) -> str:
        return self.what

    def open(self) -> None:
        """Waits for the first picture, so that it is there when the clock starts."""
        self.close()
        reader = self._reader = _Reader(self)
        reader.start()
        if not reader.wait(self.opening_s):
            self.close()
            raise self._fault(
                f"{self.what} gives no picture", "is another program using it? unplug it and plug it in again"
            )
        if reader.error is not None and not reader.holds:  # one picture and then an end: the picture comes first
            self.close()
            raise self._of(reader.error)

    def __iter__(self) -> Iterator[Capture]:
        if self._reader is None:
            self.open()
        reader = self._reader
        while True:
            came = reader.wait(self.patience_s)
            if reader.stopped:
                return
            if not came:
                raise self._fault(
                    f"{self.what} froze: no picture for {self.patience_s:g} s",
                    "if it stays so, unplug it and plug it in again",
                )
            taken = reader.take()
            if taken is None:
                raise self._of(reader.error)
            try:
                yield self._capture(*taken)
            except ValueError as error:
                self.rejected += 1
                self.say_once(
                    "junk",
                    self._fault(
                        f"{self.what} sent what is no picture: {error}", "a shorter or better cable often helps"
                    ),
                )

    def interrupt(self) -> None:
        if self._reader is not None:
            self._reader.stop()

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()
            reader.join(1.0)  # one that is stuck in the kernel closes the device itself, when it comes back

    def _fault(self, what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=self._where(), now=_NOW, hint=hint)

    def _of(self, error: BaseException | None) -> DeviceFault:
        if isinstance(error, DeviceFault):
            return error
        why = reason(error) if error is not None else "it ended"
        return self._fault(f"{self.what} stopped: {why}", "is it plugged in and switched on?")


class _Reader(threading.Thread):
    """Reads until it is stopped or the device ends; keeps the newest item in one slot."""

    def __init__(self, live: Live) -> None:
        super().__init__(name=f"reads {live.what}", daemon=True)
        self._live = live
        self._changed = threading.Condition()
        self._slot: tuple[Any, int] | None = None
        self.stopped = False
        self.error: BaseException | None = None

    def run(self) -> None:
        container = None
        try:
            container = self._live._open_container()
            for item in self._live._items(container):
                with self._changed:
                    if self.stopped:
                        return
                    self._live.replaced += self._slot is not None
                    self._slot = item
                    self._changed.notify_all()
            self._end(EOFError("the stream ended"))
        except BaseException as error:  # it is raised again in the piece's thread, which waits for it
            self._end(error)
        finally:
            if container is not None:
                container.close()

    def _end(self, error: BaseException) -> None:
        with self._changed:
            self.error = error
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """True when there is a picture, an end or a stop to be seen."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._slot is not None or self.error is not None or self.stopped, timeout=seconds
            )

    @property
    def holds(self) -> bool:
        return self._slot is not None

    def take(self) -> tuple[Any, int] | None:
        with self._changed:
            item, self._slot = self._slot, None
            return item

    def stop(self) -> None:
        with self._changed:
            self.stopped = True
            self._changed.notify_all()


def machine_time(stamp_ns: int | None) -> int:
    """A kernel's time stamp where it is from the monotonic clock and of the last second, else now."""
    now_ns = time.monotonic_ns()
    return stamp_ns if stamp_ns is not None and 0 <= now_ns - stamp_ns < 1_000_000_000 else now_ns
