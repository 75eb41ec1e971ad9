"""Real weights of what listens and speaks, fetched once, and sounds with a known content."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from bench.speech import word_errors as count_errors
from pleinair.core.kinds import Sound
from pleinair.models import clip_path
from pleinair.models.fetch import fetch
from pleinair.sources.sound import SoundFile

CARDS = [
    "voice_activity", "voice_events", "two_cities", "whisper-tiny-en", "kokoro", "hibari", "pitch", "notes", "denoise",
]  # fmt: skip
RATE = 44_100

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="there is no espeak-ng here")

SAID = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was "
    "the epoch of belief it was the epoch of incredulity it was the season of light it was the season of darkness it "
    "was the spring of hope it was the winter of despair we had everything before us we had nothing before us we were "
    "all going direct to heaven we were all going direct the other way in short the period was so far like the present "
    "period that some of its noisiest authorities insisted on its being received for good or for evil in the "
    "superlative degree of comparison only"
)
"""The beginning of A Tale of Two Cities (Dickens, 1859), which the clip reads aloud."""


@pytest.fixture(scope="session", autouse=True)
def weights() -> None:
    """Only what hears and speaks: 190 MB the first time (tiny Whisper 75, Kokoro 92 and its voices)."""
    fetch(CARDS)


@pytest.fixture(scope="session")
def speech(weights) -> Sound:
    """The whole clip: 44.4 s, 48 kHz."""
    chunks = list(SoundFile(str(clip_path("two_cities")), loop=False, chunk_ms=1000))
    return Sound(np.concatenate([c.data.samples for c in chunks]), chunks[0].data.rate)


def part(sound: Sound, begin_s: float, end_s: float) -> Sound:
    return Sound(sound.samples[round(begin_s * sound.rate) : round(end_s * sound.rate)], sound.rate)


def chunks(sound: Sound, seconds: float, t: float = 0.0):
    """(chunk, content time) as a source hands them over."""
    size = round(seconds * sound.rate)
    for at in range(0, len(sound.samples), size):
        yield Sound(sound.samples[at : at + size], sound.rate), t + at / sound.rate


def streamed(model, sound: Sound, seconds: float = 0.05, t: float = 0.0) -> list:
    """What a model publishes in a piece: (content time when the chunk had come, what)."""
    found = []
    for chunk, at in chunks(sound, seconds, t):
        result = model(chunk, t=at)
        items = result if hasattr(result, "__next__") else [result]
        found += [(at + chunk.seconds, item) for item in items if item is not None]
    return found


def tone(hz: float, seconds: float, *, rate: int = RATE, overtones: int = 5) -> np.ndarray:
    """A plucked string, nearly: overtones that fade."""
    t = np.arange(round(seconds * rate)) / rate
    shape = np.exp(-2 * t) * np.minimum(1, t / 0.005)
    return (0.15 * shape * sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, overtones + 1))).astype(np.float32)


def word_errors(heard: str, said: str) -> float:
    """Wrong words over the number of words said; counted as the bench counts them."""
    return count_errors(heard, said) / max(1, len(said.split()))
