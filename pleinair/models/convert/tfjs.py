"""A TensorFlow.js model (model.json and its .bin) as ONNX, without TensorFlow and without running anything.

Format: https://github.com/tensorflow/tfjs/tree/master/tfjs-converter (model.json holds a GraphDef as JSON and a list
of weights; the .bin holds their bytes one after the other, quantised ones as float16, uint8 or uint16). Operators are
those of TensorFlow's API, in `tfjs_ops`.

Pictures are height x width x channels in TensorFlow and channels first in ONNX. A tensor therefore carries the order of
its axes with it (`Value`), and is only turned round where an operator needs it: the file has a handful of Transposes,
not two for each convolution.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault, did_you_mean
from . import tfjs_layers
from .tfjs_node import TYPES, Node, Value, fault, sides_of, turned
from .writing import Writer

MAX_JSON_BYTES = 64 << 20
MAX_NODES = 100_000
_STORED = {"float32": "<f4", "int32": "<i4", "bool": "|u1", "uint8": "|u1"}
_QUANTISED = {"float16": "<f2", "uint8": "|u1", "uint16": "<u2"}


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """Two files, model.json and its weights (several shards: joined, in the order of the manifest); the ONNX file. Both
    kinds of model are read: graphs, and layers (`tfjs_layers`).

    Inputs and outputs are called what the model's signature calls them, without ":0". A batch of any size becomes a
    batch of one. A picture of whole numbers that the network turns into floats at once becomes an input of floats.

    ModelFault: not such a model, cut short, or an operator that is not known here.
    """
    try:
        return Graph(*_parts(files)).write()
    except ModelFault:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        raise fault(f"it is not laid out as such a model is ({type(error).__name__}: {str(error)[:120]})") from None


class Graph:
    """The GraphDef, its weights, and the ONNX network that comes of them."""

    def __init__(self, model: Mapping[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.writer = Writer("tfjs")
        self.nodes: dict[str, Node] = {}
        for entry in model["modelTopology"]["node"]:
            inputs = tuple(i for i in entry.get("input", ()) if not i.startswith("^"))
            node = Node(entry["name"], entry["op"], inputs, entry.get("attr", {}))
            if node.name in self.nodes:
                raise fault(f'two operators are called "{node.name}"')
            self.nodes[node.name] = node
        if not 0 < len(self.nodes) <= MAX_NODES:
            raise fault(f"it has {len(self.nodes)} operators")
        self.signature = model.get("signature") or (model.get("userDefinedMetadata") or {}).get("signature") or {}
        self.values: dict[str, tuple[Value, ...]] = {}
        self.inputs: dict[str, tuple[str, list[int | str]]] = {}
        self._turned: dict[tuple[str, tuple[int, ...]], str] = {}

    def write(self) -> bytes:
        from . import tfjs_ops

        outputs = self._outputs()
        names = {key: self.writer.unique(key.removesuffix(":0")) for key in outputs}
        ports: dict[str, tuple[str, list[int | str] | None]] = {}
        for node in self._ordered([_split(n)[0] for n in outputs.values()]):
            self.values[node.name] = tfjs_ops.value_of(self, node)
        for key, tensor in outputs.items():
            stated = (self.signature.get("outputs") or {}).get(key, {})
            shape = sides_of(stated["tensorShape"]) if "tensorShape" in stated else None
            ports[names[key]] = (TYPES[stated.get("dtype", "DT_FLOAT")], shape)
            self.writer.name_output(self.plain(self.value(tensor)), names[key])
        if not self.inputs:
            raise fault("it takes nothing")
        return self.writer.save(self.inputs, ports)

    # -- for the operators ---------------------------------------------------------------------------------------------

    def value(self, tensor: str) -> Value:
        """Of "name" or "name:1"."""
        node, place = _split(tensor)
        found = self.values[node]
        if place >= len(found):
            raise fault(f'"{node}" has {len(found)} outputs, and number {place} is asked for')
        return found[place]

    def number(self, tensor: str) -> np.ndarray:
        """A constant. ModelFault where it is computed."""
        found = self.value(tensor).constant
        if found is None:
            raise fault(f'"{tensor}" is computed where only a constant is known')
        return found

    def plain(self, value: Value) -> str:
        """The ONNX tensor with the axes in TensorFlow's order."""
        if value.constant is not None:
            return self.writer.constant(value.constant, value.name or "constant")
        if not value.axes:
            return value.name
        key = (value.name, value.axes)
        if key not in self._turned:
            self._turned[key] = self.writer.add("Transpose", [value.name], value.name + "/turned", perm=value.axes)
        return self._turned[key]

    def stored(self, value: Value) -> str:
        """The ONNX tensor with the axes in the order in which it lies."""
        return self.plain(value) if value.constant is not None else value.name

    def channels_first(self, value: Value) -> str:
        """A picture N, H, W, C as an ONNX tensor N, C, H, W."""
        return self.plain(turned(value, (0, 3, 1, 2)))

    # -- reading -------------------------------------------------------------------------------------------------------

    def _outputs(self) -> dict[str, str]:
        """Name of the port -> tensor."""
        named = self.signature.get("outputs")
        if named:
            found = {str(key): str(entry.get("name", key)) for key, entry in sorted(named.items())}
        else:
            used = {_split(i)[0] for node in self.nodes.values() for i in node.inputs}
            found = {n: n for n, node in self.nodes.items() if n not in used and node.op not in ("Const", "NoOp")}
        for tensor in found.values():
            if _split(tensor)[0] not in self.nodes:
                raise fault(f'its output "{tensor}" is made by no operator')
        if not found:
            raise fault("it gives nothing")
        return found

    def _ordered(self, wanted: list[str]) -> list[Node]:
        """What the outputs need, each after what it needs itself."""
        order: list[Node] = []
        state: dict[str, int] = {}  # 1 begun, 2 done
        stack = [(name, False) for name in sorted(wanted)]
        while stack:
            name, done = stack.pop()
            if done:
                state[name] = 2
                order.append(self.nodes[name])
                continue
            if state.get(name) == 2:
                continue
            if state.get(name) == 1:
                raise fault(f'"{name}" needs itself: loops are not known here')
            if name not in self.nodes:
                raise fault(f'the operator "{name}" is missing', did_you_mean(name, self.nodes))
            state[name] = 1
            stack.append((name, True))
            needed = [_split(i)[0] for i in self.nodes[name].inputs]
            stack += [(n, False) for n in reversed(needed) if state.get(n) != 2]
        return order


