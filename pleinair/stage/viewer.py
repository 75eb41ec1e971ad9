"""One connection: what it looks at, its one frame of credit, what it may send, and when it is closed.

Nobody waits for a viewer. Pictures wait in a slot of one, control messages in a short queue where a newer one of the
same kind takes the older one's place; one task writes them out, and only that task ever waits for the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from . import protocol
from .clocks import SETTLE, PageClock

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .screen import Packet, Screen

MESSAGES_PER_S = 400
"""More than this is a flood: a page sends 60 acknowledgements and 120 knob values a second at the very most."""
MISTAKES = 20
"""So many messages that are wrong, and the connection is closed."""
FLIGHTS = 4
WAITING = 256
"""Control messages that may wait; beyond it nobody is reading."""
STALLED_S = 10.0
"""A viewer that has not taken what was written to it for so long is closed."""
HEARTBEAT_S = 15.0


class Viewer:
    """Lives in the stage's loop. `on_message(viewer, message)` and `on_camera(viewer, header, payload)` do the work."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.ws = ws
        self.screen: Screen | None = None
        self.desk = False
        self.cameras: frozenset[str] = frozenset()
        self.sound = False
        """Whether it plays what the piece says aloud."""
        self.min_interval_s = 0.0
        self.credit = False
        self.last: Frame | None = None
        self.flights: dict[int, tuple[Packet, int]] = {}
        """Pictures sent and not yet painted, with when they were sent (machine time): a few at most."""
        self.flying: int | None = None
        """The one of them for which the credit is still out."""
        self.clock = PageClock()
        self.told: dict[str, Any] = {}
        """What a desk has been sent, so that only news are sent."""
        self.painted = 0
        self.mistakes = 0
        self.closed_because = ""
        self._picture: Packet | None = None
        self._outbox: dict[str, bytes | str | Callable[[], str]] = {}
        self._wake = asyncio.Event()
        self._transport = request.transport
        self._writing_since: float | None = None
        self._window = (0.0, 0)
        self._pings: dict[int, int] = {}
        self._ping = 0

    # ---- out

    def show(self, packet: Packet) -> None:
        """A picture for which there was a credit."""
        self.last = packet.frame
        self._picture = packet
        self._wake.set()

    def say(self, message: dict[str, Any], key: str = "") -> None:
        """A control message; a waiting one with the same key is replaced. Too many waiting: the viewer is closed."""
        self.post(json.dumps(message, separators=(",", ":"), allow_nan=False), key or f"{time.monotonic_ns()}")

    def post(self, message: bytes | str | Callable[[], str], key: str) -> None:
        self._outbox.pop(key, None)
        if len(self._outbox) >= WAITING:
            self.drop("it does not read what it is sent")
            return
        self._outbox[key] = message
        self._wake.set()

    def forget(self, beginning: str) -> None:
        """Takes back what waits under keys that begin so."""
        for key in [k for k in self._outbox if k.startswith(beginning)]:
            del self._outbox[key]

    async def _write(self) -> None:
        while not self.ws.closed:
            await self._wake.wait()
            self._wake.clear()
            while self._picture is not None or self._outbox:
                self._writing_since = time.monotonic()
                if self._picture is not None:
                    packet, self._picture = self._picture, None
                    self.flying = packet.frame.seq
                    self.flights[self.flying] = (packet, time.monotonic_ns())
                    while len(self.flights) > FLIGHTS:
                        del self.flights[next(iter(self.flights))]
                    await self.ws.send_bytes(packet.bytes)
                else:
                    message = self._outbox.pop(next(iter(self._outbox)))
                    if callable(message):  # what tells the time is written when it is sent
                        message = message()
                    if isinstance(message, str):
                        await self.ws.send_str(message)
                    else:
                        await self.ws.send_bytes(message)
                self._writing_since = None

    def drop(self, why: str, code: int = 1008) -> None:
        """Closes the connection from the server's side without waiting for the other side to agree."""
        if self.closed_because:
            return
        self.closed_because = why
        asyncio.get_running_loop().create_task(self._hang_up(why, code))

    async def _hang_up(self, why: str, code: int) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.ws.close(code=code, message=why.encode()[:120]), 0.5)
        if self._transport is not None:
            self._transport.abort()

    # ---- in

    async def run(
        self,
        on_message: Callable[[Viewer, dict[str, Any]], None],
        on_camera: Callable[[Viewer, dict[str, Any], memoryview], None],
    ) -> None:
        """Until the other side leaves or is shown out."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._tend())]
        try:
            async for message in self.ws:
                if self.closed_because or not self._within_rate():
                    break
                try:
                    if message.type is WSMsgType.TEXT:
                        said = protocol.parse(message.data)
                        if said.get("type") == "clock":
                            self._answered(said)
                        else:
                            on_message(self, said)
                    elif message.type is WSMsgType.BINARY:
                        on_camera(self, *protocol.unpack(message.data))
                    else:
                        break
                except ValueError as error:
                    self._mistaken(str(error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        since, count = self._window
        self._window = (now, 1) if now - since > 1 else (since, count + 1)
        if self._window[1] > MESSAGES_PER_S:
            self.drop(f"more than {MESSAGES_PER_S} messages in a second")
            return False
        return True

    def _mistaken(self, sentence: str) -> None:
        self.mistakes += 1
        if self.mistakes >= MISTAKES:
            self.drop(f"{MISTAKES} messages were wrong; the last: {sentence}")
        else:
            self.say({"type": "wrong", "what": sentence}, key="wrong")

    # ---- the page's clock

    async def _tend(self) -> None:
        """Asks for the page's time, quickly at first; and shows a viewer out that does not read."""
        asked = 0
        while True:
            if self._writing_since is not None and time.monotonic() - self._writing_since > STALLED_S:
                self.drop("it does not read what it is sent")
                return
            asked += 1
            self.post(self._ask, key="clock")
            await asyncio.sleep(0.02 if asked <= 8 else 0.1 if asked <= SETTLE + 2 else 1.0)

    def _ask(self) -> str:
        self._ping += 1
        while len(self._pings) >= 8:
            self._pings.pop(next(iter(self._pings)))
        message = json.dumps({"type": "clock", "n": self._ping, **self.clock_note()})
        self._pings[self._ping] = time.monotonic_ns()
        return message

    def clock_note(self) -> dict[str, Any]:
        """Added by the stage: the page's offset to content time."""
        return {}

    def _answered(self, said: dict[str, Any]) -> None:
        n = protocol.whole(said.get("n"), "n", 0, 2**53)
        page_ms = protocol.number(said.get("at"), "at", 0, 1e13)
        sent_ns = self._pings.pop(n, None)
        if sent_ns is not None:
            self.clock.exchanged(sent_ns, page_ms, time.monotonic_ns())
