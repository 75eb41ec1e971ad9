"""Numbers that choose pixels: precision by name, the same bits every time, and agreement with the reference."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from pleinair.backends import openvino
from pleinair.backends.base import Tensor
from pleinair.backends.onnx import Onnx
from pleinair.backends.openvino import OpenVino
from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.testcard import picture

SIZE = (160, 120)
KINDS = [("openvino", "f32"), ("openvino", "bf16"), ("onnx", "f32")]


def needs(precision: str) -> None:
    if precision not in openvino.precisions():
        pytest.skip(f"this processor has no {precision}")


def painted(backend: str, precision: str, threads: int, card: str = "multistyle26") -> list[np.ndarray]:
    model = load(card, size=SIZE, backend=backend, precision=precision, threads=threads)
    paintings = [
        model(picture((320, 240), seed), picture((256, 256), 5) if card == "anystyle" else None) for seed in range(2)
    ]
    model.close()
    return paintings


@pytest.mark.parametrize(("backend", "precision"), KINDS)
@pytest.mark.parametrize("card", ["multistyle26", "anystyle"])
def test_at_a_fixed_precision_every_bit_is_the_same_with_one_thread_and_two(backend, precision, card):
    needs(precision)
    one, two, again = (painted(backend, precision, threads, card) for threads in (1, 2, 2))
    assert all(np.array_equal(a, b) and np.array_equal(a, c) for a, b, c in zip(one, two, again, strict=True))


def test_and_in_another_process():
    code = (
        "from tests.backends.test_backends import painted; import hashlib\n"
        "print(hashlib.sha256(b''.join(p.tobytes() for p in painted('openvino', 'f32', 2))).hexdigest())"
    )
    here = hashlib.sha256(b"".join(p.tobytes() for p in painted("openvino", "f32", 2))).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert here == there


@pytest.mark.parametrize("card", ["multistyle26", "anystyle"])
def test_openvino_f32_is_within_one_level_of_the_reference(card):
    for a, b in zip(painted("openvino", "f32", 2, card), painted("onnx", "f32", 1, card), strict=True):
        apart = np.abs(a.astype(int) - b)
        assert apart.max() <= 1 and (apart > 0).mean() < 0.01


@pytest.mark.parametrize("card", ["multistyle26", "anystyle"])
def test_bf16_is_another_picture_but_a_close_one(card):
    needs("bf16")
    for a, b in zip(painted("openvino", "bf16", 2, card), painted("onnx", "f32", 1, card), strict=True):
        error = np.square(a.astype(float) - b).mean()
        assert error > 0 and 10 * np.log10(255**2 / error) > 34


def test_bf16_on_a_processor_without_it_is_a_fault_and_never_f32_in_silence(monkeypatch):
    monkeypatch.setattr(openvino, "precisions", lambda: ("f32",))
    with pytest.raises(ModelFault) as fault:
        load("multistyle26", size=(32, 32), backend="openvino", precision="bf16").open()
    assert "cannot run a network in bf16" in fault.value.what and "f32" in fault.value.hint


def test_what_the_compiled_network_really_runs_in_is_read_back(monkeypatch):
    monkeypatch.setattr(openvino, "precisions", lambda: ("bf16", "f32"))
    monkeypatch.setattr(openvino, "_HINTS", {"bf16": "f32", "f32": "f32"})  # a runtime that falls back in silence
    with pytest.raises(ModelFault, match="would run f32 instead"):
        load("multistyle26", size=(32, 32), backend="openvino", precision="bf16").open()


def ramp() -> bytes:
    """A network whose output is 3 * input - 1: outside 0..1 at both ends."""
    from onnx import TensorProto, helper, numpy_helper

    constants = [numpy_helper.from_array(np.float32(v).reshape(()), n) for n, v in (("three", 3), ("one", 1))]
    nodes = [helper.make_node("Mul", ["x", "three"], ["m"]), helper.make_node("Sub", ["m", "one"], ["y"])]
    shape = [1, 3, "h", "w"]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
    graph = helper.make_graph(nodes, "ramp", values[:1], values[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.mark.parametrize("kind", [OpenVino, Onnx])
def test_levels_saturate_and_round_half_to_even(kind):
    tensor = Tensor("x", (1, 3, 32, 32), "NCHW"), Tensor("y", (1, 3, 32, 32), "NCHW")
    backend = kind(ramp(), tensor[:1], tensor[1:], precision="f32", threads=1)
    levels = np.arange(32 * 32 * 3, dtype=np.int64).reshape(32, 32, 3) % 256
    image = levels.astype(np.uint8)
    image.setflags(write=False)
    out = backend.run({"x": image})["y"]
    assert np.array_equal(out, np.clip(levels * 3 - 255, 0, 255)) and out.dtype == np.uint8
    backend.close()
    with pytest.raises(ModelFault, match="closed"):
        backend.run({"x": image})


@pytest.mark.parametrize("kind", [OpenVino, Onnx])
def test_a_file_that_no_runtime_takes_is_a_model_fault(kind):
    tensor = (Tensor("x", (1, 3, 32, 32), "NCHW"),)
    with pytest.raises(ModelFault):
        kind(b"junk", tensor, tensor, precision="f32", threads=1)
