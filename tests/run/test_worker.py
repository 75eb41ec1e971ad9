"""What fails in a live run: one fault with a count, the last good picture held, tried again later and later."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pleinair import Piece
from pleinair.core.kinds import Image

from .parts import Hand, HandClock, Parts, camera_piece, number_of, picture


@pytest.mark.parametrize("first_bad", [1, 1000])
def test_an_exception_is_one_fault_with_a_count_the_last_good_picture_is_held_and_tried_again_after_1_2_4_s(
    run, first_bad
):
    def draw(camera):
        if first_bad <= number_of(camera) < 5000:
            raise ZeroDivisionError(f"number {number_of(camera)}")
        return camera

    camera, clock = Hand(), HandClock()
    runner, log = run(camera_piece(draw), Parts(camera=camera), clock=clock)
    for n in range(first_bad):
        camera.give(picture(n))
        log.until("done", "draw", n + 1)
        clock.advance(1 / 30)
    number, fired = first_bad, first_bad
    for attempt, wait_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60), 1):
        camera.give(picture(number))
        fault = log.until("fault", "draw", attempt)[-1]
        assert fault[2].what == f"draw stopped: ZeroDivisionError: number {number}" and fault[3] == attempt
        assert f"tried again in {wait_s} s" in fault[2].now and "is held" in fault[2].now
        assert "test_worker.py, line" in fault[2].where and "raise ZeroDivisionError" in fault[2].where
        fired += 1
        number += 1
        clock.advance(wait_s - 0.01)
        camera.give(picture(number))  # too early: it is left alone
        log.until("frame", "camera", number + 1)
        number += 1
        assert len(log.of("fire", "draw")) == fired
        clock.advance(0.02)
        if attempt < 8:
            runner.workers["draw"].wake()
            fired_on = log.until("fire", "draw", fired + 1)[-1]
            assert fired_on[2] == (number - 1,), "the newest, not what waited longest"
            attempt_fault = log.until("fault", "draw", attempt + 1)[-1]
            assert attempt_fault[3] == attempt + 1
            break
    assert number_of(runner.latest("draw").data) == first_bad - 1, "the last good one is held"
    (shown,) = runner.report()["faults"]
    assert shown["count"] == 2 and shown["node"] == "draw", "one fault, counted"
    clock.advance(100)
    camera.give(picture(5000))
    log.until("frame", "draw", first_bad + 1)
    assert number_of(runner.latest("draw").data) == 5000, "it is well again"


def test_the_pauses_grow_to_a_minute_and_begin_anew_after_a_success(run):
    bad = threading.Event()
    bad.set()

    def draw(camera):
        if bad.is_set():
            raise RuntimeError("no")
        return camera

    camera, clock = Hand(), HandClock()
    runner, log = run(camera_piece(draw), Parts(camera=camera), clock=clock)
    told = []
    for attempt in range(1, 10):
        camera.give(picture(attempt))
        told.append(log.until("fault", "draw", attempt)[-1][2].now.rpartition("in ")[2])
        clock.advance(60)
    assert told == ["1 s", "2 s", "4 s", "8 s", "16 s", "32 s", "60 s", "60 s", "60 s"]
    bad.clear()
    camera.give(picture(10))
    log.until("frame", "draw")
    bad.set()
    camera.give(picture(11))
    assert log.until("fault", "draw", 10)[-1][3] == 1
    assert len(runner.report()["faults"]) == 1


@pytest.mark.parametrize(
    "wrong, says",
    [
        ("text", "picture"), (np.full((4, 4, 3), np.nan), "NaN"), (np.full((4, 4, 3), 0.5), "0..1"),
        (np.zeros((4, 4, 4), np.uint8), "4 x 4 x 4"), (object(), "object"), (np.zeros((0, 4, 3), np.uint8), "0"),
    ],
    ids=["text", "nan", "float", "four channels", "object", "empty"],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_a_fault_that_says_what_is_wrong(run, wrong, says):
    def draw(camera) -> Image:
        return camera if number_of(camera) == 0 else wrong

    camera = Hand()
    runner, log = run(camera_piece(draw), Parts(camera=camera))
    camera.give(picture(0))
    log.until("frame", "draw")
    camera.give(picture(1))
    ((_, _, fault, _),) = log.until("fault", "draw")
    assert "cannot carry" in fault.what and says in fault.what and "line" in fault.where
    assert number_of(runner.latest("draw").data) == 0


def test_exit_in_a_piece_ends_no_thread(run):
    def draw(camera):
        exit()

    camera = Hand()
    runner, log = run(camera_piece(draw), Parts(camera=camera))
    camera.give(picture(0))
    assert "SystemExit" in log.until("fault", "draw")[0][2].what


def test_writing_on_a_frame_is_refused_with_the_way_out(run):
    cv2 = pytest.importorskip("cv2")

    def numpy_writes(camera):
        camera[0] = 0
        return camera

    def opencv_writes(camera):
        return cv2.circle(camera, (2, 2), 1, (255, 0, 0))

    for draw in (numpy_writes, opencv_writes):
        camera = Hand()
        runner, log = run(camera_piece(draw), Parts(camera=camera))
        camera.give(picture(0))
        assert ".copy()" in log.until("fault")[0][2].hint


def test_a_canvas_that_an_artist_keeps_can_be_written_to_again_and_tears_nothing(run):
    class Trail:
        def __init__(self):
            self.canvas = np.zeros((6, 8, 3), np.uint8)

        def __call__(self, camera):
            self.canvas += 1
            return self.canvas

    camera, piece = Hand(), Piece()
    piece.source("camera")
    piece.draw(Trail(), name="draw")
    runner, log = run(piece, Parts(camera=camera), strict=True)
    for n in range(5):
        camera.give(picture(n))
        log.until("frame", "draw", n + 1)
    assert [int(f.data[0, 0, 0]) for f in log.frames("draw")] == [1, 2, 3, 4, 5]
    assert all(not f.data.flags.writeable for f in log.frames("draw"))
