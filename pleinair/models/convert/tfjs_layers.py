"""A TensorFlow.js layers model (Keras written as JSON: Teachable Machine, ml5.js) as the graph that it stands for.

Format: https://www.tensorflow.org/js/guide/save_load ("modelTopology" holds what Keras calls a config; weights are
called LAYER/kernel and so on). What each layer computes is in the Keras API pages. Nothing is executed: the layers are
written down as operators of TensorFlow, which `tfjs.Graph` turns into ONNX like any other graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.errors import did_you_mean
from .tfjs_node import fault

MAX_LAYERS = 10_000
MAX_DEPTH = 16
"""Models inside models: Teachable Machine has three."""

_ACTIVATIONS = {
    "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "tanh": "Tanh", "softmax": "Softmax", "elu": "Elu",
    "softplus": "Softplus", "exponential": "Exp",
}  # fmt: skip


def is_layers(model: Mapping[str, Any]) -> bool:
    """Whether model.json holds layers rather than a graph. Teachable Machine's does not say so."""
    topology = model.get("modelTopology")
    said = model.get("format")
    named = isinstance(topology, Mapping) and bool({"class_name", "model_config"} & set(topology))
    return said == "layers-model" or (said is None and named)


def graph(model: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The same network as a graph model: (its model.json, its weights). ModelFault: a layer that is not known here."""
    topology = model["modelTopology"]
    layers = Layers(weights)
    outputs = layers.model(topology.get("model_config", topology), None, 0)
    if not layers.inputs:
        raise fault("it takes nothing")
    signature: dict[str, Any] = {}
    for tensor in outputs:
        stated: dict[str, Any] = {"name": tensor, "dtype": "DT_FLOAT"}
        if tensor in layers.units:
            stated["tensorShape"] = {"dim": [{"size": "1"}, {"size": str(layers.units[tensor])}]}
        signature[tensor] = stated
    told = {"format": "graph-model", "modelTopology": {"node": layers.nodes}, "signature": {"outputs": signature}}
    return told, layers.weights


class Layers:
    """Operators as they are written down, and the constants that they need."""

    def __init__(self, given: Mapping[str, np.ndarray]) -> None:
        self.given = given
        self.weights: dict[str, np.ndarray] = {}
        self.nodes: list[dict[str, Any]] = []
        self.inputs: list[str] = []
        self.units: dict[str, int] = {}
        """Tensors that are one row of so many numbers."""
        self._names: set[str] = set()
        self._count = 0

    def model(self, told: Mapping[str, Any], given: list[str] | None, depth: int) -> list[str]:
        """The outputs of a model inside this one, or (`given` None) of all of it."""
        if depth > MAX_DEPTH:
            raise fault("models are nested in it without end")
        config = told["config"]
        rows = config if isinstance(config, list) else config["layers"]
        self._count += len(rows)
        if self._count > MAX_LAYERS:
            raise fault(f"it has more than {MAX_LAYERS} layers")
        if told["class_name"] == "Sequential":
            return self._row(rows, given, depth)
        if told["class_name"] not in ("Model", "Functional"):
            raise fault(f'it is a "{told["class_name"]}", and Sequential and Model are what can be read')
        return self._net(config, rows, given, depth)

    def _row(self, rows: Sequence[Any], given: list[str] | None, depth: int) -> list[str]:
        at = given
        for row in rows:
            if at is None and row["class_name"] not in ("Sequential", "Model", "Functional", "InputLayer"):
                at = [self.input(row["config"])]
            at = self.layer(row, at, depth)
        return at or []

    def _net(self, config: Mapping[str, Any], rows: Sequence[Any], given: list[str] | None, depth: int) -> list[str]:
        """Layers joined by name: each line of `inbound_nodes` is one use of a layer."""
        ports = [str(entry[0]) for entry in config["input_layers"]]
        if given is not None and len(given) != len(ports):
            raise fault(f"a model in it takes {len(ports)} inputs, and is given {len(given)}")
        made: dict[tuple[str, int], list[str]] = {}
        for row in rows:
            name = str(row.get("name") or row["config"]["name"])
            if row["class_name"] == "InputLayer":
                made[name, 0] = [given[ports.index(name)]] if given is not None else self.layer(row, None, depth)
                continue
            for use, entries in enumerate(row["inbound_nodes"]):
                if not isinstance(entries, list):
                    raise fault("it is written as Keras 3 writes it, which is not read here", "export it by tf_keras")
                made[name, use] = self.layer(row, [made[e[0], int(e[1])][int(e[2])] for e in entries], depth)
        return [made[e[0], int(e[1])][int(e[2])] for e in config["output_layers"]]

    def layer(self, row: Mapping[str, Any], given: list[str] | None, depth: int) -> list[str]:
        from .tfjs_layer_kinds import LAYERS

        kind, config = str(row["class_name"]), row["config"]
        if kind in ("Sequential", "Model", "Functional"):
            return self.model(row, given, depth + 1)
        if kind == "InputLayer":
            return given or [self.input(config)]
        if kind not in LAYERS:
            raise fault(f'its layer "{kind}" ({config.get("name")}) is not known here', did_you_mean(kind, LAYERS))
        if config.get("data_format") not in (None, "channels_last"):
            raise fault(f"{config.get('name')} has its channels first, which is not known here")
        if not given:
            raise fault(f"{config.get('name')} is given nothing")
        return [LAYERS[kind](self, config, given)]

    # -- for the layers ------------------------------------------------------------------------------------------------

    def input(self, config: Mapping[str, Any]) -> str:
        shape = config.get("batch_input_shape") or config.get("batch_shape")
        if not isinstance(shape, list):
            raise fault("its first layer does not say what it takes")
        dims = [{"size": str(side if isinstance(side, int) else -1)} for side in shape]
        name = str(config.get("name") or "input").removesuffix("_input")
        self.inputs.append(
            self.node("Placeholder", name, [], dtype={"type": "DT_FLOAT"}, shape={"shape": {"dim": dims}})
        )
        return self.inputs[-1]

    def node(self, op: str, name: str, inputs: list[str], **attributes: Any) -> str:
        place, n = name, 1
        while place in self._names:
            place, n = f"{name}_{n}", n + 1
        self._names.add(place)
        self.nodes.append({"name": place, "op": op, "input": inputs, "attr": attributes})
        return place

    def const(self, array: Any, name: str) -> str:
        place = self.node("Const", name, [])
        self.weights[place] = np.asarray(array)
        return place

    def weight(self, config: Mapping[str, Any], part: str) -> np.ndarray:
        """`LAYER/kernel` and its like, as they lie in the file."""
        wanted = f"{config['name']}/{part}"
        found = self.given.get(wanted)
        if found is None:
            found = next((array for name, array in self.given.items() if name.endswith("/" + wanted)), None)
        if found is None:
            raise fault(f'the weights "{wanted}" are missing')
        return found.astype(np.float32)

    def biased(self, config: Mapping[str, Any], at: str) -> str:
        if not config.get("use_bias", True):
            return at
        return self.node("BiasAdd", at + "/bias", [at, self.const(self.weight(config, "bias"), at + "/b")])

    def active(self, config: Mapping[str, Any], at: str) -> str:
        kind = config.get("activation") or "linear"
        if kind == "linear":
            return at
        if not isinstance(kind, str) or kind not in _ACTIVATIONS:
            raise fault(f'the activation "{kind}" of {config.get("name")} is not known here')
        return self.same(at, self.node(_ACTIVATIONS[kind], f"{at}/{kind}", [at]))

    def same(self, before: str, after: str) -> str:
        """A tensor of the same shape as another."""
        if before in self.units:
            self.units[after] = self.units[before]
        return after
