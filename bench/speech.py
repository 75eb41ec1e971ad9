"""Hearing and speaking: Whisper's words against faster-whisper's own, how soon they come, how soon it speaks, and a
whole conversation: real speech -> words -> a language model's answer -> a voice, in a live piece on this machine."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import pleinair
from pleinair import Piece
from pleinair.core.kinds import Sound, Text
from pleinair.core.observer import Observer
from pleinair.core.source import Sink
from pleinair.models import clip_path, store
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.models.hearing.transcribe import Transcribe
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null
from pleinair.sinks.wav import Wav
from pleinair.sources.sound import SoundFile

from .common import Figure

SAID = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was "
    "the epoch of belief it was the epoch of incredulity it was the season of light it was the season of darkness it "
    "was the spring of hope it was the winter of despair we had everything before us we had nothing before us we were "
    "all going direct to heaven we were all going direct the other way in short the period was so far like the present "
    "period that some of its noisiest authorities insisted on its being received for good or for evil in the "
    "superlative degree of comparison only"
)
SHORT = ("Hello there.", "Good morning!", "I can hear you.", "What is it?", "The light is changing.")
VOICES = ("hibari", "kokoro")
"""The quick voice, which answers in the conversation, and the one with many voices."""
SYSTEM = "You are a painter. Answer in one short sentence."
TAIL_S = 4.0
"""Silence behind an utterance: a microphone does not stop when somebody does."""
PATIENCE_S = 10.0


def run(quick: bool = False) -> list[Figure]:
    cards = ["whisper-tiny-en", *([] if quick else ["whisper-base"])]
    fetch([*cards, "two_cities", *VOICES, "chat"])
    clip = SoundFile(str(clip_path("two_cities")), loop=False, chunk_ms=1000)
    chunks = [c.data for c in clip]
    reading = Sound(np.concatenate([c.samples for c in chunks]), chunks[0].rate)
    figures: list[Figure] = []
    for card in cards:
        ear = pleinair.load(card, language="en")
        ear.open()
        cuts = ear.cuts(reading)
        figures.append(_words(card, ear, cuts[:2] if quick else cuts, len(cuts) if quick else 0))
        figures.append(_soon(card, ear, _utterances(reading, cuts, 2 if quick else len(cuts))))
        if card == cards[-1] and shutil.which("espeak-ng"):
            for name in VOICES:
                voice = pleinair.load(name)
                voice.open()
                figures.append(_first_sound(name, voice, 2 if quick else 9))
                if name == VOICES[0]:
                    figures.append(_loop(card, ear, name, voice, _utterances(reading, cuts, 2 if quick else len(cuts))))
                voice.close()
        ear.close()
    return figures


# -- words


def _words(card: str, ear: Transcribe, cuts: list[Any], of: int) -> Figure:
    """The same weights, the same cuts, both with a beam of 5 and asked for words without moments; what faster-whisper
    finds when it is asked for moments too stands beside it."""
    from faster_whisper import WhisperModel

    told = find_card(card)
    files = {told.files[r].name: store.read(told, r) for r in ("model", "config", "tokenizer", "vocabulary")}
    bare = WhisperModel(card, device="cpu", compute_type="int8", cpu_threads=ear.threads, files=files)
    ours, theirs, timed, took = [], [], [], {"ours": 0.0, "theirs": 0.0}
    for cut in cuts:
        began = time.perf_counter()
        ours.append(ear._hear(cut.samples, {"language": "en"}, beam=5))
        middle = time.perf_counter()
        found, _ = bare.transcribe(cut.samples, language="en", without_timestamps=True)
        theirs.append(" ".join(s.text.strip() for s in found))
        took["ours"] += middle - began
        took["theirs"] += time.perf_counter() - middle
        timed.append(" ".join(s.text.strip() for s in bare.transcribe(cut.samples, language="en")[0]))
    said = SAID if not of else " ".join(SAID.split()[: len(" ".join(theirs).split())])
    wrong = word_errors(" ".join(ours), said), word_errors(" ".join(theirs), said)
    return Figure(
        f"transcribe, {card}: word errors beyond faster-whisper's", wrong[0] - wrong[1], "words",
        "<= 0", wrong[0] <= wrong[1],
        {"ours": wrong[0], "faster_whisper": wrong[1], "with_moments": word_errors(" ".join(timed), said),
         "seconds": {k: round(v, 2) for k, v in took.items()},
         "of": len(said.split()), "cuts": len(cuts), "threads": ear.threads},
    )  # fmt: skip


def word_errors(heard: str, said: str) -> int:
    """Levenshtein distance in words."""
    a, b = (["".join(c for c in w if c.isalnum()) for w in text.lower().split()] for text in (heard, said))
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def _utterances(reading: Sound, cuts: list[Any], most: int) -> list[tuple[Sound, float]]:
    """(half a second of silence, an utterance of real speech, silence; when its voice ends), the shorter ones."""
    found = []
    for cut in [c for c in cuts if c.end_s - c.begin_s < 8][:most]:
        begin, end = (round(s * reading.rate) for s in (cut.begin_s - 0.1, cut.end_s + 0.1))
        quiet = np.zeros((round(0.5 * reading.rate), 1), np.float32)
        tail = np.zeros((round(TAIL_S * reading.rate), 1), np.float32)
        sound = Sound(np.concatenate([quiet, reading.samples[begin:end], tail]), reading.rate)
        found.append((sound, 0.5 + 0.1 + cut.end_s - cut.begin_s))
    return found


# -- a live piece


class _Watch(Observer):
    """When each stream published, in seconds of content time, and what."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float, Any]] = []

    def on_frame(self, frame: Any, raw: Any = None) -> None:
        if frame.trace:
            self.seen.append((frame.stream, frame.trace[-1].done_ns / 1e9, frame.data))


