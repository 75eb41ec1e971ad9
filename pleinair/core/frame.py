"""The one envelope that everything travels in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple


class Span(NamedTuple):
    """Where a part of a frame's age went: measured time, for observers only, never for a node.

    For a source, `ran_ns` is what passed between the capture and its hand-over. `done_ns` is on the piece's own clock,
    so that age when published = done_ns - t_ns.
    """

    node: str
    waited_ns: int
    ran_ns: int
    done_ns: int


@dataclass(frozen=True, slots=True)
class Frame:
    """Data on a stream, with the time at which its moment was captured.

    data     what the stream's kind says; arrays are read-only, since every reader shares them
    stream   the stream's name
    seq      0, 1, 2 ... on this stream
    t_ns     content time in ns since the piece began: set at capture, inherited by all that is made of it
    parent   the hot frame that this one was made of: the way back to "the same moment"
    trace    measured time so far, one Span for each node passed; empty in the frame that a node is given
    """

    data: Any
    stream: str
    seq: int
    t_ns: int
    parent: Frame | None = None
    trace: tuple[Span, ...] = ()

    @property
    def t(self) -> float:
        """Content time in seconds."""
        return self.t_ns / 1e9

    def bare(self) -> Frame:
        """The frame as a node may see it: without measured time, which would make a replay differ."""
        return self if not self.trace else replace(self, parent=None, trace=())

    def ancestor(self, stream: str) -> Frame | None:
        """The frame of `stream` that this one was made of, or None. Hot inputs form no loop, so this ends."""
        frame: Frame | None = self
        while frame is not None and frame.stream != stream:
            frame = frame.parent
        return frame

    def __repr__(self) -> str:
        return f"<Frame {self.stream} {self.seq} t={self.t:.3f}>"
