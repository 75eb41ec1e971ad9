"""Which backend runs a model on this machine: the fastest whose pictures agree with the reference.

The reference is ONNX Runtime, f32, one thread. Candidates are timed in a process of their own, so that runtimes that
were only tried leave nothing in memory, and the answer is remembered in the cache folder. A piece writes it into its
lock and never asks again: timing noise must not choose pixels twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import folders, plugins
from ..backends.base import default_threads, isa
from ..core.errors import Fault, ModelFault
from ..core.kinds import Size
from .card import Card, find_card

CANDIDATES = (("openvino", "bf16"), ("openvino", "f32"), ("onnx", "f32"))
REFERENCE = ("onnx", "f32", 1)
ROUNDS, BUDGET_S, LONGEST_S = 15, 0.6, 120
DEFAULT_PSNR_DB = 34.0
FORMAT = 1


@dataclass(frozen=True)
class Choice:
    """A backend and all that chooses its numbers; JSON for the lock.

    name, version, precision, threads, isa   what runs, and what its pixels depend on
    size       working size (width, height); None in a lock that writes it elsewhere
    ran_ms     time of one call when it was chosen (lower quartile), picture in to picture out; None: not timed
    agreement  {"psnr_db", "max_levels"} against the reference at their worst; None: not compared
    tried      every candidate with its time and agreement, or why it was left out
    """

    name: str
    version: str
    precision: str
    size: Size | None
    threads: int
    isa: str
    ran_ms: float | None = None
    agreement: dict[str, float] | None = None
    tried: list[dict[str, Any]] = field(default_factory=list, compare=False)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "size": list(self.size) if self.size else None}

    @classmethod
    def of(cls, value: Choice | Mapping[str, Any]) -> Choice:
        """A Choice from its dict (out of a lock). ModelFault where something is missing."""
        if isinstance(value, Choice):
            return value
        try:
            fields = {k: value[k] for k in ("name", "version", "precision", "threads", "isa")}
            size = _size(value["size"]) if value.get("size") else None
        except (KeyError, TypeError, ValueError):
            raise ModelFault(
                "the backend pinned for this model is not whole",
                hint="delete it from piece.lock: it is decided again at the next start",
            ) from None
        rest = {k: value[k] for k in ("ran_ms", "agreement", "tried") if value.get(k) is not None}
        return cls(**fields, size=size, **rest)


def decide(
    card: Card | str, size: Size | None = None, threads: int | None = None, *, precision: str | None = None
) -> Choice:
    """The backend for this card at this size on this machine; a second call reads the answer from the cache.

    precision  only candidates of that precision

    ModelFault: no candidate runs, or none agrees with the reference.
    """
    card = find_card(card)
    if size or card.size:
        size = _size(size or card.size)
    threads = threads or max(1, default_threads() - getattr(_task(card), "spare_cores", 0))
    fit = _candidates(card, precision)
    if len(fit) == 1:  # nothing to choose: a runtime that alone can read the file
        name, only = fit[0]
        return Choice(name, _version(name), only, size, threads, isa())
    place = _place(card, size, threads, precision)
    try:
        return Choice.of(json.loads(place.read_text()))
    except (OSError, ValueError, ModelFault):
        pass
    choice = _elsewhere(card, size, threads, precision)
    _remember(place, choice)
    return choice


def _size(pair: Any) -> Size:
    width, height = pair
    return int(width), int(height)


def known(card: Card | str, size: Size, threads: int) -> Choice | None:
    """What was decided before, with every candidate's time; None where nothing was. Measures nothing."""
    try:
        return Choice.of(json.loads(_place(find_card(card), size, threads, None).read_text()))
    except (OSError, ValueError, ModelFault):
        return None


