"""A bent layer in a piece: played by a knob while it runs, and its tape proves it."""

from __future__ import annotations

import pytest

from pleinair.core.errors import ModelFault

from .shows import play, prove, settle

PIECE = """
piece.source("camera")
piece.knob("swirl", 0.0, range=(-2, 4))
piece.model("painting", reads={"image": "camera", "swirl_scale": "swirl"})
piece.model("inside", reads="camera")

@piece.draw
def draw(painting): return painting
"""
TOML = """
[source.camera]
device = "synthetic:room"
size = [96, 64]
[model.painting]
card = "multistyle26"
size = [96, 64]
backend = "onnx"
swirl_noise = 0.05
bend = { swirl = { layer = "expand.0/Relu", seed = 3 } }
[model.inside]
card = "multistyle26"
size = [96, 64]
backend = "onnx"
tap = { layer = "Add_3", as = "vector" }
"""


def test_a_layer_is_played_by_a_knob_and_the_tape_proves_it(write_piece, tmp_path, weights):
    folder = write_piece(PIECE, TOML)

    def during(show, log):
        for value in (1.0, 3.0, -1.0):
            show.push("swirl", value)
            settle(log, "frame", "painting", 2)
        assert show.value("inside").shape == (32,)

    show, log = play(folder, tmp_path / "tape", until=("frame", "draw", 8), during=during, watch=False)
    result = prove(tmp_path / "tape")
    assert result.same and result.identical == result.frames == show.recorder.frames
    assert len({str(frame[2].data.tobytes()) for frame in log.of("frame", "painting")}) > 3


def test_a_layer_that_there_is_not_is_a_fault_and_the_rest_runs(write_piece, tmp_path, weights):
    folder = write_piece(PIECE, TOML.replace("expand.0/Relu", "expand.0/Rellu"))

    def during(show, log):
        log.until("fault", "painting")
        settle(log, "frame", "inside", 2)

    _, log = play(folder, None, until=("frame", "camera", 3), during=during, watch=False)
    fault = log.of("fault", "painting")[0][2]
    assert isinstance(fault, ModelFault) and "expand.0/Relu" in fault.hint
    assert len(log.of("frame", "inside")) >= 2 and not log.of("frame", "painting")


@pytest.mark.parametrize("wrong", ['bend = "expand.0/Relu"', "bend = { swirl = 3 }"])
def test_a_bend_that_is_none_is_said_at_the_start(write_piece, tmp_path, weights, wrong):
    from pleinair import assembly
    from pleinair.core.errors import Fault

    folder = write_piece(PIECE, TOML.replace('bend = { swirl = { layer = "expand.0/Relu", seed = 3 } }', wrong))
    with pytest.raises(Fault, match="bend"):
        loaded = assembly.load(folder)
        assembly.assemble(loaded, assembly.MachineParts(loaded))
