"""What every model is to the rest: a function of named ports.

A call that takes long may publish while it runs: `__call__` returns an iterator (a `yield` does), and each item goes
out as it comes. Between two items others have their turn in the inference lane, and an interrupt is heeded. An item
None publishes nothing, and is such a moment too (a long prompt that is read piece by piece).
"""

from __future__ import annotations

from typing import Any

from .kinds import Image, Kind, Size


class Model:
    """`model(image, style_weights=...)`: data of the ports' kinds in, data of `kind` out.

    ports    name -> kind, in order; the first is the one that a bare call and `reads="camera"` mean
    kind     what it publishes
    size     working size (width, height) in pixels, or None
    names    for a Vector port: the name of each place, where the card names them ({"style_weights": [...]})
    uses     what else a call in a piece is handed by keyword, besides its ports: "rng", a numpy Generator of that
             firing's own, so that chance can be replayed; "t" and "dt" in seconds. A bare call goes without
    """

    ports: dict[str, type[Kind]] = {"image": Image}
    kind: type[Kind] = Image
    size: Size | None = None
    names: dict[str, list[str]] = {}
    uses: tuple[str, ...] = ()

    def open(self) -> None:
        """Loads, compiles and warms up: after it, a call costs what it will cost on stage. Idempotent."""

    def __call__(self, *args: Any, **ports: Any) -> Any:
        raise NotImplementedError

    def interrupt(self) -> None:
        """The call that runs now is not wanted any more: it may end at once, without another item. From any thread;
        comes back at once. What was published stays; a model remembers that, and nothing that was not published."""

    def close(self) -> None:
        """Gives memory and threads back. Idempotent."""

    def describe(self) -> dict[str, Any]:
        """For report, lock and tape: {"card", "sha256", "backend": {"name", "version", "threads", "precision"}}."""
        return {}
