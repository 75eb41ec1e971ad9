"""Sound that is heard: the stage page plays it."""

from __future__ import annotations

from typing import Any

from ..core.source import Sink


class Speaker(Sink):
    """`piece.sink("speaker", reads="spoken")`: whoever opens the stage page hears the stream.

    The stage watches the stream itself (stage/sounds.py), so that nothing waits for a page; this sink only says that it
    is to be heard. What was said before an interruption falls silent: a frame on a stream that interrupts whatever
    makes the sound (`interrupt="voice"`) stops it in the middle of a word.
    """

    heard_on_stage = True

    def __init__(self, target: str = "") -> None:
        self.target = target

    def put(self, data: Any, t_ns: int) -> None: ...
