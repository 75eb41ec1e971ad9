"""Numbers that stay with boxes: when they cross, vanish for a moment, or were never the same."""

from __future__ import annotations

import numpy as np

from pleinair.models.seeing.box_tracks import PATIENCE_S, BoxTracks, overlap, without_doubles


def box(x, y=0.4, side=0.2):
    return np.array([x, y, x + side, y + side], np.float32)


def seen(*boxes):
    return np.stack(boxes) if boxes else np.zeros((0, 4), np.float32)


def same(count):
    return np.zeros(count, int)


def test_numbers_stay_in_any_order():
    tracks = BoxTracks()
    assert tracks.follow(seen(box(0.1), box(0.6)), same(2), 0.0) == [1, 2]
    assert tracks.follow(seen(box(0.58), box(0.13)), same(2), 0.04) == [2, 1]


def test_what_moves_fast_is_expected_where_it_will_be():
    tracks = BoxTracks()
    assert [tracks.follow(seen(box(0.12 * n)), same(1), n * 0.1) for n in range(4)] == [[1]] * 4
    assert tracks.follow(seen(box(0.6)), same(1), 0.5) == [1]  # one step unseen: it lies beside where it was
    still = BoxTracks()
    still.follow(seen(box(0.36)), same(1), 0.3)
    assert still.follow(seen(box(0.6)), same(1), 0.5) == [2]


def test_another_label_is_another_thing():
    tracks = BoxTracks()
    tracks.follow(seen(box(0.1)), np.array([3]), 0.0)
    assert tracks.follow(seen(box(0.1)), np.array([4]), 0.04) == [2]
    assert tracks.known(seen(box(0.1), box(0.7)), np.array([3, 3]), 0.05).tolist() == [True, False]


def test_out_of_sight_for_a_moment_and_for_too_long():
    tracks = BoxTracks()
    tracks.follow(seen(box(0.1)), same(1), 0.0)
    tracks.follow(seen(), same(0), PATIENCE_S - 0.1)
    assert tracks.follow(seen(box(0.1)), same(1), PATIENCE_S - 0.05) == [1]
    tracks.follow(seen(), same(0), 2 * PATIENCE_S)
    assert tracks.follow(seen(box(0.1)), same(1), 2 * PATIENCE_S + 0.04) == [2]


def test_time_that_jumps_begins_anew():
    tracks = BoxTracks()
    tracks.follow(seen(box(0.1)), same(1), 10.0)
    assert tracks.follow(seen(box(0.1)), same(1), 3.0) == [1] and tracks._next == 2
    tracks.follow(seen(box(0.1), box(0.7)), same(2), 3.1)
    assert tracks.follow(seen(box(0.7)), same(1), 9.0) == [1]


def test_what_is_saved_goes_on_the_same():
    tracks, other = BoxTracks(), BoxTracks()
    for n in range(3):
        tracks.follow(seen(box(0.05 * n), box(0.9 - 0.05 * n)), same(2), n * 0.04)
    other.load(tracks.save())
    for both in (tracks, other):
        assert both.follow(seen(box(0.75), box(0.15), box(0.4, 0.0)), same(3), 0.12) == [2, 1, 3]
    assert BoxTracks().save() is None


def test_overlap_is_what_is_shared_of_what_is_covered():
    a = seen(np.array([0, 0, 2, 2]), np.array([5, 5, 5, 9]))
    b = seen(np.array([1, 1, 3, 3]), np.array([0, 0, 2, 2]))
    assert np.allclose(overlap(a, b), [[1 / 7, 1], [0, 0]])


def test_of_two_doubles_the_surer_stays():
    boxes = seen(box(0.1), box(0.11), box(0.11), box(0.6))
    kept = without_doubles(boxes, np.array([0.6, 0.9, 0.8, 0.5]), np.array([0, 0, 1, 0]), 0.5)
    assert kept.tolist() == [1, 2, 3]
