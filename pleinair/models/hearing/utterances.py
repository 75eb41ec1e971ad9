"""Where an utterance begins and ends, from how surely each 32 ms hold a voice. No network and no clock in it: the same
sound is cut at the same places, live and in a replay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ...core.errors import ModelFault

STEP = 512
"""Samples of one window, at 16 kHz."""
STEP_S = STEP / 16_000


@dataclass(frozen=True)
class Rules:
    """When it is speech, in the card's `[options]`.

    begins_above  confidence from which a voice counts as one, two windows (64 ms) in a row
    ends_below    confidence below which it counts as silent
    before_s      how much is kept from before the beginning: the soft onset of a word
    pause_s       after so much silence the utterance may be over: what was said is looked at already
    end_s         after so much silence it is over
    longest_s     an utterance longer than this is cut, at the least voiced moment of its last quarter
    shortest_s    what is voiced for less is no utterance (a cough, a door)
    """

    begins_above: float = 0.5
    ends_below: float = 0.35
    before_s: float = 0.3
    pause_s: float = 0.2
    end_s: float = 0.5
    longest_s: float = 20.0
    shortest_s: float = 0.15

    @classmethod
    def of(cls, options: Mapping[str, Any], card: str) -> Rules:
        """Out of a card's options, which may hold others too; ModelFault for a value that cannot be."""
        known = {f.name for f in fields(cls)}
        try:
            rules = cls(**{k: float(v) for k, v in options.items() if k in known})
        except (TypeError, ValueError):
            raise ModelFault(f"{card}: its options for cutting speech are numbers", hint="pause_s = 0.2") from None
        sound = 0 <= rules.ends_below <= rules.begins_above <= 1 and 0 <= rules.pause_s <= rules.end_s
        if not sound or not 1 <= rules.longest_s <= 28 or rules.before_s < 0:
            raise ModelFault(
                f"{card}: its options for cutting speech contradict each other",
                hint="ends_below <= begins_above <= 1, pause_s <= end_s, longest_s from 1 to 28",
            )
        return rules


@dataclass(frozen=True)
class Step:
    """Something that happened.

    what        "started"; "grew" (a window more); "paused" (it may be over); "resumed" (it was not); "ended"; "dropped"
                (too short to be one, after "started")
    samples     for "paused" and "ended": the utterance, mono at 16 kHz, with what was before its onset and a little
                silence behind; else empty
    begin_s, end_s   from where to where the voice is heard, counted from the cutter's beginning
    confidence  mean over its voiced windows
    """

    what: str
    begin_s: float
    end_s: float
    confidence: float
    samples: np.ndarray


_NOTHING = np.zeros(0, np.float32)
KEPT = ("count", "silent", "lead", "begin_s", "paused")


def _rows(windows: Iterable[np.ndarray]) -> np.ndarray:
    rows = list(windows)
    return np.stack(rows) if rows else np.zeros((0, STEP), np.float32)


