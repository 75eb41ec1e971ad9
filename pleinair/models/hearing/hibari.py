"""The network that makes a voice in a hundredth of a second: hibari, and the sound out of what it predicts.

hibari (M. Williams, 2026) reads phonemes and predicts, for each frame of 12.5 ms, a pitch and five rows of 601 numbers:
how loud the pulses of the voice are at each frequency, how they are turned, how loud the breath is, and what is left.
The sound is put together here, by the formula of its interface ("ONNX interface" in its package's description), so
pitch and breath are knobs: neither goes through the network.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...backends.base import Tensor
from ...core.kinds import Control, Kind
from .phonemes import phonemes
from .voices import Make, spell, tokens

HOP, BINS = 300, 601
FFT = 2 * (BINS - 1)
LOWEST_HZ, HIGHEST_HZ = 40.0, 11_000.0
"""Below the first a frame is unvoiced; pulses have harmonics up to the second."""
LOUDEST = 7.0
_WINDOW = np.hanning(FFT + 1)[:-1].astype(np.float32)


class Hibari:
    """One voice of English, 7.9 MB, at 24 kHz. Its breath is noise out of a fixed seed: the same text is the same
    sound.

    vocabulary  its vocab.json: phoneme -> token (Kokoro's alphabet)
    language    the voice's own, as espeak-ng names it
    """

    rate = 24_000
    longest = 480
    ports: Mapping[str, type[Kind]] = {"speed": Control, "pitch": Control, "breath": Control}
    """pitch: semitones, -12..12, 0 is the voice's own; breath: 0..1, 1 is a whisper."""

    def __init__(self, make: Make, vocabulary: bytes, language: str) -> None:
        self._tokens = tokens(vocabulary)
        self.names = ["voice"]
        self._language = language
        rows = [Tensor(name, (-1, BINS, -1)) for name in ("lh", "theta", "ln", "lr", "phi")]
        self._network = make(
            "network",
            [Tensor("ids", (1, -1), dtype="int64"), Tensor("speed", (1,))],
            [*rows, Tensor("f0", (-1, -1))],
        )

    def language(self, weights: np.ndarray) -> str:
        return self._language

    def say(
        self, text: str, language: str, weights: np.ndarray, speed: float, *, pitch: float = 0.0, breath: float = 0.0
    ) -> np.ndarray:
        """float32 samples at 24 kHz; empty where there is nothing to say."""
        spelt = spell(phonemes(text, language), language)
        ids = [self._tokens[sign] for sign in spelt if sign in self._tokens][: self.longest]
        if not ids:
            return np.zeros(0, np.float32)
        found = self._network.run({
            "ids": np.array([[0, *ids, 0]], np.int64),
            "speed": np.array([speed], np.float32),
        })  # fmt: skip
        rows = {name: np.ascontiguousarray(value[0].T) for name, value in found.items() if name != "f0"}
        f0 = found["f0"][0]
        own = sound(rows, f0)
        pitch, breath = float(np.clip(pitch, -12, 12)), float(np.clip(breath, 0, 1))
        if not pitch and not breath:
            return own
        changed = sound(rows, f0 * np.float32(2 ** (pitch / 12)), breath)
        return changed * np.float32(_level(own) / max(_level(changed), 1e-6))  # neither knob is one of loudness


def sound(rows: Mapping[str, np.ndarray], f0: np.ndarray, breath: float = 0.0) -> np.ndarray:
    """Frames to samples.

    rows    lh, theta, ln, lr, phi: float32 (frames, 601)
    f0      float32 (frames,), Hz; below 40 unvoiced
    """
    rng = np.random.default_rng(0)
    shape = rows["lh"].shape
    noise = rng.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]
    source = _spectra(pulses(f0)) / np.float32(HOP)
    if breath > 0:
        # What a pulse train has in a bin on average: a Hann lobe's power (1.5) for each harmonic, every f0/20 bins.
        level = np.where(f0 >= LOWEST_HZ, np.sqrt(15 / np.maximum(f0, LOWEST_HZ)), 0).astype(np.float32)
        other = rng.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]
        source = np.float32(np.sqrt(1 - breath)) * source + np.float32(np.sqrt(breath)) * other * level[:, None]
    turned = _unit(np.float32(np.pi) * np.tanh(rows["theta"]))
    spectra = _loud(rows["lh"]) * turned * source
    spectra += _loud(rows["ln"]) * noise
    spectra += _loud(rows["lr"]) * _unit(rows["phi"]) * np.float32(1 - breath)  # what is left holds the pitch, too
    return _overlapped(spectra)


def pulses(f0: np.ndarray) -> np.ndarray:
    """A band-limited pulse train at 24 kHz: the sum of all cosines of the pitch up to 11 kHz, in closed form
    (Dirichlet's kernel); 0 where unvoiced. float32 (frames * 300,)."""
    count = len(f0)
    at = (np.arange(count * HOP, dtype=np.float64) + 0.5) / HOP - 0.5
    hz = np.interp(at, np.arange(count), f0)
    voiced = hz >= LOWEST_HZ
    hz = np.maximum(hz, LOWEST_HZ)
    phase = 2 * np.pi * (np.cumsum(hz / Hibari.rate) % 1)
    harmonics = np.floor(HIGHEST_HZ / hz)
    half = np.sin(phase / 2)
    near = np.abs(half) < 1e-5  # at a pulse itself the quotient is 0 / 0, and the sum is the number of harmonics
    train = np.sin((harmonics + 0.5) * phase) / (2 * np.where(near, 1, half)) - 0.5
    return np.where(voiced, np.where(near, harmonics, train), 0).astype(np.float32)


def _level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.square(samples).mean()))


def _loud(row: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(row, LOUDEST))


def _unit(angle: np.ndarray) -> np.ndarray:
    turned = np.empty(angle.shape, np.complex64)
    turned.real, turned.imag = np.cos(angle), np.sin(angle)
    return turned


def _spectra(samples: np.ndarray) -> np.ndarray:
    """Short-time Fourier transform, Hann of 1200 every 300 samples, centred: complex64 (frames, 601)."""
    padded = np.pad(samples, FFT // 2, mode="reflect" if len(samples) > FFT // 2 else "constant")
    framed = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][: len(samples) // HOP]
    return np.fft.rfft(framed * _WINDOW, axis=1).astype(np.complex64)


def _overlapped(spectra: np.ndarray) -> np.ndarray:
    """Its inverse, by overlap and add: float32 (frames * 300,)."""
    frames = np.fft.irfft(spectra, FFT, axis=1).astype(np.float32) * _WINDOW
    count, parts = len(frames), FFT // HOP
    total = np.zeros((count + parts - 1, HOP), np.float32)
    weight = np.zeros_like(total)
    for part in range(parts):
        total[part : part + count] += frames[:, part * HOP : (part + 1) * HOP]
        weight[part : part + count] += _WINDOW[part * HOP : (part + 1) * HOP] ** 2
    begin = FFT // 2
    samples, weights = (a.reshape(-1)[begin : begin + count * HOP] for a in (total, weight))
    whole = np.zeros(count * HOP, np.float32)
    whole[: len(samples)] = samples / np.maximum(weights, 1e-6)
    return whole
