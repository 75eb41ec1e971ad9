"""A tape on disk: a recorded session, as a list of events and not of timings.

    tape.json        format, which piece, environment; written once
    piece/SHA.ext    every text of the piece as it was: piece.py (again after each hot reload), piece.toml, piece.lock,
                     modules beside it, pictures of one's own; named by their sha256
    events.jsonl     what happened, in order: see below
    inputs.jsonl     each frame of a source: its value, or codec, place and sha256 in the blob file
    inputs/X.bin     the frames of source X as they arrived
    expected.jsonl   a digest for each frame that a node published; can be deleted and computed again
    seal.json        written when the tape is closed: how much of each there is, and the hash over all events. A tape
                     that was cut short by a power failure has none, and is whole up to where its files end

Events: `start` (a graph: wiring, seed, texts, what each source and model was), `in` (a source's frame), `fire` (a node,
its inputs by stream and seq), `emit`, `pause` (a firing gave nothing, and went on), `done` (how many were published;
cancelled or not; the fault that ended it), `fault` (any that was shown), `change` (a swapped card, a reloaded function,
a constant, a node that opened late), `state` (what a node remembered, in a tape that begins in the middle), `stop`. One
event a line, handed to the system as it comes.

One altered byte shows. `in` holds a hash of its line in inputs.jsonl, which holds one of the bytes in the blob file;
each line of expected.jsonl holds a running hash over all events before it; the seal holds the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ..core.codec import encode
from ..core.errors import TapeFault
from ..core.frame import Frame
from ..core.kinds import Control, Event, Kind, Vector
from ..core.source import Raw

FORMAT = "pleinair-tape"
VERSION = 1

Line = dict[str, Any]


def line_of(event: Line) -> str:
    """An event as its line: JSON in one spelling, so that a hash over it can be compared."""
    return json.dumps(event, separators=(",", ":"), sort_keys=True, default=str)


def short_hash(text: str) -> str:
    """The first 16 hex digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Chain:
    """A running hash over the events: one altered event shows at the first frame after it, even where no pixel
    would."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, line: str) -> None:
        self._hash.update(line.encode() + b"\n")
        self.count += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def expected(self, segment: int, event: Line, digest: str) -> Line:
        return {"g": segment, "s": event["s"], "q": event["q"], "sha": digest, "c": self.digest[:16]}


class Writer:
    """Writes a tape into a new folder. Not locked: one thread. OSError where the disk refuses, TapeFault where the
    folder cannot be made."""

    def __init__(self, folder: Path, meta: Line) -> None:
        self.folder = folder
        self.segment = -1
        self.frames = 0
        self._chain = Chain()
        self._inputs = 0
        self._expected_hash = hashlib.sha256()
        self._blobs: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise TapeFault(
                    f"there is something already: {folder.name}",
                    where=str(folder),
                    now="nothing was recorded",
                    hint="name another folder; a tape is never written over",
                )
            (folder / "inputs").mkdir()
            (folder / "piece").mkdir()
            self._meta = json.dumps(
                {"format": FORMAT, "version": VERSION, **meta}, indent=1, sort_keys=True, default=str
            )
            replace_text(folder / "tape.json", self._meta)
            names = ("events", "inputs", "expected")
            self._files = {n: (folder / f"{n}.jsonl").open("w", encoding="utf-8", newline="\n") for n in names}
        except OSError as error:
            raise TapeFault(
                f"no tape can be written there: {error.strerror or error}",
                where=str(folder),
                now="nothing was recorded",
                hint="name a folder that this user may write to, on a disk with room",
            ) from None

    def keep(self, name: str, content: str | bytes) -> str:
        """Keeps a file of the piece under its sha256; returns the hash."""
        blob = content.encode() if isinstance(content, str) else content
        digest = hashlib.sha256(blob).hexdigest()
        target = self.folder / "piece" / f"{digest}{Path(name).suffix}"
        if not target.exists():
            draft = target.with_suffix(".tmp")
            draft.write_bytes(blob)
            draft.replace(target)
        return digest

    def event(self, event: Line) -> None:
        if event["e"] == "start":
            self.segment += 1
        line = line_of(event)
        self._write("events", line)
        self._chain.add(line)

    def input(self, frame: Frame, kind: type[Kind], raw: Raw | None, **more: Any) -> None:
        """A frame from outside, and its event. `raw`: as it arrived; None: the data itself, without loss."""
        where: Line = {"g": self.segment, "s": frame.stream, "q": frame.seq, **more}
        if raw is None and kind in (Control, Event, Vector):
            where["v"] = frame.data.tolist() if kind is Vector else frame.data
        else:
            where |= self.blob(frame.stream, raw or encode(kind, frame.data))
        digest = kind.digest(frame.data)
        event = {"e": "in", "s": frame.stream, "q": frame.seq, "t": frame.t_ns, "sha": digest}
        self.event({**event, "w": self._input_line(where)})

    def copy_input(self, event: Line, where: Line, raw: Raw | None) -> None:
        """An input of another tape, with its bytes as they were."""
        where = {**where, "g": self.segment}
        if raw is not None:
            where |= self.blob(where["s"], raw)
        self.event({**event, "w": self._input_line(where)})

    def blob(self, stream: str, raw: Raw) -> Line:
        """Bytes into the stream's own file: what a line says of them."""
        file = self._blobs.get(stream)
        if file is None:
            file = self._blobs[stream] = (self.folder / "inputs" / f"{stream}.bin").open("wb")
        at = file.tell()
        file.write(raw.blob)
        file.flush()
        sha = hashlib.sha256(raw.blob).hexdigest()
        return {"codec": raw.codec, "at": at, "len": len(raw.blob), "note": raw.note, "blob": sha}

    def _input_line(self, where: Line) -> str:
        line = line_of(where)
        self._write("inputs", line)
        self._inputs += 1
        return short_hash(line)

    def expected(self, event: Line, digest: str) -> None:
        """After its `emit`: what came out."""
        line = line_of(self._chain.expected(self.segment, event, digest))
        self._write("expected", line)
        self._expected_hash.update(line.encode() + b"\n")
        self.frames += 1

    def _write(self, name: str, line: str) -> None:
        file = self._files[name]
        file.write(line + "\n")
        file.flush()

    def close(self, *, seal: bool) -> None:
        """Ends the tape. `seal` False: it is not whole, and says so by having no seal."""
        error: OSError | None = None
        sizes = {}
        for name, file in self._blobs.items():
            try:
                sizes[name] = file.tell()
                file.close()
            except OSError as e:
                error = e
        for file in self._files.values():
            try:
                file.close()
            except OSError as e:
                error = e
        self._blobs.clear()
        if error is not None:
            raise error
        if seal:
            replace_text(self.folder / "seal.json", line_of(self._seal(sizes)) + "\n")

    def _seal(self, sizes: dict[str, int]) -> Line:
        return {
            "events": self._chain.count,
            "chain": self._chain.digest,
            "inputs": self._inputs,
            "frames": self.frames,
            "expected": self._expected_hash.hexdigest(),
            "blobs": sizes,
            "meta": hashlib.sha256(self._meta.encode()).hexdigest(),
        }


def replace_text(path: Path, text: str) -> None:
    """Whole or not at all: a file cut in half says nothing."""
    draft = path.with_suffix(".tmp")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
