"""Bent layers: nothing happens at rest, something does when a knob turns, the same on every backend and each time."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import load
from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Control, Image, Vector
from pleinair.models import graphs, store
from pleinair.models.bend import check_bendable, read_bends, read_tap
from pleinair.models.card import find_card
from pleinair.models.layers import layers_of
from pleinair.models.testcard import picture

from .seeing import people

SIZE = (96, 64)
LAYER = "expand.0/Relu"


@pytest.fixture(scope="module")
def image():
    return picture(SIZE, 1)


@pytest.fixture(scope="module")
def plain(weights):
    return load("multistyle26", backend="onnx", size=SIZE)


@pytest.fixture(scope="module")
def bent(weights):
    return load("multistyle26", backend="onnx", size=SIZE, bend={"swirl": LAYER})


def apart(a, b) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def test_at_rest_nothing_is_bent(plain, bent, image):
    assert np.array_equal(bent(image), plain(image))
    assert list(bent.ports)[-4:] == ["swirl_scale", "swirl_shift", "swirl_noise", "swirl_drift"]
    assert all(bent.ports[f"swirl_{what}"] is Control for what in ("scale", "shift", "noise", "drift"))


@pytest.mark.parametrize("turned", [{"swirl_scale": -1}, {"swirl_noise": 0.2}, {"swirl_scale": 0}])
def test_a_turned_knob_is_seen_and_let_go_is_gone(plain, bent, image, turned):
    assert apart(bent(image, **turned), plain(image)) > 5
    assert np.array_equal(bent(image), plain(image))


def test_the_random_field_turns_and_comes_back_to_where_it_began(bent, image):
    at = [bent(image, swirl_noise=0.2, swirl_drift=d) for d in (0, 0.25, 1.0)]
    assert apart(at[0], at[1]) > 5 and apart(at[0], at[2]) < 0.5


def test_two_loads_bend_alike_and_another_seed_does_not(bent, image, weights):
    again = load("multistyle26", backend="onnx", size=SIZE, bend={"swirl": LAYER})
    other = load("multistyle26", backend="onnx", size=SIZE, bend={"swirl": {"layer": LAYER, "seed": 2}})
    here = bent(image, swirl_noise=0.2, swirl_scale=2)
    assert np.array_equal(again(image, swirl_noise=0.2, swirl_scale=2), here)
    assert apart(other(image, swirl_noise=0.2, swirl_scale=2), here) > 2


def test_openvino_bends_as_onnx_runtime_does(bent, image, weights):
    other = load("multistyle26", backend="openvino", size=SIZE, bend={"swirl": LAYER})
    for turned in ({"swirl_scale": -1}, {"swirl_noise": 0.1, "swirl_shift": 0.5}):
        error = np.square(other(image, **turned).astype(float) - bent(image, **turned)).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 40


def test_two_layers_are_two_instruments(image, weights):
    model = load("multistyle26", backend="onnx", size=SIZE, bend={"a": "contract.2/Relu", "b": {"layer": LAYER}})
    still = model(image)
    assert apart(model(image, a_scale=0), still) > 1 and apart(model(image, b_scale=0), still) > 1
    assert apart(model(image, a_scale=0), model(image, b_scale=0)) > 1


def test_the_other_painter_is_bent_in_its_own_network(image, weights):
    names = [layer.name for layer in graphs.layers(graphs.read(store.read(find_card("anystyle"), "transform")))]
    table = {"deep": {"layer": names[len(names) // 2], "role": "transform"}}
    model = load("anystyle", backend="onnx", size=SIZE, bend=table)
    assert apart(model(image, deep_noise=1), model(image)) > 1


def test_a_tapped_layer_comes_out_as_a_picture_or_as_a_row(image, weights):
    shown = load("multistyle26", backend="onnx", size=SIZE, tap=LAYER)
    sheet = Image.check(shown(image))
    assert shown.kind is Image and sheet.std() > 10
    row = load("multistyle26", backend="onnx", size=SIZE, tap={"layer": "Add_3", "as": "vector"})
    assert row.kind is Vector and Vector.check(row(image)).shape == (32,)


@pytest.mark.parametrize("table, says", [
    ({"a": "expand.0/Rellu"}, "no layer"), ({"a": {"layer": LAYER, "chanels": 1}}, "chanels"),
    ({"a": 5}, "names no layer"), ({"a b": LAYER}, "name of ports"),
    ({"a": {"layer": LAYER, "channels": 0}}, "channels"),
    ({"a": {"layer": LAYER, "channels": [999]}}, "channels, and 999"),
    ({"a": {"layer": LAYER, "role": "x"}}, 'no network "x"'),
    ({"a": {"layer": LAYER, "seed": -1}}, "seed"), ({"a": {"layer": LAYER, "grain": 0}}, "grain"),
])  # fmt: skip
def test_a_slip_is_a_sentence(weights, table, says):
    with pytest.raises(ModelFault, match=says):
        load("multistyle26", backend="onnx", size=SIZE, bend=table).open()


def test_a_misspelt_layer_says_what_was_meant(weights):
    with pytest.raises(ModelFault) as caught:
        load("multistyle26", backend="onnx", size=SIZE, bend={"a": "expand.0/Rellu"}).open()
    assert "expand.0/Relu" in caught.value.hint


def test_what_describe_says_can_be_loaded_again(bent, image):
    said = bent.describe()["bent"]
    again = load("multistyle26", backend="onnx", size=SIZE, **said)
    assert np.array_equal(again(image, swirl_scale=2), bent(image, swirl_scale=2))
    assert read_bends(said["bend"]) == read_bends({"swirl": LAYER}) and read_tap(None) is None


def test_the_layers_are_listed_in_the_order_of_computing(weights):
    found = [layer.name for layer in graphs.layers(graphs.read(store.read(find_card("multistyle26"), "network")))]
    assert found.index("contract.0/Relu") < found.index("Add_2") < found.index("expand.1/Relu")


@pytest.fixture(scope="module")
def hand(weights):
    people.bring()
    return people.picture("hand_pointing")


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_hand_is_bent_and_at_rest_it_is_the_same_to_the_bit(hand, backend):
    """Read from TFLite at fetch: the numbers at rest are those of the plain network, not of another form of it."""
    plain = load("hands", backend=backend, threads=1)
    bent = load("hands", backend=backend, threads=1, bend={"grow": {"layer": "re_lu_17", "channels": 1.0}})
    (here,), (there,) = plain(hand), bent(hand)
    assert np.array_equal(here.points, there.points)
    (moved,) = bent(hand, grow_scale=0.8)
    assert 0.005 < np.abs(moved.points[:, :2] - here.points[:, :2]).mean() < 0.5
    assert np.array_equal(bent(hand)[0].points, here.points)


def test_a_layer_is_found_in_whichever_network_has_it(hand):
    with pytest.raises(ModelFault, match='"near" and "far" of the card both have') as fault:
        load("faces", backend="onnx", bend={"a": "activation_3"}).open()
    assert 'role = "near"' in fault.value.hint and 'role = "far"' in fault.value.hint
    with pytest.raises(ModelFault, match='no layer "re_lu_99"'):
        load("hands", backend="onnx", bend={"a": "re_lu_99"}).open()
    with pytest.raises(ModelFault, match='no network "network"') as fault:
        load("hands", backend="onnx", bend={"a": {"layer": "re_lu_3", "role": "network"}}).open()
    assert 'role = "palm" or role = "hand"' in fault.value.hint


def test_a_tapped_layer_is_silent_where_its_network_has_nothing_to_look_at(hand):
    model = load("hands", backend="onnx", tap={"layer": "re_lu_31", "as": "vector"})
    seen, nobody = model(hand), model(np.zeros_like(hand))
    assert seen.shape == nobody.shape == (1152,) and seen.max() > 0 and not nobody.any()


@pytest.mark.parametrize("card, why", [
    ("chat", "GGUF"), ("whisper-base", "CTranslate2"), ("flow", "no network"), ("bigbuckbunny", "a clip"),
])  # fmt: skip
def test_what_cannot_be_bent_says_why(card, why):
    with pytest.raises(ModelFault, match=why) as fault:
        check_bendable(find_card(card))
    assert fault.value.hint
    with pytest.raises(ModelFault):
        layers_of(card)
