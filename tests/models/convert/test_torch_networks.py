"""Networks out of torch's files: the bytes that the cards pin, and a sentence for what is another network's."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert
from pleinair.models.card import find_card
from pleinair.models.convert import dcgan, efficientnet
from pleinair.models.convert.folding import folded


def generator(numbers=5, channels=(4, 3), prefix="g.main.") -> dict[str, np.ndarray]:
    """Tensors of a tiny DCGAN: 4 x 4 pixels, then 8 x 8."""
    dice = np.random.RandomState(1)
    found, before, place = {}, numbers, 0
    for order, after in enumerate(channels, 1):
        found[f"{prefix}{place}.weight"] = dice.standard_normal((before, after, 4, 4)).astype(np.float32)
        if order < len(channels):
            for part, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
                found[f"{prefix}{place + 1}.{part}"] = dice.uniform(low, low + 1, after).astype(np.float32)
        before, place = after, place + 3
    return found


def plainly(tensors, prefix, z) -> np.ndarray:
    """The generator by its definition: each number paints its 4 x 4 patch, normalised, ReLU, tanh."""
    x, place, stride, pad = z.reshape(-1, 1, 1).astype(np.float64), 0, 1, 0
    while True:
        weight = tensors[f"{prefix}{place}.weight"].astype(np.float64)
        side = (x.shape[1] - 1) * stride + 4
        y = np.zeros((weight.shape[1], side, side))
        for c, i, j in np.ndindex(*x.shape):
            y[:, i * stride : i * stride + 4, j * stride : j * stride + 4] += x[c, i, j] * weight[c]
        y = y[:, pad : side - pad, pad : side - pad]
        if f"{prefix}{place + 1}.weight" not in tensors:
            return np.tanh(y) * 0.5 + 0.5
        norm = {p: tensors[f"{prefix}{place + 1}.{p}"].astype(np.float64)[:, None, None]
                for p in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
        y = (y - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) * norm["weight"] + norm["bias"]
        x, place, stride, pad = np.maximum(y, 0), place + 3, 2, 1


def run(blob: bytes, **inputs: np.ndarray) -> np.ndarray:
    from pleinair.backends.onnx import runtime

    return runtime().InferenceSession(blob, providers=["CPUExecutionProvider"]).run(None, inputs)[0]


def test_a_generator_does_what_its_definition_says():
    tensors = generator()
    z = np.linspace(-1, 1, 5, dtype=np.float32)
    found = run(dcgan._network(tensors, "g.main."), latent=z[None])
    assert found.shape == (1, 3, 8, 8)
    assert np.abs(found[0] - plainly(tensors, "g.main.", z)).max() < 1e-5


def test_a_folded_normalisation_does_the_work_of_both():
    dice = np.random.RandomState(2)
    tensors = {"c.weight": dice.standard_normal((4, 3, 1, 1)), "c.bias": dice.standard_normal(4)}
    norm = {part: dice.rand(4) + 0.1 for part in ("weight", "bias", "running_mean", "running_var")}
    weight, bias = folded({**tensors, **{f"n.{k}": v for k, v in norm.items()}}, "c", "n", 1e-3)
    x = dice.standard_normal(3)
    made = tensors["c.weight"][..., 0, 0] @ x + tensors["c.bias"]
    made = (made - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-3) * norm["weight"] + norm["bias"]
    assert weight[..., 0, 0] @ x + bias == pytest.approx(made, abs=1e-5)
    assert weight.dtype == bias.dtype == np.float32
    with pytest.raises(ValueError, match="do not fit"):
        folded({**tensors, **{f"n.{k}": v[:3] for k, v in norm.items()}}, "c", "n", 1e-3)


def test_another_network_is_refused(monkeypatch):
    from pleinair.models.safe import torch_zip

    cases = [("dcgan", {"other.weight": np.zeros(3, np.float32)}), ("efficientnet_lite", generator())]
    cases += [("dcgan", {**generator(), **generator(prefix="second.")}), ("dcgan", generator(channels=(4, 2)))]
    for name, tensors in cases:
        monkeypatch.setattr(torch_zip, "tensors", lambda data, name, t=tensors: t)
        with pytest.raises(ModelFault, match="the file is no"):
            convert.make(name, {"torch": b""}, {})


@pytest.mark.parametrize("garbage", [b"", b"PK\3\4" + bytes(100), b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R."])
@pytest.mark.parametrize("name", ["dcgan", "efficientnet_lite"])
def test_a_file_that_is_none_is_refused(name, garbage):
    with pytest.raises(ModelFault):
        convert.make(name, {"torch": garbage}, {})


def test_the_lite_variants_have_the_strides_of_the_paper():
    """Five halvings, so that 224 becomes 7, and as many blocks as the paper counts."""
    assert sum(s == 2 for s in efficientnet.STRIDES) == 4, "and the stem is the fifth"
    assert {v: sum(r) for v, r in efficientnet.REPEATS.items()}["lite0"] == 16


@pytest.mark.slow
@pytest.mark.parametrize("card", ["picture_features", "imagine"])
def test_converting_again_gives_the_bytes_that_the_card_pins(card, tmp_path, monkeypatch):
    """The raw file is fetched anew into a store of its own: what was converted keeps no raw file."""
    from pleinair.models.fetch import fetch

    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path))
    (found,) = fetch([card])
    assert found.how.startswith("made by")
    assert found.sha256 == find_card(card).files["network"].sha256
