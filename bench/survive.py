"""Real networks with a few bytes changed that the check lets in: does a runtime end the process that opens one?

The check cannot know what every layer does with its numbers. Each file is opened (TFLite: and run once) in a process of
its own; what a runtime refuses with an error is fine, a signal is not.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from . import ct2_changes
from .common import Figure

RUNS, QUICK = 300, 20
LONGEST_S = 20
HEAD, TAIL = 20_000, 60_000
"""Where structure lies: at the beginning (ONNX, GGUF) or at the end (TFLite)."""


def run(quick: bool = False) -> list[Figure]:
    figures = []
    kinds = {"onnx": _onnx(), "tflite": _tflite(), "gguf": _gguf(), "ctranslate2": _ct2()}
    for kind, (sources, use) in kinds.items():
        change = ct2_changes.changed if kind == "ctranslate2" else _bytes_changed
        found = survive(sources, use, QUICK if quick else RUNS, change=change)
        ended = sum(count for how, count in found.items() if "signal" in how)
        name = f"changed {kind} files that the check lets in: runtime ended by a signal"
        figures.append(Figure(name, ended, "", "0", ended == 0, dict(found)))
    return figures


def _bytes_changed(source: bytes, dice: random.Random) -> bytes:
    blob = bytearray(source)
    for _ in range(dice.randrange(1, 4)):
        where = dice.choice((len(blob), min(len(blob), HEAD), -min(len(blob), TAIL)))
        place = dice.randrange(where) if where > 0 else len(blob) - 1 - dice.randrange(-where)
        blob[place] = dice.choice((0, 1, 2, 4, 127, 128, 255, blob[place] ^ (1 << dice.randrange(8))))
    return bytes(blob)


def survive(
    sources: list[bytes],
    use: Callable[[bytes], None],
    count: int,
    seed: int = 7,
    change: Callable[[bytes, random.Random], bytes] = _bytes_changed,
) -> collections.Counter[str]:
    """How `count` files that were let in went; and how many were refused on the way."""
    from pleinair.core.errors import ModelFault
    from pleinair.models.safe import check

    dice, found = random.Random(seed), collections.Counter[str]()
    while found.total() - found["refused by the check"] < count:
        blob = change(dice.choice(sources), dice)
        try:
            check(blob, "changed")
        except ModelFault:
            found["refused by the check"] += 1
            continue
        found[_opened(use, blob)] += 1
    return found


def _opened(use: Callable[[bytes], None], blob: bytes) -> str:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        signal.alarm(LONGEST_S)
        try:
            use(blob)
        except Exception:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return "opened" if os.WEXITSTATUS(status) == 0 else "refused by the runtime"


def _files(ending: str, most: int = 3) -> list[bytes]:
    """The smallest files of the shelf of that kind, where they are here."""
    from pleinair.models import store
    from pleinair.models.card import all_cards

    files = {f.sha256: f for card in all_cards() for f in card.files.values() if f.name.endswith(ending)}
    here = sorted((f for f in files.values() if store.has(f) and f.bytes > 100_000), key=lambda f: f.bytes)
    return [store.path_of(f.sha256).read_bytes() for f in here[:most]]


def _onnx() -> tuple[list[bytes], Callable[[bytes], None]]:
    from pleinair.backends.onnx import runtime

    engine = runtime()
    options = engine.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return _files(".onnx"), lambda blob: engine.InferenceSession(blob, options, providers=["CPUExecutionProvider"])


def _tflite() -> tuple[list[bytes], Callable[[bytes], None]]:
    from ai_edge_litert.interpreter import Interpreter

    from pleinair.models.card import find_card
    from pleinair.models.fetch import fetch

    def use(blob: bytes) -> None:
        network = Interpreter(model_content=blob, num_threads=1)
        network.allocate_tensors()
        network.invoke()

    card = find_card("faces")  # which keeps only what is made of its files
    fetch([replace(card, files={role: card.files[role] for file in card.needed.values() for role in file.of})])
    return _files(".tflite"), use


def _gguf() -> tuple[list[bytes], Callable[[bytes], None]]:
    from pleinair.backends import llama_c
    from tests.models.language import tiny

    engine = llama_c.library()
    with tempfile.TemporaryDirectory(prefix="pleinair-survive-") as folder:
        source = tiny.model(Path(folder) / "tiny.gguf", "llama").read_bytes()

    def use(blob: bytes) -> None:
        with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
            file.write(blob)
            file.flush()
            if not engine.llama_model_load_from_file(file.name.encode(), engine.llama_model_default_params()):
                raise ValueError("refused")

    return [source], use


def _ct2() -> tuple[list[bytes], Callable[[bytes], None]]:
    import numpy as np

    from pleinair.backends.ctranslate2 import CTranslate2
    from pleinair.models import store
    from pleinair.models.card import find_card
    from pleinair.models.fetch import fetch

    card = find_card("whisper-tiny-en")
    fetch([card])
    beside = {card.files[role].name: store.read(card, role) for role in ("config", "vocabulary")}
    spectrum = np.random.default_rng(0).standard_normal((80, 400)).astype(np.float32)

    def use(blob: bytes) -> None:
        whisper = CTranslate2({"model.bin": blob, **beside}, precision="int8", threads=1)
        whisper.generate(whisper.encode(spectrum), [50257, 50362], beam=2, longest=8)

    return [store.read(card, "model")], use


if __name__ == "__main__":
    for figure in run("--quick" in sys.argv):
        print(figure)
