"""Saving the piece while it runs: its functions are swapped, or it is built anew, and the tape proves both."""

from __future__ import annotations

import os
import random
import shutil
import threading
from pathlib import Path

import pytest

from pleinair import assembly
from pleinair.core.errors import Fault
from pleinair.run.cut import cut
from pleinair.run.tape import Tape
from pleinair.stage.show import Show
from pleinair.tapes import TapeHand

from .parts import Log
from .shows import PLAIN, PLAIN_TOML, play, prove, settle


def save(folder: Path, text: str, name: str = "piece.py", how: str = "write") -> None:
    """As editors do: writing over it, or writing beside it and renaming."""
    if how == "write":
        (folder / name).write_text(text)
    else:
        (folder / f".{name}.swp").write_text(text)
        os.replace(folder / f".{name}.swp", folder / name)


@pytest.mark.parametrize("how", ["write", "rename"])
def test_saving_the_piece_swaps_its_functions_without_dropping_a_frame_and_is_proved(write_piece, tmp_path, how):
    folder = write_piece(PLAIN, PLAIN_TOML)

    def during(show, log):
        log.until("frame", "draw", 5)
        runner = show.runner
        for level in (20, 30, 10):  # back to what it was: a third module, all the same
            changes = len(log.of("change"))
            save(folder, PLAIN.replace("np.uint8(10)", f"np.uint8({level})"), how=how)
            log.until("change", None, changes + 2)
            settle(log, "frame", "draw", 3)
        assert show.runner is runner, "the run went on"

    _, log = play(folder, tmp_path / "tape", during=during)
    assert not log.of("fault") and len(log.of("start")) == 1
    seqs = [f.seq for f in log.frames("camera")]
    assert seqs == list(range(len(seqs)))
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.changes == 6


def test_functions_that_share_what_a_module_holds_share_it_in_the_replay_too(write_piece, tmp_path):
    """The two nodes take turns, so that what they do to the shared list has one order."""
    python = """
from pleinair import Event, Piece
piece = Piece()
piece.source("tick")
notes = []

@piece.node
def first(tick) -> Event:
    notes.append(len(notes))
    return len(notes)

@piece.draw
def draw(first) -> Event:
    notes.append(-1)
    return [VERSION, len(notes)]
"""
    folder = write_piece(python.replace("VERSION", "1"), '[source.tick]\ndevice = "tick"\nrate = 20\n')

    def during(show, log):
        log.until("frame", "draw", 3)
        for version in ("2", "1", "2"):
            changes = len(log.of("change"))
            save(folder, python.replace("VERSION", version))
            log.until("change", None, changes + 2)
            settle(log, "frame", "draw", 3)

    play(folder, tmp_path / "tape", during=during, until=("frame", "draw", 12))
    result = prove(tmp_path / "tape")
    assert result.same, result.first


def test_changed_declarations_build_another_graph_and_both_are_proved(write_piece, tmp_path):
    folder = write_piece(PLAIN, PLAIN_TOML)
    another = PLAIN.replace(
        "@piece.draw",
        "@piece.node\ndef more(first, camera) -> Mask:\n"
        "    return (camera[..., 0] > first[..., 0]).astype(float)\n\n@piece.draw"
    ).replace("def draw(first, strength)", "def draw(first, more, strength)")  # fmt: skip

    def during(show, log):
        log.until("frame", "draw", 5)
        show.push("strength", 0.75)
        save(folder, another)
        log.until("frame", "more", 3)
        assert show.value("strength") == 0.75, "knobs keep their values"
        save(folder, PLAIN_TOML.replace("[64, 48]", "[32, 32]") + "\nseed = 9\n" if False else
             "seed = 9\n" + PLAIN_TOML.replace("[64, 48]", "[32, 32]"), "piece.toml")  # fmt: skip
        log.until("start", None, 3)
        settle(log, "frame", "draw", 3)

    _, log = play(folder, tmp_path / "tape", during=during)
    assert not log.of("fault")
    assert len(log.of("start")) == len(log.of("stop")) == 3
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    starts = [e for _, e in Tape(tmp_path / "tape").events() if e["e"] == "start"]
    assert [s["seed"] for s in starts] == [0, 0, 9] and "more" not in starts[0]["nodes"]
    out, gone = cut(Tape(tmp_path / "tape"), ["first"], tmp_path / "cut", TapeHand())
    assert out.same and set(gone) == {"camera", "more", "draw"} - ({"draw"} if "more" not in gone else set())
    again = prove(tmp_path / "cut")
    assert again.same, again.first
    with pytest.raises(Fault, match='no stream "more"'):
        cut(Tape(tmp_path / "tape"), ["more"], tmp_path / "other", TapeHand())


