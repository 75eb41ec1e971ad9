"""LiteRT: it agrees with OpenVINO, refuses what it cannot do with a sentence, and says nothing on the terminal."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from pleinair.backends.base import Tensor
from pleinair.backends.litert import LiteRt
from pleinair.backends.openvino import OpenVino
from pleinair.core.errors import ModelFault
from pleinair.models.testcard import picture

SEEN = Tensor("input_1", (1, 192, 192, 3), picture="NHWC")
POINTS, SCORE = Tensor("conv2d_21", (1, 1, 1, 1404)), Tensor("conv2d_31", (1, 1, 1, 1))


@pytest.fixture
def blob(tflites) -> bytes:
    return tflites["mesh_tflite"]


def made(backend, blob, inputs=(SEEN,), outputs=(POINTS, SCORE), **how):
    return backend(blob, inputs, outputs, **{"precision": "f32", "threads": 1, **how})


def test_it_agrees_with_openvino_to_the_last_digits(blob):
    image = {"input_1": picture((192, 192), 0)}
    one, other = made(LiteRt, blob).run(image), made(OpenVino, blob).run(image)
    for name in ("conv2d_21", "conv2d_31"):
        assert one[name].shape == other[name].shape
        assert one[name] == pytest.approx(other[name], abs=1e-3)


def test_range_and_channels_are_turned_as_elsewhere(blob):
    """-1..1 and B, G, R: the same as OpenVINO, which does it inside the network."""
    seen = Tensor("input_1", (1, 192, 192, 3), picture="NHWC", mean=(127.5,), scale=(127.5,), bgr=True)
    image = {"input_1": picture((192, 192), 1)}
    one, other = made(LiteRt, blob, (seen,)).run(image), made(OpenVino, blob, (seen,)).run(image)
    assert one["conv2d_21"] == pytest.approx(other["conv2d_21"], abs=1e-3)
    assert np.abs(one["conv2d_21"] - made(LiteRt, blob).run(image)["conv2d_21"]).max() > 1


def test_threads_do_not_change_a_bit(blob):
    image = {"input_1": picture((192, 192), 0)}
    runs = [made(LiteRt, blob, threads=n).run(image)["conv2d_21"] for n in (1, 2, 1)]
    assert np.array_equal(runs[0], runs[1]) and np.array_equal(runs[0], runs[2])


def test_what_it_gave_out_stays(blob):
    network = made(LiteRt, blob)
    first = network.run({"input_1": picture((192, 192), 0)})["conv2d_21"]
    kept = first.copy()
    network.run({"input_1": picture((192, 192), 1)})
    assert np.array_equal(first, kept)


def test_a_free_side_is_another_one_each_time(blob):
    whole, points = Tensor("input_1", (-1, 192, 192, 3)), Tensor("conv2d_21", (-1, 1, 1, 1404))
    network = made(LiteRt, blob, (whole,), (points,))
    images = np.stack([picture((192, 192), n) for n in range(3)]).astype(np.float32) / 255
    three = network.run({"input_1": images})["conv2d_21"]
    assert three.shape == (3, 1, 1, 1404)
    one = network.run({"input_1": images[1:2]})["conv2d_21"]
    assert one[0] == pytest.approx(three[1], abs=1e-3)


@pytest.mark.parametrize(
    "inputs, outputs",
    [
        ((Tensor("input_2", (1, 192, 192, 3), picture="NHWC"),), (POINTS,)),
        ((Tensor("input_1", (1, 224, 224, 3), picture="NHWC"),), (POINTS,)),
        ((SEEN,), (Tensor("conv2d_21", (1, 1404)),)),
        ((SEEN,), (Tensor("landmarks", (1, 1, 1, 1404)),)),
    ],
)
@pytest.mark.parametrize("backend", [LiteRt, OpenVino])
def test_another_network_is_refused(blob, backend, inputs, outputs):
    with pytest.raises(ModelFault, match="another network"):
        made(backend, blob, inputs, outputs)


@pytest.mark.parametrize("backend", [LiteRt, OpenVino])
def test_bytes_that_are_no_network_are_refused(blob, backend):
    for bad in (b"", b"\x1c\0\0\0TFL3", blob[:2000], b"\x1c\0\0\0TFL3" + bytes(5000)):
        with pytest.raises(ModelFault):
            made(backend, bad)


def test_it_runs_f32_only_and_is_closed_for_good(blob):
    with pytest.raises(ModelFault, match="runs f32"):
        made(LiteRt, blob, precision="bf16")
    network = made(LiteRt, blob)
    network.close()
    network.close()
    with pytest.raises(ModelFault, match="closed"):
        network.run({"input_1": picture((192, 192), 0)})
    assert network.describe() == {
        "name": "litert", "version": LiteRt.version_installed(), "precision": "f32", "threads": 1, "isa": network.isa,
    }  # fmt: skip


def test_where_it_is_not_installed_it_says_how_to_get_it(blob, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ModelFault) as refused:
        made(LiteRt, blob)
    assert 'pip install "pleinair[litert]"' in refused.value.hint
    assert made(OpenVino, blob).run({"input_1": picture((192, 192), 0)})["conv2d_21"].size == 1404


def test_it_says_nothing_on_the_terminal(blob, tmp_path):
    (tmp_path / "network.tflite").write_bytes(blob)
    program = (
        "from pleinair.backends.litert import LiteRt\n"
        "from pleinair.backends.base import Tensor\n"
        "import sys, numpy as np\n"
        "n = LiteRt(open(sys.argv[1], 'rb').read(), [Tensor('input_1', (1, 192, 192, 3), picture='NHWC')],"
        " [Tensor('conv2d_31', (1, 1, 1, 1))], precision='f32', threads=1)\n"
        "n.run({'input_1': np.zeros((192, 192, 3), np.uint8)}); print('done'); print('heard', file=sys.stderr)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "network.tflite")], capture_output=True, text=True, timeout=60
    )
    assert (said.stdout, said.stderr) == ("done\n", "heard\n")
