"""upscale: better than bicubic on a real picture, at any size, and without seams where a picture is large."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.backends import wire
from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.convert.writing import Writer
from pleinair.models.seeing import upscale
from pleinair.models.seeing.upscale import recognise
from pleinair.testing import check_model

from .tiny import card_of


@pytest.fixture(scope="module")
def model(opened):
    return opened("upscale", "upscale_small", backend="openvino", precision="f32")


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.square(a.astype(np.float64) - b).mean())


@pytest.mark.parametrize(("card", "gain_db"), [("upscale", 1.8), ("upscale_small", 0.9)])
def test_it_is_better_than_bicubic(model, portrait, card, gain_db):
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    bicubic = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    large = load(card, backend="openvino", precision="f32")(small)
    assert large.shape == portrait.shape and large.dtype == np.uint8
    assert psnr(large, portrait) > psnr(bicubic, portrait) + gain_db


def test_it_works_at_the_size_of_what_it_is_given_and_keeps_the_last_networks(model, portrait):
    sizes = [(64, 48), (65, 47), (96, 64), (64, 48), (100, 30)]
    for width, height in sizes:
        assert model(portrait[:height, :width]).shape == (2 * height, 2 * width, 3)
    assert list(model._compiled) == [(96, 64), (64, 48), (100, 30)] and len(model._networks) == upscale.KEPT


def test_a_working_size_is_kept(portrait):
    with_size = load("upscale", backend="onnx", precision="f32", size=(80, 60))
    assert with_size(portrait).shape == (120, 160, 3)
    with pytest.raises(ModelFault, match="cannot work at 8 x 8"):
        load("upscale", backend="onnx", precision="f32", size=(8, 8))


@pytest.mark.parametrize("size", [(200, 150), (131, 401), (64, 300)])
def test_tiles_leave_no_seam(model, portrait, monkeypatch, size):
    image = cv2.resize(portrait, size)
    whole = model(image)
    monkeypatch.setattr(upscale, "TILE_PIXELS", 80 * 80)
    assert np.abs(whole.astype(int) - model(image)).max() <= 1  # the last bit of a sum, at the most


def test_more_than_8k_is_refused_with_a_sentence(model):
    with pytest.raises(ValueError, match="more than 8K"):
        model(np.zeros((2200, 5000, 3), np.uint8))


def larger(sides, by=3, op="Resize") -> bytes:
    """A network that repeats each pixel `by` times both ways; sides of what goes in and of what comes out."""
    w = Writer("larger")
    image = w.unique("pixels")
    w.unique("large")
    if op == "Resize":
        scales = w.constant(np.array([1, 1, by, by], np.float32))
        made = w.add("Resize", [image, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric",
                     nearest_mode="floor")  # fmt: skip
    else:
        many = w.add("Concat", [w.add("Split", [image], outputs=3, axis=1)[c] for c in (0, 1, 2)] * by**2, axis=1)
        made = w.add("DepthToSpace", [many], blocksize=by, mode="DCR")
    w.name_output(made, "large")
    return w.save({"pixels": ("float32", sides[0])}, {"large": ("float32", sides[1])})


FREE = ([1, 3, "h", "w"], [1, 3, "h3", "w3"])


def test_a_network_of_ones_own_of_another_factor(tmp_path, portrait):
    large = load(card_of(tmp_path, "upscale", {"network": larger(FREE)}), backend="onnx")(portrait[:40, :50])
    assert np.array_equal(large, portrait[:40, :50].repeat(3, 0).repeat(3, 1))


def test_what_enlarges_is_recognised(tmp_path, weights, home, portrait):
    fixed = recognise(wire.summary(larger(([1, 3, 40, 50], [1, 3, 120, 150]))))
    assert fixed == {"size": [50, 40], "ports": {"image": "Image"}, "options": {"factor": 3}}
    assert recognise(wire.summary(larger(([1, 3, 40, 50], [1, 3, 40, 50]), 1))) is None
    assert recognise(wire.summary(larger(FREE))) is None  # it may as well paint
    from pleinair.models.adding import add

    file = tmp_path / "mine.onnx"
    file.write_bytes(larger(FREE, op="DepthToSpace"))
    card, _ = add(file, "mine", "", "CC0-1.0", home / "cards")
    assert card.task == "upscale"
    assert np.array_equal(load("mine", backend="onnx")(portrait[:9, :9]), portrait[:9, :9].repeat(3, 0).repeat(3, 1))


def test_what_does_not_enlarge_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(ModelFault, match="does not enlarge: 32 x 32 becomes 32 x 32"):
        load(card_of(tmp_path, "upscale", {"network": larger(FREE, 1)}), backend="onnx").open()


def test_it_behaves_on_stage(model, portrait):
    given = {"image": [portrait[:60, :80], portrait[50:110, 100:180]]}
    check_model(lambda: load("upscale", backend="openvino", precision="f32"), given)
