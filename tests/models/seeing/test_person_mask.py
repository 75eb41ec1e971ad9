"""The mask: people in, room out; steady where it is unsure; what runs it is said where it is missing."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.models import choose, load
from pleinair.testing import check_model

from .people import ODD, TASKS, bring, picture


@pytest.fixture(scope="module")
def model(opened):
    return opened("person_mask", *TASKS, backend="onnx", threads=1)


def test_a_person_is_white_and_the_room_is_black(model):
    mask = model(picture("astronaut"))
    assert mask.shape == (512, 512) and mask.dtype == np.float32
    assert mask[126, 222] > 0.95 and mask[330, 180] > 0.95, "her face, her chest"
    assert mask[100, 350] < 0.05 and mask[200, 450] < 0.05 and mask[30, 20] < 0.05, "wall, shuttle, flag"


def test_mirrored_the_mask_is_mirrored(model):
    image = picture("grace_hopper")
    there, back = model(image), model(np.ascontiguousarray(image[:, ::-1]))[:, ::-1]
    assert np.abs(there - back).mean() < 0.02


def test_any_size_gives_a_mask_of_that_size(model):
    for image in ODD:
        mask = model(image)
        assert mask.shape == image.shape[:2] and mask.min() >= 0 and mask.max() <= 1


def test_only_what_is_unsure_is_steadied(model):
    image = picture("astronaut")
    rng = np.random.default_rng(3)
    noisy = [np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8) for _ in range(8)]

    def flicker(steady: float) -> float:
        model.reset()
        masks = np.array([model(f, t=n / 30, steady=steady) for n, f in enumerate(noisy)])
        return float(np.abs(np.diff(masks, axis=0)).mean())

    assert flicker(0.8) < 0.8 * flicker(0)
    model.reset()
    model(np.zeros_like(image), t=0.0)
    assert model(image, t=0.03, steady=1.0)[126, 222] > 0.9, "who steps in is there at once"


def test_the_state_goes_with_a_tape(model):
    image = picture("astronaut")
    dark = (image * 0.6).astype(np.uint8)
    model.reset()
    model(image, t=0.0)
    state = model.save()
    there = model(dark, t=0.04)
    model.reset()
    model.load(state)
    assert np.array_equal(model(dark, t=0.04), there)
    assert not np.array_equal(model(dark), there)


def test_backends_agree(model):
    image = picture("astronaut")
    other = load("person_mask", backend="openvino", precision="f32", threads=1)
    assert np.abs(model(image) - other(image)).max() < 1e-3
    other.close()


def test_the_machine_chooses_what_agrees(weights):
    choice = choose.decide("person_mask", threads=1)
    assert choice.agreement["psnr_db"] >= 34


def test_it_behaves_on_stage(weights):
    bring()
    given = {"image": [picture("astronaut"), picture("grace_hopper")], "steady": [0.5]}
    check_model(lambda: load("person_mask", backend="onnx", threads=1), given)
