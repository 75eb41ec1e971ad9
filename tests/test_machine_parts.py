"""What a machine puts behind a piece's names: devices, stand-ins, models; and what the lock keeps of it."""

from __future__ import annotations

import pytest

from pleinair import assembly
from pleinair.assembly import MachineParts, assemble
from pleinair.core.errors import Fault, ModelFault, PieceFault
from pleinair.manifest import Lock
from pleinair.models.fetch import fetch
from pleinair.run.offline import OfflineRunner
from pleinair.sources.synthetic import Synthetic

PLAIN = "piece.source('camera')\npiece.draw(lambda camera: camera)\n"
MODEL = "piece.source('camera')\npiece.model('painting', reads='camera')\npiece.draw(lambda painting: painting)\n"
SOURCE = "[source.camera]\ndevice = 'synthetic:room'\nsize = [64, 48]\n"


def test_the_command_lines_source_goes_before_the_files_and_keeps_the_size(write_piece):
    loaded = assembly.load(write_piece(PLAIN, SOURCE))
    parts = MachineParts(loaded, sources={"camera": "synthetic:bars"})
    graph = assemble(loaded, parts)
    assert graph.nodes["camera"].source.scene == "bars" and graph.nodes["camera"].source.size == (64, 48)
    assert graph.nodes["camera"].describe()["uri"] == "synthetic:bars"
    with pytest.raises(PieceFault, match='no source "camra"') as caught:
        MachineParts(loaded, sources={"camra": "synthetic"})
    assert "camera" in caught.value.hint


def test_a_source_that_nobody_describes_says_what_to_write(write_piece):
    loaded = assembly.load(write_piece("piece.source('landscape')\npiece.draw(lambda landscape: landscape)"))
    with pytest.raises(PieceFault, match="does not say what landscape is") as caught:
        assemble(loaded, MachineParts(loaded))
    assert "[source.landscape]" in caught.value.hint and "line 4" in caught.value.where


def test_on_a_machine_without_devices_everything_is_stood_in_for(write_piece):
    loaded = assembly.load(write_piece(PLAIN, "[source.camera]\ndevice = 'webcam:Something'\nsize = [64, 48]\n"))
    graph = assemble(loaded, MachineParts(loaded, stand_in=True))
    assert OfflineRunner(graph).run(0.2).report()["nodes"]["draw"]["published"] > 3


@pytest.mark.parametrize("text, says, where, hint", [
    ("", "which card painting is", "piece.py, line 5", "[model.painting]"),
    ("[model.painting]\ncard = 'multistile26'\n", "multistile26", "", "multistyle26"),
    ("[model.painting]\ncard = 'multistyle26'\nprecison = 'f32'\n", "port precison", "piece.toml, line 6", "precision"),
    ("[model.panting]\ncard = 'multistyle26'\n", "says what panting is", "piece.toml, line 4", "painting"),
])  # fmt: skip
def test_a_slip_about_a_model_is_said_where_it_stands(write_piece, weights, text, says, where, hint):
    with pytest.raises(Fault) as caught:
        loaded = assembly.load(write_piece(MODEL, SOURCE + text))
        assemble(loaded, MachineParts(loaded))
    fault = caught.value
    assert says in fault.what and where in fault.where and hint in fault.hint


def test_a_choice_once_made_is_kept_in_the_lock_and_followed(write_piece, weights):
    toml = SOURCE + "[model.painting]\ncard = 'multistyle26'\nsize = [64, 64]\nbackend = 'onnx'\nprecision = 'f32'\n"
    folder = write_piece(MODEL, toml)
    loaded = assembly.load(folder)
    parts = MachineParts(loaded)
    graph = assemble(loaded, parts)
    graph.nodes["painting"].open()
    assert parts.save_lock(graph) == []
    locked = Lock.load(folder / "piece.lock")
    assert locked.models["painting"]["backend"]["name"] == "onnx" and locked.environment["numpy"]
    again = MachineParts(assembly.load(folder))
    assert (
        again._model_options("painting", loaded.manifest.models["painting"])["backend"]
        == locked.models["painting"]["backend"]
    )
    sha256 = locked.models["painting"]["sha256"]
    other = folder / "piece.lock"
    other.write_text(other.read_text().replace(sha256, "0" * 64).replace('name = "onnx"', 'name = "litert"'))
    moved_on = MachineParts(assembly.load(folder))  # the card has other weights by now: what ran those is forgotten
    assert moved_on._model_options("painting", loaded.manifest.models["painting"])["backend"] == "onnx"
    assert "weights of painting are others" in moved_on.save_lock(graph)[0]
    (folder / "piece.lock").write_text((folder / "piece.lock").read_text().replace(
        f'numpy = "{locked.environment["numpy"]}"', 'numpy = "0.1"'))  # fmt: skip
    assert "numpy was 0.1" in MachineParts(assembly.load(folder)).save_lock(graph)[0]


