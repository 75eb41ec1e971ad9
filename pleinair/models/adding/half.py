"""ONNX in half precision: its ports take and give float32, and what is inside stays as it is."""

from __future__ import annotations

from typing import Any

from ...backends import wire

HALF = 10
"""TensorProto.FLOAT16."""


def is_half(found: wire.Summary) -> bool:
    return HALF in {found.types.get(name) for name in (*found.inputs, *found.outputs)}


def widened(blob: bytes) -> bytes:
    """The same network with a Cast behind each such input and before each such output."""
    import onnx

    model = onnx.ModelProto()
    model.ParseFromString(blob)
    graph = model.graph
    ports = [*graph.input, *graph.output]
    used = {name for node in graph.node for name in (*node.input, *node.output)} | {p.name for p in ports}
    constants = {tensor.name for tensor in graph.initializer}
    renamed: dict[str, str] = {}
    before, after = [], []
    for port in ports:
        kind = port.type.tensor_type
        if kind.elem_type != HALF or port.name in constants or port.name in renamed:
            continue
        inner = next(name for n in range(10**6) if (name := f"{port.name}/half{n or ''}") not in used)
        renamed[port.name] = inner
        taken = any(port is other for other in graph.input)
        names = (port.name, inner) if taken else (inner, port.name)
        to = HALF if taken else wire.FLOAT
        (before if taken else after).append(onnx.helper.make_node("Cast", names[:1], names[1:], to=to))
        kind.elem_type = wire.FLOAT
    _rename(graph, renamed)
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return bytes(model.SerializeToString())


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Every use of a tensor, also in the branches of the network, which see what is around them."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else ())):
                for port in inner.output:
                    port.name = names.get(port.name, port.name)
                _rename(inner, names)
