"""Picture features: the numbers that torch gives, near for pictures alike, and any network of one's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.testcard import picture
from pleinair.testing import check_model

from .tiny import average_colour, card_of


@pytest.fixture(scope="module")
def model(opened):
    return opened("picture_features", backend="onnx", threads=1)


def test_the_numbers_are_those_of_the_published_network(model):
    """Of the built-in picture, as the package efficientnet-lite-pytorch 0.1.0 gives them with these weights under
    torch 2.14 (the mean of extract_features over the picture; largest difference of 1280 numbers 6e-6)."""
    found = model(picture((224, 224), 0))
    assert found.shape == (1280,) and found.dtype == np.float32
    length = 16.936415
    assert np.argsort(-found)[:6].tolist() == [707, 1157, 783, 834, 868, 42]
    assert found[[707, 1157, 783]] * length == pytest.approx([3.8176, 3.2959, 3.2077], abs=2e-4)
    assert (found[::160] * length).tolist() == pytest.approx([0, 0.3106, 0.4736, 0.6, 0, 0, 0, 0], abs=2e-4)
    assert float((found > 0).sum()) == 663
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_pictures_alike_are_near(model, frame):
    darker = cv2.convertScaleAbs(frame[:, 40:], alpha=0.85)
    mirrored = np.ascontiguousarray(frame[:, ::-1])
    other = picture((320, 240), 3)
    own = model(frame)
    near, flipped, far = own @ model(darker), own @ model(mirrored), own @ model(other)
    assert min(near, flipped) > 0.8 > far + 0.2


def test_the_middle_is_looked_at_and_never_squeezed(model, frame):
    """720 x 1280: what lies left and right of the middle square makes no difference."""
    changed = frame.copy()
    changed[:, :280] = 0
    changed[:, 1000:] = 255
    assert np.array_equal(model(frame), model(changed))


def test_backends_agree(model, frame):
    other = load("picture_features", backend="openvino", threads=1)
    assert other(frame) @ model(frame) > 0.9999


def test_it_behaves_on_stage(weights, frame):
    check_model(lambda: load("picture_features", backend="onnx", threads=1), {"image": [frame, frame[::-1]]})


def test_a_network_of_ones_own_with_other_ranges(tmp_path, home):
    """A network that averages its picture: what comes out is what went in, as the card's range says."""
    image = np.full((10, 20, 3), (255, 127, 0), np.uint8)
    for options, wanted in {
        'range = "0..1"': [1, 127 / 255, 0],
        'range = "-1..1"': [1, -0.5 / 127.5, -1],
        "mean = [255.0, 127.0, 1.0]\nscale = 2.0": [0, 0, -0.5],
        "bgr = true": [0, 127 / 255, 1],
    }.items():
        files = {"network": average_colour((8, 8))}
        card = card_of(tmp_path, "picture_features", files, options + "\nunit = false", (8, 8))
        assert load(card, backend="onnx")(image).tolist() == pytest.approx(wanted, abs=1e-6), options


def test_what_does_not_fit_is_said_with_a_sentence(tmp_path, home):
    card = card_of(tmp_path, "picture_features", {"network": average_colour((8, 8))}, 'range = "0..2"', (8, 8))
    with pytest.raises(ModelFault, match='no range "0..2"'):
        load(card, backend="onnx").open()
    card = card_of(tmp_path, "picture_features", {"network": average_colour((8, 8))}, 'output = "names"', (8, 8))
    with pytest.raises(ModelFault, match="names is no output"):
        load(card, backend="onnx").open()
