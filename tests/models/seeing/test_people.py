"""people: a real person's points where they are, two drawn ones kept apart, numbers and calm over time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import load
from pleinair.models.seeing.coco import POINTS
from pleinair.models.seeing.drawn import person
from pleinair.testing import check_model

PLACES = {"nose": (0.435, 0.235), "left_eye": (0.483, 0.197), "right_eye": (0.4, 0.195), "left_ear": (0.534, 0.227),
          "right_ear": (0.347, 0.213), "left_shoulder": (0.6, 0.5), "right_shoulder": (0.22, 0.48)}  # fmt: skip
"""Where these are in the astronaut's portrait, read off it by eye."""


@pytest.fixture(scope="module")
def model(opened):
    return opened("people", backend="openvino", precision="f32")


@pytest.fixture(scope="module")
def two() -> np.ndarray:
    """One drawn person beside another, half as tall."""
    room = np.full((480, 640, 3), (170, 180, 190), np.uint8)
    room[60:460, 20:300] = cv2.resize(person((640, 480)), (533, 400))[:, 126:406]
    room[200:440, 380:580] = cv2.resize(person((640, 480)), (320, 240))[:, 60:260]
    return room


def test_a_persons_points_are_where_they_are(model, portrait):
    (found,) = model(portrait)
    assert found.names == POINTS and len(found.visibility) == 17 and found.number == 1
    for name, (x, y) in PLACES.items():
        point = getattr(found, name)
        assert np.hypot(point.x - x, point.y - y) < (0.05 if "shoulder" in name else 0.03), f"{name} at {point}"
        assert found.visibility[POINTS.index(name)] > 0.5
    assert max(found.visibility[POINTS.index(f"{side}_ankle")] for side in ("left", "right")) < 0.1  # not in it
    x, y, w, h = found.box
    assert 0 <= x < 0.1 and x + w > 0.65 and y < 0.1 and y + h > 0.9


def test_two_are_kept_apart(model, two):
    found = sorted(model(two), key=lambda f: f.nose.x)
    assert len(found) == 2 and [f.number for f in model(two)] == [1, 2]
    for figure, (x0, x1, top, foot) in zip(found, ((0.03, 0.47, 60, 460), (0.59, 0.91, 200, 440)), strict=True):
        sure = figure.points[np.array(figure.visibility) > 0.3]
        assert len(sure) >= 12 and sure[:, 0].min() > x0 and sure[:, 0].max() < x1
        assert figure.nose.y == pytest.approx((top + 0.15 * (foot - top)) / 480, abs=0.04)
        assert figure.left_ankle.y == pytest.approx((top + 0.94 * (foot - top)) / 480, abs=0.05)
        assert figure.left_shoulder.x > figure.right_shoulder.x  # she faces us: her left is to our right


def test_sure_and_most_are_kept(model, two):
    assert len(model(two, most=1)) == 1 and len(model(two, most=0)) == 0
    assert len(model(two, sure=0.99)) == 0
    assert len(model(np.full((120, 160, 3), 128, np.uint8))) == 0


@pytest.mark.parametrize("size", [(256, 256), (320, 192)])
def test_another_working_size_says_the_same(model, portrait, size):
    (found,), (other,) = model(portrait), load("people", backend="openvino", precision="f32", size=size)(portrait)
    for name in PLACES:
        a, b = getattr(found, name), getattr(other, name)
        assert np.hypot(a.x - b.x, a.y - b.y) < (0.06 if "shoulder" in name else 0.03)


def test_a_size_that_cannot_be_is_refused_with_the_nearest(model):
    with pytest.raises(ModelFault, match="multiples of 32") as caught:
        load("people", backend="onnx", size=(250, 190))
    assert caught.value.hint == "size = [256, 192]"


def test_numbers_stay_while_people_cross_the_picture(model, two):
    """One walks to the right, the other to the left; they never touch."""
    model.reset()
    tall, small = two[60:460, 20:300].copy(), two[200:440, 380:580].copy()
    noses: dict[int, list[float]] = {}
    for n in range(10):
        room = np.full((480, 640, 3), (170, 180, 190), np.uint8)
        room[60:460, 10 + 4 * n : 290 + 4 * n] = tall
        room[200:440, 400 - 4 * n : 600 - 4 * n] = small
        for figure in model(room, t=n / 25):
            noses.setdefault(figure.number, []).append(figure.nose.x)
    assert sorted(noses) == [1, 2] and min(map(len, noses.values())) >= 6  # a drawing is not seen every time
    left, right = sorted(noses.values())
    assert max(left) < 0.4 < 0.6 < min(right)
    assert left == sorted(left) and right == sorted(right, reverse=True)


def test_smoothing_takes_the_trembling_away(model, portrait):
    """A still picture with grain that changes: at `smooth` 0.5 the points move less than half as much."""
    rng = np.random.default_rng(0)
    frames = [np.clip(portrait + rng.normal(0, 14, portrait.shape), 0, 255).astype(np.uint8) for _ in range(10)]

    def restless(smooth: float) -> float:
        model.reset()
        noses = np.array([model(f, t=n / 25, smooth=smooth)[0].points[:7] for n, f in enumerate(frames)])
        return float(np.abs(np.diff(noses[2:], axis=0)).mean())

    assert restless(0.5) < 0.5 * restless(0)


def test_without_a_time_each_picture_stands_alone(model, portrait, two):
    alone = model(portrait)
    model(two)
    assert (model(portrait)[0].points == alone[0].points).all()


def test_a_tape_that_begins_in_the_middle_goes_on_the_same(model, two):
    frames = [np.roll(two, 3 * n, 1) for n in range(6)]
    model.reset()
    for n in range(3):
        model(frames[n], t=n / 25)
    state = model.save()
    whole = [model.kind.digest(model(frames[n], t=n / 25)) for n in range(3, 6)]
    model.reset()
    model.load(state)
    assert [model.kind.digest(model(frames[n], t=n / 25)) for n in range(3, 6)] == whole


def test_backends_agree(model, portrait):
    (one,), (two,) = model(portrait), load("people", backend="onnx")(portrait)
    assert one.points == pytest.approx(two.points, abs=1e-4)


def test_it_behaves_on_stage(model, portrait, two):
    given = {"image": [portrait, two], "sure": [0.25], "most": [6.0], "smooth": [0.5]}
    check_model(lambda: load("people", backend="openvino", precision="f32"), given)
