"""The stage: an observer that shows the piece in browsers, and takes knobs, pictures and cameras from them.

One thread of its own with an event loop (aiohttp), one that encodes, one for slow requests. Nothing here ever waits in
the piece's threads: `on_frame` puts a reference into a slot and returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import Fault, StageFault
from ..core.observer import Observer
from .ages import Glass
from .gate import Gate, new_token
from .knobs import Knobs
from .presets import Presets
from .screen import Encoder, Packet, Screen
from .sounds import Sounds

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .host import Host
    from .viewer import Viewer

FAULTS_KEPT = 50


class Stage(Observer):
    """`Stage(host).start()` serves the piece and returns the address; `stop()` ends within a second.

    port    0: any that is free
    lan     also on this machine's addresses in the local network, by TLS and with a token: True, or the addresses
    token   what a page is served with and brings back; None: a new one, with `lan` the one that is kept
    folder  where token and certificate for `lan` are kept; None: the user's data folder
    """

    def __init__(
        self,
        host: Host,
        *,
        port: int = 8765,
        lan: bool | tuple[str, ...] = False,
        token: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self.host = host
        self.lan = lan
        self.folder = folder
        if token is None and lan:
            from .lan import kept_token

            token = kept_token(folder)
        self.gate = Gate(token or new_token())
        self.url = ""
        self.lan_urls: list[str] = []
        self.glass_ages = Glass()
        self.viewers: list[Viewer] = []
        self.faults: deque[dict[str, Any]] = deque(maxlen=FAULTS_KEPT)
        self.newest: dict[str, Frame] = {}
        """The newest frame of each stream."""
        self.skips: dict[str, int] = {}
        self.losses: dict[str, int] = {}
        self.frames = 0
        self.changes = 0
        """Counts up when the piece was started or changed: pages read the graph again."""
        self.screens: dict[str, Screen] = {}
        self.turned_away = 0
        """Viewers that were shown out or not let in."""
        self.cameras: set[str] = set()
        """Inputs that a page's camera or microphone feeds: the first that came; the next one when it goes."""
        self.cameras_changed = 0
        self._port = port
        self._by_stream: dict[str, list[Screen]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self.encoder = Encoder(self._deliver, host.machine_origin_ns)
        self.slow = ThreadPoolExecutor(2, thread_name_prefix="stage-slow")
        self.knobs = Knobs(host, self.newest)
        self.presets = Presets(host, self.knobs)
        self.sounds = Sounds(self)
        self.roles: dict[str, str] = {}
        self._take_screens()

    # ---- what the piece tells, in the piece's threads

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        self.newest[frame.stream] = frame
        for screen in self._by_stream.get(frame.stream, ()):
            self.frames += 1
            screen.offer(frame)
        if self.sounds.names:
            self.sounds.on_frame(frame)

    def on_skip(self, node: str, stream: str, frame: Frame) -> None:
        self.skips[node] = self.skips.get(node, 0) + 1

    def on_lost(self, node: str, stream: str, frame: Frame) -> None:
        self.losses[node] = self.losses.get(node, 0) + 1

    def on_fault(self, node: str, fault: Fault, count: int) -> None:
        entry = {**fault.as_dict(), "node": node, "count": count, "at": time.time()}
        for old in [f for f in list(self.faults) if f["node"] == node and f["what"] == fault.what]:
            with contextlib.suppress(ValueError):
                self.faults.remove(old)
        self.faults.appendleft(entry)

    def say_fault(self, who: str, error: Exception) -> None:
        """Something of the stage's own went wrong: shown like any other, and the piece never hears of it."""
        fault = (
            error
            if isinstance(error, Fault)
            else StageFault(
                f"{who} stumbled: {type(error).__name__}: {error}", where="the stage", now="the piece keeps running"
            )
        )
        held = next((f["count"] for f in list(self.faults) if f["what"] == fault.what), 0)
        self.on_fault("stage", fault, held + 1)

    def on_start(self, graph: Any, clock: Any) -> None:
        self._take_screens()

    def on_change(self, node: str, what: str, detail: dict[str, Any]) -> None:
        self._take_screens()

    def _take_screens(self) -> None:
        """Screens as the graph has them now. A screen keeps its viewers when its stream changes."""
        by_stream: dict[str, list[Screen]] = {}
        for name, stream in self.host.graph.screens.items():
            screen = self.screens.get(name) or Screen(name, stream, self.encoder.wake)
            screen.stream = stream
            self.screens[name] = screen
            by_stream.setdefault(stream, []).append(screen)
        self._by_stream = by_stream
        for held in (self.newest, self.skips, self.losses):  # of a stream that is no more nothing is shown
            for name in [n for n in list(held) if n not in self.host.graph.nodes]:
                held.pop(name, None)
        self.roles = {n.name: n.role.value for n in self.host.graph.nodes.values()}
        self.sounds.take()
        self.changes += 1

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        return self._loop

    # ---- life

    def start(self) -> str:
        """Binds, then serves in a thread of its own. Raises StageFault where the port is taken."""
        from . import serve

        sockets, port = serve.bind(self._port)
        lan = serve.bind_lan(self.lan, port, self.folder) if self.lan else None
        self.url = f"http://127.0.0.1:{port}/"
        for name in ("127.0.0.1", "localhost", "[::1]"):
            self.gate.open("http", name, port, loopback=True)
        if lan is not None:
            for name in lan.names:
                self.gate.open("https", name, port, loopback=False)
            self.lan_urls = [f"https://{name}:{port}/?token={self.gate.token}" for name in lan.addresses]
        ready: list[BaseException | None] = []
        began = threading.Event()

        def run() -> None:
            try:
                asyncio.run(self._serve(sockets, lan, lambda: (ready.append(None), began.set())))
            except BaseException as error:  # told to whoever waits in start()
                ready.append(error)
            finally:
                began.set()

        self._thread = threading.Thread(target=run, name="stage", daemon=True)
        self.encoder.start()
        self._thread.start()
        began.wait(10)
        if not ready or ready[0] is not None:
            raise StageFault(
                f"the stage did not start: {ready[0] if ready else 'its thread gave no sign'}",
                where=self.url,
                now="nothing is shown",
                hint="pleinair doctor",
            )
        return self.url

    async def _serve(self, sockets: list[Any], lan: Any, ready: Any) -> None:
        from aiohttp import web

        from .app import build
        from .feed import DeskFeed
        from .socket import CLOSING, Socket

        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        socket = Socket(self)
        runner = web.AppRunner(build(self, socket), handle_signals=False, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        feed = asyncio.create_task(DeskFeed(self, socket.hello).run())
        try:
            for each in sockets:
                await web.SockSite(runner, each).start()
            for each in lan.sockets if lan else ():
                await web.SockSite(runner, each, ssl_context=lan.context).start()
            ready()
            await self._stopping.wait()
        finally:
            feed.cancel()
            for viewer in list(self.viewers):
                viewer.drop(CLOSING, code=1001)
            with contextlib.suppress(asyncio.TimeoutError, Exception):
                await asyncio.wait_for(runner.cleanup(), 0.7)

    def stop(self) -> None:
        """Ends the threads within a second. Idempotent."""
        self.encoder.stop(0.3)
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(1.0)
        self.slow.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, screen: Screen, packet: Packet) -> None:
        """In the encoder's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
                self._loop.call_soon_threadsafe(screen.deliver, packet)

    # ---- what others ask of it

    def glass(self) -> dict[str, float] | None:
        """{"p50", "p95", "p99", "max"} of the ages at the glass in ms, or None before a page has reported one."""
        return self.glass_ages.all.summary()

    def report(self) -> dict[str, Any]:
        """The piece's report so far, with the ages at the glass that only the stage knows. Not in the loop's thread."""
        report = dict(self.host.report())
        if report.get("glass_ms") is None:
            report["glass_ms"] = self.glass()
        return report

    def lan_code(self) -> str:
        """A QR code of the address in the local network, for the terminal; "" where there is none."""
        from .lan import qr

        return qr(self.lan_urls[0]) if self.lan_urls else ""

    def looking(self) -> int:
        return sum(v.screen is not None and not v.desk for v in self.viewers)
