"""What holds for every verb, and the small ones: help, JSON, exit status, `new`, `doctor`, `profile`."""

from __future__ import annotations

import json
import socket
import sys

import pytest

from pleinair import cli

from .conftest import program


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_a_help_with_an_example_and_json(verb, call):
    got = call(verb, "--help", json_too=False)
    assert got.code == 0 and "example:" in got.out and f"pleinair {verb}" in got.out
    if verb != "models":
        assert "--json" in got.out


def test_help_and_version_without_a_verb():
    assert program().returncode == 2
    assert program("--version").stdout.startswith("pleinair ")
    top = program("--help")
    assert top.returncode == 0 and all(verb in top.stdout for verb in cli.VERBS)


def test_a_verb_that_there_is_not():
    got = program("rum", "mirror")
    assert got.returncode == 2 and 'did you mean "run"?' in got.stderr


def test_json_to_standard_output_and_nothing_else_goes_there(home):
    got = program("models", "list", "--json", "-")
    assert got.returncode == 0
    assert json.loads(got.stdout)["models"]
    assert "\x1b" not in got.stderr, "no colour where there is no terminal"


def test_a_fault_is_json_too(home):
    got = program("check", "nowhere", "--json", "-")
    assert got.returncode == 1 and json.loads(got.stdout)["fault"]["what"] == 'there is no piece "nowhere"'


def test_a_file_for_json_that_cannot_be_written_is_a_sentence(home):
    got = program("models", "list", "--json", "/nowhere/at/all.json")
    assert got.returncode == 2 and "Traceback" not in got.stderr


# -- new -------------------------------------------------------------------------------------------------------------


def test_new_copies_what_a_person_wrote(home, call, tmp_path):
    folder = tmp_path / "mine"
    got = call("new", folder, "--from", "mirror")
    assert got.code == 0 and {"piece.py", "piece.toml"} <= set(got.found["files"])
    assert not (folder / "piece.lock").exists() and not list(folder.rglob("__pycache__"))
    assert f"pleinair run {folder}" in got.said
    assert call("check", folder).code == 0


def test_new_writes_into_an_empty_folder_and_refuses_a_full_one(home, call, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    assert call("new", folder).code == 0
    before = (folder / "piece.py").read_text()
    got = call("new", folder)
    assert got.code == 1 and "not empty" in got.said and (folder / "piece.py").read_text() == before
    got = call("new", tmp_path / "other", "--from", "miror")
    assert got.code == 2 and 'did you mean "mirror"?' in got.said and not (tmp_path / "other").exists()


# -- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_says_what_there_is(home, call):
    got = call("doctor")
    assert got.code == 0
    assert got.found["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    precisions = {b["name"]: b["precisions"] for b in got.found["backends"]}
    assert precisions["onnx"] == ["f32"]
    assert precisions["gguf"] == [], "those of a GGUF file are its own"
    assert "that of each file (Q4_K" in got.said
    wrong = [p["name"] for p in got.found["plugins"] if p["origin"].startswith("pleinair ") and not p["ok"]]
    assert set(wrong) <= {"torch"}, "the one extra that the tests do not install"
    assert "stylise" in got.said


def test_doctor_sees_a_port_in_use(home, call, monkeypatch):
    from pleinair.cli import doctor

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(doctor, "PORT", server.getsockname()[1])
        got = call("doctor")
    assert got.code == 0 and got.found["port"]["free"] is False and "in use" in got.said


def test_doctor_foretells_a_piece_and_says_how_sure_it_is(home, call):
    got = call("doctor", "--for", "mirror")
    told = got.found["forecast"]
    (low, high), (slow, fast) = told["age_ms"], told["fps"]
    assert 0 < low <= high and 0 < slow <= fast <= 30
    assert told["sure"] in ("fairly", "hardly") and "20 calls" in told["why"]
    assert set(told["parts_ms"]) >= {"painting", "draw", "encoding"}
    assert got.code == (1 if told["verdict"] == "over" else 0)


# -- profile ---------------------------------------------------------------------------------------------------------

SLOW = """
import time
piece.source("camera")
@piece.draw
def draw(camera):
    time.sleep(0.03)
    return camera
"""


def test_profile_has_the_report_of_the_contract_and_keeps_to_the_budget(home, call, write_piece):
    toml = '[budget]\nage_ms = 5000\n[source.camera]\ndevice = "synthetic"\nsize = [64, 48]\n'
    got = call("profile", write_piece(SLOW, toml), "--for", "0.6")
    assert got.code == 0, got.said
    report = got.found
    keys = "piece seconds frames fps age_ms glass_ms nodes first_frame_s rss_mb cpu_s energy faults backends"
    assert set(keys.split()) <= set(report)
    assert report["nodes"]["draw"]["ran_ms"]["p50"] >= 30
    assert report["age_ms"]["p50"] >= 30 and report["encoded"]["age_ms"]["p50"] >= 30
    assert report["budget"]["kept"] is True


def test_profile_over_its_budget_exits_1_and_says_so(home, call, write_piece):
    toml = '[budget]\nage_ms = 20\n[source.camera]\ndevice = "synthetic"\nsize = [64, 48]\n'
    got = call("profile", write_piece(SLOW, toml), "--for", "0.6")
    assert got.code == 1 and "over the budget of 20" in got.said and got.found["budget"]["kept"] is False


@pytest.mark.parametrize("text", ["fast", "72,", "72,1,2", "-1", "nan", "1e400"])
def test_a_round_trip_that_is_none(home, call, text):
    got = call("profile", "mirror", f"--cloud={text}")
    assert got.code == 2 and "--cloud 72" in got.said


def test_profile_with_a_network_in_between_says_what_it_found(home, call):
    got = call("profile", "mirror", "--source", "camera=synthetic", "--for", "1", "--cloud", "30,20")
    cloud = got.found["cloud"]
    assert (cloud["rtt_ms"], cloud["extra_ms"]) == (30, 20) and cloud["window"] >= 2
    assert all(cloud[run]["fps"] > 0 for run in ("here", "serial", "pipelined"))
    assert cloud["sentence"] in got.said
    assert got.found["alone"]["painting"]["ran_ms"]["p50"] > 0


# -- run -------------------------------------------------------------------------------------------------------------

ABORTS = """import atexit, os, threading
from pleinair import Image, Piece

atexit.register(os.abort)  # as a network's library does that is taken apart while somebody is still inside it
piece = Piece()
piece.source("tick")

@piece.node(size=(8, 8))
def slow(tick) -> Image:
    threading.Event().wait({seconds})
    return tick * 0 + 0.5

@piece.draw
def draw(slow):
    return slow
"""


@pytest.mark.parametrize(("seconds", "code"), [(600, 0), (0, -6)])
def test_what_never_comes_back_does_not_end_the_program_badly(home, tmp_path, seconds, code):
    (tmp_path / "piece.py").write_text(ABORTS.format(seconds=seconds))
    (tmp_path / "piece.toml").write_text("[source.tick]\nrate = 8\n")
    got = program("run", tmp_path, "--for", "2", "--no-browser", "--port", "0")
    assert got.returncode == code, got.stderr
    assert ("slow did not come back when the piece ended" in got.stderr) == (seconds > 0)
