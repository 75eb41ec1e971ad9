"""Presets: stored whole or not at all, recalled at once or by a cross-fade that a hand may leave."""

import json
import threading

import numpy as np

from .fakes import ask, until


def test_a_preset_is_saved_listed_recalled_and_deleted(stage):
    ask(stage, "PUT", "/api/knobs/strength", {"value": 0.25})
    assert ask(stage, "PUT", "/api/presets/dawn", {})[0] == 200
    ask(stage, "PUT", "/api/knobs/strength", {"value": 1})
    assert list(ask(stage, "GET", "/api/presets")[1]["presets"]) == ["dawn"]
    status, said, _ = ask(stage, "POST", "/api/presets/dawn/recall")
    assert (status, said["passed_over"]) == (200, [])
    assert stage.host.value("strength") == 0.25
    assert json.loads(stage.host.presets_file.read_text())["version"] == 1
    assert ask(stage, "DELETE", "/api/presets/dawn")[0] == 200
    assert ask(stage, "GET", "/api/presets")[1]["presets"] == {}
    assert ask(stage, "DELETE", "/api/presets/dawn")[0] == 404
    status, said, _ = ask(stage, "POST", "/api/presets/dwan/recall", {"seconds": 1})
    assert status == 404


def test_a_cross_fade_morphs_a_vector_evenly(stage):
    goal = [0.0] * 25 + [1.0]
    ask(stage, "PUT", "/api/presets/a", {"knobs": {"styles": goal}})
    start = np.array(stage.host.value("styles"))
    stage.host.pushed.clear()
    assert ask(stage, "POST", "/api/presets/a/recall", {"seconds": 0.6})[0] == 200
    until(lambda: np.allclose(stage.host.value("styles"), goal))
    steps = [(at, np.array(data)) for at, name, data in stage.host.pushed if name == "styles"]
    assert len(steps) >= 8
    assert 0.5 < steps[-1][0] - steps[0][0] < 1.2
    rising = [float(values[25]) for _, values in steps]
    assert rising == sorted(rising)
    for _, values in steps:  # every step lies on the straight line between the two
        assert np.allclose(values, start + (np.array(goal) - start) * values[25], atol=1e-5)


def test_a_hand_takes_its_knob_out_of_a_fade(stage):
    ask(stage, "PUT", "/api/presets/a", {"knobs": {"strength": 0.0, "glow": 0.0}})
    ask(stage, "POST", "/api/presets/a/recall", {"seconds": 0.5})
    ask(stage, "PUT", "/api/knobs/strength", {"value": 0.77})
    until(lambda: stage.host.value("glow") == 0)
    assert stage.host.value("strength") == 0.77


def test_another_recall_ends_a_fade(stage):
    ask(stage, "PUT", "/api/presets/a", {"knobs": {"strength": 0.0}})
    ask(stage, "PUT", "/api/presets/b", {"knobs": {"strength": 1.0}})
    ask(stage, "POST", "/api/presets/a/recall", {"seconds": 60})
    ask(stage, "POST", "/api/presets/b/recall", {"seconds": 0})
    threading.Event().wait(0.15)
    assert stage.host.value("strength") == 1.0


def test_what_the_piece_no_longer_has_is_passed_over_and_named(stage):
    stage.host.presets_file.write_text(
        json.dumps(
            {"version": 1, "presets": {"old": {"knobs": {"strength": 0.5, "gone": 1, "styles": [1, 2], "glow": "x"}}}}
        )
    )
    status, said, _ = ask(stage, "POST", "/api/presets/old/recall", {"seconds": 0})
    assert status == 200
    assert len(said["passed_over"]) == 3
    assert stage.host.value("strength") == 0.5


def test_a_broken_file_is_a_fault_and_is_not_overwritten(stage):
    stage.host.presets_file.write_text("{broken")
    assert ask(stage, "GET", "/api/presets")[0] == 409
    assert ask(stage, "PUT", "/api/presets/a", {})[0] == 409
    assert stage.host.presets_file.read_text() == "{broken"


def test_nothing_half_written_is_left_when_the_disk_refuses(stage, tmp_path):
    ask(stage, "PUT", "/api/presets/a", {})
    before = stage.host.presets_file.read_bytes()
    blocked = tmp_path / "file"
    blocked.write_text("")
    held, stage.host.presets_file = stage.host.presets_file, blocked / "presets.json"
    assert ask(stage, "PUT", "/api/presets/b", {})[0] == 409
    assert held.read_bytes() == before


def test_seconds_are_checked(stage):
    ask(stage, "PUT", "/api/presets/a", {})
    for wrong in ("4", -1, 1e9, None, [], True):
        assert ask(stage, "POST", "/api/presets/a/recall", {"seconds": wrong})[0] == 400
