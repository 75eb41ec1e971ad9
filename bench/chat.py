"""The language model in a piece against bare xllamacpp on the same file, and how soon it stops when interrupted.

Decoding: from the first word of an answer to its last, tokens per second. Ours as frames come out of a running piece,
each token after a turn in the inference lane; bare as xllamacpp's server itself counts them (`predicted_per_second`),
in a process of its own. One after the other, many rounds, the same prompt, sampling and threads; the median of the
rounds' ratios. Stopping: from the push of the interrupting frame to the end of the firing, at moments spread over the
reading of the prompt and the answer; the worst.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pleinair
from pleinair import Event, Piece, Text
from pleinair.core.source import Capture, Source
from pleinair.models import store
from pleinair.models.card import find_card
from pleinair.run.live import LiveRunner
from pleinair.sinks.null import Null

from .common import Figure

PROMPT = "Tell me a long story about a lighthouse, its keeper, and the sea around it."
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
TOKENS = 96
HOW = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05}


def run(quick: bool = False) -> list[Figure]:
    rounds = 3 if quick else 15
    card = find_card("chat")
    model = pleinair.load(card, **HOW, system=SYSTEM, repeat=1.0, max_tokens=TOKENS)
    threads = model.threads
    bare = _Bare(store.path(card, "model"), threads)
    show = _Show(model)
    try:
        figures = [_decoding(show, bare, rounds, threads), _stopping(show, rounds)]
    finally:
        show.close()
        bare.close()
    return figures


def _decoding(show: _Show, bare: _Bare, rounds: int, threads: int) -> Figure:
    ours, theirs = [], []
    for n in range(rounds + 1):
        ours.append(show.rate())
        theirs.append(bare.rate(n))
    ratio = statistics.median(a / b for a, b in zip(ours[1:], theirs[1:], strict=True))
    return Figure(
        "chat: decoding in a piece against bare xllamacpp", round(ratio, 4), "x", ">= 0.95", ratio >= 0.95,
        {"ours_per_s": round(statistics.median(ours[1:]), 1), "bare_per_s": round(statistics.median(theirs[1:]), 1),
         "threads": threads, "tokens": TOKENS, "rounds": rounds},
    )  # fmt: skip


def _stopping(show: _Show, rounds: int) -> Figure:
    took = [show.stop_after(0.02 * n) for n in range(2 * rounds)]
    worst = max(took)
    return Figure(
        "chat: from the interrupting frame to silence, the worst", round(worst, 1), "ms", "<= 50", worst <= 50,
        {"median_ms": round(statistics.median(took), 2), "times": len(took)},
    )  # fmt: skip


class _Show:
    """A running piece with the model in it, and a question and an interrupt that are pushed into it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._changed = threading.Condition()
        self._words: list[float] = []
        self._done: list[tuple[float, bool]] = []
        piece = Piece()
        piece.source("question")
        piece.source("hush")
        piece.model("answer", reads="question", interrupt="hush")
        piece.sink("null", reads="answer")
        self._runner = LiveRunner(piece.build(self), observers=[self], strict=True)
        self._runner.start()

    # -- parts of the piece

    def source(self, name: str) -> Source:
        return _Silent(Text if name == "question" else Event)

    def model(self, name: str) -> tuple[Any, dict[str, Any]]:
        return self._model, {}

    def interrupt(self, name: str) -> None:
        return None

    def sink(self, name: str) -> Any:
        return Null()

    # -- an observer of it

    def on_frame(self, frame: Any, raw: Any = None) -> None:
        if frame.stream == "answer" and not frame.data.final:
            self._words.append(time.perf_counter())

    def on_done(self, node: str, published: int, cancelled: bool, fault: Any) -> None:
        if node == "answer":
            with self._changed:
                self._done.append((time.perf_counter(), cancelled))
                self._changed.notify_all()

    # -- what is measured

    def _ask(self) -> int:
        self._words.clear()
        self._runner.push("question", PROMPT)
        return len(self._done) + 1

    def _until_done(self, count: int) -> tuple[float, bool]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._done) >= count, 120):
                raise RuntimeError("the answer did not end")
            return self._done[count - 1]

    def rate(self) -> float:
        """Tokens a second, from the first word to the last."""
        self._until_done(self._ask())
        return (len(self._words) - 1) / (self._words[-1] - self._words[0])

    def stop_after(self, seconds: float) -> float:
        """Milliseconds."""
        asked = self._ask()
        time.sleep(seconds)
        began = time.perf_counter()
        self._runner.push("hush", 1)
        ended, cancelled = self._until_done(asked)
        return (ended - began) * 1e3 if cancelled else 0.0

    def close(self) -> None:
        self._runner.stop()


class _Silent(Source):
    """Frames are pushed in its place."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self._end = threading.Event()

    def __iter__(self) -> Iterator[Capture]:
        self._end.wait()
        yield from ()

    def interrupt(self) -> None:
        self._end.set()


class _Bare:
    def __init__(self, path: Path, threads: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "bench.bare_chat", str(path), str(threads)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._child.stdout.readline()

    def rate(self, seed: int) -> float:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
        asked = {"messages": messages, "max_tokens": TOKENS, "seed": seed, "repeat_penalty": 1.0, **HOW}
        self._child.stdin.write(json.dumps(asked) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())["predicted_per_second"]

    def close(self) -> None:
        self._child.stdin.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
