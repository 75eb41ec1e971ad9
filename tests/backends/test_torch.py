"""torch as a runtime for ONNX files: operator by operator as ONNX Runtime has it; without torch, a sentence.

torch is an extra of some hundred megabytes that is not among the tests' own: what needs it is skipped where it is not
installed (`pip install "pleinair[torch]"` and these run).
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from pleinair import plugins
from pleinair.backends.base import Tensor, package_version
from pleinair.core.errors import ModelFault

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
DICE = np.random.RandomState(5)
TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL, "uint8": TensorProto.UINT8}


def node(op: str, x: np.ndarray, *constants, outputs=("y",), opset=18, out="float32", **attributes) -> bytes:
    """A network of one node; constants are arrays, None where an input is left out."""
    names, held = ["x"], []
    for n, constant in enumerate(constants):
        names.append("" if constant is None else f"c{n}")
        if constant is not None:
            held.append(numpy_helper.from_array(np.asarray(constant), f"c{n}"))
    made = helper.make_node(op, names, list(outputs), **attributes)
    graph = helper.make_graph(
        [made], "one", [helper.make_tensor_value_info("x", TYPES[str(x.dtype)], x.shape)],
        [helper.make_tensor_value_info(o, TYPES[out], None) for o in outputs], held,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model.SerializeToString()


def f(*shape) -> np.ndarray:
    return DICE.standard_normal(shape).astype(np.float32)


def i(*values) -> np.ndarray:
    return np.array(values, np.int64)


PICTURE, WHOLE = f(1, 3, 9, 12), np.arange(24, dtype=np.int64).reshape(2, 3, 4)
S = np.array([1, 1, 2.5, 0.6], np.float32)
CASES = {
    "conv": node("Conv", PICTURE, f(4, 3, 3, 3), f(4), pads=[0, 1, 2, 1], strides=[2, 1]),
    "conv same": node("Conv", PICTURE, f(4, 3, 3, 2), auto_pad="SAME_UPPER", strides=[2, 2]),
    "conv same lower": node("Conv", PICTURE, f(4, 3, 4, 2), auto_pad="SAME_LOWER", strides=[2, 1]),
    "conv in groups": node("Conv", PICTURE, f(6, 1, 3, 3), group=3, dilations=[2, 2]),
    "conv of rows": node("Conv", f(1, 2, 20), f(3, 2, 5), pads=[2, 2]),
    "conv transpose": node("ConvTranspose", PICTURE, f(3, 5, 4, 4), f(5), strides=[2, 2], pads=[1, 0, 1, 2]),
    "conv transpose more": node(
        "ConvTranspose", PICTURE, f(3, 2, 3, 3), strides=[2, 2], output_padding=[1, 1], pads=[1] * 4
    ),
    "max pool": node("MaxPool", PICTURE, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
    "max pool up": node("MaxPool", PICTURE, kernel_shape=[2, 2], strides=[2, 5], ceil_mode=1),
    "average pool": node("AveragePool", PICTURE, kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 1]),
    "average pool with pads": node("AveragePool", PICTURE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "global": node("GlobalAveragePool", PICTURE),
    "gemm": node("Gemm", f(2, 5), f(4, 5), f(4), transB=1, alpha=0.5, beta=2.0),
    "matmul": node("MatMul", f(2, 3, 5), f(5, 4)),
    "layer norm": node("LayerNormalization", f(2, 3, 8), f(8), f(8), axis=-1),
    "batch norm": node("BatchNormalization", PICTURE, f(3), f(3), f(3), np.abs(f(3))),
    "instance norm": node("InstanceNormalization", PICTURE, f(3), f(3)),
    "softmax": node("Softmax", f(2, 5, 3), axis=1),
    "clip": node("Clip", PICTURE, np.float32(-0.5), None),
    "clip old": node("Clip", PICTURE, opset=9, min=-0.5, max=0.2),
    "pow": node("Pow", np.abs(PICTURE), np.float32(0.5)), "where less": node("Less", PICTURE, f(3, 1, 1), out="bool"),
    "leaky": node("LeakyRelu", PICTURE, alpha=0.2), "prelu": node("PRelu", PICTURE, f(3, 1, 1)),
    "hard sigmoid": node("HardSigmoid", PICTURE), "hard swish": node("HardSwish", PICTURE), "erf": node("Erf", PICTURE),
    "gelu": node("Gelu", PICTURE, opset=20), "elu": node("Elu", PICTURE), "max": node("Max", PICTURE, f(3, 1, 1)),
    "divided": node("Div", WHOLE - 12, i(5), out="int64"), "sum": node("Sum", PICTURE, f(1, 3, 1, 12)),
    "mean": node("ReduceMean", PICTURE, i(2, 3), keepdims=0),
    "mean old": node("ReduceMean", PICTURE, opset=13, axes=[1]), "norm": node("ReduceL2", PICTURE, i(1)),
    "largest": node("ReduceMax", PICTURE, i(1)), "all": node("ReduceSum", PICTURE),
    "argmax": node("ArgMax", PICTURE, axis=1, keepdims=0, out="int64"),
    "reshape": node("Reshape", PICTURE, i(0, -1, 4)), "flatten": node("Flatten", PICTURE, axis=2),
    "transpose": node("Transpose", PICTURE, perm=[0, 2, 3, 1]),
    "concat": node("Concat", PICTURE, f(1, 2, 9, 12), axis=1),
    "split": node("Split", PICTURE, i(4, 8), axis=3, outputs=("y", "z")),
    "slice": node("Slice", WHOLE, i(-1, 1), i(-9, 1 << 40), i(2, 1), i(-2, 1), out="int64"),
    "slice old": node("Slice", PICTURE, opset=9, starts=[1], ends=[-1], axes=[2]),
    "gather": node("Gather", PICTURE, np.array([[0, -1], [2, 1]]), axis=2),
    "one number of a row": node("Gather", f(5), np.array(3), axis=0),
    "squeeze": node("Squeeze", f(1, 3, 1), i(-1)), "unsqueeze": node("Unsqueeze", f(3, 2), i(0, -1)),
    "expand": node("Expand", f(3, 1), i(2, 1, 4)), "tile": node("Tile", f(2, 3), i(2, 2)),
    "shape": node("Shape", PICTURE, start=1, out="int64"), "cast": node("Cast", PICTURE, to=7, out="int64"),
    "depth to space": node("DepthToSpace", f(1, 8, 3, 4), blocksize=2),
    "depth to space crd": node("DepthToSpace", f(1, 8, 3, 4), blocksize=2, mode="CRD"),
    "pad": node("Pad", PICTURE, i(0, 0, 1, 2, 0, 0, 3, -1), np.float32(0.5)),
    "pad old": node("Pad", PICTURE, opset=9, pads=[0, 0, 1, 2, 0, 0, 3, 0], value=2.0),
    "reflect": node("Pad", PICTURE, i(0, 0, 4, 2, 0, 0, 3, 5), mode="reflect"),
    "edge": node("Pad", PICTURE, i(4, 2, 3, 5), None, i(2, 3), mode="edge"),
    "weights of 8 bits": node(
        "DequantizeLinear", np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([0.5, 2, 3], np.float32),
        np.array([3, 4, 5], np.uint8), axis=1,
    ),
}  # fmt: skip
for _mode in ("nearest", "linear", "cubic"):
    for _word in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
        CASES[f"resize {_mode} {_word}"] = node(
            "Resize", PICTURE, None, S, mode=_mode, coordinate_transformation_mode=_word, nearest_mode="floor"
        )
    CASES[f"resize {_mode} to a size"] = node("Resize", PICTURE, None, None, i(1, 3, 20, 7), mode=_mode)
for _near in ("round_prefer_floor", "round_prefer_ceil", "ceil"):
    CASES[f"resize {_near}"] = node("Resize", PICTURE, None, S, nearest_mode=_near)


def ends(blob: bytes) -> tuple[list[Tensor], list[Tensor]]:
    import onnx

    graph = onnx.load_from_string(blob).graph
    words = {number: word for word, number in TYPES.items()}
    given = graph.input[0]
    sides = tuple(d.dim_value for d in given.type.tensor_type.shape.dim)
    return [Tensor("x", sides, dtype=words[given.type.tensor_type.elem_type])], [
        Tensor(o.name, (-1,), dtype=words[o.type.tensor_type.elem_type]) for o in graph.output
    ]


def made_by(backend: str, blob: bytes, inputs, outputs, x: np.ndarray) -> dict[str, np.ndarray]:
    return plugins.find("backends", backend)(blob, inputs, outputs, precision="f32", threads=1).run({"x": x})


@needs_torch
@pytest.mark.parametrize("name", CASES)
def test_every_operator_is_what_onnx_runtime_makes_of_it(name):
    blob = CASES[name]
    inputs, outputs = ends(blob)
    shape, dtype = inputs[0].shape, inputs[0].dtype
    x = {(1, 3, 9, 12): PICTURE, (2, 3, 4): WHOLE}.get(shape, np.random.RandomState(1).standard_normal(shape))
    x = np.abs(x) if name == "pow" else x - 12 if name == "divided" else x
    x = np.arange(24, dtype=np.uint8).reshape(shape) if dtype == "uint8" else x.astype(dtype)
    found, wanted = (made_by(b, blob, inputs, outputs, x) for b in ("torch", "onnx"))
    for output in wanted:
        assert found[output].shape == wanted[output].shape and found[output].dtype == wanted[output].dtype
        assert found[output] == pytest.approx(wanted[output], abs=2e-5)


@needs_torch
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pictures_go_in_and_come_out_as_on_any_backend(layout):
    sides = (1, 3, 4, 6) if layout == "NCHW" else (1, 4, 6, 3)
    blob = node("Identity", np.zeros(sides, np.float32))
    given = Tensor("x", sides, layout, mean=(100.0, 50.0, 0.0), scale=(200.0,), bgr=True)
    picture = np.random.RandomState(3).randint(0, 256, (4, 6, 3)).astype(np.uint8)
    picture.setflags(write=False)
    outputs = [Tensor("y", sides, layout)]
    made = {b: made_by(b, blob, [given], outputs, picture)["y"] for b in ("torch", "onnx")}
    assert made["torch"].dtype == np.uint8 and np.array_equal(made["torch"], made["onnx"])


@needs_torch
def test_a_network_that_it_does_not_know_is_refused_at_once():
    blob = node("TopK", PICTURE, i(2), outputs=("y", "z"))
    with pytest.raises(ModelFault, match=r"operators that are not known here \(TopK\)"):
        plugins.find("backends", "torch")(blob, *ends(blob), precision="f32", threads=1)
    with pytest.raises(ModelFault, match='runs f32, not "bf16"'):
        plugins.find("backends", "torch")(b"", [], [], precision="bf16", threads=1)


@needs_torch
def test_a_closed_one_says_so():
    blob = node("Relu", PICTURE)
    backend = plugins.find("backends", "torch")(blob, *ends(blob), precision="f32", threads=1)
    backend.close()
    backend.close()
    with pytest.raises(ModelFault, match="closed"):
        backend.run({"x": PICTURE})


def test_without_torch_it_says_how_to_get_it(monkeypatch):
    import sys

    backend = plugins.find("backends", "torch")  # importing the backend imports no torch
    assert (backend.available() is None) == bool(package_version("torch")) == bool(backend.version_installed())
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelFault, match="the backend torch cannot be used") as fault:
        backend(b"", [], [], precision="f32", threads=1)
    assert "pleinair[torch]" in fault.value.hint
