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
    from ..models.card import Card

WAIT_S = 5.0
"""How long the start waits for the gate at most; the notices come later then."""


class Verdicts(threading.Thread):
    """Started with the show; `settle` puts its lines among the notices. Its verdicts go into the lock.

    sources   NAME -> URI that take the place of the piece's own for this evening: they are judged, and not locked
    recorded  a tape is written: who stands before a camera or a microphone has to be told
    """

    def __init__(
        self, loaded: assembly.Loaded, lock: Lock, sources: Mapping[str, str] | None = None, recorded: bool = False
    ) -> None:
        super().__init__(name="pleinair:licences", daemon=True)
        self._loaded, self._lock, self._sources, self._recorded = loaded, lock, sources, recorded
        self._said: list[dict[str, str]] = []
        self._notices: list[dict[str, str]] | None = None
        self._both = threading.Lock()

    def run(self) -> None:
        lines = self._thought()
        with self._both:
            self._said = lines
            if self._notices is not None:
                self._notices += lines

    def settle(self, notices: list[dict[str, str]]) -> None:
        """Adds its lines to `notices`: now, or, where the gate takes long, as soon as they are there."""
        self.join(WAIT_S)
        with self._both:
            notices += self._said
            self._notices = None if self._said else notices

    def _thought(self) -> list[dict[str, str]]:
        from ..ingredients import cards_in
        from ..licence import piece
        from ..licence.openness import lines
        from ..licence.parts import of_card

        manifest = self._loaded.manifest
        try:
            cards = cards_in(manifest, self._sources)
            found = piece.opinions(manifest, cards, self._lock)
        except Exception as error:  # whatever it stumbles over: unknown is never allowed, and that is said
            what = error.what if isinstance(error, Fault) else f"{type(error).__name__}: {error}"
            text = f"the gate could not be asked ({what}), so nothing is known to be allowed"
            return [{"name": "licences", "text": text, "verdict": "refuse", "more": "", "use": manifest.uses[0]}]
        if not self._sources:  # what is tried for an evening is not what the piece is made of
            piece.lock_in(self._lock, manifest, cards, found)
        models = [card for card in cards if card.task != "clip"]
        open_to = [self._open(card.name, lines(card, of_card(card), manifest.operator)) for card in models]
        told = [{"name": "recording", "text": text}] if (text := self._recording(cards)) else []
        return [*told, *piece.notices(found), *open_to]

    @staticmethod
    def _open(name: str, said: list[str]) -> dict[str, str]:
        """A line for the desk, with the answers behind it."""
        return {"name": "openness", "text": said[0], "more": "\n".join(said[1:]), "use": f"openness of {name}"}

    def _recording(self, cards: list[Card]) -> str:
        from ..licence.notices import recording, sensors_of

        declared = [d.name for d in self._loaded.piece.declared.values() if d.word == "source"]
        sensors = sensors_of(self._loaded.manifest, declared, self._sources)
        return recording(cards, sensors, self._loaded.name) if self._recorded else ""
