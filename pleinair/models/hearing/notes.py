"""Which notes are played, several at once. Task "notes".

Basic Pitch (Bittner and others, Spotify: A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and
Multipitch Estimation, 2022): for each of 88 notes and every 11.6 ms, whether it begins and whether it sounds, from two
seconds of sound at 22.05 kHz. In a piece those two seconds move on by a quarter of a second; what is nearer than 0.17 s
to their end is not trusted yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.errors import ModelFault
from ...core.kinds import Audio, Control, Event, Sound
from .listening import Listener, mono
from .pitch import name_of

RATE, HOP = 22_050, 256
WINDOW, FRAMES, EDGE = 43_844, 172, 15
STEP = 22
"""Frames by which the window moves on: 0.255 s."""
FIRST = FRAMES - 1 - EDGE - STEP
"""The first of them that are read of a window."""
OFFSET = (STEP + FIRST) * HOP - WINDOW
"""Samples from the stream's beginning to the first frame that is read: it lies before it."""
LOWEST_MIDI = 21
BEGINS_SOUNDING, SOUNDS = 0.4, 0.3
"""A note begins only where it sounds above the first (below it are overtones), and sounds on above the second."""
SILENT = 8
"""Frames (93 ms) below it after which a note has ended: shorter gaps are the same note."""
AGAIN = 6
"""Frames (70 ms) within which a note does not begin twice."""


@dataclass
class _Note:
    midi: int
    begin: int
    onset: float
    sum: float = 0.0
    count: int = 0
    silent: int = 0

    @property
    def confidence(self) -> float:
        return 0.0 if not self.count else min(1.0, self.sum / self.count)


@dataclass
class Tracker:
    """Frames of (88 beginnings, 88 soundings) in; notes that begin and end out."""

    begins: float = 0.5
    _on: dict[int, _Note] = field(default_factory=dict)
    _at: int = 0
    _past: list[np.ndarray] = field(default_factory=list)

    def __call__(self, onset: np.ndarray, sounding: np.ndarray) -> Iterator[tuple[str, _Note, int]]:
        """("started" or "ended", the note, the frame at which). A beginning is a peak among its neighbours in time, so
        the answer is one frame late."""
        self._past.append(np.stack([onset, sounding]))
        if len(self._past) < 3:
            return
        before, here, after = self._past[-3:]
        self._past = self._past[-2:]
        self._at += 1
        peaks = (here[0] >= before[0]) & (here[0] > after[0]) & (here[0] >= self.begins)
        peaks &= np.maximum(here[1], after[1]) >= BEGINS_SOUNDING
        for pitch in range(88):
            note = self._on.get(pitch)
            if note is not None:
                yield from self._go_on(pitch, note, float(here[1, pitch]))
                note = self._on.get(pitch)
            if peaks[pitch] and (note is None or self._at - note.begin >= AGAIN):
                if note is not None:
                    del self._on[pitch]
                    yield "ended", note, self._at
                fresh = self._on[pitch] = _Note(pitch + LOWEST_MIDI, self._at, float(here[0, pitch]))
                fresh.sum, fresh.count = float(max(here[1, pitch], after[1, pitch])), 1
                yield "started", fresh, self._at

    def _go_on(self, pitch: int, note: _Note, level: float) -> Iterator[tuple[str, _Note, int]]:
        if level >= SOUNDS:
            note.sum, note.count, note.silent = note.sum + level, note.count + 1, 0
            return
        note.silent += 1
        if note.silent >= SILENT:
            del self._on[pitch]
            yield "ended", note, self._at - note.silent + 1

    def save(self) -> dict[str, Any]:
        """What it remembers, for a tape that begins in the middle."""
        return {"on": [list(astuple(n)) for n in self._on.values()], "at": self._at, "past": list(self._past)}

    def load(self, state: Mapping[str, Any]) -> None:
        notes = [_Note(*row) for row in state["on"]]
        self._on = {note.midi - LOWEST_MIDI: note for note in notes}
        self._at, self._past = state["at"], [np.asarray(frame) for frame in state["past"]]

    def flush(self) -> Iterator[tuple[str, _Note, int]]:
        for note in self._on.values():
            yield "ended", note, self._at - note.silent + 1
        self._on = {}


