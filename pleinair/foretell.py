"""How long things take on this machine, before they are run: for `check` (declared costs) and `doctor --for`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .core.graph import Graph
    from .core.model import Model


def declared_costs(graph: Graph) -> dict[str, float]:
    """Seconds that a firing of each model takes here: as it was measured when its backend was chosen, else now."""
    from .piece import ModelNode

    return {n.name: model_cost(n.model) for n in graph.nodes.values() if isinstance(n, ModelNode)}


def model_cost(model: Model) -> float:
    """Seconds of one call."""
    known = _remembered(model.describe())
    return known if known is not None else float(np.median(time_model(model, 5)))


def _remembered(about: dict[str, Any]) -> float | None:
    """The time in the decision that chose this backend, where there was one."""
    from .core.errors import Fault
    from .models import choose

    backend = about.get("backend", {})
    if not backend.get("name") or not about.get("card"):
        return None
    try:
        choice = choose.known(about["card"], tuple(about["size"]), backend["threads"])
    except (Fault, AttributeError, KeyError):
        return None
    for entry in choice.tried if choice else ():
        if (
            entry.get("name") == backend["name"]
            and entry.get("precision") == backend["precision"]
            and "ran_ms" in entry
        ):
            return float(entry["ran_ms"]) / 1e3
    return None


def time_model(model: Model, calls: int) -> list[float]:
    """Seconds of each call, u8 picture to u8 picture, after it was opened and called once."""
    case = arguments(model)
    model.open()
    model(**case)
    return [_timed(lambda: model(**case)) for _ in range(calls)]


def arguments(model: Model) -> dict[str, Any]:
    """A test picture for the hot port, and for the others what its task says makes it work (a style, not none)."""
    from .core.kinds import Image
    from .models.testcard import picture

    size = model.size or (320, 240)
    proofs: Callable[[], list[dict[str, Any]]] | None = getattr(model, "proofs", None)
    case = dict(proofs()[-1]) if proofs else {}
    for place, (port, kind) in enumerate(model.ports.items()):
        if place == 0 and kind is Image:
            case[port] = picture(size, 0)
    return case


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
