"""Voices, a Whisper's folder, adapters, and files that stand in for another card's."""

from __future__ import annotations

import json
import shutil
import struct

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.models import choose, load, store
from pleinair.models.adding import add, look
from pleinair.models.card import find_card
from pleinair.models.convert import tflite_operators
from pleinair.models.fetch import fetch

from ..convert.test_bert import Reference
from ..hearing.test_speak import tiny_piper
from ..seeing.test_clip_words import tokenizer_json
from ..seeing.test_picture_text import text_network, vocabulary
from ..seeing.tiny import average_colour


@pytest.fixture
def voice(tmp_path):
    ids = {c: [n] for n, c in enumerate("_^$ abdefhijklmnopstuvwxzæðŋɐɑɔəɛɜɪʃʊʌˈˌːɹ.,?!")}
    settings = {
        "audio": {"sample_rate": 16_000}, "espeak": {"voice": "en-us"}, "phoneme_id_map": ids, "num_speakers": 1,
        "language": {"code": "en_US", "name_english": "English"}, "dataset": "ada", "inference": {"length_scale": 0.5},
    }  # fmt: skip
    (tmp_path / "ada.onnx").write_bytes(tiny_piper())
    (tmp_path / "ada.onnx.json").write_text(json.dumps(settings))
    return tmp_path / "ada.onnx"


def test_a_voice_is_known_by_its_settings_and_by_either_file(voice):
    for file in (voice, voice.with_name("ada.onnx.json")):
        found = look(file)
        assert found.voice and list(found.cards) == ["speak"] and set(found.files) == {"network", "config"}
    assert dict(found.facts) == {"language": "English", "speakers": "1", "sound": "16000 Hz", "data set": "ada"}
    assert [c["what"] for c in found.components if c["kind"] == "data"] == ["the recordings: ada"]
    assert any(c["what"] == "espeak-ng" for c in found.components)


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed (tools/espeak.sh)")
def test_a_voice_is_added_only_with_a_word_about_consent(voice, home):
    with pytest.raises(ModelFault, match="whether they agreed"):
        add(voice, "ada", "", "", folders.cards_dir())
    assert not list(store.blobs()) and not list(home.rglob("*.toml"))
    card, _ = add(voice, "ada", "", "", folders.cards_dir(), consent="Ada agreed on 2026-03-01, for this piece")
    assert card.options["consent"].startswith("Ada agreed") and card.makes == ("speech",)
    assert load("ada")("Hello.").seconds > 0.1


def ct2_name(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def whisper(folder, spec="WhisperSpec", words=51_865):
    folder.mkdir()
    table = ct2_name("encoder/x") + struct.pack("<BI", 1, 4) + struct.pack("<BI", 0, 16) + bytes(16)
    (folder / "model.bin").write_bytes(
        struct.pack("<I", 6) + ct2_name(spec) + struct.pack("<II", 3, 1) + table + bytes(4)
    )
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "vocabulary.txt").write_text("\n".join(f"w{n}" for n in range(words)) + "\n")
    return folder


@pytest.mark.parametrize(("words", "languages"), [(51_865, "many"), (51_864, "English")])
def test_a_whisper_is_its_folder(tmp_path, home, words, languages):
    folder = whisper(tmp_path / "mine", words=words)
    found = look(folder / "model.bin")
    assert list(found.cards) == ["transcribe"] and ("languages", languages) in found.facts
    card, _ = add(folder, "mine", "", "MIT", folders.cards_dir())
    assert set(card.needed) == {"model", "config", "tokenizer", "vocabulary", "voice_activity"}
    assert [f.name for f in store.missing(card)] == ["silero_vad_openvino_16k.onnx"]  # and where it is to be had
    assert card.files["voice_activity"].sources


def test_a_folder_that_is_no_whisper_or_not_whole(tmp_path, home):
    other = whisper(tmp_path / "other", spec="TransformerSpec")
    (tmp_path / "empty").mkdir()
    half = whisper(tmp_path / "half")
    (half / "tokenizer.json").unlink()
    for folder, why in (
        (other, "only Whisper"),
        (tmp_path / "empty", "it is empty"),
        (half, "holds no tokenizer.json"),
    ):
        with pytest.raises(ModelFault, match=why):
            look(folder)


def safetensors(path, tensors, **metadata):
    from pleinair.models.safe import safetensors as own

    path.write_bytes(own.save(tensors, metadata))
    return path


def test_an_adapter_says_what_it_is_and_why_nothing_here_takes_it(tmp_path, home):
    rows = {
        f"lora_unet_down_{n}.lora_{w}.weight": np.zeros(s, np.float16)
        for n in range(2)
        for w, s in (("down", (8, 64)), ("up", (64, 8)))
    }
    path = safetensors(
        tmp_path / "ink.safetensors", rows, ss_sd_model_name="sd15", **{"modelspec.license": "CC-BY-4.0"}
    )
    found = look(path)
    assert found.licence == "CC-BY-4.0" and ("what it is", "a LoRA adapter of rank 8, 4 tables") in found.facts
    with pytest.raises(ModelFault, match="a LoRA adapter of rank 8 for sd15 as safetensors"):
        add(path, "ink", "", "", folders.cards_dir())


def test_bare_weights_say_what_is_missing(tmp_path):
    path = safetensors(
        tmp_path / "b.safetensors", {"bert.encoder.layer.0.attention.self.query.weight": np.zeros((4, 4), np.float32)}
    )
    found = look(path)
    assert not found.cards and "a text encoder (BERT)" in found.why and "ONNX or GGUF" in found.why


