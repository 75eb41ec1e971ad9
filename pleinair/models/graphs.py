"""An ONNX graph opened up: its layers named, one of them looked at, changed or shown. For `bend`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends.base import Tensor
from ..core.errors import ModelFault, did_you_mean

_STEPS = {
    "Relu", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "Clip", "Elu", "Selu", "Gelu", "HardSwish", "HardSigmoid",
    "Softplus", "ConvTranspose", "Resize", "Upsample", "InstanceNormalization", "MaxPool", "AveragePool",
}  # fmt: skip
"""Operators after which something new is to be seen: what `layers` lists. Any other tensor can be bent as well."""
_TRUNK = {"Add", "Concat"}
"""Listed where several read them: the trunk of a residual network."""
_BLOCKS = {"Add", "Concat", "Conv", "Gemm", "MatMul"}
"""Listed where there are few of the others."""


@dataclass(frozen=True)
class Layer:
    """name: short and stable; tensor: as in the file; op: what makes it."""

    name: str
    tensor: str
    op: str


def read(blob: bytes) -> Any:
    """An ONNX file as the `onnx` package has it. The bytes were checked before."""
    import onnx

    return onnx.load_model_from_string(blob)


def write(model: Any) -> bytes:
    """The way back; the same model gives the same bytes."""
    return model.SerializeToString(deterministic=True)


def short(tensor: str) -> str:
    """`/expand.0/Relu_output_0` -> `expand.0/Relu`."""
    return tensor.removesuffix("_output_0").removesuffix(":0").strip("/")


def layers(model: Any) -> list[Layer]:
    """The layers worth bending, in the order in which they are computed."""
    readers: dict[str, int] = {}
    for node in model.graph.node:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    given = {i.name for i in model.graph.initializer}
    moving = {i.name for i in model.graph.input} - given
    found: list[Layer] = []
    blocks: list[Layer] = []
    for node in model.graph.node:
        if not any(name in moving for name in node.input):
            continue
        moving |= set(node.output)
        layer = Layer(short(node.output[0]), node.output[0], node.op_type)
        if node.op_type in _STEPS or (node.op_type in _TRUNK and readers.get(node.output[0], 0) > 1):
            found.append(layer)
        elif node.op_type in _BLOCKS:
            blocks.append(layer)
    order = {name: place for place, node in enumerate(model.graph.node) for name in node.output}
    if len(found) < 4:
        found += blocks
    return sorted(found, key=lambda layer: order[layer.tensor])


def find(model: Any, name: str) -> str:
    """The tensor of that name, spelt in full or short. ModelFault with what was meant."""
    found = _found(model, name)
    if found is None:
        raise no_layer(name, names(model))
    return found


def has(model: Any, name: str) -> bool:
    """Whether a tensor has that name, whole or short."""
    return _found(model, name) is not None


def names(model: Any) -> list[str]:
    """Of all its tensors, short."""
    return [short(t) for node in model.graph.node for t in node.output if t]


def no_layer(name: str, known: Sequence[str]) -> ModelFault:
    """A name that none of the `known` layers has."""
    return ModelFault(
        f'the network has no layer "{name}"',
        now="the model was not loaded",
        hint=did_you_mean(name, known) or "pleinair models show CARD --layers",
    )


def _found(model: Any, name: str) -> str | None:
    tensors = [t for node in model.graph.node for t in node.output if t]
    if name in tensors:
        return name
    return next((t for t in tensors if short(t) == name), None)


def show(model: Any, tensor: str) -> None:
    """Makes a tensor an output."""
    import onnx

    if tensor not in [o.name for o in model.graph.output]:
        model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))


def sample(blob: bytes, tensor: str, inputs: Sequence[Tensor]) -> np.ndarray:
    """What the tensor holds for the built-in picture, by the reference runtime: its shape, and how far it swings."""
    return samples(blob, [tensor], inputs)[tensor]


def free_sides(blob: bytes, tensor: str, inputs: Sequence[Tensor], shape: Sequence[int]) -> frozenset[int]:
    """The axes of a tensor of this shape whose length follows what the network is given: a text, a sound."""
    if not any(side < 0 for given in inputs for side in given.handed):
        return frozenset()
    other = samples(blob, [tensor], inputs, free=24)[tensor].shape
    return frozenset(axis for axis, (one, two) in enumerate(zip(shape, other, strict=True)) if one != two)


def samples(blob: bytes, tensors: Sequence[str], inputs: Sequence[Tensor], free: int = 16) -> dict[str, np.ndarray]:
    """As `sample`, of several: tensor -> float32 of its own shape; int64 where the network's numbers are no float32.
    `free`: the length of what has none of its own."""
    from ..backends.onnx import Onnx
    from .network import fixed_inputs

    model = read(blob)
    known = {o.name for o in model.graph.output}
    for tensor in dict.fromkeys(tensors):
        if tensor not in known:
            model.graph.output.add().name = tensor  # of whatever type the runtime finds it to be
    runtime = Onnx(write(model), inputs, [Tensor(t, (-1,)) for t in tensors], precision="f32", threads=1)
    try:
        found, floats = runtime.run(fixed_inputs(inputs, free)), runtime.floats()
    finally:
        runtime.close()
    return {t: array if t in floats else array.astype(np.int64) for t, array in found.items()}


def bend(model: Any, tensor: str, name: str, fields: Sequence[np.ndarray], axis: int) -> None:
    """Puts scale, shift and noise behind a tensor; whoever reads it reads the bent one. `axis`: its channels'."""
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    place = next(n for n, node in enumerate(graph.node) if tensor in node.output)
    straight = f"bend.{name}.straight"
    outputs = graph.node[place].output
    outputs[list(outputs).index(tensor)] = straight
    ports = {what: f"bend.{name}.{what}" for what in ("mul", "add", "first", "second")}
    rank = fields[0].ndim
    count = fields[0].shape[axis]
    for what, port in ports.items():
        sides = [1] * rank
        if what in ("mul", "add"):
            sides[axis] = count
        graph.input.append(helper.make_tensor_value_info(port, onnx.TensorProto.FLOAT, sides))
    for what, field in zip(("first", "second"), fields, strict=True):
        graph.initializer.append(numpy_helper.from_array(field, f"bend.{name}.{what}.field"))
    steps = [
        ("Mul", [straight, ports["mul"]], "scaled"),
        ("Add", [f"bend.{name}.scaled", ports["add"]], "shifted"),
        ("Mul", [f"bend.{name}.first.field", ports["first"]], "noise.first"),
        ("Mul", [f"bend.{name}.second.field", ports["second"]], "noise.second"),
        ("Add", [f"bend.{name}.noise.first", f"bend.{name}.noise.second"], "noise"),
        ("Add", [f"bend.{name}.shifted", f"bend.{name}.noise"], ""),
    ]
    for offset, (op, reads, writes) in enumerate(steps, 1):
        node = helper.make_node(op, reads, [f"bend.{name}.{writes}" if writes else tensor])
        graph.node.insert(place + offset, node)


