"""The show: threads, faults, backing off, skipping, swapping. Nothing here waits by the clock: a test moves the
clock."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref

import numpy as np
import pytest

from pleinair import Control, Event, Mask, Piece, Text, every, same
from pleinair.core.errors import DeviceFault, Fault, NodeFault
from pleinair.core.kinds import Image
from pleinair.core.source import Capture, Sink
from pleinair.run.lane import Lane
from pleinair.run.live import LiveRunner

from .parts import Clip, Hand, HandClock, Invert, Log, Out, Parts, busy, number_of, picture


@pytest.fixture
def run():
    """`run(piece, parts)` -> (runner, log), started; stopped and looked after at the end."""
    before = set(threading.enumerate())
    started = []

    def start(piece: Piece, parts: Parts | None = None, **options):
        log = Log()
        graph = piece.build(parts or Parts())
        runner = LiveRunner(graph, observers=[log, *options.pop("observers", [])], lane=Lane(), **options)
        started.append(runner)
        runner.start()
        return runner, log

    yield start
    for runner in started:
        runner.strict = False
        runner.stop()
    left = [t for t in set(threading.enumerate()) - before if t.name.startswith("pleinair") and "stuck" not in t.name]
    assert not left, left


def camera_piece(draw) -> Piece:
    piece = Piece()
    piece.source("camera")
    piece.draw(draw)
    return piece


# -- life ------------------------------------------------------------------------------------------------------------


def test_no_thread_is_left_and_everything_is_opened_and_closed_once():
    before = set(threading.enumerate())
    camera, model, out = Hand(), Invert(), Out()
    piece = Piece()
    piece.source("camera")
    piece.knob("strength")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    log = Log()
    runner = LiveRunner(piece.build(Parts(camera=camera, painting=model, out=out)), observers=[log], strict=True)
    runner.start()
    camera.give(picture(0))
    log.until("done", "out")
    assert {t.name for t in set(threading.enumerate()) - before} == {
        "pleinair:camera", "pleinair:painting", "pleinair:out"
    }  # fmt: skip
    runner.stop()
    runner.stop()
    assert set(threading.enumerate()) == before
    assert (camera.opened, camera.closed, model.opened, model.closed) == (1, 1, 1, 1)
    assert len(out.got) == 1 and (out.got[0][1] == 255 - picture(0)).all()
    assert [e[0] for e in log.events].count("stop") == 1


def test_a_node_that_does_not_return_is_named_and_the_end_comes_within_2_seconds(run):
    held, inside = threading.Event(), threading.Event()

    def draw(camera):
        threading.current_thread().name = "stuck"
        inside.set()
        held.wait(30)
        return camera

    camera = Hand()
    runner, log = run(camera_piece(draw), Parts(camera=camera))
    camera.give(picture(0))
    assert inside.wait(5)
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 2
    ((_, node, fault, _),) = log.of("fault")
    assert node == "draw" and "did not come back" in fault.what and "left behind" in fault.now and fault.where
    assert camera.closed == 1, "the others were closed"
    count = len(log.events)
    held.set()
    for thread in threading.enumerate():
        if thread.name == "stuck":
            assert thread.daemon
            thread.join(5)
    assert len(log.events) == count, "what it still publishes goes nowhere"


def test_a_model_that_hangs_does_not_stop_the_models_of_the_next_run(run):
    """The lane is the machine's: whoever holds it and never returns would hold up every later piece."""
    held, inside, lane = threading.Event(), threading.Event(), Lane()

    class Hangs(Invert):
        def __call__(self, image):
            threading.current_thread().name = "stuck"
            inside.set()
            held.wait(30)
            return image

    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    camera, again = Hand(), Hand()
    first = LiveRunner(piece.build(Parts(camera=camera, painting=Hangs())), lane=lane)
    first.start()
    camera.give(picture(0))
    assert inside.wait(5)
    first.stop()
    log = Log()
    second = LiveRunner(piece.build(Parts(camera=again)), observers=[log], lane=lane)
    second.start()
    again.give(picture(1))
    log.until("frame", "painting")
    second.stop()
    held.set()


