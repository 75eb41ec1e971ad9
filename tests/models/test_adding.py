"""A file of one's own becomes a card."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import folders, plugins
from pleinair.core.errors import ModelFault
from pleinair.models import card, choose, load, store
from pleinair.models.adding import add, name_of


def tiny() -> bytes:
    """y = 2 x + 1 on three numbers."""
    from onnx import TensorProto, helper, numpy_helper

    constants = [numpy_helper.from_array(np.full((1, 3), v, np.float32), n) for n, v in (("two", 2), ("one", 1))]
    nodes = [helper.make_node("Mul", ["x:0", "two"], ["m"]), helper.make_node("Add", ["m", "one"], ["y"])]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3]) for n in ("x:0", "y")]
    graph = helper.make_graph(nodes, "tiny", values[:1], values[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def added(file, name=None, task="stylise", licence="unknown"):
    return add(file, name or name_of(file), task, licence, folders.cards_dir())[0]


def test_the_styles_of_ones_own_file(home, tmp_path, real_blob):
    file = tmp_path / 'my "styles".onnx'
    file.write_bytes(real_blob)
    mine = added(file, licence="CC0-1.0")
    assert mine.name == "my-styles" and mine.name in card.known_names()
    assert mine.weights.id == "CC0-1.0" and mine.title == 'my "styles"'
    painter = load(mine.name, size=(64, 48), backend="onnx")
    assert painter(np.full((48, 64, 3), 90, np.uint8)).shape == (48, 64, 3)
    painter.close()


def test_a_painter_of_one_style_at_one_size(home, tmp_path):
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 32, 64]) for n in ("image", "night")]
    graph = helper.make_graph([helper.make_node("Sqrt", ["image"], ["night"])], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "night.onnx").write_bytes(model.SerializeToString())
    assert added(tmp_path / "night.onnx").size == (64, 32)
    for backend in ("onnx", "openvino"):
        painter = load("night", backend=backend)
        assert abs(int(painter(np.full((32, 64, 3), 64, np.uint8))[0, 0, 0]) - 128) <= 1
        painter.close()


bare = pytest.mark.skipif(
    "vector" not in plugins.names("tasks"), reason="the task vector is not among the installed package's entry points"
)


@bare
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_bare_tensors(home, tmp_path, backend):
    file = tmp_path / "tiny.onnx"
    file.write_bytes(tiny())
    assert added(file, task="vector").task == "vector"
    model = load("tiny", backend=backend)
    assert list(model.ports) == ["x_0"] and np.array_equal(model([1, 2, 3]), [3, 5, 7])
    with pytest.raises(ValueError, match="x_0 is 3 numbers, and these are 2"):
        model([1, 2])
    with pytest.raises(ModelFault):
        model(y=[1, 2, 3])
    model.close()


@bare
def test_a_backend_is_decided_for_bare_tensors_too(home, tmp_path):
    file = tmp_path / "tiny.onnx"
    file.write_bytes(tiny())
    choice = choose.decide(added(file, task="vector"), threads=1)
    assert choice.agreement["psnr_db"] > 34 and choice.size is None


def test_what_cannot_be_added_leaves_nothing(home, tmp_path):
    letter, other = tmp_path / "letter.onnx", tmp_path / "tiny.onnx"
    letter.write_text("dear model")
    other.write_bytes(tiny())
    for file, part in (
        (letter, "and no model"),
        (tmp_path / "nothing.onnx", "cannot be read"),
        (other, "does not fit the task stylise"),
    ):
        with pytest.raises(ModelFault, match=part):
            added(file)
    assert not list(store.blobs()) and not list(home.rglob("*.toml"))
