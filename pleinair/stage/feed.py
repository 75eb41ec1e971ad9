"""What desks are sent: small pictures, values, figures, faults. Nothing is computed while no desk is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.kinds import Boxes, Landmarks, Sound, Text
from ..paint.shown import picture_before, shown, told
from . import protocol
from .ages import PARTS
from .gate import sound
from .screen import shrink, to_jpeg

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .server import Stage
    from .viewer import Viewer

TICK_S = 1 / 30
THUMB_S, REPORT_S = 0.2, 0.5
THUMB = 160
"""Pixels of the longer side."""


class DeskFeed:
    """One task of the stage's loop."""

    def __init__(self, stage: Stage, hello: Callable[[Viewer], None]) -> None:
        self._stage = stage
        self._hello = hello
        self._thumbs: dict[str, tuple[Frame, bytes]] = {}
        self._next_thumbs = self._next_report = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._tick()
            except Exception as error:  # the desk is the lesser thing: it says so and goes on
                self._stage.say_fault("the desk's figures", error)
                await asyncio.sleep(1)

    async def _tick(self) -> None:
        stage, now = self._stage, time.monotonic()
        point = stage.glass_ages.point(now)
        for viewer in stage.viewers:
            if viewer.told.get("hello") != (stage.changes, stage.cameras_changed):
                self._hello(viewer)
        desks = [v for v in stage.viewers if v.desk]
        if not desks:
            self._thumbs.clear()
            return
        for desk in desks:
            self._changes(desk)
            if point is not None:
                desk.say({"type": "age", **point}, key=f"age {now:.2f}")
        if now >= self._next_thumbs:
            self._next_thumbs = now + THUMB_S
            await self._streams(desks)
        if now >= self._next_report:
            self._next_report = now + REPORT_S
            report = await asyncio.get_running_loop().run_in_executor(stage.slow, stage.report)
            message = {"type": "report", "report": sound(report), "looking": stage.looking()}
            for desk in desks:
                desk.say(message, key="report")

    def _changes(self, desk: Viewer) -> None:
        """What is sent when it differs from what this desk was told last."""
        stage, told = self._stage, desk.told
        if told.get("change") != stage.changes:
            hello = told.get("hello")
            told.clear()
            told["hello"] = hello
            told["change"] = stage.changes
            host = stage.host
            desk.say(
                {
                    "type": "piece",
                    "title": host.title,
                    "artist": host.artist,
                    "graph": sound(host.graph.as_dict()),
                    "screens": dict(host.graph.screens),
                    "knobs": sound(stage.knobs.specs()),
                    "budget_ms": host.budget_age_ms,
                    "models": [
                        {"name": m.name, "card": m.card, "cards": list(m.cards), "pictures": m.pictures}
                        for m in host.models
                    ],
                    "parts": list(PARTS),
                    "points": list(stage.glass_ages.points),
                    "lan": stage.lan_urls[:1],
                },
                key="piece",
            )
        for spec in stage.host.knobs:
            frame = stage.newest.get(spec.name)
            if frame is not None and told.get(f"knob {spec.name}") != (frame.seq, frame.t_ns):
                told[f"knob {spec.name}"] = (frame.seq, frame.t_ns)
                value = stage.knobs.value(spec.name)
                desk.say({"type": "knob", "name": spec.name, "value": value}, key=f"knob {spec.name}")
        presets = (stage.presets.changed, stage.presets.active, str(stage.presets.fading))
        if told.get("presets") != presets:
            told["presets"] = presets
            desk.say(stage.presets.for_desk(), key="presets")
        faults = [(f["node"], f["what"], f["count"]) for f in list(stage.faults)]
        if told.get("faults") != faults:
            told["faults"] = faults
            desk.say({"type": "faults", "faults": sound(list(stage.faults))}, key="faults")
        notices = [dict(n) for n in list(stage.host.notices)]
        if told.get("notices") != notices:
            told["notices"] = notices
            desk.say({"type": "notices", "notices": sound(notices)}, key="notices")

    async def _streams(self, desks: list[Viewer]) -> None:
        stage = self._stage
        newest = dict(stage.newest)
        rows: dict[str, Any] = {}
        for name, frame in newest.items():
            rows[name] = {"seq": frame.seq, "skipped": stage.skips.get(name, 0), "lost": stage.losses.get(name, 0)}
            if not isinstance(frame.data, np.ndarray) or frame.data.ndim < 2:
                rows[name].update(_summary(frame.data))
        fresh = [
            f
            for n, f in newest.items()
            if _has_a_look(f.data) and (n not in self._thumbs or self._thumbs[n][0] is not f)
        ]
        if fresh:
            made = await asyncio.get_running_loop().run_in_executor(stage.slow, _thumbs, fresh)
            self._thumbs.update(made)
        for desk in desks:
            desk.say({"type": "streams", "streams": sound(rows)}, key="streams")
            for name, (frame, packet) in self._thumbs.items():
                if desk.told.get(f"thumb {name}") is not frame:
                    desk.told[f"thumb {name}"] = frame
                    desk.post(packet, key=f"thumb {name}")


