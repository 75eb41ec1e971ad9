"""Speaking, heard again: the words that were asked for, in the voice that was asked for, clause by clause."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Text
from pleinair.models import load
from pleinair.models.card import find_card
from pleinair.models.hearing import phonemes

from .conftest import needs_espeak, word_errors

pytestmark = needs_espeak
TEXT = "Every picture that you see was painted by a machine, and it remembers nothing."


@pytest.fixture(scope="module")
def model(opened):
    return opened("kokoro")


@pytest.fixture(scope="module")
def ear(opened):
    return opened("whisper-tiny-en")


@pytest.fixture(scope="module")
def pitch(opened):
    return opened("pitch")


def test_what_is_spoken_is_what_was_asked_for(model, ear):
    sound = model(TEXT)
    assert sound.rate == 24_000 and sound.samples.shape[1] == 1 and 3 < sound.seconds < 7
    level = np.sqrt(np.square(sound.samples).mean())
    assert 0.02 < level < 0.3 and np.abs(sound.samples).max() <= 1
    assert word_errors(ear(sound), TEXT) == 0


def test_the_same_text_is_the_same_sound(model):
    assert np.array_equal(model("Good morning.").samples, model("Good morning.").samples)


def test_voices_differ_and_mix(model, pitch):
    names = model.names["voices"]
    both = np.zeros(len(names), np.float32)
    both[[names.index("af_heart"), names.index("am_onyx")]] = 0.5
    hz = [pitch(model(TEXT, voices=v)).hz for v in ("af_heart", both, "am_onyx")]
    assert hz[0] > 1.3 * hz[2] and hz[2] < hz[1] < hz[0]
    assert np.array_equal(model("Hello.", voices=both).samples, model("Hello.", voices=both * 7).samples)


def test_british_voices_speak_british(model, ear):
    sound = model("The bird was better in the water.", voices="bm_george")
    assert word_errors(ear(sound), "The bird was better in the water") <= 0.15
    assert phonemes.phonemes("better water", "en-gb") != phonemes.phonemes("better water", "en-us")


def test_no_voice_at_all_is_the_cards_own(model):
    nobody = np.zeros(len(model.names["voices"]), np.float32)
    assert np.array_equal(model("Hello.", voices=nobody).samples, model("Hello.").samples)


def test_speed_shortens(model):
    slow, fast = model(TEXT, speed=0.8).seconds, model(TEXT, speed=1.4).seconds
    assert 1.3 < slow / fast < 2.2


def test_in_a_piece_it_comes_clause_by_clause(model, ear):
    text = "Good morning! The light is changing now. What should we paint today?"
    sounds = list(model(Text(text), t=1.0))
    assert len(sounds) == 3
    assert word_errors(ear(sounds[0]), "Good morning") == 0
    assert all(np.abs(s.samples[:240]).max() < 0.1 for s in sounds)  # no click at the seam
    early = [np.flatnonzero(np.abs(s.samples[:, 0]) > 0.01)[0] / s.rate for s in sounds]
    assert max(early) < 0.08  # no silence that one would wait for


def test_a_text_that_is_still_being_written_is_spoken_as_far_as_it_is_whole(model):
    model.reset()
    grown = ["Hello", "Hello there. ", "Hello there. How are", "Hello there. How are you?"]
    spoken = [model(Text(t, final=False), t=0.0) for t in grown]
    assert [s is None for s in spoken] == [True, False, True, True]
    assert len(list(spoken[1])) == 1
    assert len(list(model(Text(grown[-1]), t=0.0))) == 1  # only what was left
    assert model(Text(""), t=0.0) is None and model(Text("..."), t=0.0) is not None


@pytest.mark.parametrize(
    ("ports", "part"),
    [({"voices": "nobody"}, "no voice"), ({"voices": [1, 2]}, "one a voice"), ({"language": "martian"}, "no language")],
)
def test_what_it_cannot_speak_is_a_sentence(model, ports, part):
    with pytest.raises(ValueError, match=part):
        model("Hello.", **ports)


def test_nothing_to_say_is_no_sound(model):
    assert len(model("").samples) == 0 and len(model(" — ...").samples) == 0
    assert model("<|endoftext|> --help").seconds > 0  # no word is an option


def test_without_espeak_it_says_how_to_bring_it(model, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ModelFault, match="espeak-ng is not on this computer") as fault:
        load("kokoro").open()
    assert "apt install espeak-ng" in fault.value.hint


def test_its_lock_names_espeak(model):
    assert model.describe()["espeak-ng"] == phonemes.version() != ""


# -- a voice of one's own


def tiny_piper(speakers: int = 1) -> bytes:
    """Piper's ports around the smallest network: each phoneme is 256 samples of a tone whose height is its number."""
    import onnx
    from onnx import TensorProto as T
    from onnx import helper as h

    inputs = [
        h.make_tensor_value_info("input", T.INT64, [1, "phonemes"]),
        h.make_tensor_value_info("input_lengths", T.INT64, [1]),
        h.make_tensor_value_info("scales", T.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(h.make_tensor_value_info("sid", T.INT64, [1]))
    ramp = np.arange(256, dtype=np.float32)
    nodes = [
        h.make_node("Cast", ["input"], ["numbers"], to=T.FLOAT),
        h.make_node("Unsqueeze", ["numbers", "last"], ["column"]),
        h.make_node("Mul", ["column", "ramp"], ["phase"]),
        h.make_node("Sin", ["phase"], ["tones"]),
        h.make_node("ReduceMax", ["scales"], ["loud"], keepdims=0),
        h.make_node("Mul", ["tones", "loud"], ["louder"]),
        h.make_node("Reshape", ["louder", "shape"], ["output"]),
    ]
    if speakers > 1:
        nodes.insert(5, h.make_node("Cast", ["sid"], ["who"], to=T.FLOAT))
        nodes[6] = h.make_node("Mul", ["tones", "who"], ["louder"])
    graph = h.make_graph(
        nodes, "piper", inputs, [h.make_tensor_value_info("output", T.FLOAT, ["n", "m", "k", "samples"])],
        [
            h.make_tensor("last", T.INT64, [1], [2]), h.make_tensor("ramp", T.FLOAT, [256], ramp * 0.01),
            h.make_tensor("shape", T.INT64, [4], [1, 1, 1, -1]),
        ],
    )  # fmt: skip
    return onnx.helper.make_model(graph, opset_imports=[h.make_opsetid("", 15)], ir_version=8).SerializeToString()


@pytest.fixture
def voice(tmp_path, home):
    """A card around a tiny voice: `voice(consent="...", speakers=1)`."""

    def make(consent: str = "", speakers: int = 1):
        ids = {c: [n] for n, c in enumerate("_^$ abdefhijklmnopstuvwxzæðŋɐɑɔəɛɜɪʃʊʌˈˌːɹ.,?!", 0)}
        config = {
            "audio": {"sample_rate": 16_000}, "espeak": {"voice": "en-us"}, "phoneme_id_map": ids,
            "inference": {"noise_scale": 0.667, "length_scale": 0.5, "noise_w": 0.8}, "num_speakers": speakers,
            "speaker_id_map": {"ada": 0, "bo": 1} if speakers > 1 else {},
        }  # fmt: skip
        blobs = {"voice.onnx": tiny_piper(speakers), "voice.onnx.json": json.dumps(config).encode()}
        files = ""
        for role, (name, blob) in zip(("network", "config"), blobs.items(), strict=True):
            (tmp_path / name).write_bytes(blob)
            sha = hashlib.sha256(blob).hexdigest()
            files += f'[files.{role}]\nname = "{name}"\nfrom = "file:{name}"\nsha256 = "{sha}"\nbytes = {len(blob)}\n'
        said = f'consent = "{consent}"\n' if consent else ""
        (tmp_path / "card.toml").write_text(f'task = "speak"\n{files}[options]\nnetwork = "piper"\n{said}')
        return find_card(tmp_path)

    return make


def test_a_voice_of_ones_own_asks_whose_it_is(voice):
    with pytest.raises(ModelFault, match="does not say whose, or whether they agreed") as fault:
        load(voice())
    assert "consent =" in fault.value.hint


def test_a_voice_of_ones_own_speaks(voice):
    model = load(voice(consent="Ada agreed on 2026-03-01, for this piece"))
    sound = model("Hello.")
    assert sound.rate == 16_000 and sound.seconds > 0.1 and np.abs(sound.samples).max() > 0.3
    assert np.array_equal(sound.samples, model("Hello.").samples)
    assert model.describe()["consent"].startswith("Ada agreed")
    assert model.names == {"voices": ["voice"]}


def test_of_several_speakers_the_heaviest(voice):
    model = load(voice(consent="Ada and Bo agreed", speakers=2))
    model.open()
    assert model.names == {"voices": ["ada", "bo"]}
    ada, bo = model("Hello.", voices=[1, 0]), model("Hello.", voices="bo")
    assert not len(ada.samples) and bo.seconds > 0.1  # in this network speaker 0 is silent
