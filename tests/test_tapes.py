"""A piece with a card of the artist's own: its tape is proved elsewhere, where the card's folder is gone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from pleinair import assembly
from pleinair.core.errors import Fault
from pleinair.ingredients import cards_in
from pleinair.machine_parts import MachineParts
from pleinair.manifest import Lock
from pleinair.models import store
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape
from pleinair.tapes import TapeHand, tape_files, tape_meta

PIECE = """
piece.source("camera")
piece.model("half", reads="camera")

@piece.draw
def draw(half):
    return half
"""
CARD = """name = "mine"
task = "stylise"
title = "Half as bright"
size = [64, 32]
[weights]
licence = "CC0-1.0"
stated_in = "my own work"
[files.network]
name = "mine.onnx"
from = "{source}"
sha256 = "{sha256}"
bytes = {size}
[ports]
image = "Image"
"""


def network() -> bytes:
    """A picture of one size, half as bright."""
    from onnx import TensorProto, helper, numpy_helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 32, 64]) for n in ("image", "stylized")]
    half = numpy_helper.from_array(np.float32(0.5), "half")
    graph = helper.make_graph(
        [helper.make_node("Mul", ["image", "half"], ["stylized"])], "g", values[:1], values[1:], [half]
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


@pytest.fixture
def recorded(write_piece, tmp_path, monkeypatch):
    """(the piece's folder, its tape): recorded with weights that lie beside the piece."""
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))
    return record(write_piece, tmp_path)


def record(write_piece, tmp_path, source="file:mine.onnx", paper=""):
    toml = (
        '[source.camera]\ndevice = "synthetic"\nsize = [64, 32]\n[model.half]\ncard = "./my.toml"\nbackend = "onnx"\n'
    )
    folder, blob = write_piece(PIECE, toml), network()
    (folder / "mine.onnx").write_bytes(blob)
    sha256 = hashlib.sha256(blob).hexdigest()
    card = CARD.format(source=source, sha256=sha256, size=len(blob))
    if paper:
        (folder / "MY-LICENCE.txt").write_text(paper, "utf-8")
        card = card.replace("[weights]", '[weights]\npaper = "MY-LICENCE.txt"')
    (folder / "my.toml").write_text(card, "utf-8")
    if not source.startswith("file:"):
        store.adopt(folder / "mine.onnx")
    loaded = assembly.load(folder)
    parts = MachineParts(loaded)
    graph = assembly.assemble(loaded, parts)
    recorder = Recorder(tmp_path / "a.tape", meta=tape_meta(loaded), files=tape_files(loaded, graph))
    OfflineRunner(graph, observers=[recorder]).run(0.5)
    recorder.close()
    parts.save_lock(graph)
    return folder, tmp_path / "a.tape"


def replayed(tape: Path):
    return Replay(Tape(tape), TapeHand()).run()


def test_it_is_proved_where_the_piece_is_gone_and_the_weights_are_in_the_store(recorded, tmp_path):
    folder, tape = recorded
    shutil.rmtree(folder)
    moved = tmp_path / "elsewhere" / "b.tape"
    shutil.copytree(tape, moved)
    shutil.rmtree(tape)
    result = replayed(moved)
    assert result.same and result.compared and result.frames > 4 and result.identical == result.frames


def test_without_the_weights_it_says_which_file_by_its_hash_and_how_it_comes_here(recorded, tmp_path, monkeypatch):
    folder, tape = recorded
    sha256 = hashlib.sha256((folder / "mine.onnx").read_bytes()).hexdigest()
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "another"))
    with pytest.raises(Fault) as told:
        replayed(tape)
    assert "mine" in told.value.what and sha256 in told.value.what and "models add mine.onnx" in told.value.hint
    store.adopt(folder / "mine.onnx")
    assert replayed(tape).same


def test_weights_from_a_hub_are_fetched_by_the_card_that_the_tape_keeps(write_piece, tmp_path, monkeypatch):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))
    _, tape = record(write_piece, tmp_path, "https://example.org/mine.onnx")
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "another"))
    with pytest.raises(Fault) as told:
        replayed(tape)
    path = Path(told.value.hint.removeprefix("pleinair fetch "))
    assert path.is_file() and path.parent == tape / "piece" and "Half as bright" in path.read_text("utf-8")


def test_another_card_of_that_name_on_this_computer_is_not_taken(recorded):
    folder, tape = recorded
    (folder / "my.toml").write_text("not even TOML", "utf-8")
    assert replayed(tape).same


def test_the_licence_s_text_travels_with_the_card(write_piece, tmp_path, monkeypatch):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))
    _, folder = record(write_piece, tmp_path, paper="Do what you like, \u00e0 la carte.")
    tape = Tape(folder)
    assert tape.text("card.mine.licence.txt") == "Do what you like, \u00e0 la carte." and replayed(folder).same


def test_an_altered_card_is_found(recorded):
    _, tape = recorded
    (kept,) = (p for p in (tape / "piece").glob("*.toml") if "Half as bright" in p.read_text("utf-8"))
    kept.chmod(0o600)
    kept.write_text(kept.read_text("utf-8").replace("CC0-1.0", "MIT"), "utf-8")
    with pytest.raises(Fault, match="altered"):
        replayed(tape)


def test_the_lock_names_the_card_from_the_piece_and_its_files_by_hash(recorded):
    folder, tape = recorded
    locked = Lock.load(folder / "piece.lock").models["half"]
    assert locked["card"] == "./my.toml" and str(folder) not in (folder / "piece.lock").read_text("utf-8")
    assert locked["files"]["network"] == hashlib.sha256((folder / "mine.onnx").read_bytes()).hexdigest()
    assert (tape / "piece" / f"{locked['card_sha256']}.toml").is_file()


def test_a_piece_that_moved_is_the_piece_that_was_locked(recorded, tmp_path):
    folder, _ = recorded
    shutil.copytree(folder, tmp_path / "gallery" / "piece")
    loaded = assembly.load(tmp_path / "gallery" / "piece")
    parts = MachineParts(loaded)
    before = loaded.lock_file.read_text("utf-8")
    assert parts.save_lock(assembly.assemble(loaded, parts)) == [] and loaded.lock_file.read_text("utf-8") == before


def test_two_cards_of_one_name_are_two_ingredients(recorded):
    folder, _ = recorded
    (folder / "other.toml").write_text(
        (folder / "my.toml").read_text("utf-8").replace("CC0-1.0", "CC-BY-NC-4.0"), "utf-8"
    )
    (folder / "piece.toml").write_text('[model.half]\ncard = "./my.toml"\ncards = ["./other.toml"]\n', "utf-8")
    found = cards_in(assembly.load(folder).manifest)
    assert sorted(c.weights.id for c in found) == ["CC-BY-NC-4.0", "CC0-1.0"]
