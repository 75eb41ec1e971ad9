"""A voice without the noise around it. Task "denoise".

DeepFilterNet 3 (H. Schröter, T. Rosenkranz, A. N. Escalante-B., A. Maier: DeepFilterNet: Perceptually Motivated
Real-Time Speech Enhancement, 2023): at 48 kHz, every 10 ms, a gain for each of 32 bands as wide as the ear hears (ERB),
and below 4.8 kHz a filter over five frames that also mends the tones. What comes out is 30 to 40 ms late: half of a
window, two frames of looking ahead, and what is missing to a frame of 10 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.kinds import Audio, Control, Sound
from .listening import Listener, mono

RATE, HOP, SIZE = 48_000, 480, 960
BINS = SIZE // 2 + 1
BANDS, FILTERED, ORDER, AHEAD = 32, 96, 5, 2
KEEPS = 0.99
"""Of a running mean, per frame: exp(-10 ms / 1 s), rounded as its makers do."""
MEMORIES = 5
REMEMBERED = ("left", "before", "tail", "mean", "unit", "erb", "spec", "spectra", "skip", "state")
BLOCK = 200
"""Frames of a whole sound at once."""


def bands() -> np.ndarray:
    """Bins of each band, (32,): equal steps on the ERB scale (Glasberg and Moore, 1990), two bins at the least."""
    top = 9.265 * np.log1p(RATE / 2 / (24.7 * 9.265))
    edges = 24.7 * 9.265 * np.expm1(np.arange(1, BANDS + 1) * top / BANDS / 9.265)
    found, before, over = [], 0, 0
    for edge in np.round(edges / (RATE / SIZE)).astype(int):
        width = edge - before - over
        over = max(0, 2 - width)
        found.append(max(2, width))
        before = edge
    found[-1] += BINS - sum(found)
    return np.array(found)


WINDOW = np.sin(np.pi / 2 * np.sin(np.pi * (np.arange(SIZE) + 0.5) / SIZE) ** 2).astype(np.float32)
"""Vorbis's window: its square and that of its neighbour sum to 1."""