@pytest.mark.parametrize(
    ("name", "blob"), [("m.onnx", b"\x80\x04\x95pickle."), ("m.gguf", b"PK\x03\x04"), ("m.txt", b"words")]
)
def test_what_is_no_model_is_refused_whatever_its_name(tmp_path, home, name, blob):
    (tmp_path / name).write_bytes(blob)
    with pytest.raises(ModelFault):
        look(tmp_path / name)


def test_another_version_of_a_card_s_file_stands_in_for_it(tmp_path, weights, tflites):
    """A TFLite file says nothing of what it is for: the card that it is like does. It becomes ONNX, and can be bent."""
    fetch(["hands"])
    theirs = find_card("hands")
    file = tmp_path / "mine.tflite"
    file.write_bytes(tflites["hand_tflite"])
    with pytest.raises(ModelFault, match="--like"):
        add(file, "mine", "", "", tmp_path / "cards")
    with pytest.raises(ModelFault) as fault:
        add(file, "mine", "", "", tmp_path / "cards", like="hands")
    assert "--role palm" in fault.value.hint and "--role hand" in fault.value.hint
    card, place = add(file, "mine", "", "", tmp_path / "cards", like="hands", role="hand")
    assert (
        card.task == "hands" and card.files["hand"].name == "mine.onnx" and card.files["palm"] == theirs.files["palm"]
    )
    assert card.weights.id == "unknown" and card.ports == theirs.ports and card.senses == theirs.senses
    assert any(c.kind == "base" and c.licence.id == theirs.weights.id for c in card.components)
    assert "mine.tflite" in card.about
    hands = load(place, backend="onnx", bend={"swirl": {"layer": "re_lu_8", "role": "hand"}})
    assert not hands(np.zeros((64, 64, 3), np.uint8), swirl_scale=2)
    hands.close()


def test_a_tflite_file_with_an_operator_that_is_not_known_runs_as_it_is(tmp_path, weights, tflites, monkeypatch):
    """OpenVINO reads it; that it cannot be bent is said, and which operator is in the way."""
    fetch(["hands"])
    monkeypatch.delitem(tflite_operators.OPERATORS, 54)
    file = tmp_path / "mine.tflite"
    file.write_bytes(tflites["palm_tflite"])
    assert "operator PRELU" in dict(look(file).facts)["layers"]
    card, place = add(file, "mine", "", "", tmp_path / "cards", like="hands", role="palm")
    assert card.files["palm"].name == "mine.tflite" and choose.candidates(card) == [("openvino", "f32")]
    hands = load(place)
    assert not hands(np.zeros((64, 64, 3), np.uint8))
    hands.close()
    with pytest.raises(ModelFault, match="TFLite file mine.tflite"):
        load(place, bend={"swirl": {"layer": "p_re_lu", "role": "palm"}}).open()


def test_an_onnx_file_s_own_words(tmp_path, home):
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 32, 64]) for n in ("image", "night")]
    graph = helper.make_graph([helper.make_node("Sqrt", ["image"], ["night"])], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="a tool")
    helper.set_model_props(model, {"license": "mit", "author": "N. Body", "description": "darker", "name": "Night"})
    (tmp_path / "n.onnx").write_bytes(model.SerializeToString())
    found = look(tmp_path / "n.onnx")
    assert (found.title, found.licence, found.about) == ("Night", "MIT", "darker")
    assert (
        next(iter(found.cards)) == "stylise"
        and found.credits[0][0] == "N. Body"
        and ("producer", "a tool") in found.facts
    )
    card, _ = add(tmp_path / "n.onnx", "night", "", "CC0-1.0", folders.cards_dir())
    assert card.weights.id == "CC0-1.0" and card.weights.stated_in == "by who added it"


def test_a_text_encoder_as_the_hub_gives_it(tmp_path, home):
    folder = tmp_path / "mine"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    files = Reference("bert").files(max_position_embeddings=24)
    (folder / "model.safetensors").write_bytes(files["weights"])
    (folder / "config.json").write_bytes(files["config"])
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nsea\nnight\n")
    (folder / "README.md").write_text(
        "---\nlanguage: en\nlicense: apache-2.0\nbase_model:\n- some/encoder\n---\n# Mine\n"
    )
    found = look(folder)
    assert list(found.cards) == ["embed_text"] and found.licence == "Apache-2.0" and "README.md" in found.stated_in
    assert ("one vector", "the first word's") in found.facts
    card, _ = add(folder, "mine", "", "", folders.cards_dir())
    assert {c.what for c in card.components if c.kind == "base"} == {"some/encoder"}
    assert card.files["network"].name == "mine.onnx" and not card.files["network"].made
    sea, again = (load("mine")(text) for text in ("sea", "SEA"))
    assert abs(float(sea @ sea) - 1) < 1e-5 and np.allclose(sea, again, atol=1e-6)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ModelFault, match='of the family "gpt2"'):
        look(folder)


def test_a_clip_pair(tmp_path, home):
    words, merges = vocabulary()
    folder = tmp_path / "pair"
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "vision_model.onnx").write_bytes(average_colour((8, 8), "pixel_values"))
    (folder / "onnx" / "text_model.onnx").write_bytes(text_network(words))
    with pytest.raises(ModelFault, match="no words"):
        look(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer_json(words, merges))
    card, _ = add(folder, "pair", "", "MIT", folders.cards_dir())
    assert card.task == "picture_text" and set(card.files) == {"picture", "text", "words"}
    red = np.full((12, 20, 3), (255, 0, 0), np.uint8)
    assert int(np.argmax(load("pair")(red, labels=["green", "red", "blue"]))) == 1
