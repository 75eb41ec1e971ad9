"""Meaning as a vector, and decisions by it, with the real encoder."""

from __future__ import annotations

import numpy as np
import pytest

import pleinair
from pleinair import Text, Vector
from pleinair.core.errors import ModelFault
from pleinair.models.card import card_from, find_card
from pleinair.models.fetch import fetch
from pleinair.models.language.choose import labels_of

LABELS = ["brighter", "darker", "stop"]
EXAMPLES = {"brighter": ["more light", "I cannot see a thing"], "darker": "it is too bright", "stop": ["enough"]}


@pytest.fixture(scope="module")
def load(weights):
    fetch(["embed_text", "choose"])
    made = []

    def make(card, **how):
        made.append(pleinair.load(card, **{"backend": "onnx", "threads": 1, **how}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_vectors_are_those_of_the_model_as_published(load):
    """The likenesses that the model's page at Hugging Face shows for these sentences: 0.695, 0.943, 0.257."""
    embed = load("embed_text")
    happy, dog, very, sunny = map(
        embed,
        ("That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"),
    )
    assert happy.dtype == np.float32 and happy.shape == (384,) and abs(np.linalg.norm(happy) - 1) < 1e-5
    assert [round(float(happy @ v), 3) for v in (dog, very, sunny)] == [0.695, 0.943, 0.257]
    assert (embed("That is a happy dog") == dog).all() and embed.kind is Vector


def test_both_backends_mean_the_same(load):
    texts = ["the sea at night", "", "ein Wort, das er nicht kennt: Größe", "word " * 400]
    one, other = load("embed_text"), load("embed_text", backend="openvino", precision="f32")
    for text in texts:
        assert float(one(text) @ other(text)) > 0.9999, text
    assert (one("word " * 400) == one("word " * 500)).all(), "what is too long is left"


@pytest.mark.parametrize("said", ["turn it brighter", "MORE LIGHT!", Text("brighter please")])
def test_it_chooses_what_is_meant(said, load):
    found = load("choose", labels=LABELS)(said)
    assert found["label"] == "brighter" and found["confidence"] > 0.6
    assert set(found["all"]) == set(LABELS) and abs(sum(found["all"].values()) - 1) < 1e-3
    assert found["all"]["brighter"] == max(found["all"].values()) == found["confidence"]


def test_examples_say_more_than_a_word_does_and_what_is_nothing_of_it_can_be_nothing(load):
    choose = load("choose", labels=EXAMPLES, least=0.3)
    assert choose("I can't see anything in here")["label"] == "brighter"
    assert choose("this is too bright for me")["label"] == "darker"
    assert choose("stop")["label"] == "stop", "a label's own name counts"
    nothing = choose("what is the capital of France?")
    assert nothing["label"] is None and nothing["confidence"] == 0
    assert choose("louder", labels=["louder", "quieter"])["label"] == "louder"


def test_what_is_still_being_heard_decides_nothing(load):
    choose = load("choose", labels=LABELS)
    assert choose(Text("brigh", final=False)) is None and choose("") is None and choose("   ") is None
    with pytest.raises(ValueError, match="the text is a text"):
        choose(7)
    with pytest.raises(TypeError, match="needs labels"):
        load("choose")("brighter")


def test_an_event_of_it_can_be_published(load):
    from pleinair import Event

    found = load("choose", labels=LABELS)("stop it")
    assert Event.check(found)["label"] == "stop"


@pytest.mark.parametrize("labels", [[], [""], [1, 2], {"a": []}, {"a": [1]}, {"a": 3}, 7, ""])
def test_labels_that_are_none_are_a_sentence(labels):
    with pytest.raises(ModelFault, match="labels are texts"):
        labels_of(labels)


def test_labels_may_be_spelt_in_several_ways():
    assert labels_of("up, down") == labels_of(["up", "down"]) == labels_of('["up", "down"]')
    assert labels_of({"up": "rise"}) == {"up": ["up", "rise"]} == labels_of({"up": ["rise"]})


def test_in_a_piece_labels_stand_in_its_toml(load, write_piece):
    from pleinair import assembly

    folder = write_piece(
        "piece.source('heard')\npiece.model('meant', reads='heard')\n@piece.draw\ndef draw(meant): return meant\n",
        '[source.heard]\ndevice = "synthetic"\n[model.meant]\ncard = "choose"\nbackend = "onnx"\nleast = 0.2\n'
        "[model.meant.labels]\nbrighter = ['more light']\ndarker = 'less light'\n",
    )
    loaded = assembly.load(folder)
    model, constants = assembly.MachineParts(loaded).model("meant")
    found = model("a bit more light in here, please", **constants)
    model.close()
    assert found["label"] == "brighter"


def test_a_vocabulary_in_plain_text_reads_the_same(load, home, tmp_path):
    import json

    from pleinair.models import store
    from pleinair.models.language.encoder import tokenizer_of

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s", "!"]
    plain = tmp_path / "vocab.txt"
    plain.write_text("\n".join(words) + "\n")
    sha256, count = store.adopt(plain)
    files = {"tokenizer": {"name": "vocab.txt", "from": [], "sha256": sha256, "bytes": count}}
    card = card_from({"name": "own", "task": "embed_text", "files": files, "options": {"words": 6}})
    assert tokenizer_of(card).encode("Hello worlds!").tokens == ["[CLS]", "hello", "world", "##s", "!", "[SEP]"]
    assert len(tokenizer_of(card).encode("hello " * 50).ids) == 6
    plain.write_text(json.dumps({"no": "tokenizer"}))
    sha256, count = store.adopt(plain)
    files = {"tokenizer": {"name": "tokenizer.json", "from": [], "sha256": sha256, "bytes": count}}
    with pytest.raises(ModelFault, match="is no tokenizer"):
        tokenizer_of(card_from({"name": "own", "task": "embed_text", "files": files}))


def test_their_papers_name_what_is_not_known():
    for name in ("embed_text", "choose"):
        card = find_card(name)
        assert card.weights.id == "Apache-2.0"
        assert {c.kind: c.licence.id for c in card.components}["data"] == "unknown"
