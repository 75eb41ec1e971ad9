"""Hands: joints lie where an eye sees them; a real hand that makes signs is followed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Landmarks
from pleinair.models import load
from pleinair.models.card import find_card
from pleinair.testing import check_model

from .people import HAND, ODD, TASKS, apart, bring, frames, picture


@pytest.fixture(scope="module")
def model(opened):
    return opened("hands", *TASKS, backend="openvino", threads=1)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_joints_lie_where_an_eye_sees_them(weights, backend):
    bring()
    (hand,) = load("hands", backend=backend, precision="f32", threads=1)(picture("hand_pointing"))
    assert len(hand.points) == 21
    assert apart(hand, HAND, (480, 640)) < 30
    assert hand.index_tip.y < hand.index_dip.y < hand.index_pip.y < hand.index_mcp.y
    assert hand.middle_tip.y > hand.middle_pip.y, "the middle finger is folded"
    assert hand.side == "right", "its palm is seen, and its thumb lies to the right"


def test_a_fist_pinches_more_than_a_finger_that_points(model):
    (pointing,), (fist,) = model(picture("hand_pointing")), model(picture("hand_fist"))
    assert pointing.pinch < 0.1 < fist.pinch


def test_mirrored_a_left_hand_is_a_right_one(model):
    image = picture("hand_fist")
    (hand,), (other,) = model(image), model(np.ascontiguousarray(image[:, ::-1]))
    assert {hand.side, other.side} == {"left", "right"}
    assert hand.side_confidence >= 0.5 <= other.side_confidence


def test_two_hands(model):
    both = np.concatenate([picture("hand_pointing"), picture("hand_fist")], 1)
    found = model(both)
    assert sorted(h.index_tip.x > 0.5 for h in found) == [False, True]
    assert len(model(both, most=1)) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_hand_turned_any_way_is_found(model, turns):
    image = np.ascontiguousarray(np.rot90(picture("hand_pointing"), turns))
    (hand,) = model(image)
    height, width = image.shape[:2]
    finger = np.array([hand.index_tip.x - hand.index_mcp.x, hand.index_tip.y - hand.index_mcp.y]) * (width, height)
    points = {1: (-1, 0), 2: (0, 1), 3: (1, 0)}[turns]
    assert finger @ points > 0.9 * np.hypot(*finger)


def test_a_real_hand_is_followed_through_its_signs(model):
    model.reset()
    clip = frames("finger_signs")
    seen = [model(f, t=n / 12, most=1) for n, f in enumerate(clip)]
    assert all(len(found) == 1 for found in seen)
    assert {found[0].number for found in seen} == {1}
    up = [found.index_tip.y < found.index_mcp.y - 0.1 for found in seen]
    assert 0.1 < np.mean(up) < 0.9, "victory and thumb up, in turn"


def test_where_no_hand_is_none_is_found(model, frame):
    for image in (*ODD, frame):
        assert model(image) == Landmarks()


def test_other_weights_are_refused(weights):
    bring()
    card, pose = find_card("hands"), find_card("pose")
    wrong = replace(
        card, files={**card.files, "hand": replace(pose.files["body"], role="hand", of=card.files["hand"].of)}
    )
    for backend in ("onnx", "openvino"):
        with pytest.raises(ModelFault, match="another model's"):
            load(wrong, backend=backend, threads=1).open()


def test_it_behaves_on_stage(weights):
    bring()
    given = {"image": [picture("hand_pointing"), picture("hand_hooked")], "most": [2], "smooth": [0.5]}
    found = check_model(lambda: load("hands", backend="openvino", threads=1), given)
    assert [len(f) for f in found] == [1, 1]