class Denoise(Listener):
    """`model(sound)`: the sound, mono at 48 kHz, without its noise. In a piece: chunk by chunk, 30 to 40 ms
    late.

    sound     Audio of any rate
    strength  0..1: how much of the noise is taken away (1: all that is found)
    """

    kind = Audio
    rate = RATE
    candidates = (("onnx", "f32"),)
    takes = {"sound": Audio, "strength": Control}

    def _open(self) -> None:
        inputs = [Tensor("feat_erb", (1, 1, -1, BANDS)), Tensor("feat_spec", (1, 2, -1, FILTERED))]
        inputs += [Tensor("c0_before", (1, 64, 4, FILTERED))]
        inputs += [Tensor(f"memory_{n}", (1, 1, 256)) for n in range(MEMORIES)]
        outputs = [Tensor("m", (1, 1, -1, BANDS)), Tensor("coefs", (1, -1, FILTERED, 2 * ORDER))]
        outputs += [Tensor("c0_after", (1, 64, 4, FILTERED))]
        outputs += [Tensor(f"after_{n}", (1, 1, 256)) for n in range(MEMORIES)]
        self._network = self.network("network", inputs, outputs)
        self._widths = bands()
        self._starts = np.concatenate([[0], np.cumsum(self._widths)[:-1]])
        self._begin()
        self._frames(np.zeros(HOP * 4, np.float32), 1.0)

    def reset(self) -> None:
        super().reset()
        self._begin()

    def _begin(self) -> None:
        """As if nothing had been heard: the running means are those that its makers begin with."""
        self._left = np.zeros(0, np.float32)
        self._before = np.zeros(HOP, np.float32)
        self._tail = np.zeros(HOP, np.float32)
        self._mean = np.linspace(-60, -90, BANDS, dtype=np.float32)
        self._unit = np.linspace(0.001, 0.0001, FILTERED, dtype=np.float32)
        self._erb = np.zeros((2, BANDS), np.float32)
        self._spec = np.zeros((2, 2, FILTERED), np.float32)
        self._spectra = np.zeros((ORDER - 1, BINS), np.complex64)
        self._skip = AHEAD
        self._state = {"c0_before": np.zeros((1, 64, 4, FILTERED), np.float32)}
        self._state |= {f"memory_{n}": np.zeros((1, 1, 256), np.float32) for n in range(MEMORIES)}

    def _kept(self) -> dict[str, Any]:
        return {name: getattr(self, f"_{name}") for name in REMEMBERED}

    def _keep(self, state: Mapping[str, Any]) -> None:
        for name in REMEMBERED:
            setattr(self, f"_{name}", state[name])

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Sound:
        samples = mono(sound, RATE)
        late = (AHEAD + 1) * HOP
        padded = np.concatenate([samples, np.zeros(late + HOP, np.float32)])
        with self._lock:
            self._begin()
            step = BLOCK * HOP
            parts = [self._push(padded[at : at + step], values) for at in range(0, len(padded), step)]
            self._begin()
        return Sound(np.concatenate(parts)[HOP : HOP + len(samples), None], RATE)

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Sound | None:
        with self._lock:
            clean = self._push(samples, values)
        return Sound(clean[:, None], RATE) if len(clean) else None

    def _push(self, samples: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        """As many samples as are ready; the first belongs 480 samples before the first that was pushed."""
        left = np.concatenate([self._left, samples])
        whole = len(left) - len(left) % HOP
        self._left = left[whole:]
        strength = float(np.clip(Control.check(values.get("strength", 1.0)), 0, 1))
        return self._frames(left[:whole], strength) if whole else left[:0]

    def _frames(self, samples: np.ndarray, strength: float) -> np.ndarray:
        hops = samples.reshape(-1, HOP)
        pairs = np.concatenate([np.concatenate([self._before[None], hops[:-1]]), hops], 1)
        self._before = hops[-1].copy()
        spectra = (np.fft.rfft(pairs * WINDOW, axis=1) / SIZE).astype(np.complex64)
        erb, spec = self._features(spectra)
        self._erb, self._spec = np.concatenate([self._erb, erb]), np.concatenate([self._spec, spec])
        known = np.concatenate([self._spectra, spectra])
        found = self._network.run({
            "feat_erb": np.ascontiguousarray(self._erb[None, None]),
            "feat_spec": np.ascontiguousarray(self._spec.transpose(1, 0, 2)[None]),
            **self._state,
        })  # fmt: skip
        self._erb, self._spec, self._spectra = self._erb[-2:], self._spec[-2:], known[1 - ORDER :]
        self._state = {"c0_before": found["c0_after"], **{f"memory_{n}": found[f"after_{n}"] for n in range(MEMORIES)}}
        clean = self._mended(known, found["m"][0, 0], found["coefs"][0], strength)
        skip, self._skip = min(self._skip, len(clean)), max(0, self._skip - len(clean))
        return self._sound(clean[skip:])

    def _features(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(loudness of the bands (T, 32), lower bins (T, 2, 96)), each against its own running mean."""
        power = np.square(spectra.real) + np.square(spectra.imag)
        loud = 10 * np.log10(np.add.reduceat(power, self._starts, 1) / self._widths + 1e-10)
        low = spectra[:, :FILTERED]
        size = np.abs(low)
        erb, spec = np.empty_like(loud, np.float32), np.empty((len(low), 2, FILTERED), np.float32)
        for n in range(len(low)):
            self._mean = (loud[n] * (1 - KEEPS) + self._mean * KEEPS).astype(np.float32)
            self._unit = size[n] * np.float32(1 - KEEPS) + self._unit * np.float32(KEEPS)
            erb[n] = (loud[n] - self._mean) / 40
            unit = low[n] / np.sqrt(self._unit)
            spec[n, 0], spec[n, 1] = unit.real, unit.imag
        return erb, spec

    def _mended(self, known: np.ndarray, gains: np.ndarray, coefs: np.ndarray, strength: float) -> np.ndarray:
        """The clean spectra (T, 481), `AHEAD` frames before the newest: bands by their gains, and the lower bins by a
        filter over the two frames before, the frame, and the two after it."""
        count = len(gains)
        noisy = known[ORDER - 1 - AHEAD :][:count]
        clean = noisy * np.repeat(gains, self._widths, 1)
        taps = coefs.reshape(count, FILTERED, ORDER, 2)
        filtered = np.zeros((count, FILTERED), np.complex64)
        for n in range(ORDER):
            filtered += known[n : n + count, :FILTERED] * (taps[:, :, n, 0] + 1j * taps[:, :, n, 1])
        clean[:, :FILTERED] = filtered
        return clean if strength >= 1 else noisy + np.float32(strength) * (clean - noisy)

    def _sound(self, spectra: np.ndarray) -> np.ndarray:
        pairs = (np.fft.irfft(spectra * SIZE, SIZE, axis=1) * WINDOW).astype(np.float32)
        out = np.empty((len(pairs), HOP), np.float32)
        for n, pair in enumerate(pairs):
            out[n] = self._tail + pair[:HOP]
            self._tail = pair[HOP:]
        return np.clip(out.reshape(-1), -1, 1)
