"""Makes the clip `visitor`: six questions, said by the shelf's own voice, so that nobody's voice is borrowed.

python tools/visitor.py            # writes pleinair/models/cards/visitor.flac, and prints what its card has to say
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np

import pleinair

OUT = Path(__file__).parents[1] / "pleinair" / "models" / "cards" / "visitor.flac"
VOICE, SPEED = "bf_emma", 0.95
PAUSE_S = 0.9
"""Longer than the 0.3 s at which the source `sound` takes a breath."""
ASKS = (
    "Good morning, how are you today?",
    "What are you painting?",
    "Which colour do you like best, and why?",
    "Who taught you how to speak?",
    "Do you ever dream of the sea?",
    "Thank you, and goodbye!",
)


def main() -> None:
    speak = pleinair.load("kokoro")
    said = [speak(words, voices=VOICE, speed=SPEED) for words in ASKS]
    pause = np.zeros(int(PAUSE_S * said[0].rate), np.float32)
    wave = np.concatenate([part for sound in said for part in (sound.samples.reshape(-1), pause)])
    wave = 0.7 * wave / np.abs(wave).max()
    with av.open(str(OUT), "w") as container:
        stream = container.add_stream("flac", rate=said[0].rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.round(wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = said[0].rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = OUT.read_bytes()
    print(f'{len(wave) / said[0].rate:.1f} s\nsha256 = "{hashlib.sha256(data).hexdigest()}"\nbytes  = {len(data)}')


if __name__ == "__main__":
    main()
