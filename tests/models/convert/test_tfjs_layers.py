"""Layers models of TensorFlow.js, held against what it gave itself (tfjs 4.22 under Node, saved by its own `save`)."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert
from pleinair.models.convert.tfjs_layer_kinds import LAYERS

TRUTH = json.loads((Path(__file__).parent / "tfjs_layers_truth.json").read_text())


def made(which: str, change=None) -> bytes:
    model = copy.deepcopy(TRUTH[which]["model"])
    if change:
        change(model)
    weights = base64.b64decode(TRUTH[which]["weights"])
    return convert.make("tfjs", {"graph": json.dumps(model).encode(), "weights": weights}, {})


def picture(side: int) -> np.ndarray:
    """The same numbers as the script that made the truth: -1..1."""
    count = np.arange(side * side * 3)
    return ((count * 7919 % 256).astype(np.float32) / np.float32(127) - 1).reshape(1, side, side, 3)


@pytest.mark.parametrize("which", ["many", "teachable"])
def test_it_gives_what_tensorflow_js_gives(which):
    import onnxruntime

    session = onnxruntime.InferenceSession(made(which))
    (taken,) = session.get_inputs()
    found = session.run(None, {taken.name: picture(TRUTH[which]["side"])})
    assert len(found) == len(TRUTH[which]["outputs"])
    for port, row, wanted in zip(session.get_outputs(), found, TRUTH[which]["outputs"], strict=True):
        assert port.shape == [1, len(wanted)]
        np.testing.assert_allclose(row.reshape(-1), wanted, atol=1e-6)


def test_most_layers_are_in_the_truth():
    text = json.dumps(TRUTH)
    assert {kind for kind in LAYERS if f'"class_name": "{kind}"' not in text} <= {
        "BatchNormalizationV1", "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise",
        "SpatialDropout2D", "Minimum", "Subtract", "Rescaling",
    }  # fmt: skip


def test_the_same_bytes_each_time():
    assert made("teachable") == made("teachable")


def layers_of(model: dict) -> list:
    return model["modelTopology"]["config"]["layers"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: layers_of(m)[1].update(class_name="LSTM"), 'its layer "LSTM"'),
        (lambda m: layers_of(m)[1]["config"].update(data_format="channels_first"), "its channels first"),
        (lambda m: layers_of(m)[1]["config"].update(activation="mine"), 'the activation "mine"'),
        (lambda m: layers_of(m)[1].update(inbound_nodes=[{"args": []}]), "as Keras 3 writes it"),
        (lambda m: layers_of(m)[1]["config"].update(name="other"), 'the weights "other/kernel" are missing'),
        (lambda m: m["modelTopology"].update(class_name="Custom"), 'it is a "Custom"'),
        (lambda m: m["modelTopology"]["config"].update(output_layers=[["none", 0, 0]]), "not laid out"),
        (lambda m: layers_of(m).extend([layers_of(m)[0]] * 10_001), "more than 10000 layers"),
        (lambda m: m.update(format="something"), "can be read"),
        (lambda m: m["weightsManifest"][0]["weights"].pop(), "are spoken of"),
    ],
)
def test_what_is_not_known_or_not_whole_is_a_sentence(change, why):
    with pytest.raises(ModelFault) as caught:
        made("many", change)
    assert why in caught.value.what, caught.value.what


def test_models_in_models_without_end():
    def deep(model):
        inner = {"class_name": "Sequential", "config": {"name": "s", "layers": layers_of(model)[:1]}}
        for _ in range(40):
            inner = {"class_name": "Sequential", "config": {"name": "s", "layers": [inner]}}
        model["modelTopology"] = inner

    with pytest.raises(ModelFault, match="nested in it without end"):
        made("many", deep)
