"""TFLite into ONNX: the same numbers as LiteRT gives for the file itself, the bytes that the card pins, bad files."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import numpy as np
import pytest

from pleinair.backends.base import Tensor
from pleinair.backends.litert import LiteRt
from pleinair.backends.onnx import Onnx
from pleinair.core.errors import ModelFault
from pleinair.models import convert, store
from pleinair.models.card import find_card
from pleinair.models.convert.tflite_file import read
from pleinair.models.fetch import fetch
from pleinair.models.testcard import picture


def raw(name: str, role: str) -> bytes:
    """A file of a card as it was published: what is made of it stays, it does not."""
    card = find_card(name)
    card = replace(card, files={"network": replace(card.files[role], role="network")})
    fetch([card])
    return store.read(card, "network")


@pytest.fixture(scope="module")
def blob(weights) -> bytes:
    """Of the mask: convolutions of all sorts, pools, resizes, and an operator that is MediaPipe's own."""
    return raw("person_mask", "tflite")


def test_it_is_the_bytes_that_the_card_pins(blob):
    file = find_card("person_mask").files["network"]
    made = convert.make("tflite", {"tflite": blob}, {})
    assert (len(made), hashlib.sha256(made).hexdigest()) == (file.bytes, file.sha256)


@pytest.mark.parametrize("seed", range(3))
def test_it_computes_what_litert_computes(blob, seed):
    there = LiteRt(
        blob, [Tensor("input_1", (1, 256, 256, 3), picture="NHWC")], [Tensor("activation_10", (1, 256, 256, 1))],
        precision="f32", threads=1,
    )  # fmt: skip
    here = Onnx(
        convert.make("tflite", {"tflite": blob}, {}), [Tensor("input_1", (1, 3, 256, 256), picture="NCHW")],
        [Tensor("activation_10", (1, 1, 256, 256))], precision="f32", threads=1,
    )  # fmt: skip
    image = {"input_1": picture((256, 256), seed)}
    true, found = there.run(image)["activation_10"][0, ..., 0], here.run(image)["activation_10"][0, 0]
    assert np.ptp(true) > 0.05, "the picture says something to it"
    assert np.abs(true - found).max() < 1e-3


def test_the_file_is_read_as_it_stands(blob):
    graph = read(blob)
    assert [graph.tensors[n].shape for n in graph.inputs] == [(1, 256, 256, 3)]
    assert [graph.tensors[n].name for n in graph.outputs] == ["activation_10"]
    last = next(o for o in graph.operators if o.custom)
    assert last.custom == "Convolution2DTransposeBias"
    kernel = graph.tensors[last.inputs[1]]
    assert kernel.shape == (1, 2, 2, 16) and kernel.data is None, "it is widened from float16 by an operator before"


def test_what_is_not_known_is_refused_by_name(blob):
    with pytest.raises(ModelFault, match="no way yet for the operator"):
        convert.make("tflite", {"tflite": raw("pose", "body")}, {})


def test_no_file_that_was_spoilt_ends_in_a_traceback(blob):
    rng = np.random.default_rng(1)
    for _ in range(120):
        spoilt = bytearray(blob)
        for place in rng.integers(0, 40_000, 3):
            spoilt[place] ^= int(rng.integers(1, 256))
        with contextlib.suppress(ModelFault):
            convert.make("tflite", {"tflite": bytes(spoilt)}, {})
    for size in (0, 7, 40, 5000, len(blob) // 2):
        with pytest.raises(ModelFault):
            convert.make("tflite", {"tflite": blob[:size]}, {})