def channel_axis(shape: Sequence[int], free: frozenset[int] = frozenset()) -> int:
    """Of a layer: the second side of [1, c, h, w] and [1, c]; the last of [1, h, w, c] (where it is the smallest) and
    of [1, t, c]. Never one whose length is `free`, where another is not."""
    steady = [axis for axis in range(len(shape) - 1, 0, -1) if axis not in free]
    if free and steady:
        return steady[0]
    if len(shape) == 4 and shape[3] < shape[1] and shape[3] < shape[2]:
        return 3
    return 1 if len(shape) != 3 else 2


def channels_first(array: np.ndarray) -> np.ndarray:
    """[c, h, w] of a layer of one picture; [c, 1, 1] of a row."""
    array = np.moveaxis(np.asarray(array, np.float32), channel_axis(array.shape), 0)
    array = array.reshape(array.shape[0], *[s for s in array.shape[1:] if s != 1])
    return array if array.ndim == 3 else array.reshape(len(array), -1, 1)


def mosaic(sheet: np.ndarray, most: int = 1920) -> np.ndarray:
    """All channels side by side, uint8 grey as RGB: -3 standard deviations black, +3 white."""
    count, height, width = sheet.shape
    columns = int(np.ceil(np.sqrt(count * height / max(1, width))))
    columns = max(1, min(count, columns))
    rows = -(-count // columns)
    out = np.zeros((rows * height, columns * width), np.uint8)
    levels = np.clip(sheet * (127.5 / 3) + 127.5, 0, 255).astype(np.uint8)
    for n, tile in enumerate(levels):
        y, x = divmod(n, columns)
        out[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    if max(out.shape) > most:
        import cv2

        by = most / max(out.shape)
        out = cv2.resize(out, None, fx=by, fy=by, interpolation=cv2.INTER_AREA)
    return np.repeat(out[..., None], 3, 2)
