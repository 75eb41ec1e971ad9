"""Figures drawn: what is seen is drawn where it is, what is guessed is not, and nothing that was given is changed."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import paint
from pleinair.core.kinds import Figure, Landmarks
from pleinair.models.seeing import face_points, hands, pose
from pleinair.paint.bones import CHAINS, FACE, chains
from pleinair.paint.face_mesh import edges

BLACK = np.zeros((200, 300, 3), np.uint8)
BLACK.setflags(write=False)


def _body(visibility=(1.0,) * 33) -> Figure:
    rng = np.random.default_rng(5)
    return Figure(rng.uniform(0.1, 0.9, (33, 2)), pose.NAMES, 0.9, visibility=visibility)


def test_every_name_in_the_chains_is_one_of_a_hand_or_a_body():
    known = {*hands.NAMES, *pose.NAMES}
    assert {name for chain in CHAINS for name in chain} <= known
    assert len(chains(hands.NAMES)) >= 6 and len(chains(pose.NAMES)) >= 12
    in_hand = {n for chain in chains(hands.NAMES) for n in chain.tolist()}
    assert in_hand == set(range(21)), "no joint of a hand hangs in the air"


def test_a_bone_is_drawn_from_joint_to_joint():
    points = np.full((33, 2), 0.5)
    places = {n: pose.NAMES.index(n) for n in ("left_shoulder", "left_elbow")}
    points[places["left_shoulder"]], points[places["left_elbow"]] = (0.2, 0.2), (0.2, 0.8)
    figure = Figure(points, pose.NAMES, 1.0, visibility=tuple(float(n in places.values()) for n in range(33)))
    drawn = paint.skeleton(BLACK, [figure], colour="white", joints=None)
    assert drawn[100, 58:62].max() > 128
    assert drawn[:, 75:].max() == 0, "the others are not visible, and not drawn"
    assert BLACK.max() == 0


def test_what_is_guessed_is_left_out():
    sure, guessed = paint.skeleton(BLACK, _body()), paint.skeleton(BLACK, _body((0.1,) * 33))
    assert sure.max() > 0 and guessed.max() == 0


def test_no_figures_leave_the_picture_as_it_is_and_one_may_be_given_alone():
    picture = np.random.default_rng(1).integers(0, 255, (40, 50, 3), np.uint8)
    for draw in (paint.skeleton, paint.mesh):
        assert np.array_equal(draw(picture, Landmarks()), picture)
        assert draw(picture, Landmarks()) is not picture
    assert np.array_equal(paint.skeleton(BLACK, _body()), paint.skeleton(BLACK, Landmarks([_body()])))


def test_a_face_has_lines_and_a_net_and_a_hand_has_no_net():
    rng = np.random.default_rng(2)
    face = Figure(rng.uniform(0.2, 0.8, (468, 3)), face_points.NAMES, 1.0)
    hand = Figure(rng.uniform(0.2, 0.8, (21, 3)), hands.NAMES, 1.0)
    assert (paint.mesh(BLACK, face) > 0).sum() > (paint.skeleton(BLACK, face) > 0).sum() > 0
    assert paint.mesh(BLACK, hand).max() == 0


def test_the_net_joins_every_point_and_is_no_thicket():
    net = edges()
    assert net.shape == (1339, 2) and net.max() == 467 and (net[:, 0] < net[:, 1]).all()
    assert len(np.unique(net, axis=0)) == len(net)
    assert set(net.ravel().tolist()) == set(range(468))
    assert {n for chain in FACE for n in chain} <= set(range(468))


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (7, 3)])
def test_any_picture_and_any_place_will_do(size):
    far = Figure(np.array([[1e6, -1e6]] * 33), pose.NAMES, 1.0)
    for figure in (_body(), far):
        assert paint.skeleton(np.zeros((*size, 3), np.uint8), figure).shape == (*size, 3)


def test_what_is_no_landmarks_is_said():
    with pytest.raises(ValueError, match="landmarks are a list of Figure"):
        paint.skeleton(BLACK, "hands")