class _Open:
    """A model that is open already, and stays open."""

    def __init__(self, model: Any, **constants: Any) -> None:
        self._model, self._constants = model, constants
        self.ports, self.kind, self.names, self.size, self.uses = (
            model.ports, model.kind, model.names, model.size, model.uses,
        )  # fmt: skip
        self.describe, self.reset, self.interrupt = model.describe, model.reset, model.interrupt

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __call__(self, *args: Any, **ports: Any) -> Any:
        return self._model(*args, **self._constants, **ports)


class _Parts:
    def __init__(self, source: SoundFile, models: dict[str, Any], sinks: dict[str, Sink]) -> None:
        self._source, self._models, self._sinks = source, models, sinks

    def source(self, name: str) -> SoundFile:
        return self._source

    def model(self, name: str) -> tuple[Any, dict[str, Any]]:
        return self._models[name], {}

    def interrupt(self, name: str) -> None:
        return None

    def sink(self, name: str) -> Sink:
        return self._sinks[name]


def _live(sound: Sound, models: dict[str, tuple[str, Any]], done: str) -> list[tuple[str, float, Any]]:
    """Plays a sound to a chain of models (name -> what it reads, model) until `done` has published what is final,
    or the sound is long over; what was published, and when."""
    watch = _Watch()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        sink = Wav(str(path))
        sink.open()
        sink.put(sound, 0)
        sink.close()
        piece = Piece()
        piece.source("mic")
        for name, (reads, _) in models.items():
            piece.model(name, reads=reads)
        piece.sink("out", reads=list(models)[-1])
        parts = _Parts(SoundFile(str(path), loop=False), {n: m for n, (_, m) in models.items()}, {"out": Null()})
        runner = LiveRunner(piece.build(parts), observers=[watch])
        runner.start()
        until = time.monotonic() + sound.seconds + PATIENCE_S
        while time.monotonic() < until and not any(n == done and getattr(d, "final", True) for n, _, d in watch.seen):
            time.sleep(0.02)
        runner.stop()
    if runner.observers.failed:
        raise runner.observers.failed[0]
    return watch.seen


