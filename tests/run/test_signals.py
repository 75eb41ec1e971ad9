"""Ctrl-C and SIGTERM at any moment of `pleinair run`: the end comes within 2 s, and the tape is whole."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pleinair.run.replay import Replay
from pleinair.run.tape import Tape
from pleinair.tapes import TapeHand

PYTHON = """
from pleinair import Piece, blend, same
piece = Piece()
piece.source("camera")
piece.model("painting", reads="camera")

@piece.draw
def draw(painting, camera: same):
    return blend(camera, painting, 0.5)
"""
TOML = """
[source.camera]
device = "synthetic:room"
size = [96, 64]
[model.painting]
card = "multistyle26"
size = [96, 64]
backend = "onnx"
precision = "f32"
"""


def start(folder: Path, tape: Path) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "pleinair",
        "run",
        str(folder),
        "--no-browser",
        "--port",
        "0",
        "--record",
        str(tape),
    ]
    # Whoever starts the tests in the background of a script hands down a SIGINT that is ignored.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def end(process: subprocess.Popen, number: int) -> tuple[float, str]:
    """Seconds until it was gone, and what it said."""
    began = time.monotonic()
    process.send_signal(number)
    try:
        said = process.communicate(timeout=20)[1]
    finally:
        process.kill()
    return time.monotonic() - began, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("after_s", [0.0, 0.15, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6])
def test_a_signal_while_it_starts_ends_it_within_2_seconds(write_piece, tmp_path, weights, number, after_s):
    process = start(write_piece(PYTHON, TOML), tmp_path / "tape")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)  # nothing is there yet to wait for
    seconds, said = end(process, number)
    assert seconds < 2.0, said
    assert "Traceback" not in said or "/cli/run.py" not in said, (
        said
    )  # before that, it is Python that is still starting
    if (tmp_path / "tape" / "tape.json").exists() and "recorded" in said:
        assert Replay(Tape(tmp_path / "tape"), TapeHand()).run().same


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_signal_in_the_middle_of_a_recording_leaves_a_whole_and_sealed_tape(write_piece, tmp_path, weights, number):
    process = start(write_piece(PYTHON, TOML), tmp_path / "tape")
    for line in process.stderr:
        if "http://" in line:
            break
    expected = tmp_path / "tape" / "expected.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not expected.exists() or expected.stat().st_size < 4000):
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    seconds, said = end(process, number)
    assert seconds < 2.0 and process.returncode == 0, said
    assert "recorded" in said
    result = Replay(Tape(tmp_path / "tape"), TapeHand()).run()
    assert result.same and result.cut_short is None and result.identical == result.frames > 10


def test_two_signals_are_one(write_piece, tmp_path, weights):
    process = start(write_piece(PYTHON, TOML), tmp_path / "tape")
    for line in process.stderr:
        if "http://" in line:
            break
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    seconds, said = end(process, signal.SIGINT)
    assert seconds < 2.0 and "Traceback" not in said
    assert Tape(tmp_path / "tape").seal is not None


STUCK = """
import time
from pleinair import Piece
piece = Piece()
piece.source("camera")

@piece.draw
def draw(camera):
    time.sleep(1000)
    return camera
"""


def test_a_node_that_never_returns_does_not_hold_up_the_end(write_piece, tmp_path):
    process = start(write_piece(STUCK, '[source.camera]\ndevice = "synthetic:room"\n'), tmp_path / "tape")
    for line in process.stderr:
        if "http://" in line:
            break
    events = tmp_path / "tape" / "events.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and '"fire"' not in (events.read_text() if events.exists() else ""):
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    seconds, said = end(process, signal.SIGTERM)
    assert seconds < 2.3, said
    assert Tape(tmp_path / "tape").first_start()["nodes"]["draw"]
