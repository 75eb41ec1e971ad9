"""Segments and arrows: where they say, on a copy, and nothing where nothing was found."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.figure import Figure
from pleinair.core.kinds import Landmarks
from pleinair.paint import arrows, segments


@pytest.fixture
def paper() -> np.ndarray:
    image = np.zeros((100, 200, 3), np.uint8)
    image.setflags(write=False)
    return image


def test_segments_run_from_start_to_end(paper):
    line = Figure([(0.1, 0.5), (0.9, 0.5)], ("start", "end"), 0.9)
    out = segments(paper, Landmarks([line]), "red", width=0.02)
    assert out[50, 30:170, 0].min() > 100 and out[50, 30, 1] < out[50, 30, 0]
    assert not out[:40].any() and not out[:, 190:].any() and not paper.any()
    assert np.array_equal(out, segments(paper, [((0.1, 0.5), (0.9, 0.5))], "red", width=0.02))


def test_nothing_found_is_nothing_drawn(paper):
    assert np.array_equal(segments(paper, Landmarks()), paper)
    assert np.array_equal(arrows(paper, Landmarks()), paper)
    still = Figure([(0.5, 0.5)], ("middle",), 1.0, rows=2, columns=2, field=(0.0,) * 8)
    assert np.array_equal(arrows(paper, Landmarks([still])), paper)


def test_an_arrow_points_to_where_things_will_be(paper):
    """One cell of two moves: to the right, a twentieth of the width a picture."""
    figure = Figure([(0.5, 0.5)], ("middle",), 1.0, rows=1, columns=2, field=(0.04, 0.0, 0.0, 0.0))
    out = arrows(paper, Landmarks([figure]), reach=5)[..., 0] > 60
    assert out[50, 52:88].all() and not out[:, :48].any() and not out[:, 94:].any()
    assert out[:, 80:88].any(1).sum() > 4 > out[:, 55:70].any(1).sum(), "the head is where it points to"


def test_lines_may_be_drawn_as_arrows(paper):
    line = Figure([(0.1, 0.2), (0.1, 0.8)], ("start", "end"), 0.9)
    out = arrows(paper, Landmarks([line]))[..., 0] > 60
    assert out[70:80].sum() > out[22:32].sum() > 0


def test_what_is_no_line_is_said_with_a_sentence(paper):
    with pytest.raises(ValueError, match="a line has a start and an end"):
        segments(paper, [3])
