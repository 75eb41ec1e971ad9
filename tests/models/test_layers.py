"""What can be bent in a model, and what each layer does."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import load
from pleinair.core.errors import ModelFault
from pleinair.models.layers import layers_of, played
from pleinair.models.testcard import picture

SIZE = (64, 48)


def test_the_layers_of_a_painter_with_their_shapes(weights):
    found = {layer.name: layer for layer in layers_of("multistyle26", SIZE)}
    assert found["contract.0/Relu"].shape == (1, 32, 48, 64) and found["Add_2"].op == "Add"
    assert all(layer.role == "network" for layer in found.values())


def test_a_card_of_two_networks_names_the_role(weights):
    assert {layer.role for layer in layers_of("anystyle", SIZE)} == {"predict", "transform"}


def test_each_layer_does_something_else(weights):
    image = picture(SIZE, 0)
    layers = [x for x in layers_of("multistyle26", SIZE) if x.name in ("contract.2/Relu", "expand.0/Relu")]
    still = load("multistyle26", backend="onnx", size=SIZE)(image).astype(int)
    seen = [pictures for _, pictures in played("multistyle26", image, layers, SIZE)]
    assert all(np.abs(p - still).mean() > 1 for pictures in seen for p in pictures.values())
    assert np.abs(seen[0]["scale"].astype(int) - seen[1]["scale"]).mean() > 1


def test_a_clip_has_no_layers():
    with pytest.raises(ModelFault, match="clip"):
        layers_of("bigbuckbunny")
