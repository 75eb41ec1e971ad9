"""Networks that tell things apart, as tiny ones made here: their labels, their likelihoods, and what a card may say."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

from pleinair import folders
from pleinair.backends import wire
from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Event
from pleinair.models import load
from pleinair.models.adding import add
from pleinair.models.seeing.classify import recognise

COLOURS = ["red", "green", "blue"]


def network(likely: bool = False, first: bool = True, count: int = 3) -> bytes:
    """How red, how green, how blue the picture is on the whole: `likely` as likelihoods, else times 10."""
    shape, axes = ([1, 3, 8, 8], [2, 3]) if first else ([1, 8, 8, 3], [1, 2])
    weights = np.zeros((3, count), np.float32)
    weights[:, :3] = 10 * np.eye(3)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["y" if not likely else "rows"]),
    ]
    nodes += [helper.make_node("Softmax", ["rows"], ["y"])] if likely else []
    ports = [helper.make_tensor_value_info(n, 1, s) for n, s in (("x", shape), ("y", [1, count]))]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [numpy_helper.from_array(weights, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def colour(*rgb: int) -> np.ndarray:
    return np.full((20, 30, 3), rgb, np.uint8)


@pytest.fixture
def added(tmp_path, home):
    def make(blob: bytes, labels: list[str] = COLOURS):
        (tmp_path / "net.onnx").write_bytes(blob)
        (tmp_path / "labels.txt").write_text("\n".join(labels))
        return add(tmp_path / "net.onnx", "net", "classify", "", folders.cards_dir())[0]

    return make


@pytest.mark.parametrize("likely", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_the_surest_first_and_together_one(added, likely, first):
    assert added(network(likely, first)).ports == {"image": load("net").ports["image"]}
    model = load("net")
    for place, label in enumerate(COLOURS):
        told = Event.check(model(colour(*(250 if n == place else 10 for n in range(3)))))
        assert told["label"] == label and told["confidence"] > 0.9
        assert list(told["all"]) == sorted(told["all"], key=lambda n: -told["all"][n])
        assert sum(told["all"].values()) == pytest.approx(1, abs=1e-3)


def test_ten_of_many_are_told(added):
    added(network(count=40), [f"thing {n}" for n in range(40)])
    told = load("net")(colour(200, 0, 0))
    assert told["label"] == "thing 0" and len(told["all"]) == 10


def test_only_the_middle_is_looked_at(added):
    added(network())
    picture = colour(250, 0, 0).copy()
    picture[:, 5:25] = (0, 0, 250)
    assert load("net")(picture)["label"] == "blue"


def test_without_labels_or_with_others_it_is_none():
    found = wire.summary(network())
    assert recognise(found, []) is None and recognise(found, ["a", "b"]) is None
    assert recognise(found, COLOURS)["options"]["labels"] == COLOURS


@pytest.mark.parametrize(("labels", "why"), [("", "what it tells apart"), ('labels = ["a"]', "tells 3 things apart")])
def test_a_card_whose_labels_do_not_fit(added, labels, why):
    added(network())
    path = folders.cards_dir() / "net.toml"
    text = path.read_text()
    line = next(row for row in text.splitlines() if row.startswith("labels"))
    path.write_text(text.replace(line, labels))
    with pytest.raises(ModelFault, match=why):
        load("net").open()
