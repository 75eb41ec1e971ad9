"""The running piece: graph, runner, stage and recorder held together. What `pleinair run` starts.

What the stage may ask of it stands in `knows.py`, how it takes over a saved file in `reload.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import assembly, tapes
from ..core.graph import SourceNode
from ..core.kinds import Audio, Image
from ..core.observer import Observer
from ..run.live import LiveRunner
from ..run.tape import Recorder
from .host import BrowserInput
from .knows import Knows
from .page_camera import PageCamera
from .reload import Reloads
from .verdicts import Verdicts

END_S = 0.5


class Show(Knows, Reloads):
    """A piece on stage. `start`, then `wait`, then `stop`.

    sources   NAME -> URI over what piece.toml says
    record    a folder for a tape; nothing is recorded unless it is given
    watch     reload the piece when its files are saved
    """

    def __init__(
        self,
        loaded: assembly.Loaded,
        *,
        sources: dict[str, str] | None = None,
        record: Path | None = None,
        site: Path | None = None,
        watch: bool = True,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._loaded = loaded
        self._sources, self._site, self._watch = sources, site, watch
        self._observers = list(observers)
        self._stop = threading.Event()
        self._swap_lock = threading.Lock()
        self._life = threading.RLock()
        """Held while a run is put in another's place: the end waits for it, and no run begins after the end."""
        self._looking: threading.Thread | None = None
        self._began = time.monotonic()
        self.notices: list[dict[str, str]] = []
        self._stage: Any = None
        self.pages: dict[str, BrowserInput] = {}
        self._stand_ins: list[PageCamera] = []
        self.runner: LiveRunner | None = None
        self.recorder: Recorder | None = None
        self._record = record
        self._verdicts: Verdicts | None = None
        self._build(loaded)

    # -- life --------------------------------------------------------------------------------------------------------

    def _build(self, loaded: assembly.Loaded) -> None:
        parts = assembly.MachineParts(loaded, sources=self._sources, live=True)
        graph = assembly.assemble(loaded, parts)
        self._loaded, self._parts, self.graph = loaded, parts, graph
        self.notices = list(parts.notices)

    def watch_with(self, stage: Any) -> None:
        """The stage that shows this piece: an observer like any other, that also knows the ages at the glass."""
        self._stage = stage
        self._observers.append(stage)

    def start(self) -> None:
        """Opens, loads and warms up everything; then the clock starts."""
        one_thread_each()
        self._bring_presets()
        if self._record is not None:
            files = tapes.tape_files(self._loaded, self.graph)
            self.recorder = Recorder(self._record, meta=tapes.tape_meta(self._loaded), files=files)
        self._start_runner()
        if self._watch:
            self._looking = threading.Thread(target=self._look_for_changes, name="pleinair:reload", daemon=True)
            self._looking.start()

    def _bring_presets(self) -> None:
        """A gallery piece comes with presets; they are the user's own from the first start on."""
        shipped = self._loaded.file.parent / "presets.json"
        if shipped.exists() and not self.presets_file.exists():
            try:
                self.presets_file.parent.mkdir(parents=True, exist_ok=True)
                self.presets_file.write_bytes(shipped.read_bytes())
            except OSError as error:
                self.notices.append({"name": "presets", "text": f"they could not be brought: {error.strerror}"})

    def _start_runner(self) -> None:
        observers = [*self._observers, *([self.recorder] if self.recorder else [])]
        self.runner = LiveRunner(self.graph, observers=observers)
        self.pages = self._page_cameras()
        self._stand_ins = [p for p in self.pages.values() if isinstance(p, PageCamera)]
        if self._stop.is_set():
            return
        self._verdicts = Verdicts(self._loaded, self._parts.lock, self._sources, self._record is not None)
        self._verdicts.start()
        self.runner.start()  # comes back early when the end is asked for meanwhile
        if self._stop.is_set():
            return
        for page in self._stand_ins:
            page.start()
        self._verdicts.settle(self.notices)
        try:
            drift = self._parts.save_lock(self.graph)
            self.notices += [{"name": "lock", "text": sentence} for sentence in drift]
        except OSError as error:
            self.notices.append({"name": "lock", "text": f"piece.lock could not be written: {error.strerror}"})

    def _page_cameras(self) -> dict[str, BrowserInput]:
        """Sources that a page's camera or microphone may feed: those that are `browser` or `mic`, and those whose
        device is not there."""
        found = {}
        for node in self.graph.nodes.values():
            if isinstance(node, SourceNode) and node.source is not None and node.kind in (Image, Audio):
                if hasattr(node.source, "deliver"):
                    found[node.name] = node.source
                elif node.name in self._parts.stood_in:
                    found[node.name] = PageCamera(self.runner, node.name, node.kind)
        return found

    def wait(self, seconds: float | None = None) -> bool:
        return self._stop.wait(seconds)

    def end(self) -> None:
        """Asks for the end, also of a start that is under way, and comes back at once. Another thread than a signal's:
        an Event that the interrupted code was just looking at is locked."""
        self._stop.set()
        if (runner := self.runner) is not None:
            runner.end()

    def stop(self) -> None:
        """Ends everything: no thread of the piece is left, the tape is whole."""
        self.end()
        free = self._life.acquire(timeout=END_S)  # a reload that loads a model is not waited for any longer
        try:
            for page in self._stand_ins:
                page.interrupt()
            if self.runner is not None:
                self.runner.stop()
            if self.recorder is not None:
                self.recorder.close()
        finally:
            if free:
                self._life.release()
        for thread in (self._looking, self._verdicts):
            if thread is not None and thread.is_alive() and thread is not threading.current_thread():
                thread.join(END_S)


def one_thread_each() -> None:
    """OpenCV's own thread pool would fight the model for the cores; its results do not depend on it."""
    import cv2

    cv2.setNumThreads(1)
