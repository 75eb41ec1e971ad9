"""What reaches into a live run: knobs, interrupts, and changes between two firings."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pleinair import Control, Event, Piece, Text, every
from pleinair.core.source import Capture

from .parts import Clip, Hand, HandClock, Invert, Log, Parts, camera_piece, number_of, picture


def test_knobs_pushed_from_many_threads_are_all_carried_in_order(run):
    piece = Piece()
    piece.knob("k", 0.0, range=(0, 10_000))
    heard = []

    @piece.draw
    def draw(k: every) -> Control:
        heard.append(k)
        return k

    runner, log = run(piece, strict=True)
    log.until("done", "draw", 1)
    threads = [
        threading.Thread(target=lambda i=i: [runner.push("k", i * 100 + n) for n in range(20)]) for i in range(8)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    log.until("done", "draw", 161)
    frames = log.frames("k")
    assert [f.seq for f in frames] == list(range(161))
    assert all(a.t_ns < b.t_ns for a, b in zip(frames, frames[1:], strict=False)), "no two moments are the same"
    assert heard == [f.data for f in frames]
    for i in range(8):
        mine = [v for v in heard[1:] if i * 100 <= v < i * 100 + 100]
        assert mine == [i * 100 + n for n in range(20)]


@pytest.mark.parametrize("value", ["0.5", float("nan"), float("inf"), None, [1], 1e400, 10**400], ids=repr)
def test_a_knob_refuses_what_is_no_number(run, value):
    piece = Piece()
    piece.knob("k")
    piece.draw(lambda k: k)
    runner, log = run(piece)
    with pytest.raises(ValueError, match="finite number"):
        runner.push("k", value)
    assert runner.latest("k").data == 0.5


def test_a_node_of_knobs_alone_fires_on_any_of_them(run):
    piece = Piece()
    piece.knob("a", 0.1)
    piece.knobs("b", 2)

    @piece.draw
    def draw(a, b) -> Control:
        return a + float(b.sum())

    runner, log = run(piece, strict=True)
    log.until("frame", "draw", 2)
    runner.push("b", [0.5, 0.5])
    assert log.until("frame", "draw", 3)[-1][2].data == pytest.approx(1.1)
    runner.push("a", 0.2)
    assert log.until("frame", "draw", 4)[-1][2].data == pytest.approx(1.2)


def test_a_generator_publishes_as_it_goes_and_an_interrupt_closes_it_promptly(run):
    go, closed = threading.Semaphore(0), []
    piece = Piece()
    piece.source("question")
    piece.source("voice")

    @piece.node(interrupt="voice")
    def words(question) -> Text:
        try:
            for n in range(100):
                yield f"{question} {n}"
                assert go.acquire(timeout=10)
        finally:
            closed.append(str(question))

    piece.draw(lambda words: words)
    question, voice = Hand(Text), Hand(Event)
    runner, log = run(piece, Parts(question=question, voice=voice), strict=True)
    question.give("why")
    log.until("frame", "words", 1)
    go.release(2)
    log.until("frame", "words", 3)
    voice.give("stop!")
    log.until("frame", "voice")
    go.release()
    done = log.until("done", "words")[0]
    assert done[3] is True and done[2] in (3, 4) and closed == ["why"]
    question.give("again")
    frame = log.until("frame", "words", done[2] + 1)[-1][2]
    assert frame.data == "again 0", "it hears the next question"
    go.release(200)
    assert log.until("done", "words", 2)[1][2:] == (100, False, None)


def test_an_interrupt_that_comes_before_the_firing_does_not_count(run):
    piece = Piece()
    piece.source("question")
    piece.source("voice")

    @piece.node(interrupt="voice")
    def words(question) -> Text:
        yield "a"
        yield "b"

    piece.draw(lambda words: words)
    question, voice = Hand(Text), Hand(Event)
    runner, log = run(piece, Parts(question=question, voice=voice), strict=True)
    voice.give("earlier")
    log.until("frame", "voice")
    question.give("why")
    assert log.until("done", "words")[0][2:] == (2, False, None)
    assert log.of("fire", "words")[0][2] == (0, -1), "the interrupting frame is not read"


def test_a_change_happens_between_two_firings_under_load_and_is_announced_in_its_place(run):
    class Half(Invert):
        def __call__(self, image):
            first, second = self.factor, None
            busy_until = time.perf_counter() + 0.0005
            while time.perf_counter() < busy_until:
                second = self.factor
            assert first == second, "exchanged in the middle of a firing"
            return np.full_like(image, first)

    model = Half()
    model.factor = 0
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    runner, log = run(piece, Parts(camera=Clip(400, rate=1000), painting=model), strict=True)
    log.until("frame", "painting", 2)
    for n in range(1, 31):
        done = runner.change("painting", "swap", {"n": n}, lambda n=n: setattr(model, "factor", n))
        assert done.wait(5) and done.fault is None
    log.until("frame", "painting", len(log.frames("painting")) + 1)
    runner.stop()
    factor = 0
    for event in log.events:
        if event[0] == "change":
            factor = event[3]["n"]
        elif event[:2] == ("frame", "painting"):
            assert event[2].data[0, 0, 0] == factor
    assert factor == 30


def test_a_change_that_fails_says_so_and_the_old_one_goes_on(run):
    camera = Hand()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera))

    def fails():
        raise RuntimeError("other ports")

    done = runner.change("draw", "swap", {}, fails)
    assert done.wait(5) and "other ports" in done.fault.what and not log.of("change")
    camera.give(picture(0))
    log.until("frame", "draw")


def test_a_change_after_the_end_does_not_wait_for_ever(run):
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=Hand()))
    runner.stop()
    done = runner.change("draw", "swap", {}, lambda: None)
    assert done.wait(1) and "has ended" in done.fault.what
    assert runner.push("camera", picture(0)) is None


def test_a_failing_watcher_is_switched_off_and_the_show_goes_on(run):
    class Bad(Log):
        def on_frame(self, frame, raw=None):
            raise RuntimeError("watching failed")

    camera = Hand()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera), observers=[Bad()])
    camera.give(picture(0), picture(1))
    log.until("frame", "camera", 2)
    assert [f[1] for f in log.until("fault")] == ["Bad"] and runner.report()["faults"][0]["node"] == "Bad"


def test_a_camera_that_stands_in_is_silent_while_a_page_sends_its_own(run):
    clock, camera = HandClock(), Hand()
    runner, log = run(camera_piece(lambda camera: camera), Parts(camera=camera), clock=clock)
    camera.give(picture(0))
    log.until("frame", "camera")
    runner.push("camera", picture(100))
    clock.advance(2)
    camera.give(Capture(picture(1), machine_ns=500_000_000), picture(2))
    log.until("frame", "camera", 3)
    assert [number_of(f.data) for f in log.frames("camera")] == [0, 100, 2]