def test_the_end_may_come_while_things_are_still_being_opened():
    opening, held = threading.Event(), threading.Event()

    class Slow(Invert):
        def open(self):
            opening.set()
            held.wait(30)

    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    runner = LiveRunner(piece.build(Parts(camera=Hand(), painting=Slow())))
    starting = threading.Thread(target=runner.start)
    starting.start()
    assert opening.wait(5)
    began = time.monotonic()
    runner.end()
    starting.join(5)
    assert not starting.is_alive()
    runner.stop()
    assert time.monotonic() - began < 2
    held.set()
    assert not [t for t in runner._threads if t.is_alive()], "nothing was started"


def test_the_end_may_be_asked_for_by_a_node_itself(run):
    runner, log = None, None

    def draw(camera):
        runner.stop()
        return camera

    camera = Hand()
    runner, log = run(camera_piece(draw), Parts(camera=camera))
    camera.give(picture(0))
    assert runner.wait(5)


def test_strict_raises_the_first_fault_and_closes_everything_all_the_same():
    def draw(camera):
        raise RuntimeError("in strict mode")

    before = set(threading.enumerate())
    camera, log = Hand(), Log()
    runner = LiveRunner(camera_piece(draw).build(Parts(camera=camera)), observers=[log], strict=True)
    runner.start()
    camera.give(picture(0))
    assert runner.wait(5), "the fault ends the run"
    with pytest.raises(NodeFault, match="in strict mode"):
        runner.stop()
    assert camera.closed == 1 and log.of("stop") and set(threading.enumerate()) == before


# -- faults ----------------------------------------------------------------------------------------------------------


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
        assert "test_live.py, line" in fault[2].where and "raise ZeroDivisionError" in fault[2].where
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


# -- sources ---------------------------------------------------------------------------------------------------------


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


# -- skipping, losing, waiting ---------------------------------------------------------------------------------------


def test_a_slow_node_skips_and_takes_the_newest(run):
    go, inside = threading.Semaphore(0), threading.Semaphore(0)

    def draw(camera):
        inside.release()
        assert go.acquire(timeout=10)
        return camera

    camera = Hand()
    runner, log = run(camera_piece(draw), Parts(camera=camera))
    camera.give(picture(0))
    assert inside.acquire(timeout=5)
    camera.give(*(picture(n) for n in range(1, 8)))
    log.until("skip", "draw", 6)
    go.release()
    assert inside.acquire(timeout=5)
    go.release()
    log.until("frame", "draw", 2)
    assert [f[2] for f in log.of("fire", "draw")] == [(0,), (7,)]
    assert [e[2] for e in log.of("skip", "draw")] == [1, 2, 3, 4, 5, 6] and not log.of("lost") and not log.of("fault")
    assert runner.report()["nodes"]["draw"]["skipped"] == 6
    go.release(10)


def test_a_model_that_waited_for_its_turn_takes_the_newest(run):
    held, inside = threading.Event(), threading.Event()

    class Holds(Invert):
        def __call__(self, image):
            inside.set()
            assert held.wait(20)
            return image

    piece = Piece()
    piece.source("camera")
    piece.source("other")
    piece.model("first", reads="other")
    piece.model("painting", reads="camera")
    piece.sink("out", reads="painting")
    camera, other = Hand(), Hand()
    runner, log = run(piece, Parts(camera=camera, other=other, first=Holds()), strict=True)
    other.give(picture(0))
    assert inside.wait(5)
    camera.give(picture(0))
    log.until("frame", "camera")
    while not runner.lane._queue:  # it has taken number 0, and waits for its turn
        inside.wait(0.001)
    camera.give(picture(1), picture(2))
    log.until("frame", "camera", 3)
    held.set()
    log.until("frame", "painting")
    assert log.of("fire", "painting")[0][2] == (2,) and [e[2] for e in log.of("skip", "painting")] == [1, 0]