class Notes(Listener):
    """`model(sound)`: a row of {"note": "C4", "midi", "begin", "end", "confidence"}, in seconds. In a piece an Event
    when a note is heard to begin ({"event": "started", "note", "midi", "t", "confidence"}) and one when it has ended
    ("ended", with "seconds", how long it was); `t`: content time of its beginning. Both come 0.2 to 0.45 s late.

    sound        Audio of any rate
    sensitivity  0..1: how little of a beginning is a note's (0.5)
    """

    kind = Event
    rate = RATE
    candidates = (("onnx", "f32"),)
    takes = {"sound": Audio, "sensitivity": Control}

    def _open(self) -> None:
        self._network = self.network(
            "network",
            [Tensor("serving_default_input_2:0", (1, WINDOW, 1))],
            [Tensor(f"StatefulPartitionedCall:{n}", (1, FRAMES, 88)) for n in (1, 2)],
        )
        shortest_s = float(self.card.options.get("shortest_s", 0.06))
        if not 0 < shortest_s < 2:
            raise ModelFault(f"{self.card.name}: shortest_s is {shortest_s}", hint="shortest_s = 0.06")
        self._shortest = round(shortest_s * RATE / HOP)
        self._read(np.zeros(WINDOW, np.float32))

    def reset(self) -> None:
        super().reset()
        self._window = np.zeros(WINDOW, np.float32)
        self._fresh = np.zeros(0, np.float32)
        self._begin_s: float | None = None
        self._tracker = Tracker()

    def _kept(self) -> dict[str, Any]:
        kept = {"window": self._window, "fresh": self._fresh, "begin_s": self._begin_s}
        return {**kept, "tracker": self._tracker.save()}

    def _keep(self, state: Mapping[str, Any]) -> None:
        self._window, self._fresh = (np.array(state[k], np.float32) for k in ("window", "fresh"))
        self._begin_s = state["begin_s"]
        self._tracker.load(state["tracker"])

    def _read(self, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(beginnings, soundings), each (172, 88), 0..1."""
        found = self._network.run({"serving_default_input_2:0": np.ascontiguousarray(window[None, :, None])})
        return found["StatefulPartitionedCall:2"][0], found["StatefulPartitionedCall:1"][0]

    def _begins(self, values: Mapping[str, Any]) -> float:
        return float(np.clip(1 - Control.check(values.get("sensitivity", 0.5)), 0.05, 0.95))

    def posteriors(self, sound: Sound) -> tuple[np.ndarray, np.ndarray]:
        """(beginnings, soundings) of a whole sound, float32 (frames, 88), 86.13 frames a second; column 0 is A0."""
        self.open()
        samples = mono(sound, RATE)
        wanted = -(-len(samples) // HOP)
        padded = np.concatenate([np.zeros(EDGE * HOP, np.float32), samples, np.zeros(WINDOW, np.float32)])
        usable = FRAMES - 2 * EDGE
        parts = []
        for at in range(0, max(1, wanted), usable):
            parts.append([x[EDGE : EDGE + usable] for x in self._read(padded[at * HOP : at * HOP + WINDOW])])
        onset, sounding = (np.concatenate(each)[:wanted] for each in zip(*parts, strict=True))
        return onset, sounding

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Any:
        tracker, found = Tracker(self._begins(values)), []
        onset, sounding = self.posteriors(sound)
        steps = [s for frame in zip(onset, sounding, strict=True) for s in tracker(*frame)]
        for what, note, at in [*steps, *tracker.flush()]:
            if what == "ended" and at - note.begin >= self._shortest:
                found.append(_told(note) | {"begin": _s(note.begin), "end": _s(at)})
        return Event.check(sorted(found, key=lambda n: (n["begin"], n["midi"])))

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Iterator[dict[str, Any]]:
        if self._begin_s is None:
            self._begin_s = t
        self._tracker.begins = self._begins(values)
        self._fresh = np.concatenate([self._fresh, samples])
        found: list[dict[str, Any]] = []
        while len(self._fresh) >= STEP * HOP:
            self._window = np.concatenate([self._window[STEP * HOP :], self._fresh[: STEP * HOP]])
            self._fresh = self._fresh[STEP * HOP :]
            onset, sounding = self._read(self._window)
            for frame in range(FIRST, FIRST + STEP):
                for step in self._tracker(onset[frame], sounding[frame]):
                    found.append(self._event(*step))
        return iter(found)

    def _event(self, what: str, note: _Note, at: int) -> dict[str, Any]:
        begin_s = (self._begin_s or 0.0) + (note.begin * HOP + OFFSET) / RATE
        told = {"event": what, **_told(note), "t": round(max(0.0, begin_s), 4)}
        return told if what == "started" else told | {"seconds": _s(at - note.begin)}


def _told(note: _Note) -> dict[str, Any]:
    return {"note": name_of(note.midi), "midi": note.midi, "confidence": round(note.confidence, 4)}


def _s(frames: int) -> float:
    return round(frames * HOP / RATE, 4)
