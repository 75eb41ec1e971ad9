"""Anime4K's networks out of WebSR's JSON: the shaders' own arithmetic, the bytes that the cards pin, and bad files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert


def layers(deep: int, seed: int = 0, last: str = "1x1") -> dict:
    """Random weights in the file's own form: `deep` layers of 4 outputs, and a last of 3 x 4 (or of 4, 3 x 3)."""
    rng = np.random.default_rng(seed)

    def layer(count: int) -> dict:
        return {"weights": rng.normal(0, 0.2, count).tolist(), "bias": rng.normal(0, 0.1, 4).tolist()}

    made = {"conv2d_tf": layer(36 * 4)}
    colours = np.array(made["conv2d_tf"]["weights"]).reshape(9, 4, 4)
    colours[:, 3] = 0  # nothing is read from the picture's alpha
    made["conv2d_tf"]["weights"] = colours.reshape(-1).tolist()
    made |= {f"conv2d_{n}_tf": layer(36 * 8) for n in range(1, deep)}
    if last == "1x1":
        made |= {f"conv2d_{deep}_tf{c or ''}": layer(4 * 8 * deep) for c in range(3)}
    else:
        made["conv2d_last_tf"] = layer(36 * 8)
    return made


def shader(image: np.ndarray, made: dict) -> np.ndarray:
    """What the package's WebGPU shaders do, pixel by pixel: float64, h x w x 3 -> the detail, 2h x 2w x 3."""
    height, width = image.shape[:2]

    def conv(groups: list[np.ndarray], layer: dict) -> np.ndarray:
        matrices = np.array(layer["weights"]).reshape(-1, 4, 4)  # WGSL: the first index is the column
        offsets = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)] if len(matrices) == 9 * len(groups) else [(0, 0)]
        out = np.zeros((height, width, 4)) + np.array(layer["bias"])
        for y in range(height):
            for x in range(width):
                for g, group in enumerate(groups):
                    for i, (dx, dy) in enumerate(offsets):
                        if 0 <= y + dy < height and 0 <= x + dx < width:
                            out[y, x] += group[y + dy, x + dx] @ matrices[g * len(offsets) + i]
        return out

    names = sorted((n for n in made if n.endswith("_tf") and "last" not in n), key=lambda n: (len(n), n))
    groups = [np.concatenate([image, np.ones((height, width, 1))], 2)]
    kept = []
    hidden = names if "conv2d_last_tf" in made else names[:-1]
    for name in hidden:
        features = conv(groups, made[name])
        groups = [np.maximum(features, 0), np.maximum(-features, 0)]
        kept += groups
    if "conv2d_last_tf" in made:
        colours = [conv(groups, made["conv2d_last_tf"])] * 3
    else:
        colours = [conv(kept, made[names[-1] + suffix]) for suffix in ("", "1", "2")]
    detail = np.zeros((2 * height, 2 * width, 3))
    for c, numbers in enumerate(colours):
        for place in range(4):
            detail[place // 2 :: 2, place % 2 :: 2, c] = numbers[..., place]
    return detail


@pytest.mark.parametrize("last", ["1x1", "3x3"])
def test_it_computes_what_the_shaders_compute(last):
    import cv2
    import onnxruntime

    made = layers(3, last=last)
    blob = convert.make("anime4k", {"json": json.dumps({"layers": made}).encode()}, {})
    image = np.random.default_rng(1).random((5, 6, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(blob, providers=["CPUExecutionProvider"])
    (out,) = session.run(["upscaled"], {"image": image.transpose(2, 0, 1)[None]})
    truth = cv2.resize(image, (12, 10), interpolation=cv2.INTER_LINEAR) + shader(image.astype(np.float64), made)
    assert np.abs(out[0].transpose(1, 2, 0) - truth).max() < 1e-5


def test_the_same_file_gives_the_same_bytes():
    made = {"json": json.dumps({"layers": layers(3)}).encode()}
    other = {"json": json.dumps({"layers": dict(reversed(layers(3).items()))}).encode()}
    assert convert.make("anime4k", made, {}) == convert.make("anime4k", other, {})


def _broken() -> dict[str, bytes]:
    good = layers(3)

    def changed(**parts) -> bytes:
        return json.dumps({"layers": good | parts}).encode()

    nan = {**good["conv2d_1_tf"], "bias": [float("nan")] * 4}
    return {
        "no JSON": b"{",
        "nothing": b"{}",
        "no layers": b'{"layers": {}}',
        "a list": b"[1]",
        "nested without end": b"[" * 100_000,
        "one layer": json.dumps({"layers": {"conv2d_tf": good["conv2d_tf"]}}).encode(),
        "too few numbers": changed(conv2d_1_tf={**good["conv2d_1_tf"], "weights": [0.0] * 7}),
        "too few of the last": changed(conv2d_3_tf1={**good["conv2d_3_tf1"], "bias": [0.0]}),
        "text": changed(conv2d_1_tf={**good["conv2d_1_tf"], "weights": ["a"] * 288}),
        "NaN": changed(conv2d_1_tf=nan),
        "alpha is read": changed(conv2d_tf={**good["conv2d_tf"], "weights": [1.0] * 144}),
    }


@pytest.mark.parametrize("name", _broken())
def test_a_bad_file_is_refused_with_a_sentence(name):
    with pytest.raises(ModelFault, match="the file is no upscaler of WebSR's"):
        convert.make("anime4k", {"json": _broken()[name]}, {})
