"""How long things take on this machine, before they are run: for `check` (declared costs) and `doctor --for`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.observer import Observer

if TYPE_CHECKING:
    from .assembly import Loaded
    from .core.frame import Frame
    from .core.graph import Graph
    from .core.model import Model
    from .piece import ModelNode


def declared_costs(graph: Graph) -> dict[str, float]:
    """Seconds that a firing of each model takes here: as it was measured when its backend was chosen, else now."""
    from .piece import ModelNode

    return {n.name: model_cost(n.model, n.constants) for n in graph.nodes.values() if isinstance(n, ModelNode)}


def model_cost(model: Model, constants: Mapping[str, Any] | None = None) -> float:
    """Seconds of one call; of a model that streams, of one item."""
    known = _remembered(model.describe())
    return known if known is not None else float(np.median(time_model(model, 5, constants)))


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


def time_model(model: Model, calls: int, constants: Mapping[str, Any] | None = None) -> list[float]:
    """Seconds of each call (u8 picture to u8 picture), or of each item, after it was opened and gave one."""
    model.open()
    turns = repeated(model, {**arguments(model, constants or {}), **(constants or {})})
    next(turns)
    return [_timed(lambda: next(turns)) for _ in range(calls)]


def repeated(model: Model, ports: Mapping[str, Any]) -> Iterator[None]:
    """Calls it for ever with these; comes back after each call, or after each item where the model streams."""
    stream = getattr(model, "stream", None)
    while True:
        if not callable(stream):
            model(**ports)
            yield
            continue
        count = 0
        for item in stream(**ports):
            if item is not None:
                count += 1
                yield
        if not count:
            yield


def arguments(model: Model, constants: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed to call it: a test picture, a second of silence, a sentence; and what its task says makes it work
    (a style, not none)."""
    from .core.kinds import Audio, Image, Sound, Text
    from .models.testcard import picture

    size = model.size or (320, 240)
    proofs: Callable[[], list[dict[str, Any]]] | None = getattr(model, "proofs", None)
    case = dict(proofs()[-1]) if proofs else {}
    likely: dict[Any, Callable[[], Any]] = {
        Image: lambda: picture(size, 0),
        Audio: lambda: Sound(np.zeros(16_000, np.float32), 16_000),
        Text: lambda: Text("The sea is calm tonight, and nobody is here."),
    }
    for port in getattr(model, "needed", tuple(model.ports)[:1]):
        if port not in case and port not in constants and model.ports[port] in likely:
            case[port] = likely[model.ports[port]]()
    return case


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# -- the whole piece -------------------------------------------------------------------------------------------------

CALLS = 20
VIRTUAL_S = 0.6
SOURCE_FPS = 30.0
BESIDE = 1.25
"""What decoding, encoding and the runner beside it add to the slow frames (measured with mirror on two cores)."""
STEADY = 1.35
"""Timings whose p95 is under this many times the median come from a machine that does little else."""


