"""What every model is to the rest: a function of named ports."""

from __future__ import annotations

from typing import Any

from .kinds import Image, Kind, Size


class Model:
    """`model(image, style_weights=...)`: data of the ports' kinds in, data of `kind` out.

    ports    name -> kind, in order; the first is the one that a bare call and `reads="camera"` mean
    kind     what it publishes
    size     working size (width, height) in pixels, or None
    names    for a Vector port: the name of each place, where the card names them ({"style_weights": [...]})
    """

    ports: dict[str, type[Kind]] = {"image": Image}
    kind: type[Kind] = Image
    size: Size | None = None
    names: dict[str, list[str]] = {}

    def open(self) -> None:
        """Loads, compiles and warms up: after it, a call costs what it will cost on stage. Idempotent."""

    def __call__(self, *args: Any, **ports: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        """Gives memory and threads back. Idempotent."""

    def describe(self) -> dict[str, Any]:
        """For report, lock and tape: {"card", "sha256", "backend": {"name", "version", "threads", "precision"}}."""
        return {}
