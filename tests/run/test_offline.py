"""The same piece without threads: the same each time, and what a slow node would skip is skipped."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import Control, Mask, Piece, Text, same
from pleinair.core.errors import DeviceFault, Fault, NodeFault
from pleinair.core.kinds import Event, Image
from pleinair.core.source import Capture, Source
from pleinair.run.offline import OfflineRunner

from .parts import Clip, Invert, Log, Out, Parts, number_of, picture


def mirror() -> Piece:
    piece = Piece()
    piece.source("camera")
    piece.knob("strength", 0.5)
    piece.model("painting", reads="camera")

    @piece.node
    def trail(camera, previous, rng, dt):
        return ((previous.astype(int) + camera + rng.integers(0, 9, camera.shape)) // 2).astype(np.uint8)

    @piece.draw
    def draw(painting, camera: same, trail, strength, t):
        return (painting * strength + trail * (1 - strength) + t).astype(np.uint8)

    return piece


def digests(log: Log) -> list[tuple]:
    kinds = {Image.__name__: Image}
    return [
        (e[1], e[2].seq, e[2].t_ns, kinds["Image"].digest(e[2].data)) for e in log.of("frame") if e[1] != "strength"
    ]


@pytest.mark.parametrize("costs", [{}, {"painting": 0.05}, {"painting": 0.2, "draw": 0.01, "trail": 0.04}], ids=str)
def test_two_runs_are_the_same_to_the_last_bit(costs):
    def run() -> tuple[list, list]:
        log = Log()
        OfflineRunner(mirror().build(Parts(), seed=7), observers=[log], costs=costs, knobs=[(0.5, "strength", 1)]).run(
            2
        )
        return digests(log), [e[:3] for e in log.events if e[0] in ("fire", "skip")]

    assert run() == run()


def test_another_seed_is_another_run():
    logs = [Log(), Log()]
    for seed, log in enumerate(logs):
        OfflineRunner(mirror().build(Parts(), seed=seed), observers=[log]).run(0.2)
    assert digests(logs[0]) != digests(logs[1])


def test_without_costs_nothing_is_skipped_and_every_frame_goes_through():
    stats = OfflineRunner(mirror().build(Parts())).run()
    assert stats.skipped.total() == 0
    nodes = stats.report()["nodes"]
    assert {n: nodes[n]["published"] for n in nodes} == {
        "camera": 60, "strength": 1, "painting": 60, "trail": 60, "draw": 60
    }  # fmt: skip


def test_a_declared_cost_skips_what_would_be_skipped_and_age_does_not_grow():
    """A 200 ms model behind 30 pictures a second, for a minute: it always takes the newest."""
    log = Log()
    piece = mirror()
    runner = OfflineRunner(
        piece.build(Parts(camera=Clip(1800))), costs={"painting": 0.2}, observers=[log]
    )  # fmt: skip
    stats = runner.run()
    published = stats.report()["nodes"]["painting"]["published"]
    assert 270 <= published <= 301 and stats.skipped["painting"] == pytest.approx(1800 - published, abs=2)
    ages = [f.trace[-1].done_ns - f.t_ns for f in log.frames("painting")]
    assert max(ages) <= 240_000_000
    tenth = len(ages) // 10
    assert np.median(ages[-tenth:]) <= 1.1 * np.median(ages[:tenth])


def test_models_take_turns_the_oldest_moment_first():
    piece = Piece()
    piece.source("camera")
    piece.model("a", reads="camera")
    piece.model("b", reads="camera")
    piece.sink("out", reads="b")
    log = Log()
    OfflineRunner(piece.build(Parts(camera=Clip(30))), costs={"a": 0.04, "b": 0.04}, observers=[log]).run()
    busy = None
    for event in log.events:
        if event[0] == "fire" and event[1] in "ab":
            assert busy is None, "two networks at once"
            busy = event[1]
        elif event[0] == "done" and event[1] in "ab":
            busy = None
    fired = {n: len(log.of("fire", n)) for n in "ab"}
    assert abs(fired["a"] - fired["b"]) <= 1, f"neither starves: {fired}"


def test_a_firing_that_publishes_nothing_costs_its_time_too():
    piece = Piece()
    piece.source("camera")

    @piece.draw
    def draw(camera):
        return None

    stats = OfflineRunner(piece.build(Parts(camera=Clip(30))), costs={"draw": 0.1}).run()
    assert stats.fired["draw"] == pytest.approx(10, abs=1)


def test_hundreds_of_frames_that_wait_and_publish_nothing_need_no_deep_stack():
    piece = Piece()
    piece.source("words")
    heard = []

    @piece.draw
    def draw(words) -> Text:
        heard.append(words)

    items = [(0.0, str(n)) for n in range(250)]
    OfflineRunner(piece.build(Parts(words=Clip(items=items, kind=Text))), costs={}).run()
    assert heard == [str(n) for n in range(250)]


def test_what_is_read_one_by_one_is_lost_only_when_too_much_waits():
    piece = Piece()
    piece.source("words")

    @piece.draw
    def draw(words) -> Text:
        return words

    items = [(n / 1000, str(n)) for n in range(400)]
    stats = OfflineRunner(piece.build(Parts(words=Clip(items=items, kind=Text))), costs={"draw": 0.01}).run()
    nodes = stats.report()["nodes"]["draw"]
    assert nodes["lost"] > 50 and nodes["skipped"] == 0 and nodes["published"] + nodes["lost"] == 400


def test_an_interrupt_closes_a_generator_between_two_items():
    piece = Piece()
    piece.source("question")
    piece.source("voice")
    closed = []

    @piece.node(interrupt="voice")
    def words(question) -> Text:
        try:
            for n in range(10):
                yield f"{n}"
        finally:
            closed.append(True)

    piece.draw(lambda words: words)
    log = Log()
    parts = Parts(question=Clip(items=[(0, "why")], kind=Text), voice=Clip(items=[(0.35, "stop")], kind=Event))
    OfflineRunner(piece.build(parts), costs={"words": 0.1}, observers=[log]).run()
    assert [f.data for f in log.frames("words")] == ["0", "1", "2", "3"], "what was being made is still said"
    assert log.of("done", "words")[0][2:] == (4, True, None) and closed == [True]


def test_same_finds_its_moment_also_where_the_picture_is_ahead():
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")

    @piece.draw
    def draw(camera, painting: same):
        assert (255 - painting == camera).all()
        return camera

    stats = OfflineRunner(piece.build(Parts(camera=Clip(300))), costs={"painting": 0.07}).run()
    nodes = stats.report()["nodes"]
    assert nodes["draw"]["published"] >= nodes["painting"]["published"] - 1 > 80


def test_feedback_by_two_nodes_that_look_at_each_other_begins_empty_and_runs():
    piece = Piece()
    piece.source("tick")

    @piece.node(size=(2, 2))
    def a(tick, b) -> Mask:
        return np.minimum(b + np.float32(0.25), 1)

    @piece.draw(size=(2, 2))
    def b(tick, a) -> Mask:
        return a

    log = Log()
    OfflineRunner(
        piece.build(Parts(tick=Clip(items=[(n / 10, n / 10) for n in range(4)], kind=Control))), observers=[log]
    ).run()
    values = [float(f.data[0, 0]) for f in log.frames("b")]
    assert len(values) == 4 and values == sorted(values) and values[-1] > values[0]


def test_strict_raises_and_otherwise_faults_are_counted_and_the_next_frame_is_tried():
    def piece() -> Piece:
        piece = Piece()
        piece.source("camera")

        @piece.draw
        def draw(camera):
            if number_of(camera) % 2:
                raise RuntimeError("odd")
            return camera

        return piece

    with pytest.raises(NodeFault, match="odd"):
        OfflineRunner(piece().build(Parts())).run()
    log = Log()
    stats = OfflineRunner(piece().build(Parts()), strict=False, observers=[log]).run()
    assert len(log.frames("draw")) == 30 and len(log.of("fault", "draw")) == 30
    assert stats.report()["faults"][0]["count"] == 30


def test_everything_is_closed_also_after_a_fault():
    camera, model = Clip(), Invert()
    piece = mirror()

    @piece.node
    def bad(painting):
        raise RuntimeError("no")

    with pytest.raises(NodeFault):
        OfflineRunner(piece.build(Parts(camera=camera, painting=model))).run()
    assert camera.closed == 1 and model.closed == 1


def test_a_bad_picture_of_a_source_is_a_fault_and_the_next_is_taken():
    items = [(0.0, picture(0)), (0.1, np.full((2, 2, 3), np.nan)), (0.2, picture(2))]
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    with pytest.raises(DeviceFault, match="NaN"):
        OfflineRunner(piece.build(Parts(camera=Clip(items=items)))).run()
    log = Log()
    OfflineRunner(piece.build(Parts(camera=Clip(items=items))), strict=False, observers=[log]).run()
    assert [number_of(f.data) for f in log.frames("draw")] == [0, 2]


def test_a_source_that_does_not_say_when_cannot_be_run_offline():
    class Device(Source):
        def __iter__(self):
            yield Capture(picture(0))

    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    with pytest.raises(Fault, match="when its frames are due"):
        OfflineRunner(piece.build(Parts(camera=Device()))).run()


def test_it_stops_at_the_asked_moment_and_knobs_move_when_they_are_told():
    piece = Piece()
    piece.source("camera")
    piece.knob("k", 0.0)
    seen = []

    @piece.draw
    def draw(camera, k, t):
        seen.append((round(t, 3), k))
        return camera

    out = Out()
    piece.sink("out", reads="draw")
    OfflineRunner(piece.build(Parts(camera=Clip(100, rate=10), out=out)), knobs=[(0.55, "k", 1.0)]).run(1.0)
    assert len(seen) == 10 and [k for _, k in seen] == [0.0] * 6 + [1.0] * 4
    assert len(out.got) == 10
