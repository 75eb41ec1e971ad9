"""What the piece says aloud: sound out to the pages that listen, and silence when it is interrupted."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.kinds import Sound
from . import protocol

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .server import Stage

PIECE_S = 0.5
"""A long sound is sent in pieces of so many seconds, so that its beginning is heard while the rest is under way."""


class Sounds:
    """`on_frame` is called in the piece's threads and returns at once; the rest happens in the stage's loop.

    An interruption at the moment t ends what plays, and what was thought of before t is not played any more, although
    it may still be published: a model finishes the sentence that it is at.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._speakers: dict[str, list[str]] = {}
        self._ended_by: dict[str, list[str]] = {}
        self._since_ns: dict[str, int] = {}
        self.names: list[str] = []
        self._number = 0

    def take(self) -> None:
        """The speakers as the piece has them now."""
        specs = list(getattr(self._stage.host, "speakers", ()))
        speakers: dict[str, list[str]] = {}
        ended_by: dict[str, list[str]] = {}
        for spec in specs:
            speakers.setdefault(spec.stream, []).append(spec.name)
            for stream in spec.ends:
                ended_by.setdefault(stream, []).append(spec.name)
        self.names = [spec.name for spec in specs]
        self._since_ns = {}
        self._speakers, self._ended_by = speakers, ended_by

    def on_frame(self, frame: Frame) -> None:
        for name in self._ended_by.get(frame.stream, ()):
            self._since_ns[name] = frame.t_ns
            self._soon(self._hush, name)
        for name in self._speakers.get(frame.stream, ()):
            if frame.t_ns >= self._since_ns.get(name, 0) and isinstance(frame.data, Sound):
                self._soon(self._play, name, frame)

    def _soon(self, work: Any, *args: Any) -> None:
        if (loop := self._stage.loop) is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
                loop.call_soon_threadsafe(work, *args)

    # ---- in the loop's thread

    def _hush(self, name: str) -> None:
        for viewer in self._stage.viewers:
            if viewer.sound:
                viewer.forget("sound ")
                viewer.say({"type": "hush", "speaker": name})

    def _play(self, name: str, frame: Frame) -> None:
        listeners = [viewer for viewer in self._stage.viewers if viewer.sound]
        if not listeners or not len(frame.data.samples) or frame.t_ns < self._since_ns.get(name, 0):
            return
        for message in messages(name, frame):
            self._number += 1
            for viewer in listeners:
                viewer.post(message, key=f"sound {self._number}")


def messages(name: str, frame: Frame) -> list[bytes]:
    """A Sound as binary messages of 16-bit samples, channels interleaved, little endian."""
    sound: Sound = frame.data
    samples = sound.samples[:, :2]
    whole = np.rint(samples * 32767).astype("<i2")
    step = max(1, round(PIECE_S * sound.rate))
    return [
        protocol.pack(
            {
                "type": "sound",
                "speaker": name,
                "stream": frame.stream,
                "seq": frame.seq,
                "t_ns": frame.t_ns,
                "codec": "pcm16",
                "rate": sound.rate,
                "channels": samples.shape[1],
            },
            whole[at : at + step].tobytes(),
        )
        for at in range(0, len(whole), step)
    ]
