"""A model whose weights are not there yet."""

from __future__ import annotations

from typing import Any

from .. import plugins
from ..core.kinds import Control
from ..core.model import Model


class AbsentModel(Model):
    """Stands in for a model whose weights are not there. It is asked to open again and again, and comes alive when they
    were fetched."""

    def __init__(self, card: str, options: dict[str, Any]) -> None:
        from .card import find_card

        found = find_card(card)
        self._card, self._options = card, options
        self._model: Model | None = None
        self.ports, self.names, self.size = dict(found.ports), found.names, options.get("size") or found.size
        task = plugins.find("tasks", found.task)
        self.kind, self.uses = task.kind, task.uses
        if options.get("bend") or options.get("tap"):
            from .bend import Bending, read_bends, read_tap

            bending = Bending(read_bends(options.get("bend")), read_tap(options.get("tap")))
            self.ports |= dict.fromkeys(bending.ports, Control)
            self.kind = bending.tap.kind if bending.tap else self.kind

    def open(self) -> None:
        from . import load as load_model

        if self._model is None:
            self._model = load_model(self._card, **self._options)
        self._model.open()

    def __call__(self, *args: Any, **ports: Any) -> Any:
        return self._model(*args, **ports)

    def reset(self) -> None:
        if self._model is not None:
            getattr(self._model, "reset", lambda: None)()

    def interrupt(self) -> None:
        if self._model is not None:
            self._model.interrupt()

    def close(self) -> None:
        if self._model is not None:
            self._model.close()

    def describe(self) -> dict[str, Any]:
        return self._model.describe() if self._model else {"card": self._card}
