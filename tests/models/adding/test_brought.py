"""What artists really bring: exports of other tools, halves of models, downloads that went wrong."""

from __future__ import annotations

import base64
import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.models import load, store
from pleinair.models.adding import add, look
from pleinair.models.adding.onnx import facts_of

from ..convert.test_tfjs_layers import TRUTH
from ..safe import making, torches


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, blob in files.items():
            archive.writestr(name, blob)
    return out.getvalue()


def teachable(**about) -> dict[str, bytes]:
    told = TRUTH["teachable"]
    return {
        "model.json": json.dumps(told["model"]).encode(),
        "weights.bin": base64.b64decode(told["weights"]),
        "metadata.json": json.dumps(told["metadata"] | about).encode(),
    }


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, blob in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)
    return folder


def small(kind: int = 1, outside: Path | None = None, names: str = "", count: int = 3) -> bytes:
    """A picture of 16 x 16 becomes `count` likelihoods."""
    import onnx
    from onnx import helper, numpy_helper

    dtype = {1: np.float32, 10: np.float16}[kind]
    weights = np.random.default_rng(1).standard_normal((3, count)).astype(dtype)
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["rows"]),
        helper.make_node("Softmax", ["rows"], ["output0"]),
    ]
    ports = [
        helper.make_tensor_value_info(n, kind, s) for n, s in (("images", [1, 3, 16, 16]), ("output0", [1, count]))
    ]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if names:
        model.metadata_props.add(key="names", value=names)
    if outside is None:
        return model.SerializeToString()
    onnx.save(model, str(outside), save_as_external_data=True, location=outside.name + ".data", size_threshold=0)
    return outside.read_bytes()


def test_a_model_of_teachable_machine_tells_its_things_apart(tmp_path, home):
    (tmp_path / "cups.zip").write_bytes(zipped(teachable()))
    found = look(tmp_path / "cups.zip")
    assert found.format == "TensorFlow.js, of Teachable Machine" and list(found.cards) == ["classify"]
    card, _ = add(tmp_path / "cups.zip", "cups", "", "", folders.cards_dir(), found=found)
    model = load("cups")
    told = model(np.full((90, 160, 3), 200, np.uint8))
    assert told["label"] in ("Hand", "Cup", "Nothing") and list(told["all"])[0] == told["label"]
    assert told["confidence"] == max(told["all"].values()) and abs(sum(told["all"].values()) - 1) < 1e-3
    assert card.size == (64, 64)
    base, data = card.components
    assert (base.kind, base.licence.id, data.kind) == ("base", "Apache-2.0", "data") and "MobileNetV2" in base.what
    assert base.licence.quote.startswith("These weights are released") and "Keras" in base.licence.stated_in


def test_a_base_that_is_not_known_stays_unknown(tmp_path):
    files = teachable()
    files["model.json"] = files["model.json"].replace(b"_project_BN", b"_project_norm")
    found = look(written(tmp_path / "tm", files))
    (base,) = found.components
    assert base["licence"] == "unknown" and "Ask whoever trained it" in base["remark"]


def test_its_numbers_are_those_of_its_own_library(tmp_path, home):
    """The picture that TensorFlow.js was given, as bytes: the card's mean and scale make the same numbers of it."""
    add(written(tmp_path / "tm", teachable()), "cups", "", "", folders.cards_dir())
    count = np.arange(64 * 64 * 3)
    told = load("cups")((count * 7919 % 256).astype(np.uint8).reshape(64, 64, 3))
    wanted = dict(zip(TRUTH["teachable"]["metadata"]["labels"], TRUTH["teachable"]["outputs"][0], strict=True))
    assert told["all"] == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"packageName": "@teachablemachine/pose"}, "a pose model"),
        ({"packageName": "@tensorflow-models/speech-commands", "wordLabels": ["a"]}, "a sound model"),
    ],
)
def test_its_other_kinds_are_named(tmp_path, about, why):
    with pytest.raises(ModelFault, match=why):
        look(written(tmp_path / "tm", teachable(**about)))


