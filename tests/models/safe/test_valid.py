"""What is honest is let in: generated files of every format, and every real file that the cards name."""

from __future__ import annotations

import collections
import io

import numpy as np
import pytest

from pleinair.models import store
from pleinair.models.card import all_cards
from pleinair.models.safe import RUNNABLE, check, gguf, npz, safetensors

from . import making

SUFFIX = {"ctranslate2": "bin", "text": "txt"}


def test_two_hundred_honest_files_are_let_in():
    found = collections.Counter()
    for kind, name, blob in making.valid():
        got = check(blob, f"{name}.{SUFFIX.get(kind, kind)}")
        assert got.format == kind, name
        found[kind] += 1
    assert sum(found.values()) >= 200 and min(found.values()) >= 20, found


def test_the_name_does_not_decide():
    for kind, name, blob in list(making.valid())[::9]:
        if kind != "text":
            assert check(blob, f"{name}.gguf").format == kind


def test_every_real_file_of_the_cards_is_let_in():
    """All that is in the store; a store made for the tests holds all cards' files."""
    formats = collections.Counter()
    for card in all_cards():
        for file in card.needed.values():
            if store.has(file) and card.task != "clip":
                got = check(store.path_of(file.sha256), file.name, RUNNABLE | {"json", "text"})
                formats[got.format] += 1
    assert formats["onnx"] >= 3, formats


def test_the_onnx_package_has_the_same_messages():
    """The tables of fields in backends/onnx_fields.py, against onnx.proto as installed."""
    from onnx import onnx_ml_pb2 as proto

    from pleinair.backends import onnx_fields as of

    how = {1: 1, 2: 5, 3: 0, 4: 0, 5: 0, 9: 2, 11: 2, 12: 2, 13: 0, 14: 0}
    tables = {
        "ModelProto": of.MODEL, "GraphProto": of.GRAPH, "NodeProto": of.NODE, "TensorProto": of.TENSOR,
        "AttributeProto": of.ATTRIBUTE, "SparseTensorProto": of.SPARSE, "ValueInfoProto": of.VALUE_INFO,
        "FunctionProto": of.FUNCTION, "OperatorSetIdProto": of.OPSET, "StringStringEntryProto": of.PAIR,
        "TrainingInfoProto": of.TRAINING, "TypeProto": of.TYPE, "TensorShapeProto": of.SHAPE,
    }  # fmt: skip
    for name, table in tables.items():
        message = proto.DESCRIPTOR.message_types_by_name[name]
        for field in message.fields:
            assert field.number in table, f"{name}.{field.name} is new"
            meant = table[field.number]
            many = getattr(field, "is_repeated", None)
            many = field.label == 3 if many is None else many
            assert meant & 7 == how[field.type] and bool(meant & of.MANY) == bool(many), f"{name}.{field.name}"
        assert len(table) == len(message.fields), name


@pytest.mark.parametrize("seed", range(6))
def test_what_goes_in_comes_out(seed):
    arrays = making.arrays(seed)
    out = io.BytesIO()
    np.savez(out, **arrays)
    for found in (safetensors.tensors(safetensors.save(arrays)), npz.tensors(out.getvalue())):
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)


def test_bfloat16_comes_as_float32():
    blob = making.header_of({"b": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"\x80\x3f\x20\xc0")
    assert safetensors.tensors(blob)["b"].tolist() == [1.0, -2.5]


def test_a_gguf_file_tells_of_itself(tmp_path):
    (tmp_path / "m.gguf").write_bytes(making.gguf(70))
    found = gguf.read(tmp_path / "m.gguf")
    assert found.architecture == "llama" and found.metadata["llama.block_count"] == 71
    assert found.metadata["words"] == gguf.Row(70) and found.metadata["ids"] == [0, 0, 0]
    assert found.tensors["blk.0"].shape[1] == 2
