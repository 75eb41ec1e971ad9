"""A live show, recorded and proved: real threads that skip at random, real models, reloads, swaps, interrupts."""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pleinair import assembly, folders
from pleinair.core.errors import Fault, ManifestFault, PieceFault
from pleinair.run.cut import cut
from pleinair.run.replay import Replay
from pleinair.run.tape import Tape
from pleinair.stage.show import Show
from pleinair.tapes import TapeHand

from .parts import Log

JITTER = '''
"""Everything that threads could spoil: feedback, chance, faults, a generator, several cameras, busy for random
times."""
import os, random, time
import numpy as np
from pleinair import Event, Mask, Piece, Text, blend, every, same

piece = Piece()
piece.source("camera")
piece.source("second")
piece.source("tick")
piece.knob("strength", 0.5)
piece.knob("hush", 0.0)
piece.knobs("styles", 4)
unseeded = random.Random(os.urandom(8))  # of the wall, as a busy machine is

def busy(most):
    if "NOT_BUSY" in os.environ:
        return
    until = time.perf_counter() + unseeded.random() * most
    while time.perf_counter() < until:
        pass

@piece.node
def slow(camera, previous, rng):
    busy(0.05)
    return (previous // 2 + camera // 2 + rng.integers(0, 9, camera.shape, np.uint8))

@piece.node
def wound(tick, camera, previous, dt) -> Mask:
    busy(0.01)
    if int(tick * 60) % 23 == 11:
        raise ValueError(f"at {tick:.3f}")
    return np.clip(previous * (1 - dt) + camera[..., 1] / np.float32(999), 0, 1).astype(np.float32)

@piece.node(interrupt="hush")
def words(second) -> Text:
    for n in range(int(second[0, 0, 0]) % 6):
        busy(0.02)
        yield f"{n}"

class Counter:
    def __init__(self): self.n = 0
    def reset(self): self.n = 0
    def __call__(self, words: every) -> Event:
        self.n += 1
        return {"heard": self.n, "words": words}

piece.node(Counter(), name="heard")

@piece.draw
def draw(slow, camera: same, wound, strength, styles, heard, t):
    busy(0.02)
    count = heard["heard"] if heard else 0
    return blend(camera, slow, wound * strength) + np.uint8((int(t * 100) + count) % 50)

@piece.draw(screen="left")
def left(camera, slow: same):
    return slow // 2 + camera // 2
'''

JITTER_TOML = """
seed = 11
[source.camera]
device = "synthetic:room"
size = [64, 48]
rate = 90
[source.second]
device = "synthetic:noise"
size = [32, 24]
rate = 25
[source.tick]
device = "tick"
rate = 60
"""


def play(folder: Path, tape: Path | None, until=("frame", "draw", 25), during=None, **options) -> tuple[Show, Log]:
    """Runs a piece live until so much has come."""
    log = Log()
    show = Show(assembly.load(folder), record=tape, observers=[log], **options)
    show.start()
    try:
        if during:
            during(show, log)
        log.until(*until, seconds=25)
    finally:
        show.stop()
    return show, log


def prove(tape: Path, hand: TapeHand | None = None):
    """How long a node is busy is nothing that a replay depends on, so here it is not busy at all."""
    os.environ["NOT_BUSY"] = "1"
    try:
        return Replay(Tape(tape), hand or TapeHand()).run()
    finally:
        del os.environ["NOT_BUSY"]


def settle(log: Log, what: str, node: str | None, more: int) -> None:
    """Until `more` of them came after now."""
    log.until(what, node, len(log.of(what, node)) + more)


# -- skipping at random ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", range(20))
def test_record_and_replay_are_bit_identical_although_threads_skip_at_random(write_piece, tmp_path, run):
    folder = write_piece(JITTER, JITTER_TOML)
    rng = random.Random(run)

    def during(show, log):
        for _ in range(5):
            settle(log, "frame", "camera", rng.randrange(1, 6))
            show.push("strength", rng.random())
            show.push("styles", [rng.random() for _ in range(4)])
            show.push("hush", rng.random())

    show, log = play(folder, tmp_path / "tape", until=("frame", "draw", 20), during=during, watch=False)
    assert len(log.of("skip")) > 3, "nothing was skipped: the run proves too little"
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.identical == result.frames == show.recorder.frames
    published = Counter(e[1] for e in log.of("frame"))
    assert result.streams == Counter({n: c for n, c in published.items() if n in result.streams})


