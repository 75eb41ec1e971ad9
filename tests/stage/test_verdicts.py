"""A piece whose uses are refused says so and goes on: the gate never makes a room dark."""

from __future__ import annotations

import threading

import pytest

from pleinair import assembly
from pleinair.cli.run import say_notices
from pleinair.manifest import Lock
from pleinair.stage.show import Show
from pleinair.stage.verdicts import Verdicts

PIECE = 'piece.source("camera")\n@piece.draw\ndef draw(camera): return camera\n'
NAMELESS = 'uses = ["exhibit-paid"]\n[source.camera]\ndevice = "clip:carphone"\n'


@pytest.fixture
def folder(write_piece, weights):
    return write_piece(PIECE, NAMELESS)


def shown(folder, **options) -> Show:
    show = Show(assembly.load(folder), **options)
    show.start()
    try:
        for _ in range(500):
            if show.report()["frames"]:
                break
            threading.Event().wait(0.01)
    finally:
        show.stop()
    return show


def licences(show):
    return [n for n in show.notices if n["name"] == "licences"]


def test_a_refused_piece_runs_and_says_that_it_is_refused(folder, capsys):
    show = shown(folder)
    (line,) = licences(show)
    assert line["verdict"] == "refuse" and line["use"] == "exhibit-paid" and "carphone" in line["more"]
    assert show.report()["frames"] > 0
    say_notices(show.notices, "mine")
    said = capsys.readouterr().err
    assert "exhibit-paid: refused" in said and "the piece is shown" in said and "--accept" in said


def test_one_reason_that_refuses_two_uses_is_said_once(capsys):
    refused = {"name": "licences", "verdict": "refuse"}
    say_notices(
        [
            {**refused, "use": "exhibit-paid", "text": "exhibit-paid: refused. A clip: no licence is known."},
            {**refused, "use": "sell-edition", "text": "sell-edition: refused. A clip: no licence is known."},
        ],
        "mine",
    )
    said = capsys.readouterr().err
    assert "licences: exhibit-paid, sell-edition: refused" in said and said.count("no licence is known") == 1
    assert "--use exhibit-paid --use sell-edition" in said


def test_its_verdict_is_locked_and_a_kinder_lock_counts_with_a_warning(folder):
    shown(folder)
    path = folder / "piece.lock"
    lock = Lock.load(path)
    assert lock.verdicts["exhibit-paid"]["verdict"] == "refuse"
    path.write_text(path.read_text("utf-8").replace('verdict = "refuse"', 'verdict = "allow"'), "utf-8")
    first, warning = licences(shown(folder))
    assert first["verdict"] == "allow" and warning["verdict"] == "warning" and "opens as it did" in warning["text"]


def test_what_is_tried_for_an_evening_is_judged_and_not_locked(folder):
    show = shown(folder, sources={"camera": "clip:bigbuckbunny"})
    assert [n["verdict"] for n in licences(show)] == ["duties"]
    assert not Lock.load(folder / "piece.lock").verdicts


def test_no_thread_of_the_gate_is_left(folder):
    shown(folder)
    assert not [t for t in threading.enumerate() if t.name == "pleinair:licences"]


def test_lines_that_come_late_are_added_when_they_come(folder, monkeypatch):
    monkeypatch.setattr("pleinair.stage.verdicts.WAIT_S", 0.0)
    gate, notices, go = Verdicts(assembly.load(folder), Lock()), [], threading.Event()
    thought = gate._thought
    monkeypatch.setattr(gate, "_thought", lambda: [go.wait(10), *thought()][1:])
    gate.start()
    gate.settle(notices)
    assert notices == []
    go.set()
    gate.join(20)
    assert [n["verdict"] for n in notices] == ["refuse"]


def test_a_card_that_is_gone_is_nothing_that_is_known(write_piece):
    loaded = assembly.load(write_piece(PIECE, '[source.camera]\ndevice = "clip:no-such-card"\n'))
    gate, notices = Verdicts(loaded, Lock()), []
    gate.start()
    gate.settle(notices)
    assert notices[0]["verdict"] == "refuse" and "no-such-card" in notices[0]["text"]


def test_a_recording_and_how_open_the_models_are_stand_on_the_desk(write_piece, weights, tmp_path):
    toml = '[source.camera]\ndevice = "webcam"\n[model.half]\ncard = "multistyle26"\nsize = [96, 64]\n'
    piece = 'piece.source("camera")\npiece.model("half", reads="camera")\n@piece.draw\ndef draw(half): return half\n'
    loaded = assembly.load(write_piece(piece, toml))

    def told(**options) -> dict[str, str]:
        notices: list[dict[str, str]] = []
        thought = Verdicts(loaded, Lock(), **options)
        thought.start()
        thought.settle(notices)
        return {n["name"]: n["text"] + "\n" + n.get("more", "") for n in notices}

    assert "what the camera sees goes onto the tape" in told(recorded=True)["recording"]
    assert "recording" not in told() and "recording" not in told(recorded=True, sources={"camera": "clip:bikes"})
    openness = told()["openness"]
    assert "Model Openness Framework" in openness and "OSI" in openness and openness.count("?") == 4
