"""The shelf from an empty store: every card fetched, loaded by its name in one line and run once on a real input.

What came out is written to bench/out/shelf/ for looking at and listening to: pictures, sound, words.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .common import OUT, Figure

PLACE = OUT / "shelf"
PICTURES = {"hands": "hand_pointing", "pose": "grace_hopper", "people": "grace_hopper"}
"""Free photographs (cards of task "clip") that show what a task looks for; the astronaut for all others."""
SAID = {"chat": "Write one sentence about the sea.", "choose": "turn the light up", "embed_text": "the sea at night"}
LABELS = ["brighter", "darker", "stop"]


def run(quick: bool = False) -> list[Figure]:
    before = os.environ.get("PLEINAIR_HOME")
    with tempfile.TemporaryDirectory() as home:
        if not quick:
            os.environ["PLEINAIR_HOME"] = home  # empty: all of it comes from where the cards say
        try:
            found = _all()
        finally:
            if before is None:
                os.environ.pop("PLEINAIR_HOME", None)
            else:
                os.environ["PLEINAIR_HOME"] = before
    called = [name for name, entry in found.items() if "out" in entry]
    detail = {"called": called, "found": found}
    return [Figure("models callable from a fresh store", len(called), "", ">= 22", len(called) >= 22, detail)]


def _all() -> dict[str, dict[str, Any]]:
    from pleinair.core.errors import Fault
    from pleinair.models.card import all_cards
    from pleinair.models.fetch import fetch

    PLACE.mkdir(parents=True, exist_ok=True)
    cards = all_cards()
    found: dict[str, dict[str, Any]] = {}
    for card in sorted(cards, key=lambda c: c.task != "clip"):  # what they are run on comes first
        began = time.perf_counter()
        try:
            fetch([card])
            if card.task == "clip":
                continue
            entry: dict[str, Any] = {"task": card.task, "licence": card.weights.id, "mb": round(card.bytes / 1e6, 1)}
            found[card.name] = entry
            entry |= {"fetched_s": round(time.perf_counter() - began, 1), **_call(card.name, card.task)}
            print(f"    {card.name:<20} {entry['out']}", file=sys.stderr, flush=True)
        except Fault as fault:
            found.setdefault(card.name, {})["fault"] = fault.what
            print(f"    {card.name:<20} FAULT {fault.what}", file=sys.stderr, flush=True)
    return found


def _call(name: str, task: str) -> dict[str, Any]:
    import pleinair

    model = pleinair.load(name)
    model.open()
    given, words = _input(model, task)
    if task.startswith("flow"):  # what moves needs a moment before
        model(film(0))
    began = time.perf_counter()
    out = model(*given, **words)
    if not isinstance(out, (str, tuple, np.ndarray)) and isinstance(out, Iterable) and hasattr(out, "__next__"):
        out = [item for item in out if item is not None]
    took = time.perf_counter() - began
    described = model.describe().get("backend", {})
    model.close()
    return {"ran_ms": round(took * 1e3, 1), "backend": described, "out": _keep(name, out, given)}


def _input(model: Any, task: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    from pleinair import Audio, Image, Text

    port, kind = next(iter(model.ports.items()))
    if task.startswith("flow"):
        return (film(1),), {}
    if kind is Image:
        picture = photograph(PICTURES.get(task, "astronaut"))
        return (picture,), {}
    if kind is Audio:
        return (spoken(),), {}
    if kind is Text:
        return (SAID.get(task, "The sea is calm tonight."),), ({"labels": LABELS} if task == "choose" else {})
    return (np.zeros(0, np.float32) if kind.__name__ == "Vector" else 0.3,), {}


def photograph(card: str) -> np.ndarray:
    from pleinair.addresses import read_picture
    from pleinair.models import clip_path

    return read_picture(clip_path(card))


def film(number: int) -> np.ndarray:
    """Two frames, one after the other, of people on bicycles."""
    import av

    from pleinair.models import clip_path

    with av.open(str(clip_path("bikes"))) as container:
        frames = [f.to_ndarray(format="rgb24") for f, _ in zip(container.decode(video=0), range(34), strict=False)]
    return frames[30 + number]


def spoken(seconds: float = 8.0) -> Any:
    """The beginning of a recording of real speech, 16 kHz."""
    import av

    from pleinair import Sound
    from pleinair.models import clip_path

    pieces: list[np.ndarray] = []
    with av.open(str(clip_path("two_cities"))) as container:
        resampler = av.AudioResampler("flt", "mono", 16_000)
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            if sum(map(len, pieces)) > seconds * 16_000:
                break
    return Sound(np.concatenate(pieces)[: int(seconds * 16_000), None].astype(np.float32), 16_000)


def _keep(name: str, out: Any, given: tuple[Any, ...]) -> str:
    """Writes it down for a person, and says in a line what it is."""
    from pleinair import Boxes, Landmarks, Sound, blend, boxes, resize
    from pleinair.paint.shown import shown

    if isinstance(out, list) and out and isinstance(out[-1], Sound):
        out = Sound(np.concatenate([s.samples for s in out]), out[0].rate)
    if isinstance(out, list):
        out = out[-1] if out else None
    if isinstance(out, Sound):
        with wave.open(str(PLACE / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, out.rate, 0, "NONE", ""))
            file.writeframes((np.clip(out.samples[:, 0], -1, 1) * 32767).astype("<i2").tobytes())
        level = 20 * np.log10(np.sqrt(np.square(out.samples).mean()) + 1e-9)
        return f"{out.seconds:.2f} s of sound, level {level:.0f} dB"
    if isinstance(out, Landmarks) and isinstance(given[0], np.ndarray):
        _picture(name, shown(out, given[0]))
        return f"{len(out)} figures, the surest {out[0].confidence:.2f}" if out else "nobody"
    if isinstance(out, Boxes):
        _picture(name, boxes(given[0], out))
        return ", ".join(f"{b.label} {b.confidence:.2f}" for b in out) or "nothing"
    if isinstance(out, np.ndarray) and out.ndim == 3:
        _picture(name, out)
        return f"a picture, {out.shape[1]} x {out.shape[0]}"
    if isinstance(out, np.ndarray) and out.ndim == 2:
        _picture(name, blend(np.zeros_like(given[0]), given[0], resize(out, given[0].shape[1::-1])))
        return f"a mask, {out.mean() * 100:.0f} % of the picture"
    if isinstance(out, np.ndarray):
        return f"{len(out)} numbers, length {np.linalg.norm(out):.2f}"
    (PLACE / f"{name}.txt").write_text(str(out))
    return str(out)[:90]


def _picture(name: str, image: np.ndarray) -> None:
    import cv2

    cv2.imwrite(str(PLACE / f"{name}.png"), np.ascontiguousarray(image[..., ::-1]))


def look() -> Path:
    """One sheet of all that came out as a picture."""
    import cv2

    from pleinair.paint import fit, text, tile

    tiles = []
    for file in sorted(PLACE.glob("*.png")):
        if file.stem == "sheet":
            continue
        shown = fit(np.ascontiguousarray(cv2.imread(str(file))[..., ::-1]), (320, 240), "contain")
        tiles.append(text(shown, file.stem, (0.5, 0.94), 0.07, "white"))
    place = PLACE / "sheet.png"
    cv2.imwrite(str(place), tile(tiles, 5)[..., ::-1])
    return place