def test_weights_that_climb_out_of_the_folder_are_not_read(tmp_path):
    (tmp_path / "secret.bin").write_bytes(base64.b64decode(TRUTH["teachable"]["weights"]))
    files = teachable()
    for name in ("../secret.bin", "/etc/passwd", "..", "a\\b"):
        told = json.loads(files["model.json"])
        told["weightsManifest"][0]["paths"] = [name]
        with pytest.raises(ModelFault, match="reaches for"):
            look(written(tmp_path / "tm", {"model.json": json.dumps(told).encode()}))
    (tmp_path / "tm/link.bin").symlink_to(tmp_path / "secret.bin")
    told["weightsManifest"][0]["paths"] = ["link.bin"]
    with pytest.raises(ModelFault, match="is not beside it"):
        look(written(tmp_path / "tm", {"model.json": json.dumps(told).encode()}))


def test_numbers_beside_a_network_are_joined_to_it(tmp_path, home):
    small(outside=tmp_path / "cups.onnx")
    (tmp_path / "labels.txt").write_text("0 cup\n1 hand\n2 nothing\n")
    found = look(tmp_path / "cups.onnx")
    assert next(iter(found.cards)) == "classify" and ("in two files", "joined into one") in found.facts
    card, _ = add(tmp_path / "cups.onnx", "cups", "", "", folders.cards_dir())
    (tmp_path / "cups.onnx.data").unlink()
    assert load("cups")(np.zeros((16, 16, 3), np.uint8))["label"] in ("cup", "hand", "nothing")
    assert b"cups.onnx.data" not in store.read(card, "network")


