"""Presets: all knobs at a moment, kept in one JSON file, recalled at once or by a cross-fade."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..core.errors import StageFault, did_you_mean
from . import protocol

if TYPE_CHECKING:
    from .host import Host
    from .knobs import Knobs, Value

MOST = 256
LONGEST_FADE_S = 600.0
STEP_S = 1 / 30


class Presets:
    """Lives in the stage's loop. `changed` counts up whenever the list differs."""

    def __init__(self, host: Host, knobs: Knobs) -> None:
        self._host = host
        self._knobs = knobs
        self._fade: asyncio.Task[None] | None = None
        self.changed = 0
        self.active: str | None = None
        """The preset that was recalled last."""
        self.fading: dict[str, Any] | None = None

    def all(self) -> dict[str, dict[str, Any]]:
        """Name -> {"saved", "knobs"}, in the order in which they were first saved. Unreadable: StageFault."""
        path = self._host.presets_file
        try:
            held = json.loads(path.read_bytes())["presets"]
            return {str(k): v for k, v in held.items() if isinstance(v.get("knobs"), dict)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise StageFault(
                f"the presets cannot be read: {type(error).__name__}: {error}",
                where=path.name,
                now="the piece keeps running; no preset was changed",
                hint=f"repair {path.name} or move it away",
            ) from None

    def for_desk(self) -> dict[str, Any]:
        try:
            names, wrong = list(self.all()), ""
        except StageFault as fault:
            names, wrong = [], fault.what
        return {"type": "presets", "names": names, "active": self.active, "fading": self.fading, "wrong": wrong}

    def save(self, name: Any, knobs: Any = None) -> dict[str, Any]:
        """All knobs as they are now, or as given."""
        name = protocol.word(name, "a preset's name")
        presets = self.all()
        if name not in presets and len(presets) >= MOST:
            raise ValueError(f"{MOST} presets are the most; delete one first")
        if knobs is None:
            values = self._knobs.values()
        elif isinstance(knobs, dict):
            values = {k: self._knobs.checked(self._knobs.spec(k), v) for k, v in knobs.items()}
        else:
            raise ValueError('knobs is an object: {"NAME": value}')
        presets[name] = {"saved": datetime.now(UTC).isoformat(timespec="seconds"), "knobs": values}
        self._write(presets)
        self.active = name
        return presets[name]

    def delete(self, name: str) -> None:
        presets = self.all()
        self._known(name, presets)
        del presets[name]
        self._write(presets)
        self.active = None if self.active == name else self.active

    def _known(self, name: str, presets: dict[str, Any]) -> None:
        if name not in presets:
            raise KeyError(f"there is no preset {name[:64]!r}. {did_you_mean(name, presets)}".rstrip(". "))

    def _write(self, presets: dict[str, Any]) -> None:
        """Whole or not at all: written beside, flushed to the disk, then put in place."""
        path = self._host.presets_file
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside, "w", encoding="utf-8") as out:
                json.dump({"version": 1, "presets": presets}, out, indent=1, ensure_ascii=False, allow_nan=False)
                out.flush()
                os.fsync(out.fileno())
            os.replace(beside, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise StageFault(
                f"the preset was not saved: {error.strerror or error}",
                where=path.name,
                now="the piece keeps running; the presets are as they were",
                hint="is there room on the disk?",
            ) from None
        self.changed += 1

    def recall(self, name: str, seconds: Any = 0) -> dict[str, Any]:
        """Fades from here to there in `seconds`; a knob that a hand moves meanwhile is the hand's from then on.

        What the preset knows and the piece has not (any more) is passed over and named in the answer.
        """
        seconds = protocol.number(seconds, "seconds", 0, LONGEST_FADE_S)
        presets = self.all()
        self._known(name, presets)
        goal: dict[str, Value] = {}
        passed: list[str] = []
        for knob, value in presets[name]["knobs"].items():
            try:
                goal[knob] = self._knobs.checked(self._knobs.spec(knob), value)
            except ValueError as error:
                passed.append(str(error))
        if self._fade is not None:
            self._fade.cancel()
        self.active = name
        if seconds == 0:
            self.fading = None
            for knob, value in goal.items():
                self._knobs.push(knob, value)
        else:
            self._fade = asyncio.get_running_loop().create_task(self._run(name, goal, seconds))
        self.changed += 1
        return {"name": name, "seconds": seconds, "knobs": goal, "passed_over": passed}

    async def _run(self, name: str, goal: dict[str, Value], seconds: float) -> None:
        here = {k: v for k, v in self._knobs.values().items() if k in goal}
        began = time.monotonic()
        self.fading = {"name": name, "seconds": seconds, "done": 0.0}
        try:
            while here:
                done = min(1.0, (time.monotonic() - began) / seconds)
                self.fading["done"] = round(done, 3)
                for knob in [k for k in here if self._knobs.touched.get(k, 0.0) > began]:
                    del here[knob]
                for knob, start in here.items():
                    if start != goal[knob]:
                        self._knobs.push(knob, _between(start, goal[knob], done))
                if done >= 1:
                    break
                await asyncio.sleep(STEP_S)
        except ValueError:  # the piece was changed under the fade and refuses what it once accepted
            pass
        finally:
            if self.fading is not None and self.fading["name"] == name:
                self.fading = None


def _between(start: Value, goal: Value, done: float) -> Value:
    if done >= 1:
        return goal
    if isinstance(start, list) and isinstance(goal, list):
        return [a + (b - a) * done for a, b in zip(start, goal, strict=True)]
    assert isinstance(start, float) and isinstance(goal, float)
    return start + (goal - start) * done
