"""Sources in a live run: they go away, come late, send rubbish, and stand in for each other."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import Control, Piece
from pleinair.core.errors import DeviceFault, Fault
from pleinair.core.source import Capture

from .parts import Clip, Hand, HandClock, Invert, Parts, camera_piece, picture


def test_a_camera_that_went_away_is_opened_again_and_again(run):
    camera, clock = Hand(), HandClock()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera), clock=clock)
    camera.give(picture(0))
    log.until("frame", "camera")
    camera.refuses = [DeviceFault("still gone"), DeviceFault("still gone")]
    camera.give(DeviceFault("the cable was pulled"))
    for attempt, wait_s in ((1, 1), (2, 2), (3, 4)):
        fault = log.until("fault", "camera", attempt)[-1]
        assert fault[3] == attempt and f"tried again in {wait_s} s" in fault[2].now
        assert clock.until_someone_waits() == clock.now_ns() + wait_s * 1_000_000_000
        opened = camera.opened
        clock.advance(wait_s + 0.01)
    camera.give(picture(1))
    log.until("frame", "camera", 2)
    assert camera.opened == opened + 1 and camera.closed == 3
    camera.give(DeviceFault("again"))
    assert log.until("fault", "camera", 4)[-1][3] == 1, "it was well in between: counted anew"


def test_a_source_that_does_not_open_at_the_start_stops_nobody_and_is_tried_again(run):
    camera, clock = Hand(), HandClock()
    camera.refuses = [DeviceFault("there is no camera", hint="plug one in")]
    piece = Piece()
    piece.source("camera")
    piece.knob("k")

    @piece.draw
    def draw(k) -> Control:
        return k

    @piece.node
    def seen(camera):
        return camera

    runner, log = run(piece, Parts(camera=camera), clock=clock)
    ((_, node, fault, count),) = log.until("fault")
    assert node == "camera" and fault.what == "there is no camera" and "tried again in 1 s" in fault.now and count == 1
    log.until("frame", "draw")
    clock.until_someone_waits()
    assert camera.opened == 1, "not tried again at once"
    clock.advance(1.01)
    camera.give(picture(0))
    log.until("frame", "seen")
    assert len(log.of("fault")) == 1


@pytest.mark.parametrize("bad", [np.full((4, 4, 3), np.nan), "no picture", None])
def test_one_bad_picture_does_not_end_a_camera(run, bad):
    camera = Hand()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera))
    camera.give(picture(0), bad, bad, picture(1))
    log.until("frame", "camera", 2)
    assert [f[3] for f in log.of("fault", "camera")] == [1, 2] and camera.opened == 1
    assert len(runner.report()["faults"]) == 1


def test_a_model_whose_weights_come_later_comes_alive_without_a_frame_in_between(run):
    class Later(Invert):
        there = False

        def open(self):
            self.opened += 1
            if not self.there:
                raise Fault("the weights are missing", hint="pleinair fetch .")

        def describe(self):
            return {"card": "later"}

    model, camera, clock = Later(), Hand(), HandClock()
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    runner, log = run(piece, Parts(camera=camera, painting=model), clock=clock)
    log.until("fault", "painting")
    camera.give(picture(0))
    log.until("frame", "camera")
    model.there = True
    clock.advance(1.01)
    runner.workers["painting"].wake()
    assert log.until("change", "painting")[0][2:] == ("open", {"card": "later"})
    log.until("frame", "painting")
    assert log.of("fire", "painting")[0][2] == (0,), "the frame that waited was not thrown away"


def test_what_a_device_saw_before_the_clock_started_has_no_time_below_zero(run):
    camera = Hand()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera), clock=HandClock())
    camera.give(Capture(picture(0), machine_ns=-(10**9)), Capture(picture(1), machine_ns=-5))
    log.until("frame", "camera", 2)
    assert [f.t_ns for f in log.frames("camera")] == [0, 1]


def test_a_paced_source_is_waited_for_and_goes_on_from_now_when_it_fell_behind(run):
    items = [(0.0, picture(0)), (1.0, picture(1)), (1.1, picture(2))]
    clock = HandClock()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=Clip(items=items)), clock=clock)
    log.until("frame", "camera")
    clock.until_someone_waits()
    clock.advance(5)
    log.until("frame", "camera", 2)
    assert clock.until_someone_waits() == round(5.1e9), "0.1 s after the one before, which came 4 s late"
    clock.advance(0.2)
    log.until("frame", "camera", 3)
    assert [f.t for f in log.frames("camera")] == [0, 5, 5.1]