def test_weights_that_are_not_there_stop_a_check_and_not_a_show(write_piece, tmp_path, monkeypatch):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "empty"))
    folder = write_piece(MODEL, SOURCE + "[model.painting]\ncard = 'multistyle26'\nsize = [64, 64]\n")
    loaded = assembly.load(folder)
    with pytest.raises(ModelFault) as caught:
        assemble(loaded, MachineParts(loaded))
    assert "pleinair fetch" in caught.value.hint
    graph = assemble(loaded, MachineParts(loaded, live=True))
    with pytest.raises(ModelFault):
        graph.nodes["painting"].open()


def test_a_key_that_a_source_does_not_have_is_asked_back_about(tmp_path):
    (tmp_path / "piece.py").write_text(
        "from pleinair import Piece\npiece = Piece()\npiece.source('camera')\n"
        "@piece.draw\ndef draw(camera): return camera\n"
    )
    (tmp_path / "piece.toml").write_text('[source.camera]\ndevice = "synthetic"\nraet = 30\n')
    loaded = assembly.load(tmp_path)
    with pytest.raises(Fault, match='no key "raet"') as told:
        assembly.assemble(loaded, assembly.MachineParts(loaded))
    assert "rate" in told.value.hint and "piece.toml, line" in told.value.where


ABSENT = "[source.camera]\ndevice = 'webcam:no such camera'\nfallback = '{}'\n{}"


def test_where_the_stand_in_is_missing_too_a_painted_room_plays_and_it_is_said(write_piece, monkeypatch, tmp_path):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "empty"))
    loaded = assembly.load(write_piece(PLAIN, ABSENT.format("clip:bigbuckbunny", "size = [64, 48]\n")))
    parts = MachineParts(loaded, live=True)
    assert isinstance(parts.source("camera"), Synthetic)
    (notice,) = parts.notices
    assert "pleinair fetch bigbuckbunny" in notice["text"] and "painted room" in notice["text"]


def test_a_misspelt_key_is_said_although_the_stand_in_plays(write_piece):
    loaded = assembly.load(write_piece(PLAIN, ABSENT.format("synthetic:room", "frame_rat = 30\n")))
    with pytest.raises(PieceFault, match="frame_rat") as caught:
        MachineParts(loaded, live=True).source("camera")
    assert "piece.toml, line 1" in str(caught.value)


def test_a_tape_is_told_how_a_sounds_card_has_it_played(write_piece):
    """It opens the bare file again: what the card says of pauses has to stand on the tape."""
    fetch(["visitor"])
    folder = write_piece(
        "piece.source('mic')\npiece.draw(lambda mic: mic)\n", "[source.mic]\ndevice = 'sound:visitor'\n"
    )
    loaded = assembly.load(folder)
    about = assemble(loaded, MachineParts(loaded)).nodes["mic"].describe()
    assert about["options"] == {"breath_s": 9, "chunk_ms": 60} and about["breath_s"] == 9


def test_for_a_microphone_that_is_not_there_silence_stands_in_and_no_painted_room(write_piece, monkeypatch, tmp_path):
    folder = write_piece(
        "piece.source('mic')\npiece.draw(lambda mic: mic)\n",
        "[source.mic]\ndevice = 'mic'\nfallback = 'sound:visitor'\n",
    )
    loaded = assembly.load(folder)
    assert assemble(loaded, MachineParts(loaded, stand_in=True)).nodes["mic"].describe()["source"] == "silence"
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "empty"))
    parts = MachineParts(loaded, live=True)
    assert assemble(loaded, parts).nodes["mic"].describe()["source"] == "silence"
    assert "it is silent until then" in parts.notices[0]["text"] and "mic" in parts.stood_in