@pytest.mark.parametrize("broken, says, line", [
    ("def draw(first, strength)\n    return first\n", "not Python yet", "line 14"),
    ("raise RuntimeError('while reading')\n", "while reading", "line 14"),
    ("@piece.draw\ndef draw(frist, strength):\n    return frist\n", '"frist"', "line 15"),
])  # fmt: skip
def test_a_slip_leaves_the_old_one_running_and_shows_its_line(write_piece, tmp_path, broken, says, line):
    folder = write_piece(PLAIN, PLAIN_TOML)
    head = PLAIN[: PLAIN.index("@piece.draw")]

    def during(show, log):
        log.until("frame", "draw", 3)
        runner = show.runner
        save(folder, head + broken)
        fault = log.until("fault", "piece.py")[0][2]
        assert says in fault.what and line in fault.where and "as it was before" in fault.now
        assert show.runner is runner
        settle(log, "frame", "draw", 3)
        save(folder, PLAIN.replace("np.uint8(10)", "np.uint8(20)"))
        log.until("change", "draw")
        settle(log, "frame", "draw", 3)

    _, log = play(folder, tmp_path / "tape", during=during)
    assert len(log.of("fault")) == 1 and len(log.of("start")) == 1
    assert prove(tmp_path / "tape").same


def test_a_file_that_is_still_being_written_is_waited_for(write_piece):
    folder = write_piece(PLAIN, PLAIN_TOML)
    new = PLAIN.replace("np.uint8(10)", "np.uint8(20)")

    def during(show, log):
        log.until("frame", "draw", 3)
        with (folder / "piece.py").open("w") as file:
            for part in range(0, len(new), 40):
                file.write(new[part : part + 40])
                file.flush()
                settle(log, "frame", "camera", 1)  # 60 a second
        log.until("change", "draw")

    _, log = play(folder, None, during=during)
    assert not log.of("fault") and len(log.of("start")) == 1


def test_a_broken_piece_toml_leaves_the_old_one_running(write_piece):
    folder = write_piece(PLAIN, PLAIN_TOML)

    def during(show, log):
        log.until("frame", "draw", 3)
        save(folder, "[source.camera\n", "piece.toml")
        assert "piece.toml, line 1" in log.until("fault")[0][2].where
        settle(log, "frame", "draw", 3)
        save(folder, PLAIN_TOML.replace("rate = 60", "rate = 50"), "piece.toml")
        log.until("start", None, 2)
        settle(log, "frame", "draw", 2)

    play(folder, None, during=during)


HELPED = """
from pleinair import Piece
import helper
from deep import inner
piece = Piece()
piece.source("camera")

@piece.draw
def draw(camera):
    return helper.paint(camera) + inner.LEVEL
"""


def test_a_module_beside_the_piece_is_reloaded_kept_on_the_tape_and_proved_without_the_folder(write_piece, tmp_path):
    folder = write_piece(HELPED, PLAIN_TOML)
    (folder / "deep").mkdir()
    save(folder, "", "deep/__init__.py")
    save(folder, "import numpy as np\nLEVEL = np.uint8(1)\n", "deep/inner.py")
    save(folder, "def paint(image): return image // 2\n", "helper.py")

    def during(show, log):
        log.until("frame", "draw", 3)
        save(folder, "def paint(image): return image // 3\n", "helper.py")  # as long as it was, within the same second
        log.until("change", "draw")
        settle(log, "frame", "draw", 3)

    play(folder, tmp_path / "tape", during=during)
    shutil.rmtree(folder)
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.changes == 1
    assert not list(tmp_path.rglob("__pycache__"))


def test_two_pieces_with_a_helper_of_the_same_name_do_not_share_it(write_piece, tmp_path):
    values = []
    for name in ("a", "b", "a"):
        folder = write_piece(
            "import helper\npiece.source('camera')\npiece.knob('k', helper.K)\npiece.draw(lambda camera: camera)",
            name=name,
        )
        save(folder, f"K = 0.{'ab'.index(name) + 1}\n", "helper.py")
        values.append(assembly.load(folder).piece.declared["k"].default)
    assert values == [0.1, 0.2, 0.1]


def test_no_thread_of_a_show_is_left(write_piece):
    folder = write_piece(PLAIN, PLAIN_TOML)
    before = set(threading.enumerate())
    play(folder, None, until=("frame", "draw", 3))
    assert {t for t in threading.enumerate() if t.name.startswith("pleinair")} <= before


def test_the_end_in_the_middle_of_a_rebuild_leaves_nothing_running(write_piece):
    folder = write_piece(PLAIN, PLAIN_TOML)
    before = {t for t in threading.enumerate() if t.name.startswith("pleinair")}
    for _ in range(4):
        log = Log()
        show = Show(assembly.load(folder), observers=[log])
        show.start()
        log.until("frame", "draw", 2)
        save(folder, PLAIN_TOML + f"fps_{random.random()} = 1\n" if False else
             PLAIN_TOML.replace("rate = 60", f"rate = {random.randrange(20, 90)}"), "piece.toml")  # fmt: skip
        log.until("stop")
        show.stop()
        assert {t for t in threading.enumerate() if t.name.startswith("pleinair")} <= before
