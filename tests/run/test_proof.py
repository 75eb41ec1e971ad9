"""A live show, recorded and proved: real threads that skip at random, real models, reloads, swaps, interrupts."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import Fault
from pleinair.run.cut import cut
from pleinair.run.tape import Tape
from pleinair.tapes import TapeHand

from .shows import PLAIN, PLAIN_TOML, play, prove, settle

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
