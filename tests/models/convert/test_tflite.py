"""TFLite into ONNX: the same numbers as LiteRT gives for the file itself, the bytes that the cards pin, bad files."""

from __future__ import annotations

import contextlib
import hashlib

import numpy as np
import pytest

from pleinair.backends.base import Tensor
from pleinair.backends.litert import LiteRt
from pleinair.backends.onnx import Onnx
from pleinair.core.errors import ModelFault
from pleinair.models import check_onnx, convert
from pleinair.models.card import find_card
from pleinair.models.convert.tflite_file import Graph, read
from pleinair.models.testcard import picture

from ..seeing import people

CARDS = ("faces", "faces_emotion", "hands", "pose", "person_mask")
NETWORKS = ["near", "far", "mesh", "iris", "palm", "hand", "person", "body", ""]
"""Of the cards, before "_tflite"; the mask's is "tflite" alone."""
PICTURES = {"palm": "hand_pointing", "hand": "hand_pointing"}
APART = {"Identity_2": 1e-2}
"""Differences from LiteRT, over the range of the numbers: that of the body's mask, which no card asks for, is the
largest, and OpenVINO's for the TFLite file itself is as large. Of all others: 5e-5 (the mask 2e-4)."""


def role(name: str) -> str:
    return f"{name}_tflite" if name else "tflite"


def ports(graph: Graph) -> tuple[list[Tensor], list[Tensor]]:
    seen = [Tensor(graph.tensors[n].name, graph.tensors[n].shape, picture="NHWC") for n in graph.inputs]
    return seen, [Tensor(graph.tensors[n].name, graph.tensors[n].shape) for n in graph.outputs]


@pytest.mark.parametrize("name", CARDS)
def test_it_is_the_bytes_that_the_card_pins(tflites, name):
    card = find_card(name)
    made = {r: f for r, f in card.files.items() if f.made == "tflite"}
    assert made
    for file in made.values():
        blob = convert.make("tflite", {r: tflites[r] for r in file.of}, card.options)
        assert (len(blob), hashlib.sha256(blob).hexdigest()) == (file.bytes, file.sha256)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_computes_what_litert_computes(tflites, name):
    import cv2

    blob = tflites[role(name)]
    inputs, outputs = ports(read(blob))
    there = LiteRt(blob, inputs, outputs, precision="f32", threads=1)
    here = Onnx(convert.make("tflite", {"file": blob}, {}), inputs, outputs, precision="f32", threads=1)
    size = inputs[0].height_width[::-1]
    photograph = cv2.resize(people.picture(PICTURES.get(name, "astronaut")), size, interpolation=cv2.INTER_AREA)
    for image in (photograph, picture(size, 1)):
        given = {inputs[0].name: image}
        true, found = there.run(given), here.run(given)
        for key, numbers in true.items():
            assert found[key].shape == numbers.shape
            allowed = APART.get(key, 2e-4 if not name else 5e-5) * max(1.0, float(np.ptp(numbers)))
            assert np.abs(found[key] - numbers).max() <= allowed, key


def test_what_no_card_asks_for_can_be_left_out(tflites):
    blob = tflites["body_tflite"]
    inputs, outputs = ports(read(blob))
    image = {"input_1": picture((256, 256), 0)}
    whole = Onnx(convert.make("tflite", {"file": blob}, {}), inputs, outputs, precision="f32", threads=1).run(image)
    less = convert.make("tflite", {"file": blob}, {"unused": ["Identity_2", "Identity_4"]})
    kept = [t for t in outputs if t.name not in ("Identity_2", "Identity_4")]
    found = Onnx(less, inputs, kept, precision="f32", threads=1).run(image)
    assert list(found) == ["Identity", "Identity_1", "Identity_3"]
    assert all(np.abs(found[key] - whole[key]).max() < 1e-2 for key in found)
    assert list(check_onnx.inspect(less, "less").outputs) == list(found), "nothing else is computed"


def test_layers_are_called_as_the_file_calls_them(tflites):
    import onnx

    model = onnx.load_model_from_string(convert.make("tflite", {"file": tflites["hand_tflite"]}, {}))
    named = {name: node.op_type for node in model.graph.node for name in node.output}
    assert named["re_lu_31"] == "Clip" and named["re_lu_31/Conv"] == "Conv" and named["add_7"] == "Add"


def test_the_file_is_read_as_it_stands(tflites):
    graph = read(tflites["tflite"])
    assert [graph.tensors[n].shape for n in graph.inputs] == [(1, 256, 256, 3)]
    assert [graph.tensors[n].name for n in graph.outputs] == ["activation_10"]
    last = next(o for o in graph.operators if o.custom)
    assert last.key == "Convolution2DTransposeBias"
    kernel = graph.tensors[last.inputs[1]]
    assert kernel.shape == (1, 2, 2, 16) and kernel.data is None, "it is widened from float16 by an operator before"


def test_sparse_weights_are_read_densely(tflites):
    graph = read(tflites["far_tflite"])
    sparse = [o.inputs[0] for o in graph.operators if o.code == 124]
    shares = [float((graph.tensors[n].data != 0).mean()) for n in sparse]
    assert len(sparse) == 46 and all(graph.tensors[n].data.shape == graph.tensors[n].shape for n in sparse)
    assert 0.1 < np.mean(shares) < 0.5, "what made it worth writing them sparsely"


@pytest.mark.parametrize("name", ["", "far"])
def test_no_file_that_was_spoilt_ends_in_a_traceback(tflites, name):
    blob = tflites[role(name)]
    rng = np.random.default_rng(1)
    for _ in range(60):
        spoilt = bytearray(blob)
        for place in rng.integers(0, 40_000, 3):
            spoilt[place] ^= int(rng.integers(1, 256))
        with contextlib.suppress(ModelFault):
            convert.make("tflite", {"tflite": bytes(spoilt)}, {})
    for size in (0, 7, 40, 5000, len(blob) // 2):
        with pytest.raises(ModelFault):
            convert.make("tflite", {"tflite": blob[:size]}, {})
