"""The microphone of whoever opens the stage page: sound that a browser sends, in chunks of 60 ms."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.codec import decode
from ..core.errors import DeviceFault
from ..core.kinds import Audio, Sound
from ..core.source import Capture, Raw, Source
from ._common import Tells

SILENCE_RATE = 16_000
HELD = 250
"""Chunks that may wait: 15 s. More is a piece that has stopped listening, and the oldest go."""


class Mic(Tells, Source):
    """Sound as it comes: every chunk in order, none replaced by a newer one.

    A browser gives its microphone only to a page that it takes for secure: on this machine (127.0.0.1, localhost), or
    from elsewhere by TLS (`--lan`); and only after a person said yes.

    delivered, lost, rejected   counters; `rejected` were bytes that are no sound (the first is told of)
    """

    kind = Audio
    paced = False

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.delivered = self.lost = self.rejected = 0
        self._arrived = threading.Condition()
        self._waiting: deque[tuple[Raw, int]] = deque()
        self._stopped = False

    @staticmethod
    def absent(target: str = "") -> str:
        """Why it cannot be heard yet: nobody can say beforehand whether a page will come and give it."""
        return "no page has given its microphone yet"

    def open(self) -> None:
        with self._arrived:
            self._stopped = False
            self._waiting.clear()

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        """From any thread: a chunk as it came, and when its first sample was captured, in `time.monotonic_ns()`. Never
        blocks, never raises for what the bytes are."""
        with self._arrived:
            self.delivered += 1
            if len(self._waiting) >= HELD:
                self._waiting.popleft()
                self.lost += 1
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
            try:
                sound = Audio.check(decode(raw))
            except ValueError as error:
                self.rejected += 1
                self.say_once(
                    "junk",
                    DeviceFault(
                        f"the browser sent what is no sound: {error}",
                        where=f"source mic, codec {str(raw.codec)[:20]}",
                        now="it was left out; further ones are only counted",
                        hint="reload the stage page; a page or program of another version may be sending",
                    ),
                )
                continue
            yield Capture(sound, machine_ns=machine_ns, raw=raw)

    def interrupt(self) -> None:
        with self._arrived:
            self._stopped = True
            self._arrived.notify_all()

    def close(self) -> None:
        self.interrupt()

    def describe(self) -> dict[str, Any]:
        return {"source": "mic"}


class Silence(Source):
    """Chunks of 20 ms in which nothing is heard: what stands in for a microphone where no clip does."""

    kind = Audio
    paced = True

    def __init__(self, target: str = "") -> None:
        self._chunk = Audio.check(Sound(np.zeros((SILENCE_RATE // 50, 1), np.float32), SILENCE_RATE))
        self._stopped = False

    def open(self) -> None:
        self._stopped = False

    def __iter__(self) -> Iterator[Capture]:
        number = 0
        while not self._stopped:
            yield Capture(self._chunk, t_ns=number * 20_000_000, raw=Raw("recall", b"", {"index": number}))
            number += 1

    def recall(self, note: dict[str, Any]) -> Sound:
        return self._chunk

    def interrupt(self) -> None:
        self._stopped = True

    def describe(self) -> dict[str, Any]:
        return {"source": "silence"}