@pytest.mark.parametrize(
    "place", ["../cups.onnx.data", "/etc/hostname", "a/b", "C:\\w", "", "..", "link", "none", "dir"]
)
def test_numbers_elsewhere_are_not(tmp_path, place):
    import onnx

    folder = tmp_path / "in"
    folder.mkdir()
    small(outside=folder / "cups.onnx")
    (folder / "cups.onnx.data").rename(tmp_path / "cups.onnx.data")
    (folder / "link").symlink_to(tmp_path / "cups.onnx.data")
    (folder / "dir").mkdir()
    model = onnx.load(str(folder / "cups.onnx"), load_external_data=False)
    model.graph.initializer[0].external_data[0].value = place
    (folder / "cups.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFault) as caught:
        look(folder / "cups.onnx")
    assert "beside it" in caught.value.what or "another file" in caught.value.what


@pytest.mark.parametrize(("key", "value"), [("length", "999999"), ("offset", "-8"), ("offset", "40"), ("length", "x")])
def test_numbers_beside_it_that_are_not_all_there(tmp_path, key, value):
    import onnx

    small(outside=tmp_path / "cups.onnx")
    model = onnx.load(str(tmp_path / "cups.onnx"), load_external_data=False)
    rows = model.graph.initializer[0].external_data
    next((r for r in rows if r.key == key), None) or rows.add(key=key)
    next(r for r in rows if r.key == key).value = value
    (tmp_path / "cups.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFault, match="too short"):
        look(tmp_path / "cups.onnx")


def test_half_precision_takes_and_gives_floats(tmp_path, home):
    names = "{0: 'cup', 1: 'hand', 2: 'nothing'}"
    (tmp_path / "half.onnx").write_bytes(small(kind=10, names=names))
    (tmp_path / "full.onnx").write_bytes(small(names=names))
    picture = np.random.default_rng(3).integers(0, 256, (16, 16, 3), np.uint8)
    told = {}
    for which in ("half", "full"):
        card, _ = add(tmp_path / f"{which}.onnx", which, "", "", folders.cards_dir())
        assert card.task == "classify" and card.options["labels"] == ["cup", "hand", "nothing"]
        told[which] = load(which)(picture)
    assert told["half"]["label"] == told["full"]["label"]
    assert told["half"]["all"] == pytest.approx(told["full"]["all"], abs=2e-2)


def test_half_precision_is_kept_inside(tmp_path):
    from pleinair.backends import wire
    from pleinair.models.adding import half

    blob = small(kind=10)
    wide = half.widened(blob)
    found = wire.summary(wide)
    assert half.is_half(wire.summary(blob)) and not half.is_half(found)
    assert found.ops["Cast"] == 2 and abs(len(wide) - len(blob)) < 300
    assert facts_of(wide) == facts_of(blob)


def split_gguf(no: int, of: int) -> bytes:
    facts = [making.fact("general.architecture", 8, making.string("llama"))]
    facts += [making.fact("split.no", 2, struct.pack("<H", no)), making.fact("split.count", 2, struct.pack("<H", of))]
    return making.gguf(facts=facts)


TORCH = torches.zipped({"a": np.zeros(4, np.float32)})
ZIP = {"a.txt": b"x"}
TFLITE = making.tflite(1)
BROUGHT = {
    "own.task": (zipped({"a.tflite": TFLITE, "b.tflite": TFLITE}), "none is one of those of hands, faces", "--like"),
    "gemma.task": (zipped({"TF_LITE_PREFILL_DECODE": TFLITE, "TOKENIZER_MODEL": b"x"}, 0), "language model", "GGUF"),
    "keras_model.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "network of Keras", "tf2onnx"),
    "new.keras": (
        zipped({"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
        "network of Keras",
        "tf2onnx",
    ),
    "best.pt": (TORCH, "a pickle", "yolo export model=best.pt"),
    "base.en.pt": (TORCH, "a Whisper of OpenAI's", "ct2-transformers-converter"),
    "v1-5.ckpt": (TORCH, "a pickle", "safetensors"),
    "pytorch_model.bin": (TORCH, "a pickle", "safetensors"),
    "ffhq.pkl": (b"\x80\x04}\x94\x8c\x05G_ema\x94K\x01s.", "a pickle", "G_ema"),
    "vintage.ts": (zipped({"v/version": b"3\n", "v/code/a.py": b"x"}, 0), "TorchScript", "ONNX"),
    "net.xml": (b'<?xml version="1.0"?>\n<net name="n" version="11"></net>', "network of OpenVINO", "onnxify net.xml"),
    "net.param": (b"7767517\n2 2\nInput data 0 1 data\n", "network of NCNN", "ONNX"),
    "ggml-base.bin": (b"lmgg" + bytes(99), "whisper.cpp", "CTranslate2"),
    "frozen.pb": (b"\x0a\x10\x0a\x05input" + bytes(30), "frozen graph", "tf2onnx"),
    "style.mlmodel": (b"\x08\x07\x12\x10abcdefgh" + bytes(50), "Core ML", "ONNX"),
    "yolo.weights": (bytes(range(20)) * 9, "Darknet", "ONNX"),
    "llama-00002-of-00003.gguf": (split_gguf(1, 3), "piece 2 of 3", "--merge llama-00001-of-00003.gguf"),
    "a.safetensors.index.json": (b'{"weight_map": {}}', "lists the pieces", "GGUF"),
    "lfs.onnx": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64, "git LFS", "git lfs pull"),
    "page.onnx": (b"<!DOCTYPE html>\n<html><title>Sign in</title></html>", "a web page", "sign in"),
    "answer.onnx": (b'{"error":"Repository not found"}', "an answer of the place", "accept terms"),
    "words.safetensors": (b"Entry not found", '"Entry not found"', "sign in"),
    "a.onnx.crdownload": (making.onnx(1)[:99], "not finished", "let it finish"),
    "a.gguf.part": (making.gguf(1)[:99], "not finished", "let it finish"),
    "a.onnx": (b"", "it is empty", "again"),
    "a.onnx.gz": (b"\x1f\x8b" + bytes(50), "packed file", "unpack it"),
    "some.zip": (zipped(ZIP), "nothing in it is a model", "weights.md"),
    "bomb.zip": (zipped({"a.onnx": bytes(60 << 20)}), "cannot be opened", "unpack it"),
    "voices.npz": (making.npz(1), "and no model", "their folder"),
    "settings.json": (b'{"a": 1}', "and no model", "their folder"),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_what_nothing_here_runs_says_what_it_is_and_what_to_do(tmp_path, name):
    blob, what, deed = BROUGHT[name]
    (tmp_path / name).write_bytes(blob)
    with pytest.raises(ModelFault) as caught:
        look(tmp_path / name)
    fault = caught.value
    assert what in fault.what and deed in fault.hint and name in fault.what, (fault.what, fault.hint)
    assert str(tmp_path) not in fault.what + fault.hint and len(fault.what) < 300


FOLDERS = {
    "diffusers": ({"model_index.json": b'{"_class_name": "StableDiffusionPipeline"}'}, "StableDiff", "diff"),
    "saved": ({"saved_model.pb": b"\x08\x01"}, "SavedModel", "tf2onnx"),
    "style.mlpackage": ({"Manifest.json": b"{}", "Data/a": b""}, "Core ML", "ONNX"),
    "whisper": ({"config.json": b'{"model_type": "whisper"}', "model.safetensors": b"x"}, "CTranslate2", "ct2-"),
    "llama": ({"config.json": b'{"model_type": "llama"}', "model-00001-of-00002.safetensors": b"x"}, "pieces", "GGUF"),
    "bert": ({"config.json": b'{"model_type": "bert"}', "pytorch_model.bin": TORCH}, "a pickle", "safetensors"),
    "ir": ({"net.xml": b"<net/>", "net.bin": b"x"}, "OpenVINO", "onnxify net.xml"),
    "whisper-onnx": ({"encoder_model.onnx": b"x", "decoder_model.onnx": b"x"}, "in two halves", "ct2-"),
    "two": ({"a.onnx": b"x", "b.onnx": b"x"}, "2 models in it: a.onnx, b.onnx", "name the one"),
    "pieces": ({f"m-0000{n}-of-00002.gguf": split_gguf(n - 1, 2) for n in (1, 2)}, "piece 1 of 2", "--merge"),
    "nothing": ({}, "it is empty", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_too(tmp_path, name):
    files, what, deed = FOLDERS[name]
    (tmp_path / name).mkdir()
    with pytest.raises(ModelFault) as caught:
        look(written(tmp_path / name, files))
    assert what in caught.value.what and deed in caught.value.hint, (caught.value.what, caught.value.hint)


def test_a_folder_or_a_zip_with_one_model_in_it_is_that_model(tmp_path, home):
    folder = written(tmp_path / "hub", {"onnx/model.onnx": small(), "README.md": b"---\nlicense: mit\n---\n"})
    assert look(folder).licence == "MIT"
    for name in ("Grüße an 🎨.zip", "b c.zip"):
        (tmp_path / name).write_bytes(zipped({"m/model.onnx": small(), "__MACOSX/m/._model.onnx": b"\0", "m/": b""}))
        assert list(look(tmp_path / name).cards) == ["vector"]
    card, path = add(tmp_path / "b c.zip", "zipped", "", "", folders.cards_dir())
    assert card.task == "vector" and path.is_file()


def test_a_zip_that_climbs_writes_nothing(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"../../evil.onnx": small()}))
    with pytest.raises(ModelFault, match="leaves its folder"):
        look(tmp_path / "a.zip")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip"]


def test_a_link_to_nowhere_and_a_file_that_is_locked(tmp_path, monkeypatch):
    (tmp_path / "gone.onnx").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelFault, match="a link to what is not there"):
        look(tmp_path / "gone.onnx")
    with pytest.raises(ModelFault, match="there is no such file"):
        look(tmp_path / "none.onnx")
    (tmp_path / "mine.onnx").write_bytes(small())
    (tmp_path / "link.onnx").symlink_to(tmp_path / "mine.onnx")
    assert look(tmp_path / "link.onnx").cards
    if os.geteuid():
        (tmp_path / "mine.onnx").chmod(0)
        with pytest.raises(ModelFault, match="may not be read by you"):
            look(tmp_path / "mine.onnx")
