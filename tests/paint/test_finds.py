"""Boxes drawn: where they are, named, inside the picture, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import paint
from pleinair.core.kinds import Box, Boxes

ORANGE = (255, 180, 84)


@pytest.fixture
def room() -> np.ndarray:
    image = np.full((200, 300, 3), 90, np.uint8)
    image.setflags(write=False)
    return image


def touched(image, room) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what was drawn."""
    y, x = np.nonzero((image != room).any(2))
    return x.min(), y.min(), x.max(), y.max()


def test_a_frame_lies_on_the_edges_of_its_box(room):
    out = paint.boxes(room, Box(0.2, 0.25, 0.5, 0.5), width=0.01)
    assert np.abs(np.subtract(touched(out, room), (59.5, 49.5, 209.5, 149.5))).max() < 3
    assert (out[50, 130] == ORANGE).all() and (out[100, 60] == ORANGE).all()
    assert (out[100, 130] == 90).all()  # its inside is left alone


def test_a_tab_stands_on_the_frame_and_hangs_in_it_where_there_is_no_room(room):
    high = paint.boxes(room, Box(0.2, 0.5, 0.4, 0.4, "cat"), size=0.1)
    bare = paint.boxes(room, Box(0.2, 0.5, 0.4, 0.4))
    assert touched(high, room)[1] < 85 and (high[110:, 62:] == bare[110:, 62:]).all()
    low = paint.boxes(room, Box(0.2, 0.0, 0.4, 0.4, "cat"), size=0.1)
    assert touched(low, room)[1] == 0 and (low[5:20, 70:80] == ORANGE).all(2).any()


def test_what_the_tabs_say(room):
    box = Box(0.2, 0.5, 0.4, 0.4, "cat", 0.87, 3)

    def wide(show: str) -> int:
        tab = paint.boxes(room, box, show=show, size=0.1)[70:95]
        return int((tab == ORANGE).all(2).any(0).sum())

    assert wide("") == 0 < wide("number") < wide("label") < wide("label confidence") < wide("label confidence number")
    with pytest.raises(ValueError, match="show knows label"):
        paint.boxes(room, box, show="name")


@pytest.mark.parametrize(
    "box",
    [Box(-3, -3, 9, 9, "all"), Box(0.99, 0.99, 0.5, 0.5, "corner"), Box(1e9, -1e9, 1, 1, "far"),
     Box(0.5, 0.5, 0, 0, "point"), Box(0.5, 0.5, -0.2, -0.2, "inside out"),
     Box(0.1, 0.1, 0.5, 0.5, "a very long name " * 20)],
)  # fmt: skip
def test_boxes_that_cannot_be_are_drawn_as_well_as_can_be(room, box):
    assert paint.boxes(room, [box], size=0.1).shape == room.shape
    assert paint.boxes(np.zeros((1, 1, 3), np.uint8), [box]).shape == (1, 1, 3)


def test_the_surest_lies_on_top(room):
    first, second = Box(0.2, 0.5, 0.4, 0.4, "cat", 0.9), Box(0.21, 0.5, 0.4, 0.4, "dog", 0.5)
    both = paint.boxes(room, Boxes([first, second]), size=0.1)
    alone = paint.boxes(room, [first], size=0.1)
    tab = slice(72, 95), slice(62, 80)
    assert (both[tab] == alone[tab]).all()


def test_the_picture_that_was_given_stays_and_nothing_found_changes_nothing(room):
    before = room.copy()
    assert (paint.boxes(room, Boxes()) == before).all() and (room == before).all()
    assert paint.boxes(room, Boxes()) is not room
    with pytest.raises(ValueError, match="list of Box"):
        paint.boxes(room, [1, 2])
