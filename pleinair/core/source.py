"""Where frames come from, and where they leave: the two interfaces that device plug-ins implement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .kinds import Image, Kind


@dataclass(frozen=True, slots=True)
class Raw:
    """A frame as it arrived, for the tape.

    codec   a name in core.codec ("jpeg", "i420", "nv12", "qoi", "npy", "json"), or "recall": the source itself can make
            it again from the note in `blob`
    blob    the bytes
    note    what decoding needs besides (size, matrix); JSON
    """

    codec: str
    blob: bytes
    note: dict[str, Any] | None = None


@dataclass(slots=True)
class Capture:
    """One thing that a source saw.

    t_ns         a paced source (a clip, a tick): content time at which it is due
    machine_ns   a device: capture time in `time.monotonic_ns()`; None = the moment it is handed over
    raw          as it arrived; None: the tape stores the data itself, without loss
    """

    data: Any
    t_ns: int | None = None
    machine_ns: int | None = None
    raw: Raw | None = None


class Source:
    """A stream's beginning. An iterator: `for capture in source` works in a notebook, without a piece.

    Written for one thread: `open`, then iteration, then `close`. `interrupt` comes from another thread and makes a
    blocking read end soon. A device that went away raises DeviceFault from the iteration: the runner closes the source,
    waits 1, 2, 4 ... seconds, and opens it again.

    kind     what it publishes
    paced    True: its captures say when they are due (t_ns), and the runner waits for that moment; runs faster than
             real time offline. False: captures happen when they happen.
    """

    kind: type[Kind] = Image
    paced: bool = False

    def open(self) -> None: ...

    def __iter__(self) -> Iterator[Capture]:
        raise NotImplementedError

    def interrupt(self) -> None: ...

    def close(self) -> None: ...

    def recall(self, note: dict[str, Any]) -> Any:
        """Data again from a Raw("recall") note. Notes come in the order in which they were written."""
        raise NotImplementedError(f"{type(self).__name__} cannot be recalled from a tape")

    def describe(self) -> dict[str, Any]:
        """What is written in tape and report: device, size, rate, clip hash. JSON."""
        return {"source": type(self).__name__}


class Sink:
    """A stream's end: `put` is called in the sink's own thread for each frame that it reads."""

    def open(self) -> None: ...

    def put(self, data: Any, t_ns: int) -> None:
        raise NotImplementedError

    def close(self) -> None: ...
