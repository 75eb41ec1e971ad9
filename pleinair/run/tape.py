"""A tape, to be read. How it lies on disk stands in tapefile.py; how it is written, in record.py."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.errors import TapeFault
from ..core.source import Raw
from .record import Recorder, shape_of
from .tapefile import FORMAT, VERSION, Chain, Line, Writer, line_of, short_hash

__all__ = ["Chain", "Line", "Recorder", "Tape", "Writer", "line_of", "shape_of", "short_hash"]

_NEEDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "start": {"seed": int, "files": dict, "nodes": dict, "parts": dict},
    "in": {"s": str, "q": int, "t": int, "sha": str, "w": str},
    "fire": {"n": str, "i": list, "h": int},
    "emit": {"s": str, "q": int, "t": int},
    "pause": {"n": str},
    "done": {"n": str, "c": int, "x": bool, "f": (str, type(None))},
    "fault": {"n": str, "what": str, "c": int},
    "change": {"n": str, "w": str, "d": dict},
    "state": {"n": str, "q": int, "v": dict},
    "stop": {},
}


class Tape:
    """A tape on disk. Raises TapeFault where it is none, or where it was altered so that it cannot be read.

    seal         what was there when it was closed; None: it was cut short, and is whole up to where its files end
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            text = (self.folder / "tape.json").read_text("utf-8")
            self.meta: dict[str, Any] = json.loads(text)
        except (OSError, ValueError) as error:
            raise TapeFault(
                f"this is no tape: {self.folder} ({error})", hint="a tape is a folder with a tape.json"
            ) from None
        if not isinstance(self.meta, dict) or self.meta.get("format") != FORMAT:
            raise TapeFault(f"this is no tape: {self.folder}", hint="a tape is a folder with a tape.json")
        if self.meta.get("version") != VERSION:
            raise TapeFault(f"{self.folder.name} is a tape of another version: {self.meta.get('version')}")
        self.seal = self._read_seal()
        if self.seal is not None and self.seal["meta"] != hashlib.sha256(text.encode()).hexdigest():
            raise self.altered("tape.json")
        self._blobs: dict[str, Any] = {}

    def altered(self, what: str) -> TapeFault:
        return TapeFault(f"the tape was altered: {what}", where=str(self.folder), hint="bring it back from a copy")

    def _read_seal(self) -> Line | None:
        path = self.folder / "seal.json"
        if not path.exists():
            return None
        try:
            text = path.read_text("utf-8")
            seal = json.loads(text)
            whole = line_of(seal) + "\n" == text
            numbers = all(isinstance(seal[k], int) for k in ("events", "inputs", "frames"))
            if whole and numbers and isinstance(seal["blobs"], dict) and {"chain", "expected", "meta"} <= set(seal):
                return seal
        except (OSError, ValueError, TypeError, KeyError):
            pass
        raise self.altered("seal.json")

    # -- what happened -----------------------------------------------------------------------------------------------

    def events(self) -> Iterator[tuple[str, Line]]:
        """(line as written, event), in order. A tape that was cut short ends before what is not whole."""
        for number, (line, event) in enumerate(self._lines("events.jsonl"), 1):
            needs = _NEEDS.get(event.get("e", ""))
            if needs is None or not all(isinstance(event.get(k, _NEEDS), types) for k, types in needs.items()):
                raise self.altered(f"events.jsonl, line {number}, is no event")
            if event["e"] == "fire" and not all(map(_is_read, event["i"])):
                raise self.altered(f"events.jsonl, line {number}, reads nothing that can be")
            yield line, event

    def expected(self) -> Lookup | None:
        """What was recorded of each frame; None where it was deleted."""
        if not (self.folder / "expected.jsonl").exists():
            return None
        return Lookup(self._lines("expected.jsonl"))

    def inputs(self) -> Lookup:
        return Lookup(self._lines("inputs.jsonl"))

    def raw(self, where: Line) -> Raw | None:
        """A frame as it arrived; None where its bytes are not there. What they should be is not checked here."""
        name = where["s"]
        file = self._blobs.get(name)
        if file is None:
            if not name.isidentifier():
                raise self.altered(f"a stream called {name!r:.40}")
            try:
                file = self._blobs[name] = (self.folder / "inputs" / f"{name}.bin").open("rb")
            except OSError:
                return None
        if not (isinstance(where["at"], int) and isinstance(where["len"], int)) or min(where["at"], where["len"]) < 0:
            raise self.altered(f"inputs.jsonl, {name} frame {where['q']}")
        file.seek(where["at"])
        blob = file.read(where["len"])
        return Raw(where["codec"], blob, where.get("note")) if len(blob) == where["len"] else None

    def torn(self, where: Line) -> bool:
        """Whether its bytes end in what a file system left of pages that were never written: zeros up to the end of the
        file, and not what should be there."""
        file = self._blobs[where["s"]]
        file.seek(where["at"])
        blob = file.read(where["len"])
        if not blob.endswith(b"\0") or hashlib.sha256(blob).hexdigest() == where["blob"]:
            return False
        while rest := file.read(2**16):
            if rest.count(0) != len(rest):
                return False
        return True

    # -- what it was made of -----------------------------------------------------------------------------------------

    def text(self, name: str, digest: str | None = None) -> str | None:
        """A text of the piece as it was kept, checked against its hash; None where the tape never held one."""
        digest = digest or self.first_start().get("files", {}).get(name)
        return self.blob(f"{digest}{Path(name).suffix}").decode() if digest else None

    def first_start(self) -> Line:
        """The first event: what the piece was when the recording began."""
        return next((event for _, event in self.events() if event["e"] == "start"), {})

    def blob(self, file: str) -> bytes:
        """A kept file by its name, which begins with its sha256."""
        if not isinstance(file, str) or not re.fullmatch(r"[0-9a-f]{64}(\.\w+)?", file):
            raise self.altered(f"a file called {file!r:.80}")
        path = self.folder / "piece" / file
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise TapeFault(f"the tape has lost {file[:12]}...: {error.strerror}", where=str(path)) from None
        if hashlib.sha256(blob).hexdigest() != file[:64]:
            raise self.altered(f"piece/{file[:12]}...")
        return blob

    def kept(self) -> Iterator[str]:
        """Names of all kept files."""
        return (p.name for p in sorted((self.folder / "piece").glob("*")) if p.suffix != ".tmp")

    def close(self) -> None:
        for file in self._blobs.values():
            file.close()
        self._blobs.clear()

    def _lines(self, name: str) -> Iterator[tuple[str, Line]]:
        """A tape that was sealed is readable to the end; one that was not may end in an unfinished line or in rubbish
        (what a file system left of a page that was not written), but nothing readable comes after rubbish."""
        try:
            file = (self.folder / name).open("rb")
        except OSError as error:
            raise TapeFault(f"{name} of the tape cannot be read: {error.strerror}", where=str(self.folder)) from None
        with file:
            broken = 0
            for number, raw in enumerate(file, 1):
                parsed = _parse(raw)
                if parsed is None:
                    broken = broken or number
                    if self.seal is not None:
                        raise self.altered(f"{name}, line {number}, is not readable")
                elif broken:
                    raise self.altered(f"{name}, line {broken}, is not readable")
                else:
                    yield parsed


