"""A network of one's own is recognised by its ports: added, it runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pleinair import folders
from pleinair.models import load, store
from pleinair.models.adding import add, look
from pleinair.models.card import find_card
from pleinair.models.convert.writing import Writer

from .test_depth import brightness, ramp
from .tiny import average_colour, two_colours


def numbers_of(size, count: int) -> bytes:
    """[1, 3, h, w] -> [1, count]."""
    w = Writer("numbers")
    image = w.unique("image")
    w.unique("row")
    flat = w.add("Flatten", [w.add("GlobalAveragePool", [image])])
    w.name_output(w.add("MatMul", [flat, w.constant(np.ones((3, count), np.float32))]), "row")
    return w.save({"image": ("float32", [1, 3, *size[::-1]])}, {"row": ("float32", [1, count])})


@pytest.fixture
def added(tmp_path, home):
    def added(blob: bytes, task: str = "") -> str:
        file = tmp_path / "mine.onnx"
        file.write_bytes(blob)
        add(file, "mine", task, "MIT", folders.cards_dir())
        return "mine"

    return added


def test_a_map_of_the_picture_is_a_depth(added):
    model = load(added(brightness((48, 64), channel=False)), backend="onnx")
    assert model.card.task == "depth" and model(ramp())[:, -1].min() > 0.99


def test_a_row_that_becomes_a_picture_is_a_generator(added):
    model = load(added(two_colours(6, 16)), backend="onnx")
    assert model.card.task == "imagine" and model.card.makes == ("picture",)
    assert model(position=0.3).shape == (16, 16, 3)


def test_a_picture_that_becomes_a_row_is_its_features(added):
    model = load(added(numbers_of((32, 32), 64)), backend="onnx")
    assert model.card.task == "picture_features" and model(ramp()).shape == (64,)


def test_an_m_lsd_is_recognised_and_another_of_its_sizes_would_be(weights, tmp_path):
    file = tmp_path / "mine.onnx"
    file.write_bytes(store.read(find_card("lines"), "network"))
    found = look(file).cards["lines"]
    assert found["size"] == [512, 512]
    assert found["options"] == {"input": "input_image_with_alpha:0", "scores": "scores", "offsets": "offsets"}


def test_what_could_be_something_else_is_not_guessed(tmp_path):
    def tasks(blob: bytes) -> set[str]:
        file = Path(tmp_path / "mine.onnx")
        file.write_bytes(blob)
        return set(look(file).cards)

    assert "depth" in tasks(brightness((48, 64))) and "depth" not in tasks(brightness((48, 64), name="mask"))
    assert not {"picture_features", "imagine", "depth"} & tasks(average_colour((32, 32))), "three numbers are a colour"
    assert "imagine" not in tasks(brightness((48, 64))) and "picture_features" not in tasks(two_colours(6, 16))
