"""The show: its threads, its beginning and end, its time, and the pictures that it lets go. Nothing here waits by the
clock: a test moves the clock."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref

import numpy as np
import pytest

from pleinair import Mask, Piece, same
from pleinair.core.errors import NodeFault
from pleinair.core.source import Sink
from pleinair.run.lane import Lane
from pleinair.run.live import LiveRunner

from .parts import Clip, Hand, HandClock, Invert, Log, Out, Parts, camera_piece, picture


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
