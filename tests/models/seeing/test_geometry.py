"""Anchors, crops and the 1 euro filter, by their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pleinair.models.seeing import anchors, crops
from pleinair.models.seeing.crops import Crop
from pleinair.models.seeing.euro import OneEuro


def test_the_grids_have_as_many_anchors_as_the_networks_have_rows():
    assert anchors.centres(128, (8, 16, 16, 16)).shape == (896, 2)
    assert anchors.centres(192, (8, 16, 16, 16)).shape == (2016, 2)
    assert anchors.centres(224, (8, 16, 32, 32, 32)).shape == (2254, 2)
    assert anchors.centres(192, (4,), 1).shape == (2304, 2)


def test_anchors_stand_in_the_middle_of_their_cells_row_by_row():
    grid = anchors.centres(128, (8, 16, 16, 16))
    assert grid[0].tolist() == grid[1].tolist() == [0.5 / 16, 0.5 / 16]
    assert grid[2].tolist() == [1.5 / 16, 0.5 / 16]
    assert grid[32].tolist() == [0.5 / 16, 1.5 / 16]
    assert (grid[512:518] == 0.5 / 8).all(), "six of three layers in one place"


def _raw(*boxes):
    grid = anchors.centres(128, (64,), 1)  # 2 x 2
    raw, logits = np.zeros((4, 6), np.float32), np.full((4, 1), -50, np.float32)
    for place, values, logit in boxes:
        raw[place], logits[place] = values, logit
    return anchors.decode(raw, logits, grid, 128, 0.5)


def test_a_box_is_told_from_its_anchor():
    found = _raw((3, (0, 12.8, 25.6, 51.2, -12.8, 0), 2.0))
    assert found.scores.tolist() == pytest.approx([1 / (1 + math.exp(-2))])
    assert found.boxes[0] == pytest.approx([0.65, 0.65, 0.85, 1.05])
    assert found.points[0, 0] == pytest.approx([0.65, 0.75])


def test_boxes_of_one_thing_are_averaged_by_their_scores_and_others_stay():
    found = _raw((0, (0, 0, 64, 64, 0, 0), 3.0), (1, (-60, 0, 64, 64, -60, 0), 0.5), (3, (0, 0, 64, 64, 0, 0), 1.0))
    assert len(found) == 2
    a, b = 1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-0.5))
    assert found.points[0, 0, 0] == pytest.approx((0.25 * a + (0.75 - 60 / 128) * b) / (a + b), abs=1e-6)
    assert found.scores[0] == pytest.approx(a) and found.scores[1] < a


def test_nothing_sure_is_nothing_and_odd_numbers_are_left_out():
    assert len(_raw()) == 0 and _raw().points.shape == (0, 1, 2)
    assert len(_raw((0, (0, 0, -64, 64, 0, 0), 3.0), (1, (np.nan, 0, 64, 64, 0, 0), 3.0))) == 0


def test_overlap_is_intersection_over_union():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 0, 0]], float)
    assert anchors.overlap(boxes, boxes[0]) == pytest.approx([1, 1 / 7, 0, 0])


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, math.pi])
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_cut_out_is_put_back_where_it_was(angle, mirrored):
    """A white spot in the picture: where the crop shows it is where `back` says it came from."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[88:93, 118:123] = 255  # its middle: pixel (120, 90)
    crop = Crop(130, 80, 80, 80, angle)
    small = crops.cut(image, crop, (160, 160), mirrored=mirrored)
    rows, columns = np.nonzero(small[..., 0] > 128)
    spot = np.array([[columns.mean() / 160, rows.mean() / 160]])
    place = crops.back(spot, crop, (300, 200), mirrored=mirrored)[0] * (300, 200)
    assert place == pytest.approx([120, 90], abs=0.6)


def test_beyond_the_edge_lies_the_edge_or_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    outside = Crop(30, 5, 10, 10)
    assert (crops.cut(image, outside, (4, 4)) == 200).all()
    assert (crops.cut(image, outside, (4, 4), edge=False) == 0).all()


def test_a_picture_is_seen_whole_with_margins():
    assert crops.whole((640, 480), (128, 128)) == Crop(320, 240, 640, 640)
    assert crops.whole((100, 400), (128, 64)) == Crop(50, 200, 800, 400)


def test_angles_are_those_between_a_line_and_where_it_should_point():
    middle = np.zeros(2)
    assert crops.angle_of(middle, np.array([1, 0])) == 0
    assert crops.angle_of(middle, np.array([0, 1])) == pytest.approx(math.pi / 2), "down: a quarter turn clockwise"
    assert crops.angle_of(middle, np.array([0, -1]), math.pi / 2) == pytest.approx(0)


def test_a_square_grows_and_moves_along_its_own_up():
    grown = Crop(10, 10, 4, 8, math.pi / 2).grown(2.0, up=0.5)
    assert (grown.x, grown.y, grown.w, grown.h) == pytest.approx((14, 10, 16, 16)), "turned right, its up is right"


def test_the_turned_box_of_a_turned_rectangle_is_that_rectangle():
    cos, sin = math.cos(0.5), math.sin(0.5)
    corners = np.array([[-20, -5], [20, -5], [20, 5], [-20, 5]]) @ np.array([[cos, sin], [-sin, cos]]) + (50, 60)
    crop = crops.turned_around(corners, 0.5)
    assert (crop.x, crop.y, crop.w, crop.h) == pytest.approx((50, 60, 40, 10))


def test_the_filter_is_that_of_the_paper():
    """Two steps by hand: the speed with alpha of 1 Hz, the value with alpha of 0.5 Hz + 20 x speed."""
    dt, first, then = 0.1, np.array([1.0]), np.array([1.4])
    calm = OneEuro()
    assert calm(first, 0.0, 2.0, 0.5) == first
    alpha = lambda hz: 1 / (1 + 1 / (2 * math.pi * hz * dt))  # noqa: E731
    speed = alpha(1.0) * (0.4 / (2.0 * dt))
    assert calm(then, dt, 2.0, 0.5) == pytest.approx(1 + alpha(0.5 + 20 * speed) * 0.4)


def test_it_stills_what_rests_and_keeps_up_with_what_moves():
    noise = np.random.default_rng(1).normal(0, 0.002, 300)
    rest, calm = [], OneEuro()
    for n in range(300):
        rest.append(float(calm(np.array([0.5 + noise[n]]), n / 30, 1.0, 0.5)[0]))
    assert np.std(rest[30:]) < 0.5 * np.std(noise[30:])
    calm = OneEuro()
    for n in range(60):
        out = calm(np.array([n / 30.0]), n / 30, 1.0, 0.5)  # one size a second
    assert out[0] == pytest.approx(59 / 30, abs=0.03)


def test_smooth_0_changes_nothing_and_the_same_time_again_gives_the_same():
    calm, values = OneEuro(), np.random.default_rng(2).normal(size=(5, 3))
    for n, row in enumerate(values):
        assert np.array_equal(calm(row, n / 30, 1.0, 0.0), row)
    assert np.array_equal(calm(values[0], 4 / 30, 1.0, 0.5), values[4])


def test_its_state_goes_on_where_it_was():
    values, one = np.random.default_rng(3).normal(size=(9, 4)), OneEuro()
    whole = [one(v, n / 30, 1.0, 0.6) for n, v in enumerate(values)]
    half, other = OneEuro(), OneEuro()
    for n, v in enumerate(values[:5]):
        half(v, n / 30, 1.0, 0.6)
    other.load(half.save())
    assert np.array_equal(other(values[5], 5 / 30, 1.0, 0.6), whole[5])
