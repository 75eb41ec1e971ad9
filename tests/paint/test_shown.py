"""What nobody drew is drawn all the same: each kind as what a person would expect."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.frame import Frame
from pleinair.core.kinds import Box, Boxes, Event, Figure, Image, Landmarks, Sound, Text, Vector
from pleinair.paint.shown import shown, shown_of

ROOM = np.full((120, 160, 3), 90, np.uint8)
HAND = Figure([[0.5, 0.5], [0.6, 0.4], [0.7, 0.2]], ["wrist", "thumb_tip", "index_tip"], 0.9)
WAVE = Sound(np.sin(np.arange(480) * 0.2).astype(np.float32)[:, None], 24_000)


def ink(picture: np.ndarray) -> int:
    """Pixels that differ from the ground."""
    return int((picture != picture[0, 0]).any(-1).sum())


@pytest.mark.parametrize(
    "data",
    [
        Landmarks([HAND]), Boxes([Box(0.2, 0.2, 0.3, 0.4, "cup", 0.8)]), Text("Good morning."), WAVE,
        Vector.check([0.1, -0.5, 0.9]), 0.4, Event.check({"voice": "started", "seconds": 0.1}),
    ],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_every_kind_can_be_seen(data):
    picture = Image.check(shown(data))
    assert ink(picture) > 50


@pytest.mark.parametrize("data", [Landmarks([HAND]), Boxes([Box(0.2, 0.2, 0.3, 0.4, "cup", 0.8)]), Text("So it is.")])
def test_over_the_picture_that_it_was_made_of(data):
    camera = Frame(ROOM, "camera", 0, 0)
    words = Frame(data, "found", 0, 0, parent=camera)
    picture = shown_of(Frame(data, "draw", 0, 0, parent=words))
    assert picture.shape == ROOM.shape
    assert 0 < (picture != ROOM).any(-1).mean() < 0.5, "the picture is still there"


def test_a_picture_and_a_mask_are_themselves_and_nothing_is_nothing():
    mask = np.zeros((4, 4), np.float32)
    assert shown(ROOM) is ROOM and shown(mask) is mask
    assert shown(None) is None and shown(np.zeros(0, np.float32)) is None
    assert np.array_equal(shown(Landmarks(), ROOM), ROOM), "nobody is there: the room is shown"


def test_bars_grow_from_the_line_of_zero():
    picture = shown(Vector.check([1.0, -1.0]))
    height, width = picture.shape[:2]
    white = (picture == 255).all(-1)
    assert white[: height // 2 - 2, : width // 2].any() and not white[height // 2 + 2 :, : width // 2].any()
    assert white[height // 2 + 2 :, width // 2 :].any() and not white[: height // 2 - 2, width // 2 :].any()


@pytest.mark.parametrize("room", [None, ROOM])
def test_a_long_answer_is_written_smaller_and_of_a_longer_one_the_end_is_shown(room):
    words = "So it goes on and on, and nobody knows where it will end. " * 3
    long = "Nobody hears the beginning any more. " * 60
    picture = shown(Text(words), room)
    assert np.array_equal(shown(Text(long + words), room), shown(Text("x " + long[4:] + words), room)), "the end counts"
    margin = picture[: 4 if room is None else 60]
    assert (margin == margin[0, 0]).all(), "it stays within its place"
