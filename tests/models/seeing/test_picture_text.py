"""Picture and text, with a tiny pair made here: a picture's colour and the word for it come to the same place."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.convert.writing import Writer
from pleinair.models.seeing.picture_text import labels_of
from pleinair.testing import check_model

from .test_clip_words import END, START, tiny, tokenizer_json
from .tiny import average_colour, card_of

PORTS = '\n[ports]\nimage = "Image"\nlabels = "Text"\n'
OPTIONS = 'range = "0..1"\nscale = 10.0\n'
COLOURS = ["red</w>", "green</w>", "blue</w>"]


def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tiny one, in which the names of three colours are words of one piece."""
    known, merges = tiny()
    names = [n for n in known if n not in (START, END)]
    for word in ("green", "red", "blue"):  # in this order, else "re" is joined first in "green"
        for n in range(1, len(word)):
            mark = "</w>" if n == len(word) - 1 else ""
            pair = (word[:n], word[n] + mark)
            if pair not in merges:
                merges.append(pair)
                names.append("".join(pair))
    return {name: n for n, name in enumerate(dict.fromkeys([*names, START, END]))}, merges


def text_network(words: dict[str, int], kind: str = "int64", masked: bool = False) -> bytes:
    """[1, 77] -> [1, 3]: the sum of each piece's row; only the three colours have one."""
    table = np.zeros((len(words), 3), np.float32)
    for n, colour in enumerate(COLOURS):
        table[words[colour], n] = 1
    table[words[START]] = 0.01
    w = Writer("text")
    ids = w.unique("input_ids")
    w.unique("attention_mask")
    w.unique("text_embeds")
    rows = w.add("Gather", [w.constant(table), ids])
    if masked:
        rows = w.add("Mul", [rows, w.add("Unsqueeze", [w.add("Cast", ["attention_mask"], to=1), w.ints([2])])])
    w.name_output(w.add("ReduceSum", [rows, w.ints([1])], keepdims=0), "text_embeds")
    inputs = {"input_ids": (kind, ["batch", "sequence"])}
    if masked:
        inputs["attention_mask"] = (kind, ["batch", "sequence"])
    return w.save(inputs, {"text_embeds": ("float32", ["batch", 3])})


@pytest.fixture
def make(tmp_path, home):
    def make(options: str = "", **kind):
        words, merges = vocabulary()
        files = {
            "picture": average_colour((8, 8), "pixel_values"), "text": text_network(words, **kind),
            "words.json": tokenizer_json(words, merges),
        }  # fmt: skip
        return load(card_of(tmp_path, "picture_text", files, OPTIONS + options, rest=PORTS), backend="onnx", threads=1)

    return make


RED, TEAL = (np.full((12, 20, 3), colour, np.uint8) for colour in ((220, 30, 20), (0, 200, 200)))


@pytest.mark.parametrize("kind", [{}, {"kind": "int32"}, {"masked": True}])
def test_the_label_that_fits_is_the_likeliest(make, kind):
    model = make(**kind)
    assert model.size is None or model.size == (8, 8)
    found = model(RED, labels=["a photo of Red", "green", "a BLUE dog"])
    assert found.shape == (3,) and found.sum() == pytest.approx(1, abs=1e-6)
    assert found.argmax() == 0 and found[0] > 0.9


def test_cosines_tell_how_well_each_fits_by_itself(make):
    found = make('gives = "similar"')(TEAL, labels="red; green\nblue")
    assert found.tolist() == pytest.approx([0, 0.7071, 0.7071], abs=0.02)


def test_labels_come_from_a_constant_a_list_or_a_text(make):
    model = make()
    one = load(model.card, backend="onnx", labels=["red", "green"])
    assert np.array_equal(one(RED), model(RED, labels="red;green"))
    assert len(model(RED)) == 0 and len(model(RED, labels="")) == 0
    assert labels_of(" a ;b\n\n c;") == ("a", "b", "c")
    with pytest.raises(ValueError, match="labels are texts"):
        model(RED, labels=[1])


def test_rows_of_pictures_and_texts_can_be_had_by_themselves(make):
    model = make()
    model.open()
    assert model.picture_row(RED) @ model.text_row("red") > 0.95 > 0.3 > model.picture_row(RED) @ model.text_row("blue")


def test_the_middle_square_is_looked_at(make):
    picture = np.full((20, 60, 3), (0, 0, 250), np.uint8)
    picture[:, 20:40] = (250, 0, 0)
    assert make()(picture, labels=["red", "blue"])[0] > 0.99


def test_it_behaves_on_stage(make):
    check_model(make, {"image": [RED, TEAL], "labels": ["red;green"]})


def test_networks_that_are_no_pair_are_said_with_a_sentence(make, tmp_path, home):
    words, merges = vocabulary()
    files = {"picture": average_colour((8, 8)), "text": average_colour((8, 8))}
    files["words.json"] = tokenizer_json(words, merges)
    with pytest.raises(ModelFault, match="its text network takes image"):
        load(card_of(tmp_path, "picture_text", files, OPTIONS, rest=PORTS), backend="onnx").open()
    with pytest.raises(ModelFault, match='"likely" or "similar"'):
        make('gives = "maybe"')
