"""DeepFilterNet 3 as one network that can be run as sound comes, out of the archive of three that its makers publish.

They published encoder, decoder of the mask and decoder of the filter as networks for whole sounds: each pads time with
zeros and starts its memory (GRU) at zero. Here the padding is taken out, so that the frames before come with the call,
and each memory goes in and comes out by name: frame by frame it is then the same network without a beginning. Only the
archive's three graphs are read; nothing of it is run.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Mapping
from typing import Any

from ...core.errors import ModelFault
from .. import check_onnx

MAX_UNPACKED = 32 << 20
PARTS = ("enc", "erb_dec", "df_dec")
SHARED = ("emb", "c0", "e0", "e1", "e2", "e3")
"""What the encoder hands to the decoders."""
ERB, SPEC, BEFORE, FILTER_BEFORE = 32, 96, 2, 4


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """DeepFilterNet3_onnx.tar.gz; one ONNX file.

    Inputs   feat_erb [1, 1, T + 2, 32], feat_spec [1, 2, T + 2, 96], c0_before [1, 64, 4, 96], and the memories
             memory_0 .. memory_4, each [1, 1, 256]
    Outputs  m [1, 1, T, 32], coefs [1, T, 96, 10], lsnr [1, T, 1], c0_after, after_0 .. after_4

    ModelFault: another archive.
    """
    (blob,) = files.values()
    try:
        return _joined(_graphs(blob))
    except (KeyError, ValueError, IndexError, TypeError, tarfile.TarError, zlib.error, StopIteration) as error:
        raise ModelFault(
            f"the file is no DeepFilterNet 3 ({type(error).__name__}: {str(error)[:120]})",
            now="nothing was put into the store",
            hint="DeepFilterNet3_onnx.tar.gz of DeepFilterNet",
        ) from None


def _graphs(blob: bytes) -> dict[str, Any]:
    import onnx

    unpacker = zlib.decompressobj(31)
    raw = unpacker.decompress(blob, MAX_UNPACKED)
    if unpacker.unconsumed_tail:
        raise ValueError("it unpacks to too much")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2].removesuffix(".onnx")
            if member.isfile() and name in PARTS and (stream := archive.extractfile(member)):
                found[name] = onnx.load_model_from_string(_checked(stream.read(), name)).graph
    if set(found) != set(PARTS):
        raise ValueError(f"it holds {', '.join(sorted(found)) or 'no graph'}")
    return found


def _checked(blob: bytes, name: str) -> bytes:
    try:
        check_onnx.inspect(blob, name)
    except ModelFault as fault:
        raise ValueError(fault.what) from None
    return blob


def _joined(graphs: Mapping[str, Any]) -> bytes:
    import onnx
    from onnx import TensorProto, helper

    def port(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    nodes: list[Any] = []
    constants: list[Any] = []
    memories = 0
    for part in PARTS:
        graph = graphs[part]
        _prefixed(graph, part)
        for node in graph.node:
            if node.op_type == "GRU":
                while len(node.output) < 2:
                    node.output.append("")
                node.input[5], node.output[1] = f"memory_{memories}", f"after_{memories}"
                memories += 1
        _without_padding(graph, "c0_with_before" if part == "df_dec" else "")
        nodes += graph.node
        constants += graph.initializer
        if part == "enc":
            nodes.append(helper.make_node("Concat", ["c0_before", "c0"], ["c0_with_before"], axis=2))
            ends = {"from": [-FILTER_BEFORE], "to": [1 << 31], "axis": [2]}
            constants += [helper.make_tensor(f"last_{k}", TensorProto.INT64, [1], v) for k, v in ends.items()]
            nodes.append(
                helper.make_node("Slice", ["c0_with_before", "last_from", "last_to", "last_axis"], ["c0_after"])
            )
    more = "frames_with_before"
    inputs = [port("feat_erb", [1, 1, more, ERB]), port("feat_spec", [1, 2, more, SPEC])]
    inputs += [port("c0_before", [1, 64, FILTER_BEFORE, SPEC])]
    inputs += [port(f"memory_{n}", [1, 1, 256]) for n in range(memories)]
    outputs = [port("m", [1, 1, "frames", ERB]), port("coefs", [1, "frames", SPEC, 10]), port("lsnr", [1, "frames", 1])]
    outputs += [port("c0_after", [1, 64, FILTER_BEFORE, SPEC])]
    outputs += [port(f"after_{n}", [1, 1, 256]) for n in range(memories)]
    wanted = _needed(nodes, [o.name for o in outputs])
    used = {i for node in wanted for i in node.input}
    graph = helper.make_graph(wanted, "deepfilternet3", inputs, outputs, [c for c in constants if c.name in used])
    model = helper.make_model(
        graph, producer_name="pleinair", producer_version="", opset_imports=[helper.make_opsetid("", 12)], ir_version=7
    )
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _prefixed(graph: Any, part: str) -> None:
    """Every name of the graph under its part's, but for the ports that it is joined by."""
    kept = {*SHARED, "feat_erb", "feat_spec", "m", "coefs", "lsnr", ""}

    def name(old: str) -> str:
        return old if old in kept else f"{part}/{old.lstrip('/')}"

    for node in graph.node:
        node.name = name(node.name) if node.name else ""
        for names in (node.input, node.output):
            names[:] = [name(n) for n in names]
    for constant in graph.initializer:
        constant.name = name(constant.name)


def _without_padding(graph: Any, instead: str) -> None:
    """Takes out the Pad nodes, which pad time: whoever read what was padded reads it as it comes (or `instead`)."""
    pads = {node.output[0]: instead or node.input[0] for node in graph.node if node.op_type == "Pad"}
    if len(pads) != (1 if instead else 2 if "feat_erb" in pads.values() else 0):
        raise ValueError(f"{len(pads)} paddings")
    for node in graph.node:
        if node.op_type != "Pad":
            node.input[:] = [pads.get(n, n) for n in node.input]


def _needed(nodes: list[Any], outputs: list[str]) -> list[Any]:
    """The nodes that the outputs come from, in their order."""
    wanted, found = set(outputs), []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            found.append(node)
    return found[::-1]
