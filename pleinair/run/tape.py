"""A recorded session: a list of events, not of timings.

    tape.json        format, seed, environment, which piece (hashes), what each source was
    piece/<sha>.py   the piece as it was, and as it was after each hot reload; piece.toml and piece.lock beside it
    events.jsonl     what happened, in order: see below
    inputs.jsonl     each frame of a source: codec, place in the blob file, digest of what it decodes to
    inputs/X.bin     the frames of source X as they arrived
    expected.jsonl   a digest for each frame that a node published; can be deleted and computed again

Events: `start` (graph, segment), `in` (a source's frame), `fire` (a node, its inputs by stream and seq), `emit`, `done`
(how many were published; cancelled
or not; the fault that ended it), `fault` (any that was shown), `change` (a swapped card, a reloaded function), `stop`.
One event a line, flushed as it comes: a tape cut short by a power failure is whole up to its last full line.
"""

from __future__ import annotations

import hashlib
import json
import queue
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.codec import encode
from ..core.errors import Fault, TapeFault
from ..core.frame import Frame
from ..core.graph import Graph, Role
from ..core.kinds import Control, Event, Vector
from ..core.observer import Observer
from ..core.source import Raw

FORMAT = "pleinair-tape"
VERSION = 1
PENDING_BYTES = 128 * 2**20
"""How much may wait for a slow disk before the recording is given up (the show is not)."""

Line = dict[str, Any]


def line_of(event: Line) -> str:
    return json.dumps(event, separators=(",", ":"), sort_keys=True)