def test_two_live_runs_are_not_the_same_which_is_why_there_is_a_tape(write_piece, tmp_path):
    folder = write_piece(JITTER, JITTER_TOML)
    orders = []
    for run in range(2):
        play(folder, tmp_path / str(run), watch=False)
        orders.append([(e["n"], e["i"]) for _, e in Tape(tmp_path / str(run)).events() if e["e"] == "fire"])
    assert orders[0][:40] != orders[1][:40]


def test_a_replay_of_a_live_run_with_faults_and_interrupts_counts_them(write_piece, tmp_path):
    folder = write_piece(JITTER, JITTER_TOML)

    def during(show, log):
        log.until("fault", "wound")
        for n in range(200):
            show.push("hush", n / 200)
            settle(log, "frame", "camera", 1)
            if any(e[3] for e in log.of("done", "words")):
                break

    _, log = play(folder, tmp_path / "tape", during=during, watch=False)
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.faults == len([e for e in log.of("done") if e[4]]) >= 1
    assert result.cancelled == len([e for e in log.of("done") if e[3]]) >= 1


# -- real models -----------------------------------------------------------------------------------------------------

MIRROR = """
from pleinair import Piece, blend, same
piece = Piece()
piece.source("camera")
piece.knob("strength", 0.8)
piece.knobs("styles", 26)
piece.model("painting", reads={"image": "camera", "style_weights": "styles"})

@piece.draw
def draw(painting, camera: same, strength):
    return blend(camera, painting, strength)
"""


def mirror_toml(device='"clip:bigbuckbunny"', more='card = "multistyle26"') -> str:
    return f"[source.camera]\ndevice = {device}\nsize = [160, 120]\n[model.painting]\nsize = [96, 64]\n{more}\n"


@pytest.mark.parametrize("more", [
    'card = "multistyle26"\nbackend = "openvino"\nprecision = "f32"',
    'card = "multistyle26"\nbackend = "onnx"\nprecision = "f32"',
    'card = "multistyle26"',
])  # fmt: skip
def test_the_real_model_replays_bit_identical(write_piece, tmp_path, weights, more):
    folder = write_piece(MIRROR, mirror_toml(more=more))

    def during(show, log):
        log.until("frame", "painting", 3)
        show.push("styles", np.eye(26)[4])
        settle(log, "frame", "painting", 3)
        show.push("styles", np.linspace(0, 1, 26))

    play(folder, tmp_path / "tape", during=during, until=("frame", "draw", 20), watch=False)
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.identical == result.frames >= 40
    start = Tape(tmp_path / "tape").first_start()
    assert start["parts"]["painting"]["backend"]["precision"] in ("f32", "bf16")


def test_a_swapped_card_and_a_picture_of_ones_own_are_proved(write_piece, tmp_path, weights):
    python = MIRROR.replace('{"image": "camera", "style_weights": "styles"}', '"camera"')
    folder = write_piece(python, mirror_toml())
    picture = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)

    def during(show, log):
        log.until("frame", "painting", 3)
        show.swap("painting", "anystyle")
        settle(log, "frame", "painting", 3)
        show.picture("painting", picture)
        settle(log, "frame", "painting", 3)

    _, log = play(folder, tmp_path / "tape", during=during, watch=False)
    assert [e[2] for e in log.of("change")] == ["swap", "constant"]
    result = prove(tmp_path / "tape")
    assert result.same, result.first
    assert result.changes == 2 and result.frames > 20
    kept = [p for p in (tmp_path / "tape" / "piece").iterdir() if p.suffix == ".qoi"]
    blob = kept[0].read_bytes()
    kept[0].write_bytes(blob[:100] + bytes([blob[100] ^ 1]) + blob[101:])
    with pytest.raises(Fault, match="altered"):
        prove(tmp_path / "tape")


def test_one_altered_byte_of_the_weights_is_found(write_piece, tmp_path, weights, monkeypatch):
    """The store is copied, and one byte of the network in it altered."""
    from pleinair.models import store
    from pleinair.models.card import find_card

    folder = write_piece(MIRROR, mirror_toml(more='card = "multistyle26"\nbackend = "onnx"\nprecision = "f32"'))
    play(folder, tmp_path / "tape", until=("frame", "draw", 4), watch=False)
    home = tmp_path / "home"
    shutil.copytree(folders.store_dir(), home / "store")
    monkeypatch.setenv("PLEINAIR_HOME", str(home))
    assert prove(tmp_path / "tape").same
    path = store.path(find_card("multistyle26"), "network")
    assert home in path.parents
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(blob)
    with pytest.raises(Fault) as caught:
        assert not prove(tmp_path / "tape").same
        raise Fault("the replay differs, which is as good")
    assert caught.value.what


