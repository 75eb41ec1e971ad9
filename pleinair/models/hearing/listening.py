"""What tasks that listen share: sound of any rate and size becomes mono samples at the rate of the network."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ...core.kinds import Audio, Kind, Size, Sound
from ..card import Card
from ..network import NetworkModel

GAP_S = 0.25
"""A chunk that begins so much later (or earlier) than the one before it ended is another stretch of sound."""


REACH = 128
"""Samples, at the lower of the two rates, over which what was heard can still count: FFmpeg's filter has 32 taps."""


class Mono:
    """Chunks of any rate, size and number of channels to mono float32 at `rate` Hz, without a seam between them.

    FFmpeg's resampler (swresample, a polyphase filter) through PyAV; it holds back about 1 ms until more comes, or
    until `flush`. Channels are averaged. A chunk of another rate than the one before flushes and starts anew.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._resampler: Any = None
        self._anew()

    def _anew(self) -> Any:
        """Forgets everything; the resampler that was."""
        resampler, self._resampler, self._from = self._resampler, None, 0
        self._heard: deque[np.ndarray] = deque()
        self._kept = self._count = 0
        return resampler

    def __call__(self, sound: Sound) -> np.ndarray:
        """float32, one dimension: what of it is ready."""
        samples = sound.samples
        mono = samples.mean(1, dtype=np.float32) if samples.ndim == 2 and samples.shape[1] != 1 else samples.reshape(-1)
        if not len(mono):
            return np.zeros(0, np.float32)
        left = self.flush() if sound.rate != self._from else None
        self._from = sound.rate
        out = np.array(mono, np.float32) if sound.rate == self.rate else self._through(mono, sound.rate)
        return out if left is None or not len(left) else np.concatenate([left, out])

    def _through(self, mono: np.ndarray, rate: int) -> np.ndarray:
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler("flt", "mono", self.rate)
        self._remember(mono)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono[None], np.float32), "flt", "mono")
        frame.sample_rate = rate
        return _joined(self._resampler.resample(frame))

    def flush(self) -> np.ndarray:
        """What was held back; afterwards it is as new."""
        resampler = self._anew()
        return np.zeros(0, np.float32) if resampler is None else _joined(resampler.resample(None))

    def reset(self) -> None:
        self._anew()

    # FFmpeg's resampler cannot be asked what it holds. It is a filter of finite length whose place among its phases
    # comes again with every `period` of samples: one that is given the last of what the other was given, from the
    # beginning of such a period on, goes on as the other does, to the bit.

    @property
    def _period(self) -> int:
        return self._from // math.gcd(self._from, self.rate)

    @property
    def _reach(self) -> int:
        return REACH * max(1, -(-self._from // self.rate))

    def _remember(self, mono: np.ndarray) -> None:
        self._heard.append(np.array(mono, np.float32))
        self._count, self._kept = self._count + len(mono), self._kept + len(mono)
        while self._kept - len(self._heard[0]) >= self._reach + self._period:
            self._kept -= len(self._heard.popleft())

    def save(self) -> dict[str, Any]:
        """What it remembers, for a tape that begins in the middle."""
        if self._resampler is None:
            return {"from": self._from, "heard": None}
        begin = self._count - self._kept
        begin += -begin % self._period
        return {"from": self._from, "heard": np.concatenate(self._heard)[self._kept - (self._count - begin) :]}

    def load(self, state: Mapping[str, Any]) -> None:
        self._anew()
        self._from = int(state["from"])
        if state["heard"] is not None:
            self._through(np.asarray(state["heard"], np.float32), self._from)


def _joined(frames: list[Any]) -> np.ndarray:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.zeros(0, np.float32)


def mono(sound: Any, rate: int) -> np.ndarray:
    """A whole sound as mono float32 at `rate` Hz; ValueError, with a sentence, where it is none."""
    through = Mono(rate)
    return np.concatenate([through(Audio.check(sound)), through.flush()])


class Listener(NetworkModel):
    """Base of tasks that listen. A bare call takes a whole sound; in a piece it is called with chunks as they come.

    In a piece the runner hands over `t`, the content time of the chunk's first sample in seconds: that is how a call
    knows that it is one of many. Chunks that do not follow each other (a device was away) begin anew.
    """

    uses: tuple[str, ...] = ("t",)
    rate = 16_000
    """What the network hears at, in Hz."""

    takes: Mapping[str, type[Kind]] = {"sound": Audio}
    """Its ports, where the card does not name them; the first is the sound."""

    def __init__(self, card: Card, *, size: Size | None = None, **how: Any) -> None:
        super().__init__(card if card.ports else replace(card, ports=dict(self.takes)), size=size, **how)
        self._mono = Mono(self.rate)
        self._due_s: float | None = None

    def _size(self, size: Size | None) -> None:
        if size:
            raise ModelFault(f"{self.card.name} listens, and has no size", hint="leave size away")

    def _run(self, values: dict[str, Any]) -> Any:
        sound, t = Audio.check(values.pop(self._order[0])), values.pop("t", None)
        if t is None:
            return self._whole(sound, values)
        if self._due_s is not None and abs(t - self._due_s) > GAP_S:
            self.reset()
        self._due_s = t + sound.seconds
        return self._stream(self._mono(sound), values, t)

    def reset(self) -> None:
        """Forgets what it heard."""
        self._mono.reset()
        self._due_s = None

    def save(self) -> dict[str, Any] | None:
        """What it remembers of the chunks so far, for a tape that begins in the middle; None before the first."""
        if not self._is_open or self._due_s is None:
            return None
        return {"due_s": self._due_s, "mono": self._mono.save(), **self._kept()}

    def load(self, state: Mapping[str, Any] | None) -> None:
        """Goes on where the one that saved it was, to the bit."""
        self.open()
        self.reset()
        if state:
            self._due_s = float(state["due_s"])
            self._mono.load(state["mono"])
            self._keep(state)

    def _kept(self) -> dict[str, Any]:
        """What the task itself remembers: numbers, texts, lists, dicts, arrays (copies)."""
        return {}

    def _keep(self, state: Mapping[str, Any]) -> None:
        """Takes over what `_kept` gave, after `reset`."""

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Any:
        """A bare call: all of it at once."""
        raise NotImplementedError

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Any:
        """The next samples, mono at `rate`; `t`: content time in seconds at which the chunk that brought them began."""
        raise NotImplementedError
