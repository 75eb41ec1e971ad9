"""What a firing sees, decided without threads."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pleinair import Control, Figure, Mask, Piece, Text, every, same
from pleinair.core.errors import NodeFault
from pleinair.core.frame import Frame
from pleinair.core.kinds import Audio, Box, Boxes, Event, Image, Landmarks, Sound, Vector
from pleinair.run.cell import SAME_WAIT_NS, Cell, kind_of

from .parts import Hand, Parts, picture

MS = 1_000_000


def cell_of(piece: Piece, name: str = "draw", **parts) -> Cell:
    graph = piece.build(Parts(**parts))
    return Cell(graph.nodes[name], graph)


def camera_and_depth(hot_policy=None) -> Cell:
    """draw(camera, depth: same), where neither is made of the other."""
    piece = Piece()
    piece.source("camera")
    piece.source("depth")

    @piece.draw
    def draw(camera, depth: same):
        return camera

    if hot_policy is not None:
        draw.__annotations__["camera"] = hot_policy
        piece.declared.clear()
        piece.source("camera")
        piece.source("depth")
        piece.draw(draw)
    return cell_of(piece, camera=Hand(), depth=Hand())


def frame(stream: str, seq: int, t_ns: int, parent: Frame | None = None) -> Frame:
    return Frame(picture(seq), stream, seq, t_ns, parent)


@pytest.mark.parametrize("seed", range(60))
def test_same_never_mismatches_and_skips_no_pair_for_good_under_random_delays(seed):
    """Two devices of one moment arrive late by anything up to 400 ms, some not at all, in any order between them."""
    rng = random.Random(seed)
    ordered = seed % 2
    cell = camera_and_depth(every if ordered else None)
    arrivals = []
    for n in range(80):
        t = n * 33 * MS
        for place, stream in enumerate(("camera", "depth")):
            if rng.random() > 0.15:
                arrivals.append((t + rng.randrange(0, 400 * MS), place, frame(stream, n, t)))
    for place in (0, 1):  # each stream keeps its own order
        mine = sorted(a[0] for a in arrivals if a[1] == place)
        frames = [a[2] for a in arrivals if a[1] == place]
        arrivals = [a for a in arrivals if a[1] != place] + list(zip(mine, [place] * len(mine), frames, strict=True))
    fired, given_up, offered = [], [], []
    for now, place, item in sorted(arrivals, key=lambda a: (a[0], a[1])):
        skipped = cell.offer(place, item)
        if place == 0:
            offered.append(item.seq)
            if skipped is not None:
                given_up.append(skipped.seq)
        while (taken := cell.take(now)) is not None:
            if isinstance(taken, Frame):
                given_up.append(taken.seq)
            else:
                frames, hot = taken
                assert frames[0].t_ns == frames[1].t_ns and hot == 0
                fired.append(frames[0].seq)
    for later in range(1, 200):
        while (taken := cell.take(10**12 * later)) is not None:
            given_up.append(taken.seq)
    assert fired == sorted(fired) and len(set(fired)) == len(fired)
    assert sorted(fired + given_up) == sorted(offered), "each hot frame is fired on or skipped, once"
    assert fired, "some pairs came"
    assert cell.waits_until_ns is None


def test_a_hot_frame_waits_for_its_companion_a_bounded_time():
    cell = camera_and_depth()
    cell.offer(1, frame("depth", 0, 0))
    cell.offer(0, frame("camera", 5, 500 * MS))
    assert cell.take(600 * MS) is None and cell.waits_until_ns == 600 * MS + SAME_WAIT_NS
    assert cell.take(600 * MS + SAME_WAIT_NS - 1) is None
    given_up = cell.take(600 * MS + SAME_WAIT_NS)
    assert isinstance(given_up, Frame) and given_up.seq == 5
    assert cell.take(10**12) is None and cell.waits_until_ns is None


def test_a_hot_frame_whose_moment_has_passed_is_given_up_at_once():
    cell = camera_and_depth()
    cell.offer(0, frame("camera", 0, 0))
    assert cell.take(0) is None
    cell.offer(1, frame("depth", 1, 33 * MS))
    given_up = cell.take(1)
    assert isinstance(given_up, Frame) and given_up.seq == 0


def test_the_newest_pair_is_taken_and_older_ones_are_skipped():
    cell = camera_and_depth()
    for n in range(4):
        cell.offer(0, frame("camera", n, n))
        assert cell.take(0) is None
    for n in range(3):
        cell.offer(1, frame("depth", n, n))
    frames, _ = cell.take(0)
    assert [f.seq for f in frames] == [2, 2]
    assert [cell.take(0).seq, cell.take(0).seq] == [0, 1]
    assert cell.take(0) is None and cell.waits_until_ns is not None, "number 3 still waits"


def test_read_one_by_one_every_pair_is_taken_in_order():
    cell = camera_and_depth(every)
    for n in range(4):
        cell.offer(0, frame("camera", n, n))
    for n in range(3):
        cell.offer(1, frame("depth", n, n))
    seen = []
    while (taken := cell.take(0)) is not None:
        seen.append([f.seq for f in taken[0]])
    assert seen == [[0, 0], [1, 1], [2, 2]]


def test_a_companion_that_the_hot_frame_was_made_of_is_there_without_a_history():
    piece = Piece()
    piece.source("camera")

    @piece.node
    def mask(camera):
        return camera

    @piece.draw
    def draw(mask, camera: same):
        return camera

    cell = cell_of(piece)
    cameras = [frame("camera", n, n) for n in range(100)]
    for c in cameras:
        cell.offer(1, c)
    cell.offer(0, frame("mask", 0, 3, cameras[3]))
    frames, _ = cell.take(0)
    assert frames[1] is cameras[3]
    assert len(cell.edges[1]._history) == 1, "no pictures are kept for it"


def test_what_is_only_looked_at_is_the_newest_and_holds_one_frame():
    piece = Piece()
    piece.source("camera")
    piece.source("words")

    @piece.draw
    def draw(camera, words):
        return camera

    cell = cell_of(piece, words=Hand(Text))
    for n in range(1000):
        assert cell.offer(1, Frame(Text(str(n)), "words", n, n)) is None or n > 0
    cell.offer(0, frame("camera", 0, 0))
    frames, _ = cell.take(0)
    assert frames[1].data == "999"
    assert not hasattr(cell.edges[1], "lost"), "nothing that is only looked at is ever lost"


def test_before_its_first_frame_a_stream_holds_its_kinds_empty_value():
    piece = Piece()
    piece.source("camera")
    piece.source("hands")
    piece.source("words")
    piece.knobs("styles", 2, 0.5)

    @piece.draw
    def draw(camera, hands, words, styles):
        return camera

    cell = cell_of(piece, hands=Hand(Landmarks), words=Hand(Text))
    cell.offer(0, frame("camera", 0, 0))
    frames, _ = cell.take(0)
    assert frames[1].data == Landmarks() and frames[2].data == "" and frames[3].data.tolist() == [0.5, 0.5]
    assert [f.seq for f in frames] == [0, -1, -1, -1]


def test_the_kind_of_an_unannotated_node_is_that_of_its_first_good_output():
    piece = Piece()
    piece.source("camera")
    outputs = iter([np.full((2, 2), 7.0), np.zeros((2, 2), np.uint8), picture(0), "text", picture(1)])

    @piece.draw
    def draw(camera):
        return next(outputs)

    cell = cell_of(piece)
    lead = [frame("camera", 0, 0)]
    for _ in range(2):  # no mask either: what was never good decides nothing
        with pytest.raises(NodeFault, match="cannot carry"):
            cell.start(lead, 0)
        assert cell.kind is None
    list(cell.start(lead, 0))
    assert cell.kind is Image
    with pytest.raises(NodeFault, match="picture"):
        cell.start(lead, 0)
    assert len(list(cell.start(lead, 0))) == 1


@pytest.mark.parametrize(
    "data, kind",
    [
        (picture(0), Image), (np.zeros((2, 2)), Mask), (np.zeros(3), Vector), ("x", Text), (0.5, Control),
        (True, Control),
        (np.float32(1), Control), (Sound([0.0], 8000), Audio), (Landmarks(), Landmarks), ({"a": 1}, Event),
        (Figure([[0, 0]], ["a"], 1), Landmarks), ([Figure([[0, 0]], ["a"], 1)], Landmarks), ([Box(0, 0, 1, 1)], Boxes),
        (Box(0, 0, 1, 1), Boxes), ([], Event), ([1, 2], Event),
    ],
    ids=repr,
)  # fmt: skip
def test_what_kind_a_value_is(data, kind):
    assert kind_of(data) is kind
    kind.check(data)


def test_previous_begins_empty_at_the_declared_or_the_hot_inputs_size():
    seen = []
    piece = Piece()
    piece.source("camera")

    @piece.draw
    def draw(camera, previous) -> Mask:
        seen.append(previous.shape)
        return np.ones((3, 3), np.float32)

    @piece.node(size=(20, 10))
    def sized(camera, previous) -> Image:
        seen.append(previous.shape)

    cell, other = cell_of(piece), cell_of(piece, "sized")
    lead = [frame("camera", 0, 0)]
    list(cell.start(lead, 0))
    list(cell.start(lead, 0))
    list(other.start(lead, 0))
    assert seen == [(6, 8), (3, 3), (10, 20, 3)]


def test_previous_of_a_node_that_the_clock_makes_run_has_the_size_of_the_first_picture_it_reads():
    seen = []
    piece = Piece()
    piece.source("tick")
    piece.source("camera")

    @piece.draw
    def draw(tick, camera, previous) -> Mask:
        seen.append(previous.shape)

    cell = cell_of(piece, tick=Hand(Control))
    list(cell.start([Frame(0.0, "tick", 0, 0), frame("camera", 0, 0)], 0))
    assert seen == [(6, 8)]


def test_a_node_that_returns_what_it_was_given_copies_nothing():
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    cell = cell_of(piece)
    lead = frame("camera", 0, 0)
    data = Image.check(lead.data)
    (item,) = cell.start([Frame(data, "camera", 0, 0)], 0)
    assert item is data


def test_what_a_node_made_for_this_firing_is_not_copied_and_what_it_kept_is():
    kept = np.zeros((4, 4, 3), np.uint8)
    made = []

    def fresh(camera):
        image = np.zeros((4, 4, 3), np.uint8)
        made.append(image.ctypes.data)
        return image

    def keeps(camera):
        return kept

    def lends(camera):
        made.append(kept.ctypes.data)
        return kept[:2]

    def yields(camera):
        canvas = np.zeros((4, 4, 3), np.uint8)
        for n in range(3):
            canvas[:] = n
            yield canvas

    addresses = []
    for draw in (fresh, keeps, lends):
        piece = Piece()
        piece.source("camera")
        piece.draw(draw)
        (item,) = cell_of(piece, draw.__name__).start([frame("camera", 0, 0)], 0)
        addresses.append(item.ctypes.data)
    assert addresses[0] == made[0] and addresses[1] != kept.ctypes.data != addresses[2]
    assert kept.flags.writeable
    piece = Piece()
    piece.source("camera")
    piece.draw(yields)
    items = list(cell_of(piece, "yields").start([frame("camera", 0, 0)], 0))
    assert [int(i[0, 0, 0]) for i in items] == [0, 1, 2], "three pictures, and not the last one three times"
