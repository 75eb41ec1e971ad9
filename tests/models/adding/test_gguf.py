"""A GGUF file says whose it is, out of what it was made, and how it was quantised."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.adding import add, look

from ..language import tiny

SAID = {
    "general.architecture": "llama",
    "general.name": "Small Poet",
    "general.author": "A. Person",
    "general.quantized_by": "B. Person",
    "general.license": "apache-2.0",
    "general.description": "writes\n  short verses\x1b[31m",
    "general.file_type": 15,
    "general.base_model.count": 1,
    "general.base_model.0.name": "Large Poet",
    "general.base_model.0.organization": "Some Lab",
    "general.dataset.count": 1,
    "general.dataset.0.name": "Verses",
    "llama.context_length": 512,
    "tokenizer.ggml.model": "llama",
    "tokenizer.chat_template": "{{ messages }}",
}


def file(tmp_path, **other):
    said = {**SAID, **{k.replace("__", "."): v for k, v in other.items()}}
    tensors = {"token_embd.weight": np.zeros((1200, 1000), np.float32), "norm.weight": np.ones(64, np.float32)}
    return tiny.write(tmp_path / "poet.gguf", {k: v for k, v in said.items() if v is not None}, tensors)


def test_what_it_says_becomes_the_card_s(tmp_path):
    found = look(file(tmp_path))
    assert (found.format, list(found.cards), found.title) == ("GGUF", ["chat"], "Small Poet")
    assert found.licence == "Apache-2.0" and "general.license" in found.stated_in
    assert found.credits[0] == ("A. Person", "the model, by the file's metadata") and found.credits[1][0] == "B. Person"
    assert dict(found.facts) | {} == {
        "architecture": "llama", "numbers": "1.2 million", "quantised to": "Q4_K_M", "context": "512 tokens",
    }  # fmt: skip
    assert {(c["kind"], c["what"], c["licence"]) for c in found.components if c["kind"] != "library"} == {
        ("base", "Large Poet, by Some Lab", "unknown"),
        ("data", "Verses", "unknown"),
    }
    assert found.about == "writes short verses[31m"  # one line, and no escape sequences
    assert found.cards["chat"]["options"]["context"] == 512 and found.cards["chat"]["makes"] == ["text"]


@pytest.mark.parametrize("tag", [None, "other", "", "unknown"])
def test_a_licence_that_is_not_said_is_not_made_up(tmp_path, tag):
    found = look(file(tmp_path, general__license=tag))
    assert (found.licence, found.stated_in) == ("", "")


def test_a_tag_that_is_no_identifier_stays_as_it_is(tmp_path):
    assert look(file(tmp_path, general__license="llama3.2")).licence == "llama3.2"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"general__type": "adapter"}, "it is a LoRA adapter"),
        ({"general__architecture": "clip"}, "makes no text"),
        ({"general__architecture": "bert"}, "makes no text"),
        ({"tokenizer__ggml__model": None}, "no vocabulary"),
    ],
)
def test_what_is_no_chat_model_is_not_taken_for_one(tmp_path, home, said, why):
    path = file(tmp_path, **said)
    assert not look(path).cards
    with pytest.raises(ModelFault, match=why):
        add(path, "poet", "", "", folders.cards_dir())


def test_a_model_becomes_a_card_that_answers(tmp_path, home):
    path = tiny.model(tmp_path / "tiny.gguf", "llama", template=tiny.CHATML)
    card, place = add(path, "tiny", "", "CC0-1.0", folders.cards_dir(), by="nobody")
    assert card.task == "chat" and card.weights.id == "CC0-1.0" and card.credits[0].who == "nobody"
    assert any(c.kind == "library" for c in card.components) and place.is_file()
    assert isinstance(str(load("tiny", max_tokens=4)("Hello", seed=1)), str)


def test_a_file_that_is_cut_short_leaves_nothing(tmp_path, home):
    path = file(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelFault, match="poet.gguf cannot be used"):
        add(path, "poet", "", "", folders.cards_dir())
    assert not list(home.rglob("*.toml"))


def test_an_adapter_sits_on_a_card_that_there_is(tmp_path, home):
    base = tiny.model(tmp_path / "base.gguf", "llama", template=tiny.CHATML)
    add(base, "base", "", "MIT", folders.cards_dir())
    adapter = tiny.adapter(tmp_path / "ink.gguf")
    card, _ = add(adapter, "ink", "", "", folders.cards_dir(), like="base", role="adapter")
    assert set(card.files) == {"model", "adapter"} and card.task == "chat"
    assert card.weights.id == "unknown" and ("base", "MIT") in {(c.kind, c.licence.id) for c in card.components}
    plain, drawn = (load(name, seed=1, temperature=0, max_tokens=8) for name in ("base", "ink"))
    assert str(plain("Hello")) != str(drawn("Hello"))


def test_a_licence_that_is_too_long_to_be_one_is_not_cut_short(tmp_path):
    """Cut after 80 letters, "... AND nonsense" would have been a free licence."""
    long = "MIT AND " * 9 + "MIT AND research-only"
    assert look(file(tmp_path, general__license=long)).licence == ""
    assert look(file(tmp_path, general__license="MIT AND " * 60 + "CC-BY-NC-4.0")).licence == ""
