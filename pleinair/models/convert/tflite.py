"""Networks out of TFLite files, as ONNX: any of our runtimes runs them then, and their layers can be bent.

The ports keep their names and their shapes. Inside, TFLite keeps pictures as height x width x channels and ONNX as
channels x height x width: tensors of four sides are turned where an operator wants them so, and turned back where one
reads them as they lie in the file. Weights in float16 become float32, sparse ones dense. Layers are called what the
file calls them, without the folder that all of them are in and without the last part, which names an operator. What
stands for each operator is in `tflite_operators`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ..safe.parts import Broken
from .tflite_file import Graph, Operator, read
from .tflite_names import name_of
from .writing import Writer

TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
DEQUANTIZE, DENSIFY = 6, 124
_ACTIVATIONS = {0: "", 1: "Relu", 2: "Clip", 3: "Clip", 4: "Tanh"}
_BOUNDS = {2: (-1, 1), 3: (0, 6)}


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """One .tflite; the ONNX file, with the same names and shapes of inputs and outputs.

    options  `unused`: outputs that are left out, and whatever is computed for them alone

    ModelFault: no such file, or an operator or a form that is not known here, by its name.
    """
    (blob,) = files.values()
    try:
        return Network(read(blob), options.get("unused", ())).onnx()
    except (Broken, ValueError, IndexError, KeyError, TypeError, struct.error) as error:
        raise ModelFault(
            f"this TFLite file cannot be converted: {str(error)[:160]}", now="nothing was put into the store"
        ) from None


class Network:
    """One conversion: what operators ask for, and what they hand back."""

    def __init__(self, graph: Graph, unused: Sequence[str] = ()) -> None:
        self.graph, self.w = graph, Writer("tflite")
        self.constants: dict[int, np.ndarray] = {n: t.data for n, t in enumerate(graph.tensors) if t.data is not None}
        self._names: dict[tuple[int, bool], str] = {}
        self._outputs = [place for place in graph.outputs if graph.tensors[place].name not in unused]
        computing = [o for o in graph.operators if o.key not in (DEQUANTIZE, DENSIFY)]
        self._common = _common([graph.tensors[place].name for o in computing for place in o.outputs])

    def onnx(self) -> bytes:
        from .tflite_operators import OPERATORS

        tensors = self.graph.tensors
        for place in (*self.graph.inputs, *self._outputs):
            if (dtype := tensors[place].dtype) != "<f4":
                raise _quantised(tensors[place].name, np.dtype(dtype).name if dtype else "other numbers")
        for place in self.graph.inputs:
            self._names[place, False] = self.w.unique(tensors[place].name)
        outputs = {place: self.w.unique(tensors[place].name) for place in self._outputs}
        needed = self._needed()
        known = {DEQUANTIZE: Network._weights, DENSIFY: Network._weights, **OPERATORS}
        if missing := sorted({name_of(o.key) for o in needed} - {name_of(key) for key in known}):
            raise ValueError(f"there is no way yet for the operator {', '.join(missing)}")
        for operator in needed:
            known[operator.key](self, operator)
        for place, name in outputs.items():
            self.w.name_output(self.plain(place), name)
        return self.w.save(
            {self._names[p, False]: ("float32", tensors[p].shape) for p in self.graph.inputs},
            {name: ("float32", tensors[p].shape) for p, name in outputs.items()},
        )

    def _needed(self) -> list[Operator]:
        """What the outputs are computed by: shapes that are computed for nobody but a reshape stand in the file."""
        from .tflite_operators import ONLY_FIRST

        wanted, found = set(self._outputs), []
        for operator in reversed(self.graph.operators):
            if wanted.intersection(operator.outputs):
                wanted.update(operator.inputs[:1] if operator.key in ONLY_FIRST else operator.inputs)
                found.append(operator)
        return found[::-1]

    def _weights(self, operator: Operator) -> None:
        """float16 is widened once; what was sparse has been written out by whoever read it."""
        place = operator.inputs[0]
        if place not in self.constants or self.constants[place].dtype.kind != "f":
            raise _quantised(self.graph.tensors[place].name, "whole numbers")
        self.constants[operator.outputs[0]] = self.constants[place].astype(np.float32)

    # -- what operators ask for ----------------------------------------------------------------------------------------

    def shape(self, place: int) -> tuple[int, ...]:
        return self.graph.tensors[place].shape

    def is_picture(self, place: int) -> bool:
        return len(self.shape(place)) == 4

    def weights(self, place: int) -> np.ndarray:
        """float32, as TFLite lays it out."""
        return self._constant(place, "f").astype(np.float32)

    def whole(self, place: int) -> list[int]:
        """Whole numbers: axes, pads, a shape."""
        return [int(v) for v in self._constant(place, "iu").reshape(-1)]

    def _constant(self, place: int, kinds: str) -> np.ndarray:
        name = self.graph.tensors[place].name if place >= 0 else "an input"
        if place not in self.constants:
            raise ValueError(f"{name} is to be a constant")
        if self.constants[place].dtype.kind not in kinds:
            raise _quantised(name, self.constants[place].dtype.name)
        return self.constants[place]

    def plain(self, place: int) -> str:
        """What a tensor is called in ONNX, as it lies in the file."""
        if place in self.constants:
            return self.w.constant(self.weights(place))
        return self._formed(place, False)

    def turned(self, place: int) -> str:
        """The same with channels first; a tensor of fewer sides counts from its channels, as TFLite spreads it."""
        if place in self.constants:
            data = self.weights(place)
            return self.w.constant(data.reshape((1,) * (4 - data.ndim) + data.shape).transpose(TO_CHANNELS_FIRST))
        return self._formed(place, self.is_picture(place))

    def _formed(self, place: int, turned: bool) -> str:
        if (place, turned) not in self._names:
            if not self.is_picture(place) or (place, not turned) not in self._names:
                raise ValueError(f"nothing computes {self.graph.tensors[place].name}")
            way = TO_CHANNELS_FIRST if turned else TO_CHANNELS_LAST
            self._names[place, turned] = self.w.add("Transpose", [self._names[place, not turned]], perm=way)
        return self._names[place, turned]

    def add(self, operator: Operator, op: str, inputs: list[str], turned: bool, active: int = 0, **how: Any) -> None:
        """The node that gives the operator's output, under the file's name for it; its activation behind it."""
        if active not in _ACTIVATIONS:
            raise ValueError(f"there is no way yet for the activation {active}")
        place, then = operator.outputs[0], _ACTIVATIONS[active]
        label = self.label(place)
        found = self.w.add(op, inputs, f"{label}/{op}" if then else label, **how)
        if then:
            bounds = [self.w.constant(np.float32(v)) for v in _BOUNDS.get(active, ())]
            found = self.w.add(then, [found, *bounds], label)
        self.gives(place, found, turned)

    def gives(self, place: int, name: str, turned: bool) -> None:
        """That this is the tensor, channels first or as in the file."""
        self._names[place, turned and self.is_picture(place)] = name

    def label(self, place: int) -> str:
        """`model_1/model/re_lu_59/Relu6;model_1/model/add_20/add` -> `re_lu_59`."""
        whole = _first(self.graph.tensors[place].name)
        name = whole.removeprefix(self._common)
        return name.rpartition("/")[0] or name or "layer"


def _quantised(name: str, holds: str) -> ValueError:
    return ValueError(f"{name} holds {holds}: quantised networks are not converted")


def _first(name: str) -> str:
    """Of several layers that were made one: the last of them, which comes first."""
    return name.split(";")[0]


def _common(names: Sequence[str]) -> str:
    """The folder that all names begin with that are in one."""
    folders = [_first(name).rpartition("/")[0].split("/") for name in names if "/" in _first(name)]
    same = 0
    while folders and len(low := min(folders)) > same and low[: same + 1] == max(folders)[: same + 1]:
        same += 1
    return "".join(part + "/" for part in low[:same]) if folders else ""
