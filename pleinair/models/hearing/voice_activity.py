"""Does somebody speak? Tasks "voice_activity" and "voice_events".

Silero VAD 6 (Silero Team): every 32 ms one number, the confidence that there is a voice, from 512 samples at 16 kHz,
the 64 before them, and a state [2, 1, 128] that remembers what came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...backends.base import Backend, Tensor
from ...core.kinds import Control, Event, Sound
from .listening import Listener, mono
from .utterances import STEP, Cutter, Rules

RATE = 16_000
CONTEXT = 64
INPUTS = (Tensor("input", (1, CONTEXT + STEP)), Tensor("state", (2, 1, 128)))
OUTPUTS = (Tensor("output", (1, 1)), Tensor("stateN", (2, 1, 128)))


class Detector:
    """The network and its state: samples in, of any number, one confidence for each 512 that are full."""

    def __init__(self, network: Backend) -> None:
        self._network = network
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._input = np.zeros((1, CONTEXT + STEP), np.float32)
        self._left = np.zeros(0, np.float32)

    def save(self) -> dict[str, np.ndarray]:
        """What it remembers, for a tape that begins in the middle."""
        return {"state": self._state.copy(), "input": self._input.copy(), "left": self._left}

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        self._state, self._input, self._left = (np.array(state[k], np.float32) for k in ("state", "input", "left"))

    def __call__(self, samples: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """(512 samples, confidence that they hold a voice) for each full window."""
        left = np.concatenate([self._left, samples]) if len(self._left) else samples
        whole = len(left) - len(left) % STEP
        self._left = left[whole:].copy()
        for at in range(0, whole, STEP):
            window = left[at : at + STEP]
            self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
            self._input[0, CONTEXT:] = window
            found = self._network.run({"input": self._input, "state": self._state})
            self._state = found["stateN"]
            yield window, float(found["output"][0, 0])

    def utterances(self, samples: np.ndarray, rules: Rules) -> list[tuple[float, float, float]]:
        """(begin, end, confidence) of each utterance in a whole sound of 16 kHz, in seconds; the state begins anew."""
        self.reset()
        cutter, found = Cutter(rules), []
        padded = np.concatenate([samples, np.zeros(-len(samples) % STEP, np.float32)])
        steps = [step for window, sure in self(padded) for step in cutter(window, sure)] + list(cutter.flush())
        for step in steps:
            if step.what == "ended":
                end_s = min(step.end_s, len(samples) / RATE)
                found.append((step.begin_s, end_s, step.confidence))
        self.reset()
        return found


class _Voice(Listener):
    rate = RATE
    candidates = (("onnx", "f32"),)

    def _open(self) -> None:
        network = self.network("network", INPUTS, OUTPUTS)
        self._detector = Detector(network)
        list(self._detector(np.zeros(STEP, np.float32)))
        self._rules = Rules.of(self.card.options, self.card.name)
        self._cutter = Cutter(self._rules)

    def reset(self) -> None:
        super().reset()
        if hasattr(self, "_detector"):
            self._detector.reset()
            self._cutter.reset()

    def _kept(self) -> dict[str, Any]:
        return {"detector": self._detector.save(), "cutter": self._cutter.save()}

    def _keep(self, state: Mapping[str, Any]) -> None:
        self._detector.load(state["detector"])
        self._cutter.load(state["cutter"])

    def utterances(self, sound: Sound) -> list[tuple[float, float, float]]:
        """(begin, end, confidence) of each utterance of a whole sound, in seconds."""
        self.open()
        with self._lock:
            return self._detector.utterances(mono(sound, RATE), self._rules)


class VoiceActivity(_Voice):
    """`model(sound)`: how surely somebody speaks, 0..1, at the surest of its 32 ms. In a piece: of each chunk, nothing
    while fewer than 32 ms have come. `model.utterances(sound)` gives begin, end and confidence of each."""

    kind = Control

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> float:
        samples = mono(sound, RATE)
        padded = np.concatenate([samples, np.zeros(-len(samples) % STEP, np.float32)])
        with self._lock:
            self._detector.reset()
            return max((sure for _, sure in self._detector(padded)), default=0.0)

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> float | None:
        return max((sure for _, sure in self._detector(samples)), default=None)


class VoiceEvents(_Voice):
    """`model(sound)`: a row of {"begin", "end", "confidence"}, in seconds. In a piece an Event when somebody begins to
    speak, and one when they have ended: {"voice": "started" or "ended", "seconds", "confidence"}; `seconds`: of the
    utterance so far."""

    kind = Event

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> list[dict[str, float]]:
        keys = ("begin", "end", "confidence")
        found = [dict(zip(keys, map(_short, each), strict=True)) for each in self.utterances(sound)]
        return Event.check(found)

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Iterator[dict[str, Any]]:
        steps = [step for window, sure in self._detector(samples) for step in self._cutter(window, sure)]
        return iter([
            {"voice": s.what, "seconds": _short(s.end_s - s.begin_s), "confidence": _short(s.confidence)}
            for s in steps if s.what in ("started", "ended")
        ])  # fmt: skip


def _short(number: float) -> float:
    return round(float(number), 4)