def _split(tensor: str) -> tuple[str, int]:
    name, _, place = tensor.partition(":")
    return name, int(place or 0)


def _parts(files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """model.json and the weights, checked: each tensor's bytes are there, and no byte is left over."""
    texts = [blob for blob in files.values() if blob.lstrip()[:1] == b"{"]
    if len(texts) != 1:
        raise fault("one of its files is model.json", 'of = ["graph", "weights"]')
    if len(texts[0]) > MAX_JSON_BYTES:
        raise fault(f"model.json has {len(texts[0])} bytes")
    model = json.loads(texts[0])
    layered = tfjs_layers.is_layers(model)
    if not layered and model.get("format") != "graph-model":
        raise fault(f'its format is "{model.get("format")}": "graph-model" and "layers-model" are what can be read')
    blob = b"".join(b for b in files.values() if b is not texts[0])
    view, at, weights = memoryview(blob), 0, {}
    for group in model["weightsManifest"]:
        for entry in group["weights"]:
            array, at = _weight(entry, view, at)
            weights[str(entry["name"])] = array
    if at != len(blob):
        raise fault(f"its weights have {len(blob)} bytes, and {at} are spoken of")
    return tfjs_layers.graph(model, weights) if layered else (model, weights)


def _weight(entry: Mapping[str, Any], view: memoryview, at: int) -> tuple[np.ndarray, int]:
    quantised = entry.get("quantization")
    table, dtype = (_QUANTISED, quantised["dtype"]) if quantised else (_STORED, entry["dtype"])
    if dtype not in table or entry["dtype"] not in _STORED:
        raise fault(f'the weights "{entry["name"]}" are of the type {dtype}')
    stored, shape = np.dtype(table[dtype]), tuple(int(s) for s in entry["shape"])
    size = math.prod(shape) * stored.itemsize
    if min(shape, default=0) < 0 or size > len(view) - at:
        raise fault(f'the weights "{entry["name"]}" go beyond the end of the file: it was cut short')
    array = np.frombuffer(view[at : at + size], stored).reshape(shape)
    if quantised and dtype != "float16":
        scale, least = np.float32(quantised["scale"]), np.float32(quantised["min"])
        array = array.astype(np.float32) * scale + least
    return array.astype({"bool": np.bool_}.get(entry["dtype"], entry["dtype"])), at + size
