"""A tape that was cut short anywhere: what is whole replays."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pleinair.core.errors import TapeFault
from pleinair.run.tape import Tape

from .tapes import attempt, everything, lines, replay


def test_a_tape_torn_at_any_byte_replays_what_is_whole(whole, tmp_path):
    """As kill -9 leaves it (no seal), and as a power cut may: each file loses an end of its own."""
    rng = random.Random(4)
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "seal.json").unlink()
    names = ["events.jsonl", "inputs.jsonl", "expected.jsonl", "inputs/camera.bin", "inputs/words.bin"]
    blobs = {name: (folder / name).read_bytes() for name in names}
    start = blobs["events.jsonl"].index(b"\n") + 1
    frames = []
    for _ in range(150):
        for name in names:
            torn = rng.random() < 0.5
            low = start if name == "events.jsonl" else 0
            tail = rng.choice([b"", b"", b"\0" * 40, b'{"e":' if name.endswith("l") else b""])
            (folder / name).write_bytes(
                blobs[name][: rng.randrange(low, len(blobs[name]))] + tail if torn else blobs[name]
            )
        result = replay(folder, whole[1])
        assert result.same, result.first
        assert result.cut_short and "never closed" in result.cut_short
        assert result.identical + result.uncompared == result.frames
        frames.append(result.frames)
    assert max(frames) > 50 and min(frames) < 10


def test_rubbish_in_the_middle_of_a_tape_is_no_power_cut(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "seal.json").unlink()
    text = lines(folder / "events.jsonl")
    text[20] = text[20][:-5] + "\n"
    (folder / "events.jsonl").write_text("".join(text))
    with pytest.raises(TapeFault, match="line 21"):
        replay(folder, whole[1])


@pytest.mark.parametrize("lost", ["events.jsonl", "inputs.jsonl", "tape.json", "inputs/camera.bin", "piece"])
def test_a_lost_file_is_a_sentence(whole, tmp_path, lost):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    path = next((folder / "piece").iterdir()) if lost == "piece" else folder / lost
    path.unlink()
    if lost == "piece":
        assert replay(folder, whole[1]).same, "this hand needs no text; that its hash is gone is the seal's to say"
    else:
        assert attempt(folder, whole[1]) is not None


def test_no_tape_is_a_sentence(tmp_path):
    for make in (lambda p: None, lambda p: p.mkdir(), lambda p: p.write_text("x")):
        shutil.rmtree(tmp_path / "t", ignore_errors=True)
        make(tmp_path / "t")
        with pytest.raises(TapeFault, match="no tape"):
            Tape(tmp_path / "t")
    (tmp_path / "t").unlink()
    (tmp_path / "t").mkdir()
    for text in ("", "[]", "{}", '{"format": "pleinair-tape", "version": 99}', "\xff", '{"format": "pleinair-tape"'):
        (tmp_path / "t" / "tape.json").write_text(text, "latin-1")
        with pytest.raises(TapeFault):
            Tape(tmp_path / "t")


KILLED = """
import sys, os, signal, threading
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.run.tapes import everything
from tests.run.parts import Log
from pleinair.run.live import LiveRunner
from pleinair.run.tape import Recorder
make = everything()
log = Log()
recorder = Recorder(Path({folder!r}), files={{"piece.py": "# nothing"}})
runner = LiveRunner(make(), observers=[recorder, log])
runner.start()
log.until("frame", "draw", {frames})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_recording_killed_in_the_middle_replays_up_to_there(tmp_path):
    root = str(Path(__file__).parents[2])
    script = KILLED.format(root=root, folder=str(tmp_path / "t"), frames=3)
    done = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    result = replay(tmp_path / "t", everything())
    assert result.same and result.cut_short and result.streams["painting"] >= 1
