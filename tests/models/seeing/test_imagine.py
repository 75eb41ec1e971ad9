"""Imagine: a closed smooth walk that is the same everywhere, through the shelf's generator or one of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.testing import check_model

from .tiny import average_colour, card_of, two_colours


@pytest.fixture(scope="module")
def model(opened):
    return opened("imagine", backend="onnx", threads=1)


def test_a_picture_is_the_one_that_torch_makes(model):
    """Of a ramp of 100 numbers, as the package's Generator gives it with these weights under torch 2.14."""
    found = model(latent=np.linspace(-1.5, 1.5, 100, dtype=np.float32))
    assert found.shape == (64, 64, 3) and found.dtype == np.uint8
    wanted = [
        [93, 182, 167, 119, 153, 149, 111, 92, 99], [118, 161, 141, 135, 122, 120, 68, 84, 100],
        [153, 155, 127, 162, 110, 107, 61, 80, 99],
    ]  # fmt: skip
    assert np.abs(found[10::20, 12::20].reshape(9, 3).T.astype(int) - wanted).max() <= 1


def test_the_walk_is_closed_and_has_no_corners(model):
    places = np.array([model.latent(p, seed=4) for p in np.linspace(0, 1, 401)])
    assert np.abs(places[0] - places[-1]).max() < 1e-9
    steps = np.diff(places, axis=0)
    speed = np.linalg.norm(steps, axis=1)
    bend = np.linalg.norm(np.diff(steps, axis=0), axis=1)
    assert speed.max() < 4 * speed.min() and bend.max() < 0.1 * speed.mean()
    assert np.array_equal(model(position=0.25), model(position=3.25))


def test_every_place_is_as_likely_as_what_the_generator_learnt_with(model):
    """Mean 0 and variance 1 over many loops, at any place and however far it wanders."""
    for wander in (0.0, 0.5, 1.0):
        rows = np.concatenate([model.latent(0.37, wander, seed) for seed in range(200)])
        assert abs(rows.mean()) < 0.03 and rows.var() == pytest.approx(1, abs=0.04)


def test_the_same_seed_is_the_same_loop_for_ever(model):
    """The numbers that this loop had when it was written: a piece from then shows the same faces."""
    assert model.latent(0.1, 0.8, 7)[:4].tolist() == pytest.approx(FIRST, abs=1e-9)
    assert not np.allclose(model.latent(0.1, 0.8, 8), model.latent(0.1, 0.8, 7), atol=0.5)


FIRST = [-0.1634732151, 0.3267896227, -1.6915223244, -0.9863934235]


def test_knobs_do_what_they_say(model):
    home = model(position=0.1, wander=0, seed=3)
    assert np.array_equal(home, model(position=0.6, wander=0, seed=3))
    near, far = ([model(position=p, wander=w, seed=3).astype(int) - home for p in (0.2, 0.7)] for w in (0.2, 1))
    assert max(np.abs(d).mean() for d in near) < min(np.abs(d).mean() for d in far)
    grey = model(position=0.1, truncation=0, seed=3)
    assert np.array_equal(grey, model(position=0.9, truncation=0, seed=5)), "the average has no loop"


def test_backends_agree(model):
    other = load("imagine", backend="openvino", threads=1)
    assert np.abs(other(position=0.3).astype(int) - model(position=0.3)).max() <= 1


def test_it_behaves_on_stage(weights):
    row = np.zeros(0, np.float32)
    given = {"position": [0.0, 0.4], "wander": [1.0], "truncation": [1.0], "seed": [0.0, 2.0], "latent": [row]}
    check_model(lambda: load("imagine", backend="onnx", threads=1), given)


PORTS = '\n[ports]\nposition = "Control"\nlatent = "Vector"\ntruncation = "Control"\n'


@pytest.mark.parametrize(("range_", "red"), [("0..1", 64), ("-1..1", 159), ("0..255", 0)])
def test_a_generator_of_ones_own_in_its_own_range(tmp_path, home, range_, red):
    card = card_of(tmp_path, "imagine", {"network": two_colours(6, 16)}, f'range = "{range_}"', rest=PORTS)
    found = load(card, backend="onnx")(latent=[0.25, 9, 0, 0, 0, 0])
    assert found.shape == (16, 16, 3)
    assert found[3, 5].tolist() == [red, 255 if range_ != "0..255" else 9, 128 if range_ == "-1..1" else 0]


def test_what_does_not_fit_is_said_with_a_sentence(model, tmp_path, home):
    with pytest.raises(ValueError, match="latent is 100 numbers, and these are 3"):
        model(latent=[1, 2, 3])
    with pytest.raises(ModelFault, match="its own size only"):
        load(card_of(tmp_path, "imagine", {"network": two_colours(6, 16)}), size=(320, 240), backend="onnx")
    with pytest.raises(ModelFault, match="is no generator"):
        load(card_of(tmp_path, "imagine", {"network": average_colour((8, 8))}), backend="onnx").open()
