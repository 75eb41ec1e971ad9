"""The microphone of whoever opens the stage page: sound that a browser sends, in chunks of 60 ms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.kinds import Audio, Sound
from ._counted import Counted
from ._page import FromPage

SILENCE_RATE = 16_000


class Mic(FromPage):
    """Sound as it comes: every chunk in order, none replaced by a newer one.

    A browser gives its microphone only to a page that it takes for secure: on this machine (127.0.0.1, localhost), or
    from elsewhere by TLS (`--lan`); and only after a person said yes.
    """

    kind = Audio
    name, what = "mic", "sound"
    now = "it was left out; further ones are only counted"
    holds = 250
    """15 s. More is a piece that has stopped listening, and the oldest go."""

    def __init__(self, target: str = "") -> None:
        super().__init__()
        self.target = target

    @staticmethod
    def absent(target: str = "") -> str:
        """Why it cannot be heard yet: nobody can say beforehand whether a page will come and give it."""
        return "no page has given its microphone yet"


class Silence(Counted):
    """Chunks of 20 ms in which nothing is heard: what stands in for a microphone where no clip does."""

    kind = Audio

    def __init__(self, target: str = "") -> None:
        super().__init__(50)
        self._chunk = Audio.check(Sound(np.zeros((SILENCE_RATE // 50, 1), np.float32), SILENCE_RATE))

    def at(self, number: int) -> Sound:
        return self._chunk

    def describe(self) -> dict[str, Any]:
        return {"source": "silence"}
