"""A page's camera, or its microphone, in the place of a device that is not there."""

from __future__ import annotations

import threading

from ..core.kinds import Audio, Image, Kind
from ..core.source import Raw
from ..run.live import LiveRunner

END_S = 0.5


class PageCamera:
    """Decodes in a thread of its own and pushes into the stream."""

    def __init__(self, runner: LiveRunner, stream: str, kind: type[Kind] = Image) -> None:
        from ..sources.browser import Browser
        from ..sources.mic import Mic

        self._runner, self._stream, self.kind = runner, stream, kind
        self._browser = Mic() if kind is Audio else Browser()
        self._thread: threading.Thread | None = None

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        self._browser.deliver(raw, machine_ns)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"pleinair:page:{self._stream}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._browser.open()
        for capture in self._browser:
            self._runner.push(self._stream, capture.data, machine_ns=capture.machine_ns, raw=capture.raw)

    def interrupt(self) -> None:
        """Ends its thread."""
        self._browser.interrupt()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(END_S)