def _thumbs(frames: list[Frame]) -> dict[str, tuple[Frame, bytes]]:
    made = {}
    for frame in frames:
        try:
            small = np.ascontiguousarray(shrink(_sampled(_looks(frame)), THUMB))
            jpeg, (width, height) = to_jpeg(small, THUMB, quality=80)
        except Exception:  # a picture that cannot be shown small is not shown small
            continue
        header = {
            "type": "thumb",
            "stream": frame.stream,
            "seq": frame.seq,
            "t_ns": frame.t_ns,
            "codec": "jpeg",
            "width": width,
            "height": height,
        }
        made[frame.stream] = (frame, protocol.pack(header, jpeg))
    return made


def _has_a_look(data: Any) -> bool:
    """Pictures, and what was found in one."""
    return isinstance(data, (Landmarks, Boxes)) or (isinstance(data, np.ndarray) and data.ndim >= 2)


def _looks(frame: Frame) -> np.ndarray:
    """The picture; figures and things over a small one of what they were found in, so that their lines can be seen."""
    if not isinstance(frame.data, tuple):
        return frame.data
    under = picture_before(frame)
    return shown(frame.data, _ground() if under is None else shrink(_sampled(under), THUMB))


def _ground() -> np.ndarray:
    return np.full((THUMB * 3 // 4, THUMB, 3), (28, 30, 38), np.uint8)


def _sampled(data: np.ndarray) -> np.ndarray:
    """Every n-th pixel of a very large picture, so that making it small stays cheap."""
    step = max(1, max(data.shape[:2]) // 1280)
    return data[::step, ::step] if step > 1 else data


def _summary(data: Any) -> dict[str, Any]:
    """A stream that is no picture, in a line: a number, numbers, words, how many."""
    if isinstance(data, (bool, int, float, np.number)):
        return {"value": float(data)}
    if isinstance(data, np.ndarray):
        return {"values": [float(v) for v in data[:64]]}
    if isinstance(data, str):
        return {"text": str(data)[-160:], **(data.about if isinstance(data, Text) else {})}
    if isinstance(data, Sound):
        level = float(np.sqrt(np.mean(np.square(data.samples)))) if data.samples.size else 0.0
        return {"value": min(1.0, max(0.0, 1 + np.log10(max(level, 1e-9)) / 3))}  # a meter: -60 dB is 0, 0 dB is 1
    if isinstance(data, tuple):
        return {"count": len(data)}
    if isinstance(data, Mapping) and isinstance(data.get("confidence"), (int, float)):  # beside the words, as a text's
        words = told({k: v for k, v in data.items() if k != "confidence"})
        return {"text": (words or "")[:160], "confidence": float(data["confidence"])}
    return {"text": (told(data) or "")[:160]}
