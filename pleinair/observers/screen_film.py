"""Films what is shown: each screen into a file of its own, at content time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.frame import Frame
from ..core.graph import Graph
from ..core.kinds import Image, Size
from ..core.observer import Observer
from ..core.source import Sink


class ScreenFilm(Observer):
    """`path` for one screen; `path-SCREEN.mp4` for each of several.

    make   (path, size) -> Sink; None: the film sink
    size   of the film, None: that of the first picture
    """

    def __init__(self, path: Path, *, size: Size | None = None, make: Any = None) -> None:
        self._path, self._size, self._make = path, size, make
        self._sinks: dict[str, Sink] = {}
        self._screens: dict[str, str] = {}
        self.frames = 0

    def on_start(self, graph: Graph, clock: Any) -> None:
        self._screens = {stream: screen for screen, stream in graph.screens.items()}
        self._kinds = graph.nodes

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        if frame.stream not in self._screens or self._kinds[frame.stream].kind is not Image:
            return
        sink = self._sinks.get(frame.stream)
        if sink is None:
            path = self._path
            if len(self._screens) > 1:
                path = path.with_name(f"{path.stem}-{self._screens[frame.stream]}{path.suffix}")
            from ..plugins import find

            sink = (self._make or find("sinks", "film"))(str(path), size=self._size)
            sink.open()
            self._sinks[frame.stream] = sink
        sink.put(frame.data, frame.t_ns)
        self.frames += 1

    def on_stop(self) -> None:
        for sink in self._sinks.values():
            sink.close()
        self._sinks.clear()
