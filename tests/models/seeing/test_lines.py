"""Lines: what is drawn is found, with its places, its length and its angle; ends stay in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Landmarks
from pleinair.models import load
from pleinair.models.seeing.lines import inside, ranked, segments_of
from pleinair.testing import check_model

LEFT, RIGHT, WINDOW = ((120, 80), (360, 60), (360, 300), (120, 280)), ((360, 60), (520, 100), (520, 260), (360, 300)), (
    (180, 130), (260, 130), (260, 220), (180, 220),
)  # fmt: skip
"""Two sides of a house and a window, in a picture of 640 x 360."""
EDGES = [pair for quad in (LEFT, RIGHT, WINDOW) for pair in zip(quad, (*quad[1:], quad[0]), strict=True)]
SURE = [edge for edge in EDGES if edge not in ((LEFT[1], LEFT[2]), (RIGHT[3], RIGHT[0]), (LEFT[3], LEFT[0]))]
"""Those that the network is sure of: the outer edges and the window's."""


@pytest.fixture(scope="module")
def model(opened):
    return opened("lines", backend="openvino", threads=1)


@pytest.fixture(scope="module")
def drawing() -> np.ndarray:
    image = np.full((360, 640, 3), (190, 200, 210), np.uint8)
    for quad, colour in ((LEFT, (90, 60, 50)), (RIGHT, (140, 100, 80)), (WINDOW, (230, 230, 200))):
        cv2.fillPoly(image, [np.array(quad)], colour, cv2.LINE_AA)
    image = cv2.GaussianBlur(image, (3, 3), 0)
    image.setflags(write=False)
    return image


def apart(figure, line) -> float:
    """The larger distance of two ends, in pixels of the drawing."""
    found = figure.points[:, :2] * [640, 360]
    return min(np.abs(found - np.array(ends)).max() for ends in (line, line[::-1]))


def test_the_edges_of_a_house_are_found_where_they_were_drawn(model, drawing):
    found = model(drawing)
    off = []
    for line in SURE:
        best = min(found, key=lambda f: apart(f, line))
        wide, high = np.subtract(line[1], line[0])
        assert apart(best, line) < 12, f"{line}: nearest {best.points[:, :2] * [640, 360]}"
        assert best.length == pytest.approx(np.hypot(wide, high) / 360, abs=0.07)
        turned = abs(best.angle - np.degrees(np.arctan2(-high, wide)) % 180)
        assert min(turned, 180 - turned) < 1.5
        off.append(best.points[:, :2].mean(0) * [640, 360] - np.mean(line, 0))
    assert np.abs(np.mean(off, 0)).max() < 1, "all lines lie to one side of where they are"


def test_nothing_is_found_that_was_not_drawn(model, drawing):
    blank = np.full((360, 640, 3), 235, np.uint8)
    assert len(model(blank)) == 0
    for figure in model(drawing):
        middle = figure.points[:, :2].mean(0) * [640, 360]
        assert min(_distance(middle, line) for line in EDGES) < 5


def _distance(place, line) -> float:
    a, b = np.array(line, float)
    along = np.clip(np.dot(place - a, b - a) / np.dot(b - a, b - a), 0, 1)
    return float(np.hypot(*(place - a - along * (b - a))))


def test_the_surest_come_first_and_knobs_leave_out_what_they_say(model, frame):
    found = model(frame, sure=0.05, shortest=0.0)
    assert len(found) > 10
    sure = [f.confidence for f in found]
    assert sure == sorted(sure, reverse=True)
    assert {f.confidence >= 0.4 for f in model(frame, sure=0.4)} <= {True}
    long = model(frame, sure=0.05, shortest=0.2)
    assert all(f.length >= 0.2 for f in long) and len(long) == sum(f.length >= 0.2 for f in found)


def test_starts_are_left_ends_and_all_ends_lie_inside(model, frame):
    for figure in model(frame, sure=0.05):
        assert (figure.start.x, figure.start.y) <= (figure.end.x, figure.end.y)
        assert figure.points[:, :2].min() >= 0 and figure.points[:, :2].max() <= 1


def test_a_segment_that_leaves_the_picture_keeps_its_slope():
    ends = [[-0.5, 0.5, 0.5, 0.5], [0.2, -1.0, 0.4, 1.0], [1.2, 0.1, 1.4, 0.9], [0.3, 0.3, 0.3, 2.0]]
    cut = inside(np.array(ends, np.float32))
    assert cut[0] == pytest.approx([0, 0.5, 0.5, 0.5])
    assert cut[1] == pytest.approx([0.3, 0, 0.4, 1])
    assert np.isnan(cut[2]).all()
    assert cut[3] == pytest.approx([0.3, 0.3, 0.3, 1])


def test_maps_become_segments_as_in_the_paper():
    """The middle of a line in the middle of its cell, and two displacements from there."""
    scores, offsets = np.zeros((8, 16), np.float32), np.zeros((8, 16, 4), np.float32)
    scores[4, 6], offsets[4, 6] = 0.9, [-4, 0, 4, 2]
    ends, sure = segments_of(scores, offsets, 0.15)
    assert sure.tolist() == pytest.approx([0.9])
    assert ends[0] == pytest.approx([2 / 16, 4 / 8, 10 / 16, 6 / 8])


def test_a_line_that_is_a_surer_one_once_more_is_left_out():
    ends = [[0.1, 0.5, 0.9, 0.5], [0.2, 0.505, 0.6, 0.495], [0.1, 0.5, 0.9, 0.6], [0.5, 0.2, 0.5, 0.8], [0, 0, 0.01, 0]]
    sure = np.array([0.9, 0.5, 0.4, 0.95, 0.99], np.float32)
    ends = np.array([*ends, [np.nan] * 4], np.float32)
    sure = np.append(sure, np.float32(1))
    assert ranked(ends, sure, 1.0, 0.04, 0.012).tolist() == [3, 0, 2]
    assert ranked(ends, sure, 1.0, 0.04, 0).tolist() == [3, 0, 1, 2]
    assert ranked(ends[:0], sure[:0], 1.0, 0.04, 0.012).tolist() == []


def test_backends_agree(model, frame):
    other = load("lines", backend="onnx", threads=1)
    a, b = model(frame), other(frame)
    assert len(a) == len(b) > 5
    for one, two in zip(a, b, strict=True):
        assert one.points == pytest.approx(two.points, abs=2e-3)


def test_it_behaves_on_stage(weights, frame):
    given = {"image": [frame], "sure": [0.2], "shortest": [0.05]}
    found = check_model(lambda: load("lines", backend="onnx", threads=1), given)
    assert isinstance(found[0], Landmarks)


def test_another_size_is_refused_with_a_sentence(weights):
    with pytest.raises(ModelFault, match="512 x 512 only"):
        load("lines", size=(320, 240), backend="onnx")
