"""How high one voice or one instrument sounds. Task "pitch".

SwiftF0 (L. Nieradzik: SwiftF0, Fast and Accurate Monophonic Pitch Detection, arXiv 2508.18440, 2025): a pitch and a
confidence every 16 ms, from sound at 16 kHz, between 46.875 and 2093.75 Hz.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.kinds import Audio, Control, Figure, Landmarks, Sound
from .listening import Listener, mono

RATE, HOP = 16_000, 256
HOP_S = HOP / RATE
LOWEST_HZ, HIGHEST_HZ = 46.875, 2093.75
BEFORE, AHEAD = 20, 4
"""Frames that the network is given before and after the one that counts. 11 ahead give exactly what it finds in the
whole sound; with 4 (64 ms) half of the frames are within 1 cent of that, all of speech's within 6."""
SURE = 0.5
QUIET = 1e-4
"""Root mean square (-80 dB) below which there is no tone: of bare zeros the network thinks that it hears one."""
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def name_of(midi: float) -> str:
    """"A4" of 69, the nearest note of the equal temperament (A4 = 440 Hz)."""
    nearest = round(midi)
    return f"{NAMES[nearest % 12]}{nearest // 12 - 1}"


def midi_of(hz: float) -> float:
    """69 of 440 Hz; a semitone is 1."""
    return 69 + 12 * math.log2(hz / 440)


class Pitch(Listener):
    """`model(sound)`: Landmarks of one Figure, or none where nothing has a pitch. In a piece: for each chunk, the
    newest pitch that is settled (64 ms and less than a chunk after it sounded).

        pitch.hz          66.0
        pitch.note        "C2", the nearest note; pitch.cents: how far off it, -50..50; pitch.midi: 36.03
        pitch.height      0..1 between the lowest and the highest that it listens for, in octaves: for steering with
        pitch.confidence  0..1; 0 where there is none (0.5 and more is a pitch)
        pitch.tone        a Point, as high in a picture as it sounds (x 0.5)

    sound      Audio of any rate
    low, high  Hz: nothing outside is taken for a pitch

    Of a whole sound: its median. `model.contour(sound)`: (seconds, Hz, confidence), a row each, one for each 16 ms.
    """

    kind = Landmarks
    rate = RATE
    candidates = (("onnx", "f32"),)
    takes = {"sound": Audio, "low": Control, "high": Control}

    def _open(self) -> None:
        self._network = self.network(
            "network",
            [Tensor("audio", (1, -1)), Tensor("fmin", ()), Tensor("fmax", ())],
            [Tensor("pitch", (1, -1), dtype="float64"), Tensor("confidence", (1, -1))],
        )
        self._find(np.zeros(RATE, np.float32), {})

    def reset(self) -> None:
        super().reset()
        self._heard = np.zeros(0, np.float32)

    def _kept(self) -> dict[str, Any]:
        return {"heard": self._heard}

    def _keep(self, state: Mapping[str, Any]) -> None:
        self._heard = np.array(state["heard"], np.float32)

    def _find(self, samples: np.ndarray, values: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """(Hz, confidence) for each 16 ms."""
        low, high = self._range(values)
        found = self._network.run({
            "audio": np.ascontiguousarray(samples[None], np.float32),
            "fmin": np.array(low, np.float32),
            "fmax": np.array(high, np.float32),
        })  # fmt: skip
        sure = found["confidence"][0]
        whole = np.pad(samples, (0, -len(samples) % HOP)).reshape(-1, HOP)[: len(sure)]
        loud = np.sqrt(np.square(whole).mean(1)) > QUIET
        sure[: len(loud)] *= loud
        return found["pitch"][0].astype(np.float32), sure

    def _range(self, values: Mapping[str, Any]) -> tuple[float, float]:
        low = min(max(float(values.get("low", LOWEST_HZ)), LOWEST_HZ), HIGHEST_HZ / 1.1)
        return low, min(max(float(values.get("high", HIGHEST_HZ)), low * 1.1), HIGHEST_HZ)

    def contour(self, sound: Sound, **ports: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(seconds, Hz, confidence): float32, one dimension, one for each 16 ms."""
        self.open()
        samples = mono(sound, RATE)
        if len(samples) < HOP:
            return tuple(np.zeros(0, np.float32) for _ in range(3))  # type: ignore[return-value]
        hz, sure = self._find(samples, {**self._constants, **ports})
        return np.arange(len(hz), dtype=np.float32) * np.float32(HOP_S), hz, sure

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Landmarks:
        _, hz, sure = self.contour(sound, **{k: v for k, v in values.items() if k in ("low", "high")})
        voiced = sure >= SURE
        if not voiced.any():
            return Landmarks()
        return self._figure(float(np.median(hz[voiced])), float(sure[voiced].mean()), values)

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Landmarks | None:
        fresh = len(self._heard) // HOP
        self._heard = np.concatenate([self._heard, samples])
        frames = len(self._heard) // HOP
        if frames <= max(fresh, AHEAD):
            return None  # not a frame more than before
        hz, sure = self._find(self._heard[: frames * HOP], values)
        at = frames - 1 - AHEAD
        self._heard = self._heard[max(0, frames - BEFORE - AHEAD) * HOP :]
        if sure[at] < SURE:
            return Landmarks()
        return self._figure(float(hz[at]), float(sure[at]), values)

    def _figure(self, hz: float, sure: float, values: Mapping[str, Any]) -> Landmarks:
        low, high = self._range(values)
        midi = midi_of(hz)
        height = float(np.clip(math.log2(hz / low) / math.log2(high / low), 0, 1))
        figure = Figure(
            [(0.5, 1 - height)], ("tone",), min(1.0, max(0.0, sure)), hz=hz, midi=midi, note=name_of(midi),
            cents=100 * (midi - round(midi)), height=height,
        )  # fmt: skip
        return Landmarks([figure])
