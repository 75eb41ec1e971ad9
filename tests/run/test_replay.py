"""A tape replays bit-identical; another piece, another weight or another seed is found out."""

from __future__ import annotations

import json
import shutil

import pytest

from pleinair import Piece
from pleinair.core.errors import Fault, TapeFault
from pleinair.run.live import LiveRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape, line_of

from .parts import Clip, Hand, Invert, Log, Parts, number_of, picture
from .tapes import Again, record, replay


def test_a_bit_of_everything_replays_bit_identical(whole):
    folder, make = whole
    result = replay(folder, make)
    assert result.same and result.first is None and result.compared and result.cut_short is None
    assert result.identical == result.frames > 60
    assert result.faults >= 2 and result.cancelled == 1
    assert set(result.streams) == {"painting", "other", "mask", "spoken", "hands", "draw"}
    assert json.dumps(result.as_dict())


def test_with_the_expected_outputs_deleted_the_same_are_computed_again(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    before = (folder / "expected.jsonl").read_text()
    (folder / "expected.jsonl").unlink()
    result = replay(folder, whole[1])
    assert not result.compared and result.same
    assert "".join(line_of(e) + "\n" for e in result.expected) == before


def test_with_the_expected_outputs_deleted_another_piece_is_still_found_out(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "expected.jsonl").unlink()

    def make():
        graph = whole[1]()
        graph.nodes["painting"].model = Dimmer()
        return graph

    result = replay(folder, make)
    assert not result.same and "seal" in result.first


class Dimmer(Invert):
    """The negative, with one weight altered by one level at one place."""

    def __call__(self, image):
        painted = super().__call__(image)
        if image[0, 0, 1] >= 11:
            painted[2, 3, 1] ^= 1
        return painted


def test_one_weight_altered_is_found_at_the_first_frame_that_differs(whole):
    def make():
        graph = whole[1]()
        graph.nodes["painting"].model = Dimmer()
        return graph

    result = replay(whole[0], make)
    assert not result.same
    fired = [e["i"][0][1] for _, e in Tape(whole[0]).events() if e["e"] == "fire" and e["n"] == "painting"]
    number = next(n for n, camera in enumerate(fired) if camera >= 11)
    assert result.first == f"painting frame {number} (t = {fired[number] / 30:.3f} s) differs"


def test_another_seed_is_found(whole):
    folder, make = whole

    class Other(Again):
        def build(self, tape, start):
            start["seed"] = 8
            return make()

    result = Replay(Tape(folder), Other(make)).run()
    assert not result.same and result.first.startswith("mask frame 0 (t = 0.000 s)")


def test_another_wiring_is_refused(whole):
    def make():
        piece = Piece()
        piece.source("camera")
        piece.draw(lambda camera: camera)
        return piece.build(Parts())

    with pytest.raises(TapeFault, match="wired otherwise"):
        replay(whole[0], make)


def test_a_replay_holds_a_handful_of_frames_however_long_the_tape_is(tmp_path):
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.draw(lambda painting, camera, previous: painting // 2 + previous // 2)
    make = lambda: piece.build(Parts(camera=Clip(600)))  # noqa: E731
    record(tmp_path / "t", make(), costs={"painting": 0.05})
    most = []
    played = Replay(Tape(tmp_path / "t"), Again(make), after=lambda *a: most.append(len(played.frames)))
    assert played.run().same
    assert max(most) <= 8


def test_changes_are_made_again_in_their_place(tmp_path):
    class Times(Invert):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def __call__(self, image):
            return image * self.factor

    def make():
        piece = Piece()
        piece.source("camera")
        piece.model("painting", reads="camera")
        piece.draw(lambda painting: painting)
        return piece.build(Parts(camera=make.camera, painting=Times(1)))

    make.camera = Hand()
    log, recorder = Log(), Recorder(tmp_path / "t")
    runner = LiveRunner(make(), observers=[recorder, log], strict=True)
    runner.start()
    for n in range(12):
        if n % 4 == 2:
            fresh = Times(n)
            node = runner.graph.nodes["painting"]
            done = runner.change("painting", "swap", {"factor": n}, lambda: node.swap(fresh).close())  # noqa: B023
            assert done.wait(5)
        make.camera.give(picture(n))
        log.until("frame", "draw", n + 1)
    runner.stop()
    recorder.close()

    def change(graph, node, what, detail):
        graph.nodes[node].swap(Times(detail["factor"]))

    result = replay(tmp_path / "t", make, change)
    assert result.same and result.changes == 3 and result.frames == 24
    assert not replay(tmp_path / "t", make).same, "without the change it differs"


def test_the_pauses_after_a_fault_come_from_the_tape(tmp_path):
    """In the live run a failing node was left alone for a second; the replay fires exactly what was fired."""
    piece = Piece()
    piece.source("camera")

    @piece.draw
    def draw(camera):
        if number_of(camera) == 2:
            raise RuntimeError(f"at {object()}")
        return camera

    camera, log, recorder = Hand(), Log(), Recorder(tmp_path / "t")
    runner = LiveRunner(piece.build(Parts(camera=camera)), observers=[recorder, log])
    runner.start()
    for n in range(3):
        camera.give(picture(n))
        log.until("done", "draw", n + 1)
    for n in range(3, 9):
        camera.give(picture(n))
    log.until("frame", "camera", 9)
    runner.stop()
    recorder.close()
    result = replay(tmp_path / "t", lambda: piece.build(Parts()))
    assert result.same and result.faults == 1 and result.streams["draw"] == 2, "0x... in a sentence is no difference"


def test_a_fault_that_does_not_come_again_is_a_difference(tmp_path):
    def make(fails=True):
        piece = Piece()
        piece.source("camera")

        @piece.draw
        def draw(camera):
            if fails and number_of(camera) == 5:
                raise RuntimeError("only then")
            return camera

        return piece.build(Parts(camera=Clip(10)))

    record(tmp_path / "t", make(), strict=False)
    assert replay(tmp_path / "t", make).same
    result = replay(tmp_path / "t", lambda: make(False))
    assert not result.same and "only then" in result.first


def test_a_model_that_was_never_there_and_never_fired_is_not_needed(tmp_path):
    class Gone(Invert):
        def open(self):
            raise Fault("the weights are gone")

    piece = Piece()
    piece.source("camera")
    piece.source("other")
    piece.model("painting", reads="other")
    piece.draw(lambda camera: camera)
    make = lambda model: piece.build(Parts(camera=Clip(5), other=Clip(0), painting=model))  # noqa: E731
    record(tmp_path / "t", make(Invert()))
    assert replay(tmp_path / "t", lambda: make(Gone())).same
