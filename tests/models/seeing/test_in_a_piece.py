"""People in a piece: content time reaches them, a tape of them replays bit-identical, also from the middle."""

from __future__ import annotations

import pytest

from pleinair import Piece, paint, same
from pleinair.models import load
from pleinair.run.cut import cut
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape
from tests.run.parts import Clip, Parts

from .people import TASKS, bring, frames


class Again:
    """Replay's way to the piece of this test."""

    def build(self, tape, start):
        return made()

    def change(self, tape, graph, node, what, detail): ...


def made():
    piece = Piece()
    piece.source("camera")
    for task in TASKS:
        piece.model(task, reads="camera")

    @piece.draw
    def draw(person_mask, camera: same, faces, hands, pose):
        room = paint.blend(paint.grey(camera), camera, person_mask)
        return paint.skeleton(paint.mesh(paint.skeleton(room, pose), faces), hands)

    items = [(n / 12, frame) for n, frame in enumerate(frames("finger_signs")[:10])]
    models = {task: load(task, backend="openvino", threads=1) for task in TASKS}
    return piece.build(Parts(camera=Clip(items=items), **models), seed=1)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    bring()
    folder = tmp_path_factory.mktemp("tapes") / "people"
    recorder = Recorder(folder, meta={"title": "people"}, files={"piece.py": "# nothing"})
    try:
        OfflineRunner(made(), observers=[recorder]).run()
    finally:
        recorder.close()
    return folder


def test_a_tape_of_people_replays_bit_identical(tape):
    result = Replay(Tape(tape), Again()).run()
    assert result.same and result.streams["faces"] == result.streams["pose"] == 10


def test_it_goes_on_from_the_middle(tape, tmp_path):
    """What each follows and smooths is on the cut tape: without it the first frames would differ."""
    result, _ = cut(Tape(tape), [], tmp_path / "cut", Again(), from_s=0.4)
    assert result.same
    again = Replay(Tape(tmp_path / "cut"), Again()).run()
    assert again.same and 0 < again.streams["hands"] < 10
