"""The painters, on real weights and a real picture."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pleinair.core.errors import Fault, ModelFault
from pleinair.models import clip_path, load
from pleinair.models.mixture import FADE
from pleinair.models.testcard import picture

EYE = np.eye(26, dtype=np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.square(a.astype(np.float64) - b).mean()
    return 120.0 if error == 0 else 10 * np.log10(255**2 / error)


@pytest.fixture(scope="module")
def painter(weights):
    model = load("multistyle26", backend="openvino", precision="f32")
    yield model
    model.close()


@pytest.fixture(scope="module")
def any_painter(weights):
    model = load("anystyle", backend="openvino", precision="f32", size=(160, 120))
    yield model
    model.close()


def test_load_and_call_paints_a_picture(frame):
    model = load("multistyle26", backend="openvino", precision="f32")
    painting = model(frame)
    assert painting.shape == (240, 320, 3) and painting.dtype == np.uint8
    assert painting.flags.owndata and painting.flags.c_contiguous
    assert 5 < psnr(painting, np.asarray(_small(frame))) < 25  # a painting of it: neither it nor noise
    model.close()
    model.close()


def _small(frame):
    import cv2

    return cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)


def test_every_style_is_another_painter(painter, frame):
    paintings = [painter(frame, style_weights=EYE[n]) for n in range(26)]
    assert min(psnr(a, b) for n, a in enumerate(paintings) for b in paintings[:n]) < 10
    assert max(psnr(a, b) for n, a in enumerate(paintings) for b in paintings[:n]) < 30


def test_outputs_are_not_written_again(painter, frame):
    first = painter(frame, style_weights=EYE[0])
    kept = first.copy()
    painter(frame, style_weights=EYE[1])
    assert np.array_equal(first, kept)


def test_only_proportions_of_weights_count(painter, frame):
    whole = painter(frame, style_weights=EYE[3] + EYE[4])
    assert np.array_equal(whole, painter(frame, style_weights=(EYE[3] + EYE[4]) * 0.25))
    assert np.array_equal(painter(frame, style_weights=list(EYE[3])), painter(frame, style_weights=EYE[3]))


def test_no_painter_at_all_leaves_the_picture_and_the_last_knob_fades(painter, frame):
    bare = painter(frame, style_weights=np.zeros(26))
    assert np.array_equal(bare, _small(frame)) and bare.flags.owndata
    half = painter(frame, style_weights=EYE[5] * FADE / 2)
    full = painter(frame, style_weights=EYE[5])
    assert np.abs(half.astype(int) - (bare.astype(int) + full) / 2).max() <= 1


@pytest.mark.parametrize(
    ("weights_", "part"),
    [
        ([1, 2, 3], "style_weights are 26 numbers, one a style, and these are 3"),
        ([-1] + [0] * 25, "0 or more"),
        ([float("nan")] * 26, "NaN"),
        ("loud", "a row of numbers"),
    ],
)
def test_weights_that_cannot_be_are_a_sentence(painter, frame, weights_, part):
    with pytest.raises(ValueError, match=part):
        painter(frame, style_weights=weights_)


def test_a_stream_that_has_not_spoken_yet_takes_the_constant(painter, frame):
    assert np.array_equal(painter(frame, style_weights=np.zeros(0, np.float32)), painter(frame))


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (4, 3), (7680, 4320), (333, 77)])
def test_any_picture_goes_in(painter, size):
    width, height = size
    assert painter(np.full((height, width, 3), 200, np.uint8)).shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        (np.zeros((4, 4), np.uint8), "height x width x 3"),
        (np.full((4, 4, 3), np.nan, np.float32), "NaN"),
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((0, 4, 3), np.uint8), "4 x 0 cannot be"),
        ("picture.jpg", "a str"),
    ],
)
def test_what_is_no_picture_is_a_sentence(painter, bad, part):
    with pytest.raises(ValueError, match=part):
        painter(bad)


def test_a_caller_keeps_its_picture_as_it_was(painter):
    mine = np.zeros((240, 320, 3), np.uint8)
    painter(mine)
    painter(mine, style_weights=np.zeros(26))
    assert mine.flags.writeable and not mine.any()


def test_a_misspelt_port_is_answered_with_a_suggestion(painter, frame):
    with pytest.raises(ModelFault) as fault:
        painter(frame, style_weihgts=EYE[0])
    assert fault.value.hint == 'did you mean "style_weights"?'


@pytest.mark.parametrize("size", [(322, 240), (0, 0), (8000, 80), (320,), "big"])
def test_a_size_that_cannot_be(size):
    with pytest.raises(ModelFault) as fault:
        load("multistyle26", size=size, backend="onnx")
    assert "size" in str(fault.value)


def test_unknown_backend_precision_and_card():
    with pytest.raises(Fault) as fault:
        load("multistyle26", backend="openvin")
    assert fault.value.hint == 'did you mean "openvino"?'
    with pytest.raises(ModelFault, match="f16"):
        load("multistyle26", backend="openvino", precision="f16").open()
    with pytest.raises(ModelFault, match="bf16"):
        load("multistyle26", backend="onnx", precision="bf16").open()
    with pytest.raises(ModelFault):
        load("multistyle62")


def test_a_clip_is_no_model():
    with pytest.raises(ModelFault, match="is a clip"):
        load("bigbuckbunny")
    with pytest.raises(ModelFault, match="is a model"):
        clip_path("multistyle26")


def test_two_models_are_open_at_once_and_one_closes(frame):
    one = load("multistyle26", backend="openvino", precision="f32", size=(64, 48))
    two = load("multistyle26", backend="openvino", precision="f32", size=(64, 48), style_weights=EYE[1])
    before = two(frame)
    one(frame)
    one.close()
    assert np.array_equal(two(frame), before)
    assert one(frame).shape == (48, 64, 3)  # opens again
    one.close()
    two.close()


def test_calls_from_several_threads_take_turns(painter, frame):
    truth = [painter(frame, style_weights=EYE[n]) for n in range(4)]
    wrong = []

    def paint(n):
        for _ in range(4):
            if not np.array_equal(painter(frame, style_weights=EYE[n]), truth[n]):
                wrong.append(n)

    threads = [threading.Thread(target=paint, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_describe_is_the_same_before_and_after_opening():
    model = load("multistyle26", backend="onnx", size=(64, 48))
    before = model.describe()
    model.open()
    assert model.describe() == before
    assert model.describe()["backend"] == model._networks[0].describe()
    model.close()


class TestAnyPicture:
    def test_the_style_decides_the_painting(self, any_painter, frame):
        a = any_painter(frame, picture((200, 300), 1))
        b = any_painter(frame, picture((200, 300), 2))
        assert a.shape == (120, 160, 3) and psnr(a, b) < 25

    def test_a_style_read_once_is_the_same_as_its_picture(self, any_painter, frame):
        style = picture((256, 256), 3)
        vector = any_painter.style_of(style)
        assert vector.shape == (100,) and vector.dtype == np.float32
        assert np.array_equal(any_painter(frame, vector), any_painter(frame, style))

    def test_a_style_picture_is_read_once(self, any_painter, frame, monkeypatch):
        reads = []
        predict = any_painter._painter._predict
        monkeypatch.setattr(any_painter._painter, "_predict", lambda p: reads.append(p) or predict(p))
        style = picture((256, 256), 9)
        for _ in range(3):
            any_painter(frame, style.copy())
        assert len(reads) == 1

    def test_a_style_picture_that_was_changed_in_place_is_read_again(self, any_painter, frame):
        style = picture((256, 256), 4)
        before = any_painter(frame, style)
        style[:] = picture((256, 256), 5)
        assert not np.array_equal(any_painter(frame, style), before)

    def test_strength_goes_from_the_pictures_own_style_to_the_given_one(self, any_painter, frame):
        style = picture((256, 256), 6)
        own, full = any_painter(frame), any_painter(frame, style)
        assert np.array_equal(any_painter(frame, style, 0.0), own)
        assert np.array_equal(any_painter(frame, style, strength=1.0), full)
        steps = [psnr(any_painter(frame, style, s), full) for s in (0.0, 0.5, 0.9)]
        assert steps == sorted(steps)

    def test_between_two_styles_is_a_style(self, any_painter, frame):
        a, b = (any_painter.style_of(picture((256, 256), n)) for n in (7, 8))
        middle = any_painter(frame, (a + b) / 2)
        assert min(psnr(middle, any_painter(frame, v)) for v in (a, b)) > psnr(
            any_painter(frame, a), any_painter(frame, b)
        )

    def test_wrong_numbers(self, any_painter, frame):
        with pytest.raises(ValueError, match="a picture or 100 numbers, and these are 3"):
            any_painter(frame, [1, 2, 3])
        with pytest.raises(ValueError, match="finite"):
            any_painter(frame, np.zeros(100), strength=float("nan"))
