"""A weights file is read before any runtime sees it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pleinair.backends import wire
from pleinair.backends.onnx_edit import with_shapes
from pleinair.core.errors import ModelFault
from pleinair.models import load, store
from pleinair.models.card import find_card
from pleinair.models.check_onnx import expect, inspect, leaves_its_folder


def made(**inputs):
    """A small honest network: output = input."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Identity", [n], [f"{n}_out"]) for n in inputs]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    outputs = [helper.make_tensor_value_info(f"{n}_out", TensorProto.FLOAT, s) for n, s in inputs.items()]
    weights = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "w")
    return helper.make_model(helper.make_graph(nodes, "g", values, outputs, [weights]))


@pytest.mark.parametrize(
    ("card", "role"), [("multistyle26", "network"), ("anystyle", "predict"), ("anystyle", "transform")]
)
def test_our_reader_sees_what_the_onnx_library_sees(weights, card, role):
    import onnx

    blob = store.read(find_card(card), role)
    found, graph = wire.summary(blob), onnx.load_from_string(blob).graph
    constants = {i.name for i in graph.initializer}
    assert list(found.inputs) == [i.name for i in graph.input if i.name not in constants]
    assert list(found.outputs) == [o.name for o in graph.output]
    assert sum(found.ops.values()) == len(graph.node) and not found.external
    dims = [[d.dim_value or -1 for d in i.type.tensor_type.shape.dim] for i in graph.input]
    assert list(found.inputs.values()) == dims


def test_cut_at_any_place_it_is_refused(real_blob):
    for share in (0.0, 0.001, 0.3, 0.5, 0.9, 0.999):
        with pytest.raises(ModelFault, match="cannot be used"):
            inspect(real_blob[: int(len(real_blob) * share)], "cut.onnx")
    with pytest.raises(ModelFault, match="cannot be used"):
        inspect(real_blob[:-1], "cut.onnx")


def test_junk_is_refused_and_never_raises_anything_else(real_blob):
    dice = random.Random(7)
    for n in range(300):
        if n % 2:
            blob = dice.randbytes(dice.randrange(400))
        else:
            blob = bytearray(real_blob[:20_000])
            for _ in range(20):
                blob[dice.randrange(len(blob))] = dice.randrange(256)
        try:
            inspect(bytes(blob), "junk.onnx")
        except ModelFault:
            continue


@pytest.mark.parametrize(
    "place", ["../w.bin", "/etc/passwd", "a/../../w", "C:\\w.bin", "\\\\host\\w", "..\\w", "", "a\0b"]
)
def test_weights_outside_the_folder_are_refused(place):
    assert leaves_its_folder(place)
    from onnx import StringStringEntryProto, TensorProto

    model = made(x=[4])
    table = model.graph.initializer[0]
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    table.external_data.append(StringStringEntryProto(key="location", value=place))
    with pytest.raises(ModelFault, match="outside its own folder"):
        inspect(model.SerializeToString(), "evil.onnx")


def test_weights_in_another_file_beside_it_are_refused_with_the_way_out():
    from onnx import StringStringEntryProto, TensorProto

    model = made(x=[4])
    table = model.graph.initializer[0]
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    table.external_data.append(StringStringEntryProto(key="location", value="w.bin"))
    with pytest.raises(ModelFault) as fault:
        inspect(model.SerializeToString(), "split.onnx")
    assert "save_as_external_data=False" in fault.value.hint


def test_a_table_of_absurd_size_is_refused():
    model = made(x=[4])
    model.graph.initializer[0].dims[:] = [1 << 39]
    with pytest.raises(ModelFault, match="should have"):
        inspect(model.SerializeToString(), "huge.onnx")
    model.graph.initializer[0].dims[:] = [-4]
    with pytest.raises(ModelFault, match="side of -4"):
        inspect(model.SerializeToString(), "negative.onnx")


def test_another_models_file_is_told_by_its_ports():
    found = inspect(made(x=[4, 4]).SerializeToString(), "other.onnx")
    with pytest.raises(ModelFault) as fault:
        expect(found, "other.onnx", {"image": (1, 3, None, None)}, {"stylized": (1, 3, None, None)})
    assert "x [4 x 4]" in fault.value.what and "image [1 x 3 x ? x ?]" in fault.value.what


def test_shapes_can_be_declared_anew():
    import onnx

    blob = with_shapes(made(x=[1, 384, 384, 3]).SerializeToString(), {"x": (1, 240, 320, 3)})
    model = onnx.load_from_string(blob)
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [1, 240, 320, 3]
    assert wire.summary(blob).outputs == {"x_out": None}


class TestLoading:
    """The same through `load`, the door that an artist uses."""

    def test_a_network_with_other_ports(self, own_card):
        with pytest.raises(ModelFault, match="another model's"):
            load(own_card(made(picture=[1, 3, 8, 8]).SerializeToString()), backend="onnx").open()

    def test_a_file_of_another_hash(self, own_card, real_blob):
        with pytest.raises(ModelFault, match="the card says 111111111111"):
            load(own_card(real_blob, sha256="1" * 64), backend="onnx")

    def test_a_text_file(self, own_card):
        with pytest.raises(ModelFault, match="cannot be used"):
            load(own_card(b"this is no network, it is a letter"), backend="onnx").open()

    def test_a_truncated_file_whose_card_was_written_for_it(self, own_card, real_blob):
        with pytest.raises(ModelFault, match="cannot be used"):
            load(own_card(real_blob[:300_000]), backend="onnx").open()

    def test_the_artists_own_card_with_the_real_weights_paints(self, own_card, real_blob):
        model = load(own_card(real_blob), backend="onnx")
        painting = model(np.full((64, 64, 3), 90, np.uint8))
        assert painting.shape == (64, 64, 3) and painting.std() > 1
        model.close()
