"""What can be bent in a model, and what each layer does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair import load
from pleinair.cli.layers import TILE, write_sheet
from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Sound
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.models.layers import layers_of, played
from pleinair.models.testcard import picture

from .seeing import people

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


def test_the_layers_of_what_looks_for_hands(weights):
    people.bring()
    found = layers_of("hands")
    assert {layer.role for layer in found} == {"palm", "hand"}
    assert ("re_lu_31", "hand", (1, 1152, 7, 7)) in {(x.name, x.role, x.shape) for x in found}


def test_a_sheet_of_a_model_that_draws_nothing_shows_what_it_finds(weights, tmp_path, capsys):
    people.bring()
    people.picture("hand_pointing")
    layers = [x for x in layers_of("hands") if x.name in ("re_lu_17", "re_lu_20")]
    write_sheet(find_card("hands"), layers, tmp_path / "sheet.png")
    page = cv2.imread(str(tmp_path / "sheet.png"))
    tiles = [page[16 : 16 + TILE[1], 24 : 24 + TILE[0]], page[16 : 16 + TILE[1], 48 + 2 * TILE[0] :][:, : TILE[0]]]
    assert page.shape[1] > 4 * TILE[0] and (tiles[0] > 200).mean() > 0.005, "a skeleton in white"
    assert np.abs(tiles[0].astype(int) - tiles[1]).mean() > 0.5, "bent, it is another one"


def test_a_clip_has_no_layers():
    with pytest.raises(ModelFault, match="clip"):
        layers_of("bigbuckbunny")


@pytest.mark.parametrize("name", ["pitch", "people", "hibari"])
def test_layers_of_networks_that_reckon_with_whole_numbers_too(name):
    """Their sums of whole numbers are no layers; the others are, and are numbers of float32."""
    fetch([name])
    found = layers_of(name)
    assert found and all(len(layer.shape) >= 2 for layer in found)


def test_what_has_no_length_of_its_own_can_be_bent():
    """A layer is as long as the sound: the noise is the same along it, and the channels are the other side."""
    fetch(["pitch"])
    model = load("pitch", bend={"swirl": "v208"}, backend="onnx")
    for seconds in (0.5, 1.3):
        wave = 0.3 * np.sin(2 * np.pi * 220 * np.arange(round(16_000 * seconds)) / 16_000)
        sound = Sound(wave[:, None].astype(np.float32), 16_000)
        (still,) = model(sound)
        bent = [figure.hz for figure in model(sound, swirl_scale=0.0, swirl_noise=1.0)]
        assert abs(still.hz - 220) < 3 and bent != [still.hz]
    model.close()
