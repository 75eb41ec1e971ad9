"""Pictures of the tasks that hear and speak, for docs/models.md: each made by running the real model.

    python tools/shelf/c.py [TASK ...]

The voice is Kokoro's own (its text is ours), the tune is made here; `denoise` and `voice_activity` hear the built-in
film's sound and the same voice. Needs espeak-ng.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import pleinair
from pleinair import paint
from pleinair.core.kinds import Sound
from pleinair.models.fetch import fetch

OUT = Path(__file__).parents[2] / "docs" / "pictures" / "models"
SIZE = (960, 300)
INK, QUIET, WARM = (24, 26, 33), (86, 92, 108), (240, 138, 56)
WORDS = "The light is changing now. Every picture that you see was painted by a machine, and it remembers nothing."
RATE = 24_000


def canvas(height: int = SIZE[1]) -> np.ndarray:
    return np.full((height, SIZE[0], 3), INK, np.uint8)


def label(
    image: np.ndarray, words: str, x: float, y: float, size: float = 0.075, colour: object = "paper"
) -> np.ndarray:
    return paint.text(image, words, (x, y), size, colour, align="left")


def spoken(text: str = WORDS, **ports: object) -> Sound:
    fetch(["kokoro"])
    return pleinair.load("kokoro")(text, **ports)


def chunks(sound: Sound, seconds: float = 0.05):
    size = round(seconds * sound.rate)
    for at in range(0, len(sound.samples), size):
        yield Sound(sound.samples[at : at + size], sound.rate), at / sound.rate


def with_silence(sound: Sound, before: float = 0.6, after: float = 0.9) -> Sound:
    quiet = [np.zeros((round(s * sound.rate), 1), np.float32) for s in (before, after)]
    return Sound(np.concatenate([quiet[0], sound.samples, quiet[1]]), sound.rate)


def hiss(sound: Sound, db: float) -> Sound:
    rng = np.random.default_rng(5)
    noise = np.convolve(rng.normal(0, 1, len(sound.samples)), np.ones(6) / 6, "same")
    noise *= np.sqrt(np.square(sound.samples).mean() / np.square(noise).mean()) * 10 ** (-db / 20)
    return Sound(np.clip(sound.samples + noise[:, None], -1, 1).astype(np.float32), sound.rate)


def voice_activity() -> np.ndarray:
    sound = with_silence(spoken("Is anybody there? I thought that I heard something."))
    loud = Sound(hiss(sound, 12).samples, sound.rate)
    model = pleinair.load("voice_activity")
    sure = [(t, s) for chunk, t in chunks(loud, 0.032) if (s := model(chunk, t=t)) is not None]
    image = paint.waveform(canvas(), loud, QUIET, (0.05, 0.72), gain=1.6)
    for begin, end, _ in model.utterances(loud):
        x0, x1 = (round(v / loud.seconds * SIZE[0]) for v in (begin, end))
        part = Sound(loud.samples[round(begin * loud.rate) : round(end * loud.rate)], loud.rate)
        image[:, x0:x1] = paint.waveform(image[:, x0:x1], part, WARM, (0.05, 0.72), gain=1.6)
    points = [(t / loud.seconds, 0.97 - 0.2 * s) for t, s in sure]
    for a, b in zip(points, points[1:], strict=False):
        image = paint.line(image, a, b, "paper", 0.008)
    return image


def transcribe() -> np.ndarray:
    sound = with_silence(spoken("The light is changing now. What should we paint?", voices="bm_george"))
    model = pleinair.load("whisper-tiny-en")
    image = paint.waveform(canvas(330), sound, QUIET, (0.0, 0.42), gain=1.4)
    row = 0.5
    for chunk, t in chunks(sound):
        for words in model(chunk, t=t) or ():
            if words is None:
                continue
            x = (t + chunk.seconds) / sound.seconds
            colour = WARM if words.final else (170, 174, 186)
            image = paint.line(image, (x, 0.02), (x, 0.42), colour, 0.004)
            image = label(image, f"{t + chunk.seconds:.1f} s   {words}", 0.02, row, 0.082, colour)
            row += 0.094
    return image


def speak() -> np.ndarray:
    model = pleinair.load("kokoro")
    image = canvas(360)
    both = np.zeros(len(model.names["voices"]), np.float32)
    both[[model.names["voices"].index(n) for n in ("af_heart", "am_onyx")]] = 0.5
    ear = pleinair.load("pitch")
    for n, (name, voices) in enumerate((("af_heart", "af_heart"), ("half and half", both), ("am_onyx", "am_onyx"))):
        sound = model("Good morning, dear guest! What should we paint today?", voices=voices)
        padded = Sound(np.pad(sound.samples, ((0, round(4.6 * RATE) - len(sound.samples)), (0, 0))), RATE)
        band = (n / 3 + 0.02, n / 3 + 0.32)
        image = paint.waveform(image, padded, QUIET, band, gain=1.2)
        _, hz, sure = ear.contour(padded)
        image = paint.pitch_line(image, hz, sure, WARM, band, low=70, high=400, width=0.012)
        image = label(image, name, 0.015, n / 3 + 0.06, 0.06)
    return image


def pitch() -> np.ndarray:
    sound = spoken("Is it? It is! And where, oh where, has the morning gone?", voices="bf_emma")
    _, hz, sure = pleinair.load("pitch").contour(sound)
    image = paint.waveform(canvas(), sound, (52, 56, 68), gain=1.5)
    for octave, name in ((110, "A2"), (220, "A3"), (440, "A4")):
        y = 1 - np.log2(octave / 90) / np.log2(500 / 90)
        image = label(paint.line(image, (0.045, y), (1, y), (60, 64, 78), 0.003), name, 0.01, y, 0.06, (150, 154, 166))
    return paint.pitch_line(image, hz, sure, WARM, low=90, high=500, width=0.016)


def notes() -> np.ndarray:
    """Bach's first prelude (1722), its first four bars, on a string that is nearly plucked."""
    bars = ((60, 64, 67, 72, 76), (60, 62, 69, 74, 77), (59, 62, 67, 74, 77), (60, 64, 67, 72, 76))
    step, rate = 0.16, 22_050
    tune = [(n * 8 + i, m) for n, bar in enumerate(bars) for i, m in enumerate((*bar, *bar[2:]))]
    whole = np.zeros(round((len(tune) * step + 1.5) * rate), np.float32)
    for place, midi in tune:
        t = np.arange(round(0.3 * rate)) / rate
        hz = 440 * 2 ** ((midi - 69) / 12)
        shape = np.exp(-6 * t) * np.minimum(1, t / 0.004)
        tone = shape * sum(np.sin(2 * np.pi * hz * k * t) / k**1.4 for k in range(1, 7))
        begin = round(place * step * rate) + round(0.2 * rate)
        whole[begin : begin + len(tone)] += 0.12 * tone.astype(np.float32)
    sound = Sound(whole[:, None], rate)
    found = pleinair.load("notes")(sound)
    image = paint.waveform(canvas(), sound, (52, 56, 68), (0.78, 1.0), gain=1.2)
    return paint.piano_roll(image, found, sound.seconds, WARM, (0.03, 0.76), low=57, high=79)


def denoise() -> np.ndarray:
    clean = spoken("Every picture that you see was painted by a machine.")
    loud = hiss(clean, 3)
    found = pleinair.load("denoise")(loud)
    image = canvas()
    for n, (name, sound) in enumerate((("as it was heard", loud), ("without its noise", found))):
        image = paint.waveform(image, sound, QUIET if n == 0 else WARM, (n / 2 + 0.03, n / 2 + 0.47), gain=1.5)
        image = label(image, name, 0.8, n / 2 + 0.1, 0.07)
    return image


ALL = {f.__name__: f for f in (voice_activity, transcribe, speak, pitch, notes, denoise)}


def main() -> None:
    import simplejpeg

    fetch(["voice_activity", "whisper-tiny-en", "kokoro", "pitch", "notes", "denoise"])
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or ALL:
        image = np.ascontiguousarray(ALL[name]())
        blob = simplejpeg.encode_jpeg(image, quality=88, colorspace="RGB")
        (OUT / f"{name}.jpg").write_bytes(blob)
        print(f"{name}: {len(blob) / 1000:.0f} KB")


if __name__ == "__main__":
    main()