def measure(card: Card, size: Size | None, threads: int, precision: str | None) -> Choice:
    """Times every candidate in this process and compares it with the reference."""
    reference = _Trial(card, size, *_reference(card))
    truth = reference.proof()
    reference.model.close()
    tried: list[dict[str, Any]] = []
    for name, its_precision in _candidates(card, precision):
        entry: dict[str, Any] = {"name": name, "precision": its_precision}
        tried.append(entry)
        try:
            trial = _Trial(card, size, name, its_precision, threads)
            agreement = _agreement(trial.proof(), truth)
            entry.update(trial.model.describe()["backend"], ran_ms=trial.time(), agreement=agreement)
            entry["agrees"] = _within(agreement, card.tolerance)
            trial.model.close()
        except Fault as fault:
            entry["left_out"] = fault.what
    fit = [e for e in tried if e.get("agrees")]
    if not fit:
        raise ModelFault(
            f"no backend runs {card.name} here as its reference does",
            where="; ".join(_why(e) for e in tried),
            now="the model was not loaded",
            hint='name one yourself: backend = "onnx" (or "openvino") and precision = "f32"',
        )
    best = min(fit, key=lambda e: e["ran_ms"])
    return Choice(
        best["name"], best["version"], best["precision"], size, best["threads"], best["isa"],
        best["ran_ms"], best["agreement"], tried,
    )  # fmt: skip


def drift(pinned: Choice | Mapping[str, Any]) -> list[str]:
    """What on this machine differs from what was pinned, as sentences; empty where nothing does."""
    pinned = Choice.of(pinned)
    found = []
    installed = _version(pinned.name)
    if installed != pinned.version:
        found.append(f"{pinned.name} is {installed or 'not installed'}, and the lock says {pinned.version}")
    if isa() != pinned.isa:
        found.append(f"this processor is {isa()}, and the lock says {pinned.isa}")
    return found


def _task(card: Card) -> Any:
    return plugins.find("tasks", card.task)


def candidates(card: Card) -> list[tuple[str, str]]:
    """What may run this card: what its task says, or, where a network of it lies in a TFLite file that could not be
    made ONNX, what reads TFLite: OpenVINO, and LiteRT where there is nothing else to read."""
    if _in_tflite(card):
        alone = _version("litert") and not any(file.name.lower().endswith(".onnx") for file in card.needed.values())
        return [("openvino", "f32"), *([("litert", "f32")] if alone else [])]
    return list(getattr(_task(card), "candidates", None) or CANDIDATES)


def _in_tflite(card: Card) -> bool:
    return any(file.name.lower().endswith(".tflite") for file in card.needed.values())


def _reference(card: Card) -> tuple[str, str, int]:
    """What the others are held against. Of networks in TFLite files: LiteRT, as TensorFlow's own."""
    return (*candidates(card)[-1], 1) if _in_tflite(card) else REFERENCE


def _candidates(card: Card, precision: str | None) -> list[tuple[str, str]]:
    """What may run this card, of one precision where one is asked for. ModelFault: nothing may."""
    known = candidates(card)
    fit = [c for c in known if precision in (None, c[1])]
    if not fit:
        raise ModelFault(
            f'{card.name} cannot run in "{precision}"',
            now="the model was not loaded",
            hint="precision = " + " or ".join(sorted({f'"{p}"' for _, p in known})),
        )
    return fit


class _Trial:
    """A model on one backend, and what it is asked."""

    def __init__(self, card: Card, size: Size | None, backend: str, precision: str, threads: int) -> None:
        from . import load

        self.model: Any = load(card, size=size, backend=backend, precision=precision, threads=threads)
        self.model.open()
        self._cases: list[dict[str, Any]] | None = None
        if hasattr(self.model, "proofs"):  # whole calls, where a task names them; else its networks alone
            self._cases = list(self.model.proofs())
            if "image" in self.model.ports:
                from .testcard import picture

                pictures = [picture(size or (320, 240), seed) for seed in range(2)]
                self._cases = [{"image": p, **proof} for p, proof in zip(pictures * 2, self._cases, strict=False)]

    def proof(self) -> list[np.ndarray]:
        return self.model.probe() if self._cases is None else [self.model(**case) for case in self._cases]

    def time(self) -> float:
        """One call in ms: the lower quartile, since whatever else the machine does only adds to it."""
        took: list[float] = []
        end = time.perf_counter() + BUDGET_S
        while len(took) < 3 or (len(took) < ROUNDS and time.perf_counter() < end):
            start = time.perf_counter()
            if self._cases is None:
                self.model.probe()
            else:
                self.model(**self._cases[-1])
            took.append(time.perf_counter() - start)
        return round(float(np.percentile(took, 25)) * 1e3, 3)


