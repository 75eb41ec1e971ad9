"""How streams are read in a live run: what is skipped, what is lost, and what is waited for."""

from __future__ import annotations

import threading

from pleinair import Piece, Text, every, same

from .parts import Clip, Hand, Invert, Parts, busy, camera_piece, number_of, picture


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