class Cutter:
    """Windows in, with how surely each holds a voice; what happened out."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.reset()

    def reset(self) -> None:
        self._count = 0
        before = round(self.rules.before_s / STEP_S) + 2
        self._before: deque[np.ndarray] = deque(maxlen=before)
        self._sures: deque[float] = deque(maxlen=before)
        self._windows: list[np.ndarray] | None = None
        self._silent = self._lead = 0
        self._begin_s = 0.0
        self._paused = False
        self._confidences: list[float] = []

    def save(self) -> dict[str, Any]:
        """What it remembers, for a tape that begins in the middle."""
        numbers = {name: getattr(self, f"_{name}") for name in KEPT}
        rows = {"before": _rows(self._before), "windows": None if self._windows is None else _rows(self._windows)}
        return {**numbers, **rows, "sures": list(self._sures), "confidences": list(self._confidences)}

    def load(self, state: Mapping[str, Any]) -> None:
        self.reset()
        for name in KEPT:
            setattr(self, f"_{name}", state[name])
        self._before.extend(np.array(row, np.float32) for row in state["before"])
        self._sures.extend(state["sures"])
        self._windows = None if state["windows"] is None else [np.array(row, np.float32) for row in state["windows"]]
        self._confidences = list(state["confidences"])

    @property
    def speaking(self) -> bool:
        return self._windows is not None

    @property
    def samples(self) -> np.ndarray:
        """The utterance so far."""
        return np.concatenate(self._windows) if self._windows else _NOTHING

    @property
    def voiced_s(self) -> float:
        """How long the utterance is so far, without the silence at its end."""
        return (len(self._confidences) - self._silent) * STEP_S

    def __call__(self, window: np.ndarray, sure: float) -> Iterator[Step]:
        """The next 512 samples."""
        self._count += 1
        if self._windows is None:
            last = self._sures[-1] if self._sures else 0.0
            self._before.append(np.array(window, np.float32))
            self._sures.append(sure)
            if sure >= self.rules.begins_above and last >= self.rules.begins_above:
                self._begin()
                yield self._step("started")
            return
        self._windows.append(np.array(window, np.float32))
        self._confidences.append(sure)
        if sure >= self.rules.ends_below:
            if self._paused:
                self._paused = False
                yield self._step("resumed")
            self._silent = 0
        else:
            self._silent += 1
        yield from self._after()

    def _begin(self) -> None:
        self._windows = list(self._before)
        self._lead = len(self._before) - 2  # windows of before_s; the two voiced ones are the utterance's own
        self._confidences = list(self._sures)[-2:]
        self._begin_s = (self._count - 2) * STEP_S
        self._silent = 0
        self._paused = False

    def _after(self) -> Iterator[Step]:
        quiet_s = self._silent * STEP_S
        if self._silent and quiet_s >= self.rules.end_s - 1e-9:
            yield self._end()
        elif self._silent and not self._paused and quiet_s >= self.rules.pause_s - 1e-9:
            self._paused = True
            yield self._step("paused", self._heard(self._silent))
        elif len(self._confidences) * STEP_S >= self.rules.longest_s:
            yield from self._split()
        else:
            yield self._step("grew")

    def _end(self) -> Step:
        pause = max(1, round(self.rules.pause_s / STEP_S + 0.4999))
        enough = sum(c >= self.rules.ends_below for c in self._confidences) * STEP_S >= self.rules.shortest_s
        step = self._step("ended" if enough else "dropped", self._heard(min(pause, self._silent)))
        self._before.extend(self._windows[-self._silent :] if self._silent else [])
        self._sures.extend(self._confidences[-self._silent :] if self._silent else [])
        self._windows, self._confidences = None, []
        return step

    def _split(self) -> Iterator[Step]:
        """Nobody takes a breath: cut where the voice is weakest, and go on with the rest."""
        last = len(self._confidences) * 3 // 4
        at = last + int(np.argmin(self._confidences[last:])) + 1
        windows, confidences = self._windows, self._confidences
        self._windows, self._confidences, silent = windows[: self._lead + at], confidences[:at], self._silent
        self._silent = 0
        yield self._step("ended", self._heard(0), end=self._begin_s + at * STEP_S)
        self._begin_s += at * STEP_S
        self._windows, self._confidences = windows[self._lead + at :], confidences[at:]
        self._lead, self._silent = 0, min(silent, len(self._confidences))
        yield self._step("started")

    def flush(self) -> Iterator[Step]:
        """The sound is over: so is what was being said."""
        if self._windows is not None:
            yield self._end()

    def _heard(self, silent: int) -> np.ndarray:
        """The utterance with so many windows of the silence behind it."""
        keep = len(self._windows) - (self._silent - silent)
        return np.concatenate(self._windows[:keep])

    def _step(self, what: str, samples: np.ndarray = _NOTHING, end: float | None = None) -> Step:
        if end is None:
            end = (self._count - self._silent) * STEP_S
        voiced = [c for c in self._confidences if c >= self.rules.ends_below]
        return Step(what, self._begin_s, end, float(np.mean(voiced)) if voiced else 0.0, samples)