def _agreement(outputs: list[np.ndarray], truth: list[np.ndarray]) -> dict[str, float]:
    """The worst PSNR in dB (120: identical), against 255 or the numbers' own range, and the largest difference."""
    psnr, most = 120.0, 0.0
    for output, true in zip(outputs, truth, strict=True):
        apart = np.abs(output.astype(np.float64) - true)
        peak = 255.0 if true.dtype == np.uint8 else max(float(np.ptp(true)), 1e-9)
        error = float(np.square(apart).mean())
        if error:
            psnr = min(psnr, 10 * float(np.log10(peak**2 / error)))
        most = max(most, float(apart.max()))
    return {"psnr_db": round(psnr, 2), "max_levels": round(most, 6)}


def _within(agreement: dict[str, float], tolerance: dict[str, float]) -> bool:
    if agreement["psnr_db"] < tolerance.get("psnr_db", DEFAULT_PSNR_DB):
        return False
    return agreement["max_levels"] <= tolerance.get("max_levels", float("inf"))


def _why(entry: dict[str, Any]) -> str:
    named = f"{entry['name']} {entry['precision']}"
    if "left_out" in entry:
        return f"{named}: {entry['left_out']}"
    return f"{named}: {entry['agreement']['psnr_db']} dB from the reference"


def _version(backend: str) -> str:
    try:
        return plugins.find("backends", backend).version_installed()
    except (Fault, AttributeError):
        return ""


def _place(card: Card, size: Size | None, threads: int, precision: str | None) -> Path:
    """One file for each question; anything that could change the answer is in its name."""
    from ..core.kinds import json_digest

    versions = sorted({(name, its, _version(name)) for name, its in _candidates(card, None)})
    key = [FORMAT, card.sha256, card.tolerance, card.options, size, threads, precision, isa(), versions]
    return folders.cache_dir() / "backends" / f"{card.name}-{json_digest(key)[:16]}.json"


def _remember(place: Path, choice: Choice) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False) as draft:
            json.dump(choice.as_dict(), draft, indent=1)
        os.replace(draft.name, place)
    except OSError:
        pass  # a cache: where it cannot be written, the next start decides again


def _elsewhere(card: Card, size: Size | None, threads: int, precision: str | None) -> Choice:
    """`measure` in a process of its own."""
    name = card.name if card.folder is None or card.folder == folders.cards_dir() else None
    question = json.dumps({"card": name, "size": size, "threads": threads, "precision": precision})
    if name is None or not sys.executable:
        return measure(card, size, threads, precision)  # a Card made by hand, or Python inside another program
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "pleinair.models.choose", question], capture_output=True, text=True, env=env,
            timeout=LONGEST_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        answer = json.loads(child.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return measure(card, size, threads, precision)
    if "fault" in answer:
        raise ModelFault(**answer["fault"])
    return Choice.of(answer)


def _main() -> None:
    question = json.loads(sys.argv[1])
    try:
        card, size = find_card(question["card"]), question["size"] and _size(question["size"])
        answer = measure(card, size, question["threads"], question["precision"]).as_dict()
    except ModelFault as fault:
        answer = {"fault": fault.as_dict()}
    print(json.dumps(answer))


if __name__ == "__main__":
    _main()
