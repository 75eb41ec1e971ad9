"""Tiny TFLite networks of one operator, written with LiteRT's own schema."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "int8": 9}


def network(
    code: int,
    takes: tuple[int, ...],
    gives: tuple[int, ...] | list[tuple[int, ...]],
    *constants: np.ndarray,
    options: tuple[str, dict[str, Any]] | None = None,
    first: bool = False,
    both: bool = False,
    dtype: str = "float32",
) -> bytes:
    """One operator on an input "x" and constants; its outputs are "y", or "y0", "y1" ...

    first    the constants come before the input (SPLIT, TRANSPOSE_CONV)
    both     the input is read twice
    options  the name of its options table in the schema, and its fields
    """
    model = schema.ModelT()
    model.version, model.buffers = 3, [_buffer(None)]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(model, "x", takes, dtype)]
    places = []
    for n, constant in enumerate(constants):
        places.append(len(graph.tensors))
        graph.tensors.append(_tensor(model, f"constant{n}", constant.shape, constant.dtype.name, constant))
    shapes = gives if isinstance(gives, list) else [gives]
    outputs = []
    for n, shape in enumerate(shapes):
        outputs.append(len(graph.tensors))
        graph.tensors.append(_tensor(model, f"y{n}" if len(shapes) > 1 else "y", shape, "float32"))
    operator = schema.OperatorT()
    operator.opcodeIndex = 0
    operator.inputs = [*places, 0] if first else [0, *([0] if both else []), *places]
    operator.outputs = outputs
    if options is not None:
        name, fields = options
        table = getattr(schema, f"{name}T")()
        for key, value in fields.items():
            setattr(table, key, value)
        operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, name), table
    graph.inputs, graph.outputs, graph.operators = [0], outputs, [operator]
    meaning = schema.OperatorCodeT()
    meaning.builtinCode, meaning.deprecatedBuiltinCode, meaning.version = code, min(code, 127), 1
    model.subgraphs, model.operatorCodes = [graph], [meaning]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(model: Any, name: str, shape: tuple[int, ...], dtype: str, data: np.ndarray | None = None) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = name, list(shape), _TYPES[dtype]
    model.buffers.append(_buffer(data))
    tensor.buffer = len(model.buffers) - 1
    return tensor


def _buffer(data: np.ndarray | None) -> Any:
    buffer = schema.BufferT()
    if data is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
    return buffer
