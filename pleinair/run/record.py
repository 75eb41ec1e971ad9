"""Writes a tape while a piece runs. It only watches: encoding, hashing and writing happen in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core.clock import Clock
from ..core.errors import Fault, TapeFault
from ..core.frame import Frame
from ..core.graph import Graph, Role
from ..core.kinds import Sound
from ..core.observer import Observer
from ..core.source import Raw
from .tapefile import Line, Writer

PENDING_BYTES = 128 * 2**20
"""How much may wait for a slow disk before the recording is given up (the show is not)."""


class Recorder(Observer):
    """An observer that writes a tape.

    meta     goes into tape.json: what the piece is (tapes.tape_meta)
    files    name -> content, kept under piece/: what the next `start` is made of

    When the disk is full, or too slow, recording is given up (`given_up` says why, and so does a fault of the run); the
    tape is whole up to there, and the show goes on.
    """

    def __init__(
        self, folder: Path, *, meta: Line | None = None, files: Mapping[str, str | bytes] | None = None
    ) -> None:
        self.folder = folder
        self.given_up: Fault | None = None
        self._told = False
        self._graph: Graph | None = None
        self._files: dict[str, str] = {}
        self._queue: queue.SimpleQueue[tuple[Line, Frame | None, Raw | None, int, Any] | None] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._closed = False
        self._writer = Writer(folder, meta or {})
        self.use(files or {})
        self._thread = threading.Thread(target=self._drain, name="pleinair:tape", daemon=True)
        self._thread.start()

    @property
    def frames(self) -> int:
        """How many frames of nodes are on the tape."""
        return self._writer.frames

    def keep(self, name: str, content: str | bytes) -> str:
        """Keeps a file of the piece under its sha256; returns the hash. A full disk ends the recording only."""
        try:
            return self._writer.keep(name, content)
        except OSError as error:
            self._give_up(error)
            return ""

    def use(self, files: Mapping[str, str | bytes]) -> dict[str, str]:
        """What the next `start`, or the next reload, is made of; returns name -> hash."""
        self._files = {name: self.keep(name, content) for name, content in files.items()}
        return self._files

    # -- the Observer's hooks: called in everybody's threads, so only a queue entry each

    def on_start(self, graph: Graph, clock: Clock) -> None:
        self._graph = graph
        parts = {n.name: n.describe() for n in graph.nodes.values() if n.role in (Role.SOURCE, Role.MODEL)}
        self._put({"e": "start", "seed": graph.seed, "files": self._files, "nodes": shape_of(graph), "parts": parts})

    def on_fire(self, node: str, inputs: tuple[Frame | None, ...], hot: int) -> None:
        reads = [[f.stream, f.seq] if f is not None else None for f in inputs]
        self._put({"e": "fire", "n": node, "i": reads, "h": hot})

    def on_frame(self, frame: Frame, raw: Raw | None = None) -> None:
        node = self._graph.nodes[frame.stream]
        what = "in" if node.role is Role.SOURCE else "emit"
        self._put({"e": what, "s": frame.stream, "q": frame.seq, "t": frame.t_ns}, frame, raw, node.kind)

    def on_pause(self, node: str) -> None:
        self._put({"e": "pause", "n": node})

    def on_done(self, node: str, published: int, cancelled: bool, fault: Fault | None) -> None:
        self._put({"e": "done", "n": node, "c": published, "x": cancelled, "f": fault.what if fault else None})

    def on_fault(self, node: str, fault: Fault, count: int) -> None:
        self._put({"e": "fault", "n": node, "what": fault.what, "c": count})

    def on_change(self, node: str, what: str, detail: dict[str, Any]) -> None:
        self._put({"e": "change", "n": node, "w": what, "d": detail})

    def on_stop(self) -> None:
        self._put({"e": "stop"})

    def on_switched_off(self, fault: Fault) -> None:
        if self.given_up is None:
            self.given_up = fault

    def close(self) -> None:
        """Writes what is waiting, ends the tape and seals it. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._queue.put(None)
        self._thread.join()
        try:
            self._writer.close(seal=self.given_up is None)
        except OSError as error:
            self._give_up(error)

    # -- the writing thread

    def _put(self, event: Line, frame: Frame | None = None, raw: Raw | None = None, kind: Any = None) -> None:
        if self.given_up is not None:
            if not self._told:
                self._told = True
                raise self.given_up  # an observer that raises is switched off, and its fault is told
            return
        size = 0
        if frame is not None:
            size = (len(raw.blob) if raw is not None else 0) + _bytes(frame.data)
            with self._lock:
                self._pending += size
            if self._pending > PENDING_BYTES:
                self._give_up(OSError("the disk is too slow for what arrives"))
                return
        if not self._closed:
            self._queue.put((event, frame, raw, size, kind))

    def _drain(self) -> None:
        while (entry := self._queue.get()) is not None:
            event, frame, raw, size, kind = entry
            if self.given_up is None:
                try:
                    self._write(event, frame, raw, kind)
                except Exception as error:  # whatever it is, the show goes on and hears of it
                    self._give_up(error)
            with self._lock:
                self._pending -= size

    def _write(self, event: Line, frame: Frame | None, raw: Raw | None, kind: Any) -> None:
        if event["e"] == "in":
            self._writer.input(frame, kind, raw)
            return
        self._writer.event(event)
        if event["e"] == "emit":
            self._writer.expected(event, kind.digest(frame.data))

    def _give_up(self, error: Exception) -> None:
        if self.given_up is None:
            why = getattr(error, "strerror", None) or error
            self.given_up = TapeFault(
                f"the recording ended: {why}",
                where=str(self.folder),
                now="the show goes on; the tape is whole up to here",
                hint="make room on the disk and record again" if isinstance(error, OSError) else "",
            )


def _bytes(data: Any) -> int:
    array = data.samples if isinstance(data, Sound) else data
    return array.nbytes if isinstance(array, np.ndarray) else 0


def shape_of(graph: Graph) -> Line:
    """The wiring, as far as a replay must find it again."""
    return {
        n.name: [
            n.role.value,
            [[i.stream, graph.policy(i), i.hot] for i in n.inputs],
            n.kind.__name__ if n.kind else None,
        ]
        for n in graph.nodes.values()
    }