def test_what_is_to_be_read_one_by_one_and_is_lost_is_a_fault_with_a_count(run):
    go, inside = threading.Semaphore(0), threading.Semaphore(0)

    def draw(words) -> Text:
        inside.release()
        assert go.acquire(timeout=10)
        return words

    piece = Piece()
    piece.source("words")
    piece.draw(draw)
    words = Hand(Text)
    runner, log = run(piece, Parts(words=words))
    words.give("0")
    assert inside.acquire(timeout=5)
    words.give(*(str(n) for n in range(1, 260)))
    log.until("lost", "draw", 3)
    assert [e[2] for e in log.of("lost", "draw")] == [1, 2, 3], "the oldest go"
    fault = log.until("fault", "draw", 3)[-1]
    assert "too slow for words" in fault[2].what and fault[3] == 3 and "latest" in fault[2].hint
    assert runner.report()["nodes"]["draw"]["lost"] == 3 and len(runner.report()["faults"]) == 1
    go.release(1000)
    log.until("done", "draw", 257)
    assert [f.data for f in log.frames("draw")] == ["0", *(str(n) for n in range(4, 260))], "the rest in order"


def test_a_node_waits_for_the_first_picture_of_each_image_it_reads_and_for_nothing_else(run):
    piece = Piece()
    piece.source("camera")
    piece.source("landscape")
    piece.source("mic")
    piece.knob("k", 0.25)

    @piece.draw
    def draw(camera, landscape, mic: every, k):
        assert k == 0.25 and mic == ""
        return landscape

    camera, landscape, mic = Hand(), Hand(), Hand(Text)
    runner, log = run(piece, Parts(camera=camera, landscape=landscape, mic=mic), strict=True)
    camera.give(picture(0), picture(1))
    log.until("frame", "camera", 2)
    assert not log.of("fire")
    landscape.give(picture(9))
    log.until("frame", "landscape")
    camera.give(picture(2))
    log.until("frame", "draw")
    assert number_of(log.frames("draw")[0].data) == 9


def test_a_mask_is_drawn_with_its_own_picture_whatever_overtakes_it(run):
    go = threading.Semaphore(0)
    piece = Piece()
    piece.source("camera")

    @piece.node
    def mask(camera):
        assert go.acquire(timeout=10)
        return camera

    @piece.draw
    def draw(mask, camera: same):
        assert number_of(mask) == number_of(camera)
        return camera

    camera = Hand()
    runner, log = run(piece, Parts(camera=camera), strict=True)
    camera.give(picture(0))
    log.until("fire", "mask")
    camera.give(*(picture(n) for n in range(1, 9)))
    log.until("frame", "camera", 9)
    for shown in (1, 2):
        go.release()
        log.until("frame", "draw", shown)
    assert [number_of(f.data) for f in log.frames("draw")] == [0, 8]
    go.release(10)


def test_the_same_moment_of_something_slower_is_waited_for_and_never_starves(run):
    """`draw(camera, mask: same)`: the camera is always ahead of the mask that is made of it. Taking the newest camera
    frame each time would never find its mask."""
    piece = Piece()
    piece.source("camera")

    @piece.node
    def mask(camera):
        busy(0.025)
        return camera

    @piece.draw
    def draw(camera, mask: same):
        assert number_of(mask) == number_of(camera)
        return camera

    runner, log = run(piece, Parts(camera=Clip(200, rate=100)), strict=True)
    log.until("frame", "camera", 200)
    runner.stop()
    masks, drawn = len(log.frames("mask")), len(log.frames("draw"))
    assert masks >= 10 and drawn >= 0.6 * masks, f"{drawn} of {masks} masks were drawn"


# -- knobs, generators, changes --------------------------------------------------------------------------------------


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


# -- content time, chance, memory ------------------------------------------------------------------------------------


