"""The WebSocket: says hello, gives pictures for credits, takes acknowledgements, knobs and cameras."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..core.kinds import Audio, Image
from . import camera, microphone, protocol
from .ages import split
from .gate import HEADERS
from .viewer import HEARTBEAT_S, Viewer

if TYPE_CHECKING:
    from ..core.kinds import Kind
    from .screen import Packet
    from .server import Stage

MAX_VIEWERS = 64
CAMERA_CREDIT = 2
"""Camera pictures that may be under way."""
CLOSING = "the stage closes"


class Socket:
    """One WebSocket route; the address says what the other side wants to be (docs/protocol.md)."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def handle(self, request: web.Request) -> web.StreamResponse:
        stage, query = self._stage, request.query
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=426, text="this address is a WebSocket\n")
        if query.get("v", "1") != str(protocol.VERSION):
            raise ValueError(f"this stage speaks version {protocol.VERSION} of the protocol, not {query['v'][:8]}")
        screen = query.get("screen")
        asked = {kind: _names(query.get(word, "")) for word, kind in (("camera", Image), ("mic", Audio))}
        cameras = frozenset().union(*asked.values())
        if screen in ("main", "") and screen not in stage.screens:
            screen = next(iter(stage.screens), None)  # the only screen there is, whatever it is called
        if screen is not None and screen not in stage.screens:
            raise ValueError(f'this piece has no screen "{screen[:40]}"')
        for kind, names in asked.items():
            if unknown := names - set(self._inputs(kind)):
                what = "sound" if kind is Audio else "pictures"
                raise ValueError(f'this piece takes no {what} for "{sorted(unknown)[0][:40]}"')
        if held := cameras & stage.cameras:
            what = "microphone" if held & asked[Audio] else "camera"
            raise web.HTTPConflict(reason=f"{sorted(held)[0]} has the {what} of another page")
        interval = 1 / _rate(query["rate"]) if "rate" in query else 0.0
        if len(stage.viewers) >= MAX_VIEWERS:
            stage.turned_away += 1
            raise web.HTTPServiceUnavailable(reason=f"{MAX_VIEWERS} viewers are here already")
        ws = web.WebSocketResponse(
            compress=False,
            heartbeat=HEARTBEAT_S,
            max_msg_size=protocol.MAX_PICTURE if cameras else protocol.MAX_TEXT,
        )
        ws.headers["Server"] = HEADERS["Server"]
        stage.cameras |= cameras  # claimed before anything is awaited: of two pages one gets it
        stage.cameras_changed += bool(cameras)
        try:
            await ws.prepare(request)
            viewer = Viewer(ws, request)
            viewer.sound = "sound" in query
            await self._attend(viewer, screen, cameras, interval, desk="desk" in query)
        finally:
            stage.cameras -= cameras
            stage.cameras_changed += bool(cameras)
        return ws

    async def _attend(
        self, viewer: Viewer, screen: str | None, cameras: frozenset[str], interval: float, *, desk: bool
    ) -> None:
        """One viewer, from hello to its end."""
        stage = self._stage
        viewer.desk, viewer.cameras, viewer.min_interval_s = desk, cameras, interval
        viewer.clock_note = lambda: self._clock_note(viewer)  # type: ignore[method-assign]
        stage.viewers.append(viewer)
        self.hello(viewer)
        if screen is not None:
            viewer.screen = stage.screens[screen]
            viewer.screen.add(viewer)
        try:
            await viewer.run(self._message, self._camera)
        finally:
            stage.viewers.remove(viewer)
            stage.turned_away += viewer.closed_because not in ("", CLOSING)
            if viewer.screen is not None:
                viewer.screen.remove(viewer)

    def hello(self, viewer: Viewer) -> None:
        """Said first, and again when the piece was changed or a camera became free."""
        host, stage = self._stage.host, self._stage
        viewer.told["hello"] = (stage.changes, stage.cameras_changed)
        viewer.say(
            {
                "type": "hello",
                "version": protocol.VERSION,
                "title": host.title,
                "artist": host.artist,
                "screens": dict(host.graph.screens),
                "inputs": {name: self._wanted(name) for name in self._inputs(Image)},
                "mics": {name: {"free": name not in stage.cameras} for name in self._inputs(Audio)},
                "speakers": stage.sounds.names,
                "change": stage.changes,
            },
            key="hello",
        )

    def _inputs(self, kind: type[Kind]) -> list[str]:
        """What a page may send of this kind: Image, its camera; Audio, its microphone."""
        inputs = self._stage.host.browser_inputs
        return [name for name, source in inputs.items() if getattr(source, "kind", Image) is kind]

    def _wanted(self, name: str) -> dict[str, Any]:
        node = self._stage.host.graph.nodes.get(name)
        width, height = (node.size if node and node.size else None) or (640, 480)
        free = name not in self._stage.cameras
        return {"width": width, "height": height, "fps": 30, "credit": CAMERA_CREDIT, "free": free}

    def _clock_note(self, viewer: Viewer) -> dict[str, Any]:
        offset = viewer.clock.offset_ns
        if offset is None:
            return {}
        return {
            "offset_ms": (offset - self._stage.host.machine_origin_ns()) / 1e6,
            "error_ms": (viewer.clock.error_ns or 0) / 1e6,
        }

    def _message(self, viewer: Viewer, said: dict[str, Any]) -> None:
        kind = said.get("type")
        if kind in ("drawn", "painted"):
            self._acknowledged(viewer, said)
        elif kind == "knob":
            self._knob(viewer, said)
        else:
            raise ValueError(f"there is no message of type {kind!r:.40}")

    def _acknowledged(self, viewer: Viewer, said: dict[str, Any]) -> None:
        """`drawn` or `painted`: the credit comes back with the first; with the second, the age at the glass."""
        seq = protocol.whole(said.get("seq"), "seq", 0, 2**53)
        if viewer.screen is None or seq not in viewer.flights:
            raise ValueError(f"picture {seq} is not under way to you")
        packet, sent_ns = viewer.flights[seq]
        now_ns = time.monotonic_ns()
        if said["type"] == "painted":
            del viewer.flights[seq]
            viewer.painted += 1
            if said.get("painted") is not None and viewer.clock.ready:
                got = viewer.clock.machine_ns(protocol.number(said.get("got"), "got", 0, 1e13))
                painted = viewer.clock.machine_ns(protocol.number(said.get("painted"), "painted", 0, 1e13))
                assert got is not None and painted is not None
                got = min(max(got, sent_ns), now_ns)  # a page cannot have had it before it was sent
                painted = min(max(painted, got), now_ns)
                self._seen(viewer, packet, sent_ns, got, painted)
        if seq != viewer.flying:
            return
        viewer.flying = None
        wait = viewer.min_interval_s - (now_ns - sent_ns) / 1e9
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._feed, viewer)
        else:
            viewer.screen.fed(viewer)

    def _feed(self, viewer: Viewer) -> None:
        if viewer.screen is not None and viewer in viewer.screen.viewers:
            viewer.screen.fed(viewer, now=False)

    def _seen(self, viewer: Viewer, packet: Packet, sent_ns: int, got_ns: int, painted_ns: int) -> None:
        """A picture was painted. The desk's own small view counts only while nothing else is looked at."""
        stage = self._stage
        if viewer.desk and stage.looking():
            return
        origin = stage.host.machine_origin_ns()
        frame = packet.frame
        captured_ns = origin + frame.t_ns
        parts = split(
            frame,
            stage.roles,
            captured_ns,
            packet.published_ns,
            packet.began_ns,
            packet.encoded_ns,
            sent_ns,
            got_ns,
            painted_ns,
        )
        stage.glass_ages.add((painted_ns - captured_ns) / 1e6, parts)

    def _knob(self, viewer: Viewer, said: dict[str, Any]) -> None:
        """A hand on a page. A refusal goes back with the value that holds, so that the page can show it."""
        name = said.get("name")
        try:
            self._stage.knobs.set(name, said.get("value"), said.get("index"))
        except ValueError as error:
            value = self._stage.knobs.value(name) if isinstance(name, str) else None
            viewer.say({"type": "refused", "name": str(name)[:64], "what": str(error), "value": value})

    def _camera(self, viewer: Viewer, header: dict[str, Any], payload: memoryview) -> None:
        (microphone if header.get("type") == "mic" else camera).take(self._stage, viewer, header, payload)


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in text.split(",") if name)


def _rate(text: str) -> float:
    try:
        return protocol.number(float(text), "rate", 0.1, 240)
    except ValueError:
        raise ValueError("rate is pictures a second, between 0.1 and 240") from None
