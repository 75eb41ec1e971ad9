"""Hot reload: a saved piece.py, piece.toml or site.toml is taken over while the piece runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from .. import assembly, tapes
from ..core.errors import Fault
from ..core.graph import Graph, SourceNode
from ..piece import FunctionNode
from ..run.live import LiveRunner
from ..run.tape import Recorder
from .page_camera import PageCamera

LOOK_S = 0.25
"""How often piece.py, piece.toml and site.toml are looked at for a change."""
SETTLE_S = 0.05
"""A file that changed must stay the same for so long: an editor may still be writing it."""


class Reloads:
    """The half of `Show` that watches the files."""

    _loaded: assembly.Loaded
    _parts: assembly.MachineParts
    _sources: dict[str, str] | None
    _site: Path | None
    _stop: threading.Event
    _life: Any
    _stand_ins: list[PageCamera]
    graph: Graph
    runner: LiveRunner | None
    recorder: Recorder | None
    notices: list[dict[str, str]]

    def _look_for_changes(self) -> None:
        seen = _stamps(self._loaded.watched)
        while not self._stop.wait(LOOK_S):
            now = _stamps(self._loaded.watched)
            if now == seen:
                continue
            while not self._stop.wait(SETTLE_S) and (later := _stamps(self._loaded.watched)) != now:
                now = later  # still being written
            try:
                self.reload()
            except Exception as error:
                fault = error if isinstance(error, Fault) else Fault(f"piece.py cannot be taken over: {error}")
                fault.now = "the piece keeps running as it was before"
                self.runner.fault("piece.py", fault, 1)
            seen = {**_stamps(self._loaded.watched), **now}  # what was saved while this was taken over comes next
            seen = {file: seen[file] for file in self._loaded.watched}

    def reload(self) -> None:
        """Takes over piece.py, piece.toml and site.toml as they are now. Raises Fault, and then nothing has changed."""
        with self._life:
            if not self._stop.is_set():
                self._take_over(assembly.load(self._loaded.file, self._site))

    def _take_over(self, loaded: assembly.Loaded) -> None:
        before = self._loaded
        if loaded.texts == before.texts and loaded.site_text == before.site_text:
            return
        said = (loaded.toml, loaded.site_text)
        if said == (before.toml, before.site_text) and loaded.piece.shapes() == self._loaded.piece.shapes():
            self._exchange_functions(loaded)
        else:
            self._rebuild(loaded)

    def _exchange_functions(self, loaded: assembly.Loaded) -> None:
        files = self.recorder.use(loaded.texts) if self.recorder is not None else {}
        for node in self.graph.nodes.values():
            if isinstance(node, FunctionNode):
                declared = loaded.piece.declared[node.name]
                self.runner.change(
                    node.name, "reload", {"files": files}, lambda n=node, d=declared: n.replace(d)
                )
        self._loaded = loaded

    def _rebuild(self, loaded: assembly.Loaded) -> None:
        """Declarations changed: another graph, behind the picture that the stage holds. Knobs keep their values."""
        parts = assembly.MachineParts(loaded, sources=self._sources, live=True)
        graph = assembly.assemble(loaded, parts)
        for node in graph.nodes.values():
            old = self.graph.nodes.get(node.name)
            if isinstance(node, SourceNode) and node.initial is not None and isinstance(old, SourceNode):
                before = self.value(node.name)
                low, high = loaded.piece.declared[node.name].range
                fits = np.shape(before) == np.shape(node.initial) and low <= np.min(before) <= np.max(before) <= high
                node.initial = before if fits else node.initial
        if self.recorder is not None:
            self.recorder.use(tapes.tape_files(loaded, graph))
        for page in self._stand_ins:
            page.interrupt()
        self.runner.stop()
        self._loaded, self._parts, self.graph, self.notices = loaded, parts, graph, list(parts.notices)
        self._start_runner()


def _stamps(files: list[Path]) -> dict[Path, tuple[int, int, int] | None]:
    stamps: dict[Path, tuple[int, int, int] | None] = {}
    for file in files:
        try:
            status = file.stat()
            stamps[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            stamps[file] = None
    return stamps