def _is_read(read: Any) -> bool:
    return read is None or (isinstance(read, list) and len(read) == 2 and type(read[0]) is str and type(read[1]) is int)


def _parse(raw: bytes) -> tuple[str, Line] | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        line = raw[:-1].decode()
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return (line, event) if isinstance(event, dict) else None


class Lookup:
    """Lines of a file by (segment, stream, seq). They come nearly in the order in which they are asked for, so that
    only those read ahead are held."""

    def __init__(self, lines: Iterator[tuple[str, Line]]) -> None:
        self._lines = lines
        self._ahead: dict[Any, tuple[str, Line]] = {}
        self.hash = hashlib.sha256()
        self.count = 0

    def get(self, key: tuple[int, str, int]) -> tuple[str, Line] | None:
        while key not in self._ahead:
            if not self._read():
                return None
        return self._ahead.pop(key)

    def finish(self) -> None:
        """Reads to the end: `hash` and `count` are then those of the whole file."""
        while self._read():
            pass

    def _read(self) -> bool:
        found = next(self._lines, None)
        if found is None:
            return False
        line, data = found
        self.hash.update(line.encode() + b"\n")
        self.count += 1
        key = (data.get("g"), data.get("s"), data.get("q"))
        if type(key[0]) is int and type(key[1]) is str and type(key[2]) is int:
            self._ahead[key] = found  # else it was altered: whoever looks for it does not find it
        return True