def test_a_tape_with_a_real_model_is_cut_at_the_model_and_needs_it_no_more(write_piece, tmp_path, weights, monkeypatch):
    folder = write_piece(MIRROR, mirror_toml())
    play(folder, tmp_path / "tape", until=("frame", "draw", 6), watch=False)
    result, gone = cut(Tape(tmp_path / "tape"), ["painting"], tmp_path / "cut", TapeHand())
    assert result.same and set(gone) == {"camera", "draw"}
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "empty"))
    assert prove(tmp_path / "cut").same


def test_a_gallery_piece_can_begin_in_the_middle(tmp_path, weights):
    _, _ = play(
        "mirror", tmp_path / "tape", until=("frame", "draw", 12), watch=False, sources={"camera": "clip:carphone"}
    )
    assert prove(tmp_path / "tape").same
    middle = [e["t"] for _, e in Tape(tmp_path / "tape").events() if e["e"] == "emit" and e["s"] == "draw"][6] / 1e9
    result, gone = cut(Tape(tmp_path / "tape"), [], tmp_path / "cut", TapeHand(), from_s=middle)
    again = prove(tmp_path / "cut")
    assert again.same, again.first
    assert not gone and 0 < again.streams["draw"] < result.streams["draw"]


# -- reload ----------------------------------------------------------------------------------------------------------

PLAIN = """
import numpy as np
from pleinair import Piece, Mask
piece = Piece()
piece.source("camera")
piece.knob("strength", 0.5)
shared = []

@piece.node
def first(camera, previous):
    shared.append(1)
    return camera // 2 + previous // 2

@piece.draw
def draw(first, strength):
    return first // 2 + np.uint8(10)
"""
PLAIN_TOML = '[source.camera]\ndevice = "synthetic:room"\nsize = [64, 48]\nrate = 60\n'


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


# -- the lock and odds ------------------------------------------------------------------------------------------------


def test_what_is_not_as_it_was_is_noted(write_piece, tmp_path):
    folder = write_piece(PLAIN, PLAIN_TOML)
    play(folder, tmp_path / "tape", until=("frame", "draw", 3))
    meta = json.loads((tmp_path / "tape" / "tape.json").read_text())
    (tmp_path / "tape" / "seal.json").unlink()
    meta["environment"]["numpy"] = "0.0.1"
    (tmp_path / "tape" / "tape.json").write_text(json.dumps(meta))
    hand = TapeHand()
    assert prove(tmp_path / "tape", hand).same
    assert any("numpy was 0.0.1 when this was recorded" in n for n in hand.notes)


def test_a_piece_altered_in_the_tape_is_refused(write_piece, tmp_path):
    folder = write_piece(PLAIN, PLAIN_TOML)
    play(folder, tmp_path / "tape", until=("frame", "draw", 3))
    for path in (tmp_path / "tape" / "piece").iterdir():
        blob = path.read_bytes()
        path.write_bytes(blob.replace(b"10", b"11").replace(b"64", b"65"))
        if path.read_bytes() != blob:
            with pytest.raises(Fault, match="altered"):
                prove(tmp_path / "tape")
        path.write_bytes(blob)
    assert prove(tmp_path / "tape").same


def test_a_table_of_piece_toml_that_no_line_of_the_piece_speaks_of_is_a_slip(write_piece):
    folder = write_piece(PLAIN, PLAIN_TOML.replace("camera", "camra"))
    with pytest.raises(ManifestFault, match="camra") as caught:
        assembly.load(folder)
    assert "camera" in caught.value.hint and "piece.toml, line 1" in caught.value.where


@pytest.mark.parametrize("text, says", [
    ("exit()", "SystemExit"), ("import nowhere_at_all", "nowhere_at_all"), ("\0", "null bytes|not Python"),
    ("x = (", "not Python yet"),
    ("from pleinair import Piece", "makes no Piece"),
    ("import pleinair\npiece = pleinair.Piece()\npiece.source('a b')", "'a b'"),
])  # fmt: skip
def test_what_is_no_piece_is_a_sentence_at_its_line(tmp_path, text, says):
    (tmp_path / "piece.py").write_text(text)
    with pytest.raises(PieceFault, match=says) as caught:
        assembly.load(tmp_path)
    assert caught.value.where or caught.value.hint
