"""What programs and pages ask over HTTP (a contract, see docs/protocol.md). Errors are four strings in JSON."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..core.errors import Fault, did_you_mean
from . import protocol
from .gate import Refused, answer

if TYPE_CHECKING:
    from .server import Stage


class Api:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._began = time.monotonic()

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/report", self.report)
        router.add_get("/api/graph", self.graph)
        router.add_get("/api/knobs", self.knobs)
        router.add_put("/api/knobs/{name}", self.set_knob)
        router.add_get("/api/presets", self.presets)
        router.add_put("/api/presets/{name}", self.save_preset)
        router.add_delete("/api/presets/{name}", self.delete_preset)
        router.add_post("/api/presets/{name}/recall", self.recall_preset)
        router.add_put("/api/pictures/{name}", self.picture)
        router.add_post("/api/models/{name}/swap", self.swap)
        router.add_get("/healthz", self.health)
        router.add_get("/metrics", self.metrics)

    async def _slowly(self, work: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._stage.slow, work, *args)

    # ---- looking

    async def report(self, request: web.Request) -> web.Response:
        return answer(await self._slowly(self._stage.report))

    async def graph(self, request: web.Request) -> web.Response:
        host = self._stage.host
        about = {"title": host.title, "artist": host.artist, "screens": dict(host.graph.screens)}
        return answer({**about, **host.graph.as_dict()})

    async def knobs(self, request: web.Request) -> web.Response:
        return answer({"knobs": self._stage.knobs.specs()})

    async def presets(self, request: web.Request) -> web.Response:
        return answer({"presets": self._stage.presets.all(), "active": self._stage.presets.active})

    async def health(self, request: web.Request) -> web.Response:
        """That the loop turns is what an answer proves; when the last frame came is for whoever asks to judge."""
        stage = self._stage
        newest = max((f.t_ns for f in list(stage.newest.values())), default=None)
        since = None if newest is None else round((stage.host.now_ns() - newest) / 1e9, 3)
        return answer(
            {
                "ok": True,
                "seconds": round(time.monotonic() - self._began, 3),
                "frames": stage.frames,
                "last_frame_s": since,
                "faults": len(stage.faults),
                "viewers": len(stage.viewers),
            }
        )

    async def metrics(self, request: web.Request) -> web.Response:
        from .metrics import openmetrics

        text = openmetrics(self._stage, await self._slowly(self._stage.report))
        return web.Response(
            body=text.encode(), headers={"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
        )

    # ---- changing

    async def set_knob(self, request: web.Request) -> web.Response:
        name, body = _name(request), await _body(request)
        if not any(s.name == name for s in self._stage.host.knobs):
            raise self._unknown("knob", name, [s.name for s in self._stage.host.knobs])
        if "value" not in body:
            raise ValueError('the new value is missing: {"value": 0.4}')
        return answer({"name": name, "value": self._stage.knobs.set(name, body["value"], body.get("index"))})

    async def save_preset(self, request: web.Request) -> web.Response:
        body = await _body(request, optional=True)
        return answer({"name": _name(request), **self._stage.presets.save(_name(request), body.get("knobs"))})

    async def delete_preset(self, request: web.Request) -> web.Response:
        try:
            self._stage.presets.delete(_name(request))
        except KeyError as error:
            raise self._missing(error.args[0]) from None
        return answer({"deleted": _name(request)})

    async def recall_preset(self, request: web.Request) -> web.Response:
        body = await _body(request, optional=True)
        try:
            return answer(self._stage.presets.recall(_name(request), body.get("seconds", 0)))
        except KeyError as error:
            raise self._missing(error.args[0]) from None

    async def picture(self, request: web.Request) -> web.Response:
        """The body is the picture. Where one model only takes pictures, any name means that one."""
        from .pictures import decode_picture

        takers = [m.name for m in self._stage.host.models if m.pictures]
        name = _name(request)
        model = name if name in takers else takers[0] if len(takers) == 1 else None
        if model is None:
            raise self._unknown("model that takes pictures", name, takers)
        image = await self._slowly(decode_picture, await request.read())
        await self._slowly(self._stage.host.picture, model, image)
        return answer({"model": model, "width": image.shape[1], "height": image.shape[0]})

    async def swap(self, request: web.Request) -> web.Response:
        name, body = _name(request), await _body(request)
        model = next((m for m in self._stage.host.models if m.name == name), None)
        if model is None:
            raise self._unknown("model", name, [m.name for m in self._stage.host.models])
        card = protocol.word(body.get("card"), "card")
        if card not in {model.card, *model.cards}:
            raise self._unknown(f"card for {name}", card, [model.card, *model.cards])
        await self._slowly(self._stage.host.swap, name, card)
        return answer({"model": name, "card": card})

    def _unknown(self, what: str, name: str, known: list[str]) -> Refused:
        return self._missing(f"this piece has no {what} {name[:64]!r}", did_you_mean(name, known))

    def _missing(self, what: str, hint: str = "") -> Refused:
        return Refused(404, Fault(what, where="the stage", now="nothing was changed", hint=hint))


def _name(request: web.Request) -> str:
    return protocol.word(request.match_info["name"], "the name in the address")


async def _body(request: web.Request, *, optional: bool = False) -> dict[str, Any]:
    """A JSON object. A form cannot send this type, so a page elsewhere would have to ask first (and is refused)."""
    if (request.content_length or 0) > protocol.MAX_TEXT:
        raise ValueError(f"{request.content_length} bytes are too many: {protocol.MAX_TEXT} is the most")
    raw = await request.content.read(protocol.MAX_TEXT + 1)
    while 0 < len(raw) <= protocol.MAX_TEXT and not request.content.at_eof():
        more = await request.content.read(protocol.MAX_TEXT + 1 - len(raw))
        if not more:
            break
        raw += more
    if not raw and optional:
        return {}
    if request.content_type != "application/json":
        raise ValueError("the body is JSON, and its Content-Type says so: application/json")
    return protocol.parse(raw)
