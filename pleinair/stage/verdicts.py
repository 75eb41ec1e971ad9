"""What the licence gate says of the piece on stage: thought through while the models load, so that it costs no time.

It never stops a show. A refusal is said at the start and stands on the desk; what changed since the piece was locked is
a warning.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..core.errors import Fault
from ..manifest import Lock

if TYPE_CHECKING:
    from .. import assembly

WAIT_S = 5.0
"""How long the start waits for the gate at most; the notices come later then."""


class Verdicts(threading.Thread):
    """Started with the show; `settle` puts its lines among the notices and its verdicts into the lock."""

    def __init__(self, loaded: assembly.Loaded, lock: Lock, sources: Mapping[str, str] | None = None) -> None:
        super().__init__(name="pleinair:licences", daemon=True)
        self._loaded, self._lock, self._sources = loaded, lock, sources
        self.lines: list[dict[str, str]] = []

    def run(self) -> None:
        from ..ingredients import cards_in
        from ..licence import piece
        from ..licence.openness import line

        manifest = self._loaded.manifest
        try:
            cards = cards_in(manifest, self._sources)
            found = piece.opinions(manifest, cards, self._lock)
        except (Fault, OSError, ValueError) as error:
            what = error.what if isinstance(error, Fault) else str(error)
            text = f"the gate could not be asked ({what}), so nothing is known to be allowed"
            self.lines = [{"name": "licences", "text": text, "verdict": "refuse", "more": "", "use": manifest.uses[0]}]
            return
        if not self._sources:  # what is tried for an evening is not what the piece is made of
            piece.lock_in(self._lock, manifest, cards, found)
        self.lines = piece.notices(found)
        self.lines += [{"name": "openness", "text": line(card)} for card in cards if card.task != "clip" and card.files]

    def settle(self) -> list[dict[str, str]]:
        """The lines, once they are there; a line that says so where they are not yet."""
        self.join(WAIT_S)
        return self.lines or [{"name": "licences", "text": "still being looked at", "verdict": "ask", "more": ""}]