def test_t_dt_frame_previous_and_rng_are_what_they_say(run):
    seen = []
    piece = Piece()
    piece.source("camera")

    @piece.draw(size=(4, 3))
    def draw(camera, t, dt, rng, previous, frame) -> Mask:
        seen.append((t, dt, frame.seq, previous.shape, float(previous.max()), float(rng.random())))
        assert frame.trace == () and frame.parent is None, "measured time never reaches a node"
        return previous + np.float32(0.25)

    clock, camera = HandClock(), Hand()
    runner, log = run(piece, Parts(camera=camera), clock=clock, strict=True)
    for n, pause in enumerate((0.5, 0.25, 1.0)):
        clock.advance(pause)
        camera.give(picture(n))
        log.until("frame", "draw", n + 1)
    assert [s[:5] for s in seen] == [
        (0.5, 0.0, 0, (3, 4), 0.0), (0.75, 0.25, 1, (3, 4), 0.25), (1.75, 1.0, 2, (3, 4), 0.5)
    ]  # fmt: skip
    assert len({s[5] for s in seen}) == 3


class Held(Log):
    """Counts the pictures that somebody still holds."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, None] = {}
        self._numbers = itertools.count()

    def on_frame(self, frame, raw=None):
        number = next(self._numbers)
        self.alive[number] = None
        weakref.finalize(frame.data, self.alive.pop, number, None)
        self._add("frame", frame.stream, frame.seq)

    def on_fire(self, node, inputs, hot): ...

    def on_skip(self, node, stream, frame): ...


def test_pictures_are_let_go_over_thousands_of_frames_with_feedback_and_same():
    piece = Piece()
    piece.source("camera")

    @piece.node
    def trail(camera, previous):
        return previous // 2 + camera // 2

    @piece.draw
    def draw(trail, camera: same, previous):
        return trail // 2 + previous // 2

    clip = Clip(items=((i / 3000, picture(i)) for i in range(3000)))
    held = Held()
    runner = LiveRunner(piece.build(Parts(camera=clip)), observers=[held], strict=True, lane=Lane())
    runner.start()
    held.until("frame", "camera", 3000, seconds=60)
    gc.collect()
    left = len(held.alive)
    runner.stop()
    assert runner.report()["nodes"]["draw"]["published"] > 100
    assert left < 40, f"{left} pictures are still held"


@pytest.mark.parametrize("reads_same", [False, True])
def test_while_a_reader_fails_pictures_are_let_go(reads_same):
    piece = Piece()
    piece.source("camera")

    @piece.node
    def half(camera):
        raise RuntimeError("no")

    @piece.draw(reads={"hot": "half" if reads_same else "camera", "camera": "camera: same" if reads_same else "camera"})
    def draw(hot, camera):
        raise RuntimeError("no")

    held, clock, camera = Held(), HandClock(), Hand()
    runner = LiveRunner(piece.build(Parts(camera=camera)), observers=[held], clock=clock, lane=Lane())
    runner.start()
    for n in range(100):
        camera.give(picture(n))
    held.until("frame", "camera", 100)
    gc.collect()
    left = len(held.alive)
    runner.stop()
    assert left < 8


def test_a_sink_that_fails_is_a_fault_and_is_tried_again(run):
    class Fails(Sink):
        calls = 0

        def put(self, data, t_ns):
            self.calls += 1
            raise OSError("the speaker is gone")

    piece = Piece()
    piece.source("camera")
    piece.sink("speaker", reads="camera")
    camera, clock, sink = Hand(), HandClock(), Fails()
    runner, log = run(piece, Parts(camera=camera, speaker=sink), clock=clock)
    camera.give(picture(0))
    assert "the speaker is gone" in log.until("fault", "speaker")[0][2].what
    clock.advance(1.01)
    camera.give(picture(1))
    log.until("fault", "speaker", 2)
    assert sink.calls == 2


def test_knobs_reach_the_nodes_at_the_first_frame_already(run):
    piece = Piece()
    piece.source("camera")
    piece.knobs("styles", 3, [0.1, 0.2, 0.3])
    seen = []

    @piece.draw
    def draw(camera, styles):
        seen.append(styles.tolist())
        return camera

    camera = Hand()
    runner, log = run(piece, Parts(camera=camera), strict=True)
    camera.give(picture(0))
    log.until("frame", "draw")
    assert seen[0] == pytest.approx([0.1, 0.2, 0.3])