class Recorder(Observer):
    """Writes a tape while a piece runs. It only watches: encoding, hashing and writing happen in a thread of its own.

    meta     goes into tape.json: what the piece is (assembly.tape_meta)
    files    name -> text, kept under piece/
    on_end   called with a Fault when recording had to be given up (disk full); the show goes on
    """

    def __init__(self, folder: Path, *, meta: dict[str, Any] | None = None, files: dict[str, str | bytes] | None = None) -> None:
        self.folder = folder
        self.given_up: Fault | None = None
        self._meta = meta or {}
        self._graph: Graph | None = None
        self._segment = -1
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._pending = 0
        self._lock = threading.Lock()
        self._blobs: dict[str, Any] = {}
        self._chain = Chain()
        self.frames = 0
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if any(folder.iterdir()):
                raise TapeFault(
                    f"there is a tape already: {folder.name}",
                    where=str(folder),
                    now="nothing was recorded",
                    hint="name another folder; a tape is never written over",
                ) from None
        (folder / "inputs").mkdir(exist_ok=True)
        self._events = (folder / "events.jsonl").open("w", encoding="utf-8")
        self._inputs = (folder / "inputs.jsonl").open("w", encoding="utf-8")
        self._expected = (folder / "expected.jsonl").open("w", encoding="utf-8")
        for name, text in (files or {}).items():
            self.keep(name, text)
        self._write_meta()
        self._thread = threading.Thread(target=self._drain, name="pleinair:tape", daemon=True)
        self._thread.start()

    def keep(self, name: str, content: str | bytes) -> str:
        """Keeps a file of the piece under its sha256; returns the hash."""
        blob = content.encode() if isinstance(content, str) else content
        digest = hashlib.sha256(blob).hexdigest()
        target = self.folder / "piece" / f"{digest}{Path(name).suffix}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(blob)
        self._meta.setdefault("files", {}).setdefault(name, digest)
        return digest

    def use_source(self, text: str) -> str:
        """The piece.py that the next segment, or the next reload, is made of; returns its hash."""
        self._meta["source"] = self.keep("piece.py", text)
        return self._meta["source"]

    def _write_meta(self) -> None:
        text = json.dumps({"format": FORMAT, "version": VERSION, **self._meta}, indent=1, sort_keys=True)
        (self.folder / "tape.json").write_text(text, "utf-8")

    # -- the Observer's hooks: called in everybody's threads, so only a queue entry each

    def on_start(self, graph: Graph, clock: Clock) -> None:
        self._graph = graph
        self._segment += 1
        self._put({"e": "start", "seed": graph.seed, "source": self._meta.get("source"), "nodes": shape_of(graph)})
        self._meta.setdefault("sources", {}).update(
            {n.name: n.describe() for n in graph.nodes.values() if n.role is Role.SOURCE}
        )
        self._write_meta()

    def on_fire(self, node: str, inputs: tuple[Frame | None, ...], hot: int) -> None:
        reads = [[f.stream, f.seq] if f is not None else None for f in inputs]
        self._put({"e": "fire", "n": node, "i": reads, "h": hot})

    def on_frame(self, frame: Frame, raw: Raw | None = None) -> None:
        if self._graph.nodes[frame.stream].role is Role.SOURCE:
            self._put({"e": "in", "s": frame.stream, "q": frame.seq, "t": frame.t_ns}, frame, raw)
        else:
            self._put({"e": "emit", "s": frame.stream, "q": frame.seq, "t": frame.t_ns}, frame)

    def on_done(self, node: str, published: int, cancelled: bool, fault: Fault | None) -> None:
        self._put({"e": "done", "n": node, "c": published, "x": cancelled, "f": fault.what if fault else None})

    def on_fault(self, node: str, fault: Fault, count: int) -> None:
        self._put({"e": "fault", "n": node, "what": fault.what, "c": count})

    def on_change(self, node: str, what: str, detail: dict[str, Any]) -> None:
        self._put({"e": "change", "n": node, "w": what, "d": detail})

    def on_stop(self) -> None:
        self._put({"e": "stop"})

    def close(self) -> None:
        """Writes what is waiting and ends the tape. Idempotent."""
        self._queue.put(None)
        self._thread.join()
        for file in (self._events, self._inputs, self._expected, *self._blobs.values()):
            try:
                file.close()
            except OSError as error:
                self._give_up(error)
        self._blobs.clear()

    # -- the writing thread

    def _put(self, event: Line, frame: Frame | None = None, raw: Raw | None = None) -> None:
        if self.given_up is not None:
            return
        size = 0
        if frame is not None:
            size = len(raw.blob) if raw is not None else getattr(frame.data, "nbytes", 0)
            with self._lock:
                self._pending += size
            if self._pending > PENDING_BYTES:
                self._give_up(OSError("the disk is too slow for what arrives"))
                return
        self._queue.put((event, frame, raw, size))

    def _drain(self) -> None:
        while (entry := self._queue.get()) is not None:
            event, frame, raw, size = entry
            if self.given_up is None:
                try:
                    self._write(event, frame, raw)
                except OSError as error:
                    self._give_up(error)
            with self._lock:
                self._pending -= size

    def _write(self, event: Line, frame: Frame | None, raw: Raw | None) -> None:
        kind = self._graph.nodes[frame.stream].kind if frame is not None else None
        if event["e"] == "in":
            event["sha"] = kind.digest(frame.data)
            self._write_input(event, frame, raw, kind)
        line = line_of(event)
        self._events.write(line + "\n")
        self._events.flush()
        self._chain.add(line)
        if event["e"] == "emit":
            self.frames += 1
            self._expected.write(line_of(self._chain.expected(self._segment, event, kind.digest(frame.data))) + "\n")
            self._expected.flush()

    def _write_input(self, event: Line, frame: Frame, raw: Raw | None, kind: Any) -> None:
        where: Line = {"g": self._segment, "s": frame.stream, "q": frame.seq}
        if kind in (Control, Event, Vector) and raw is None:
            where["v"] = frame.data.tolist() if kind is Vector else frame.data
        else:
            raw = raw or encode(kind, frame.data)
            file = self._blobs.get(frame.stream)
            if file is None:
                file = self._blobs[frame.stream] = (self.folder / "inputs" / f"{frame.stream}.bin").open("wb")
            where |= {"codec": raw.codec, "at": file.tell(), "len": len(raw.blob), "note": raw.note}
            file.write(raw.blob)
            file.flush()
        self._inputs.write(line_of(where) + "\n")
        self._inputs.flush()

    def _give_up(self, error: OSError) -> None:
        if self.given_up is None:
            self.given_up = TapeFault(
                f"the recording ended: {error.strerror or error}",
                where=str(self.folder),
                now="the show goes on; the tape is whole up to here",
                hint="make room on the disk and record again",
            )