def _soon(card: str, ear: Any, utterances: list[tuple[Sound, float]]) -> Figure:
    """End of the voice -> final words, in a piece that hears it as it is spoken."""
    late, at_pause = [], []
    for sound, end_s in utterances:
        seen = _live(sound, {"heard": ("mic", _Open(ear))}, "heard")
        finals = [at for _, at, words in seen if isinstance(words, Text) and words.final]
        whole = [at for _, at, words in seen if isinstance(words, Text) and not words.final and at > end_s]
        if finals:
            late.append(finals[0] - end_s)
            at_pause.append((whole or finals)[0] - end_s)
    value = round(statistics.median(late), 3) if late else None
    return Figure(
        f"transcribe, {card}: end of speech -> final words, median of {len(late)}", value, "s", "<= 0.8",
        value is not None and value <= 0.8 and len(late) == len(utterances),
        {"most": round(max(late), 3) if late else None, "words_first_there": [round(v, 2) for v in at_pause],
         "floor": "0.5 s of silence decide that it was the end", "threads": ear.threads},
    )  # fmt: skip


def _first_sound(name: str, voice: Any, rounds: int) -> Figure:
    took: dict[str, list[float]] = {text: [] for text in SHORT}
    for _ in range(rounds):
        for text in SHORT:
            voice.reset()
            began = time.perf_counter()
            next(iter(voice(Text(text), t=0.0)))
            took[text].append(time.perf_counter() - began)
    medians = {text: round(statistics.median(v), 3) for text, v in took.items()}
    value = round(statistics.median(v for row in took.values() for v in row), 3)
    return Figure(
        f"speak, {name}: first sound of a short sentence, median", value, "s", "<= 0.35", value <= 0.35,
        {"of_each": medians, "least": round(min(min(v) for v in took.values()), 3), "rounds": rounds,
         "backend": voice.describe()["backend"], "espeak-ng": voice.describe()["espeak-ng"]},
    )  # fmt: skip


def _loop(card: str, ear: Any, name: str, voice: Any, utterances: list[tuple[Sound, float]]) -> Figure:
    """End of the voice -> the first sound of an answer that the language model made."""
    mind = pleinair.load("chat", system=SYSTEM, max_tokens=40)
    mind.open()
    late, rows = [], []
    for sound, end_s in utterances:
        mind.reset()
        chain = {"heard": ("mic", _Open(ear)), "answer": ("heard", _Open(mind)), "spoken": ("answer", _Open(voice))}
        seen = _live(sound, chain, "spoken")
        first = {
            "heard": next((at for name, at, d in seen if name == "heard" and d.final), None),
            "first_word": next((at for name, at, d in seen if name == "answer" and str(d)), None),
            "first_sound": next((at for name, at, d in seen if name == "spoken"), None),
        }
        rows.append({k: None if v is None else round(v - end_s, 2) for k, v in first.items()})
        rows[-1]["first_clause_s"] = next((round(d.seconds, 2) for name, _, d in seen if name == "spoken"), None)
        rows[-1]["answer"] = next((str(d) for name, _, d in reversed(seen) if name == "answer"), "")[:160]
        if first["first_sound"] is not None:
            late.append(first["first_sound"] - end_s)
    mind.close()
    value = round(statistics.median(late), 3) if late else None
    floor = "0.5 s of silence (that it was the end), then the first clause, then its sound: none can begin earlier"
    return Figure(
        f"voice loop with {card} and {name}: end of speech -> first sound of the answer, median of {len(late)}",
        value, "s",
        "<= 1.5", value is not None and value <= 1.5 and len(late) == len(utterances),
        {"most": round(max(late), 3) if late else None, "rows": rows, "floor": floor},
    )  # fmt: skip
