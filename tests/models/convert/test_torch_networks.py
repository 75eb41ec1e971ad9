"""Networks out of torch's files: the bytes that the cards pin, and a sentence for what is another network's."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert
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


def lite(channels=(8, 8, 8, 8, 8, 8, 8), repeats=(1, 2, 2, 3, 3, 4, 1)) -> dict[str, np.ndarray]:
    """Tensors of an EfficientNet-Lite0 that is 8 channels thin."""
    dice, found = np.random.RandomState(3), {}

    def layer(convolution: str, norm: str, *shape: int) -> None:
        found[f"{convolution}.weight"] = dice.standard_normal(shape).astype(np.float32)
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{part}"] = (dice.rand(shape[0]) + 0.5).astype(np.float32)

    layer("_conv_stem", "_bn0", 8, 3, 3, 3)
    for number in range(sum(repeats)):
        block = f"_blocks.{number}."
        if number:
            layer(f"{block}_expand_conv", f"{block}_bn0", 16, 8, 1, 1)
        layer(f"{block}_depthwise_conv", f"{block}_bn1", 16 if number else 8, 1, 5 if number % 2 else 3, 1)
        found[f"{block}_depthwise_conv.weight"] = np.repeat(
            found[f"{block}_depthwise_conv.weight"], 5 if number % 2 else 3, axis=3
        )
        layer(f"{block}_project_conv", f"{block}_bn2", 8, 16 if number else 8, 1, 1)
    layer("_conv_head", "_bn1", 32, 8, 1, 1)
    return found


def test_a_thin_lite_network_runs_and_halves_five_times():
    from pleinair.models.convert.efficientnet import _network

    blob = _network(lite(), efficientnet.REPEATS["lite0"])
    picture = np.random.RandomState(4).standard_normal((1, 3, 64, 96)).astype(np.float32)
    assert run(blob, image=picture).shape == (1, 32)
    with pytest.raises(ValueError, match="more blocks"):
        _network(lite(repeats=(1, 2, 2, 3, 3, 4, 2)), efficientnet.REPEATS["lite0"])


GENERATOR = "575fa962b88ef7310e439f9b803c946c77175cb882c4afe74d994ba89153d3ce"
LITE = "720afb62cb6a030ba10d63bc25b720cd9785731391539e19243cfa6ce71595a2"


def test_the_same_tensors_give_the_same_bytes_whatever_onnx_is_installed():
    """The cards pin what the converters make of the real files: were a byte different here, nobody could fetch them."""
    made = dcgan._network(generator(), "g.main."), efficientnet._network(lite(), efficientnet.REPEATS["lite0"])
    assert [hashlib.sha256(blob).hexdigest() for blob in made] == [GENERATOR, LITE]