def foretell(loaded: Loaded) -> dict[str, Any]:
    """Rate and age that the piece will have here: {"fps": [low, high], "age_ms": [low, high], "parts_ms", "sure",
    "why", "budget_ms", "verdict": "within", "perhaps" or "over"}.

    Each model is timed alone, the other nodes over a few synthetic pictures without a clock, and the encoding for a
    viewer. Then: models take turns, so that the rate is the source's or one over their sum (a model that fires for one
    frame in ten counts a tenth); a frame that comes while they are busy waits; the age is the sum on the way out.
    """
    from .assembly import MachineParts, assemble
    from .piece import ModelNode
    from .run.offline import OfflineRunner

    graph = assemble(loaded, MachineParts(loaded, stand_in=True))
    watch = _Watch(graph)
    OfflineRunner(graph, observers=[watch]).run(VIRTUAL_S)
    models = {
        n.name: np.array(_time_node(n, watch.read.get(n.name)))
        for n in graph.nodes.values()
        if isinstance(n, ModelNode)
    }
    times = {**{n: np.array(t[1:] or t) for n, t in watch.took.items() if n not in models}, **models}
    if watch.shown is not None:
        times["encoding"] = np.array(_encoding(watch.shown))
    way = [n for n in _way_to_screens(graph) if n in times] + ["encoding"] * ("encoding" in times)
    period_s = 1 / SOURCE_FPS
    share = {n: min(1.0, len(watch.took.get(n, ())) / (VIRTUAL_S * SOURCE_FPS)) for n in models}
    busy = [sum(float(np.percentile(t, p)) * share[n] for n, t in models.items()) for p in (50, 95)]
    rates = [min(SOURCE_FPS, 1 / b) if b else SOURCE_FPS for b in busy]
    low = sum(float(np.percentile(times[n], 50)) for n in way)
    high = sum(float(np.percentile(times[n], 95)) for n in way) * BESIDE
    if busy[0] > period_s:
        low += period_s / 2  # the newest picture has waited for half a period when its turn comes
    if busy[1] > period_s:
        high += period_s
    spread = max((float(np.percentile(t, 95) / np.percentile(t, 50)) for t in models.values()), default=1.0)
    steady = spread < STEADY
    why = f"{CALLS} calls of each model, the slow ones {spread:.1f} times the usual"
    why += ", on a quiet machine" if steady else ": something else is working here"
    budget = loaded.manifest.age_ms
    age_ms = [round(low * 1e3, 1), round(high * 1e3, 1)]
    return {
        "fps": [round(rates[1], 1), round(rates[0], 1)],
        "age_ms": age_ms,
        "parts_ms": {n: round(float(np.median(times[n])) * 1e3, 2) for n in way},
        "sure": "fairly" if steady else "hardly",
        "why": why,
        "budget_ms": budget,
        "verdict": _verdict(age_ms, budget),
    }


def _verdict(age_ms: list[float], budget: float | None) -> str | None:
    if budget is None:
        return None
    return "within" if age_ms[1] <= budget else "over" if age_ms[0] > budget else "perhaps"


def _time_node(node: ModelNode, frames: Sequence[Frame] | None) -> list[float]:
    """CALLS of its model on what it last read: pictures of the size that the piece gives it."""
    if frames is None:
        return time_model(node.model, CALLS, node.constants)
    ports = {port: frame.data for port, frame in zip(node._ports, frames, strict=False)}
    node.open()
    try:
        turns = repeated(node.model, {**node.constants, **ports})
        next(turns)
        return [_timed(lambda: next(turns)) for _ in range(CALLS)]
    finally:
        node.close()


class _Watch(Observer):
    """How long each node's firings really took, in a run without a clock, and what they read last."""

    def __init__(self, graph: Graph) -> None:
        self.took: dict[str, list[float]] = {}
        self.read: dict[str, Sequence[Frame]] = {}
        self.shown: np.ndarray | None = None
        self._began: dict[str, float] = {}
        self._screens = set(graph.screens.values())

    def on_fire(self, node: str, inputs: Any, hot: int) -> None:
        self.read[node] = inputs
        self._began[node] = time.perf_counter()

    def on_frame(self, frame: Frame, raw: Any = None) -> None:
        began = self._began.pop(frame.stream, None)
        if began is not None:
            self.took.setdefault(frame.stream, []).append(time.perf_counter() - began)
        if frame.stream in self._screens and isinstance(frame.data, np.ndarray) and frame.data.ndim == 3:
            self.shown = frame.data


def _encoding(picture: np.ndarray) -> list[float]:
    from .stage.screen import to_jpeg

    return [_timed(lambda: to_jpeg(picture)) for _ in range(CALLS)][1:]


def _way_to_screens(graph: Graph) -> list[str]:
    """The nodes between a source and the screens, along hot inputs and what is looked at in the same moment."""
    found: list[str] = []

    def walk(name: str) -> None:
        for place in graph.nodes[name].inputs:
            if (place.hot or graph.policy(place) == "same") and place.stream not in found:
                walk(place.stream)
        if graph.nodes[name].inputs and name not in found:
            found.append(name)

    for stream in graph.screens.values():
        walk(stream)
    return found
