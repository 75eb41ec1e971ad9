"""What the stage and the desk may ask of the running piece, and do to it: `stage.host.Host`."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import assembly, machine
from ..core.errors import PieceFault, did_you_mean
from ..core.graph import Graph, SourceNode
from ..core.kinds import Image, Kind
from ..piece import ModelNode, SinkNode
from ..run.live import LiveRunner
from ..run.tape import Recorder
from .host import BrowserInput, KnobSpec, ModelSpec, SpeakerSpec


class Knows:
    """The half of `Show` that faces the stage."""

    _loaded: assembly.Loaded
    _swap_lock: threading.Lock
    _stage: Any
    graph: Graph
    runner: LiveRunner | None
    recorder: Recorder | None
    pages: dict[str, BrowserInput]
    notices: list[dict[str, str]]

    @property
    def title(self) -> str:
        return self._loaded.manifest.title

    @property
    def artist(self) -> str:
        return self._loaded.manifest.artist

    @property
    def budget_age_ms(self) -> float | None:
        return self._loaded.manifest.age_ms

    @property
    def presets_file(self) -> Path:
        return self._loaded.home / "presets.json"

    @property
    def knobs(self) -> list[KnobSpec]:
        specs = []
        for d in self._loaded.piece.declared.values():
            if d.word == "knob":
                specs.append(KnobSpec(d.name, d.default, d.range))
            elif d.word == "knobs":
                specs.append(KnobSpec(d.name, tuple(d.default), d.range, d.names or self._place_names(d.name, d.count)))
        return specs

    def _place_names(self, stream: str, count: int) -> tuple[str, ...]:
        """What the card of the model that reads these knobs calls them; else 1, 2, 3."""
        for node in self.graph.nodes.values():
            if isinstance(node, ModelNode):
                for place, port in zip(node.inputs, node._ports, strict=False):  # an interrupt is no port
                    names = node.model.names.get(port, [])
                    if place.stream == stream and len(names) == count:
                        return tuple(names)
        return tuple(str(i + 1) for i in range(count))

    @property
    def models(self) -> list[ModelSpec]:
        found = []
        for node in self.graph.nodes.values():
            if isinstance(node, ModelNode):
                spec = self._loaded.manifest.models[node.name]
                card = node.describe().get("card", spec.card)
                found.append(ModelSpec(node.name, card, spec.cards, self._picture_port(node) is not None))
        return found

    @staticmethod
    def _picture_port(node: ModelNode) -> str | None:
        """The port that a picture of one's own goes to: an Image that no stream feeds."""
        return next((p for p, kind in node.model.ports.items() if kind is Image and p not in node._ports), None)

    @property
    def browser_inputs(self) -> Mapping[str, BrowserInput]:
        return self.pages

    @property
    def speakers(self) -> list[SpeakerSpec]:
        """Sinks that are heard on the stage page, with what interrupts whatever makes their sound."""
        found = []
        for node in self.graph.nodes.values():
            if isinstance(node, SinkNode) and getattr(node.sink, "heard_on_stage", False):
                stream = node.inputs[0].stream
                found.append(SpeakerSpec(node.name, stream, tuple(sorted(self._interrupts(stream)))))
        return found

    def _interrupts(self, stream: str) -> set[str]:
        """Streams that cancel the node which writes this one, or a node that makes it run."""
        inputs = self.graph.nodes[stream].inputs
        above = (self._interrupts(i.stream) for i in inputs if i.hot)
        return {i.stream for i in inputs if i.cancels}.union(*above)

    def now_ns(self) -> int:
        return self.runner.clock.now_ns() if self.runner else 0

    def machine_origin_ns(self) -> int:
        return time.monotonic_ns() - self.now_ns()

    def push(self, stream: str, data: Any) -> None:
        """A knob's new value. ValueError: no such knob, not a number, out of range, too many or too few of them."""
        spec = next((k for k in self.knobs if k.name == stream), None)
        if spec is None:
            raise ValueError(f'there is no knob "{stream}": {did_you_mean(stream, [k.name for k in self.knobs])}')
        kind: type[Kind] = self.graph.nodes[stream].kind
        data = kind.check(data)
        if isinstance(data, np.ndarray) and len(data) != len(spec.names):
            raise ValueError(f"{stream} has {len(spec.names)} knobs, and {len(data)} values came")
        low, high = spec.range
        if not low <= float(np.min(data)) <= float(np.max(data)) <= high:
            raise ValueError(f"{stream} goes from {low:g} to {high:g}, and {data!r:.60} was asked for")
        self.runner.push(stream, data)

    def value(self, stream: str) -> Any:
        frame = self.runner.latest(stream) if self.runner else None
        if frame is not None:
            return frame.data
        node = self.graph.nodes[stream]
        if isinstance(node, SourceNode) and node.initial is not None:
            return node.initial
        return node.kind.empty(node.size) if node.kind else None

    def report(self) -> dict[str, Any]:
        """The report of the command-line contract, so far."""
        return {
            "piece": self._loaded.name,
            **self.runner.report(),
            "glass_ms": self._stage.glass() if self._stage else None,
            "rss_mb": machine.rss_mb(),
            "cpu_s": round(time.process_time(), 2),
            "energy": {"grade": "E", "wh": None, "low_wh": None, "high_wh": None},
            "backends": {
                n.name: n.describe().get("backend", {}) for n in self.graph.nodes.values() if isinstance(n, ModelNode)
            },
            "notices": self.notices,
        }

    def swap(self, model: str, card: str) -> None:
        """Another card in a model's place: loaded beside, exchanged between two frames, written on the tape."""
        from ..models import load as load_model

        node = self._model_node(model)
        spec = self._loaded.manifest.models[model]
        options = {k: v for k, v in (("size", spec.size), ("bend", spec.bend), ("tap", spec.tap)) if v}
        fresh = load_model(card, **options)
        for port in node._ports:
            if port not in fresh.ports:
                raise PieceFault(
                    f'{card} has no port "{port}", so it cannot take the place of {node.model.describe().get("card")}',
                    hint=did_you_mean(port, fresh.ports),
                )
        if fresh.kind is not node.kind:
            raise PieceFault(f"{card} publishes {fresh.kind.__name__}, and {model} carries {node.kind.__name__}")
        with self._swap_lock:
            fresh.open()
            detail = {"card": card, "model": fresh.describe(), "size": spec.size}
            self._wait(self.runner.change(model, "swap", detail, lambda: node.swap(fresh).close()))

    def picture(self, model: str, image: np.ndarray) -> None:
        """A picture of one's own as a style of `model`, from the next frame on."""
        node = self._model_node(model)
        port = self._picture_port(node)
        if port is None:
            raise PieceFault(f"{model} takes no picture of one's own")
        image = Image.check(image)
        detail = {"port": port, "codec": "qoi", "file": ""}
        if self.recorder is not None:
            from ..core.codec import encode

            detail["file"] = self.recorder.keep("style.qoi", encode(Image, image).blob) + ".qoi"

        def apply() -> None:
            node.constants[port] = image

        self._wait(self.runner.change(model, "constant", detail, apply))

    def _model_node(self, name: str) -> ModelNode:
        node = self.graph.nodes.get(name)
        if not isinstance(node, ModelNode):
            names = [m.name for m in self.models]
            raise PieceFault(f'there is no model "{name}"', hint=did_you_mean(name, names))
        return node

    @staticmethod
    def _wait(done: threading.Event) -> None:
        done.wait(10)