class Chain:
    """A running hash over the events: one altered event shows at the first frame after it, even where no pixel would."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: str) -> None:
        self._hash.update(line.encode() + b"\n")

    def expected(self, segment: int, event: Line, digest: str) -> Line:
        return {"g": segment, "s": event["s"], "q": event["q"], "sha": digest, "c": self._hash.hexdigest()[:16]}


def shape_of(graph: Graph) -> Line:
    """The wiring, as far as a replay must find it again."""
    return {
        n.name: [n.role.value, [[i.stream, graph.policy(i), i.hot] for i in n.inputs]] for n in graph.nodes.values()
    }


class Tape:
    """A tape on disk, to be read. Raises TapeFault where it is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            self.meta: dict[str, Any] = json.loads((self.folder / "tape.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise TapeFault(f"this is no tape: {self.folder} ({error})", hint="a tape is a folder with a tape.json") from None
        if self.meta.get("format") != FORMAT or self.meta.get("version") != VERSION:
            raise TapeFault(f"{self.folder.name} is a tape of another version: {self.meta.get('version')}")
        self._blobs: dict[str, Any] = {}

    def events(self) -> Iterator[tuple[str, Line]]:
        """(line as written, event), in order. An unfinished last line is left out; rubbish before it is a TapeFault."""
        yield from self._lines("events.jsonl")

    def expected(self) -> dict[tuple[int, str, int], Line] | None:
        """(segment, stream, seq) -> what was recorded; None where it was deleted."""
        if not (self.folder / "expected.jsonl").exists():
            return None
        return {(e["g"], e["s"], e["q"]): e for _, e in self._lines("expected.jsonl")}

    def inputs(self) -> dict[tuple[int, str, int], Line]:
        return {(e["g"], e["s"], e["q"]): e for _, e in self._lines("inputs.jsonl")}

    def text(self, name: str, digest: str | None = None) -> str | None:
        """A text of the piece as it was kept, checked against its hash; None where the tape never held one."""
        digest = digest or self.meta.get("files", {}).get(name)
        return self.blob(f"{digest}{Path(name).suffix}").decode() if digest else None

    def blob(self, file: str) -> bytes:
        """A kept file by its name, which begins with its sha256."""
        if not re.fullmatch(r"[0-9a-f]{64}(\.\w+)?", file):
            raise TapeFault(f"the tape names a file that cannot be: {file[:80]!r}", where=str(self.folder))
        path = self.folder / "piece" / file
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise TapeFault(f"the tape has lost {file[:12]}...: {error.strerror}", where=str(path)) from None
        if hashlib.sha256(blob).hexdigest() != file[:64]:
            raise TapeFault(f"{file[:12]}... was altered in the tape", where=str(path), hint="bring it back from a copy")
        return blob

    def raw(self, where: Line) -> Raw:
        """A source's frame as it arrived."""
        file = self._blobs.get(where["s"])
        if file is None:
            name = where["s"]
            if not name.isidentifier():
                raise TapeFault(f"the tape names a stream that cannot be: {name!r}")
            file = self._blobs[name] = (self.folder / "inputs" / f"{name}.bin").open("rb")
        file.seek(where["at"])
        blob = file.read(where["len"])
        if len(blob) != where["len"]:
            raise TapeFault(f"{where['s']} frame {where['q']} is missing from the tape", where=str(self.folder))
        return Raw(where["codec"], blob, where.get("note"))

    def close(self) -> None:
        for file in self._blobs.values():
            file.close()
        self._blobs.clear()

    def _lines(self, name: str) -> Iterator[tuple[str, Line]]:
        try:
            text = (self.folder / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TapeFault(f"{name} of the tape cannot be read: {error}", where=str(self.folder)) from None
        whole, _, _torn = text.rpartition("\n")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                yield line, json.loads(line)
            except ValueError:
                raise TapeFault(f"{name}, line {number}, is not readable: the tape was altered", where=str(self.folder)) from None
