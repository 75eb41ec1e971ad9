"""Flow: a picture moved, grown or turned by a known amount is said to be so; stillness and cuts are nothing."""

from __future__ import annotations

import threading

import av
import cv2
import numpy as np
import pytest

from pleinair.core.errors import Fault
from pleinair.core.kinds import Landmarks, Mask
from pleinair.core.model import Model
from pleinair.models import clip_path, load
from pleinair.testing import check_model


@pytest.fixture
def small(frame) -> np.ndarray:
    return cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA)


def moved(image, *, x=0.0, y=0.0, scale=1.0, turn=0.0) -> np.ndarray:
    """By pixels, a factor and degrees anticlockwise about the middle."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += x, y
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def told(first, second, **knobs):
    model = load("flow")
    model(first, **knobs)
    return model(second, **knobs)[0]


@pytest.mark.parametrize(("x", "y", "direction"), [(8, 0, 0), (0, -8, 90), (-8, 0, 180), (0, 8, 270), (6, -6, 45)])
def test_a_step_is_told_with_its_direction_and_length(small, x, y, direction):
    found = told(small, moved(small, x=x, y=y))
    assert abs((found.direction - direction + 180) % 360 - 180) < 3
    assert found.speed == pytest.approx(np.hypot(x, y) / 360, rel=0.1)
    assert (found.dx, found.dy) == pytest.approx((x / 640, y / 360), abs=1.5e-3)
    assert found.towards.x - found.middle.x == pytest.approx(10 * found.dx, abs=1e-4)
    assert found.confidence > 0.9


def test_growing_and_turning_are_told_apart_from_moving(small):
    grown, turned = told(small, moved(small, scale=1.03)), told(small, moved(small, turn=1.5))
    assert grown.spread == pytest.approx(0.03, rel=0.25) and abs(grown.turn) < 0.005
    assert turned.turn == pytest.approx(np.radians(1.5), rel=0.25) and abs(turned.spread) < 0.005
    assert told(small, moved(small, scale=1 / 1.03)).spread < -0.02


def test_stillness_the_first_picture_and_a_cut_are_no_movement(small):
    model = load("flow")
    first, still = model(small)[0], model(small)[0]
    cut = model(255 - small)[0]
    assert first.confidence == 0 and still.confidence == 1 and cut.confidence == 0
    assert first.energy == still.energy == cut.energy == 0
    assert (still.middle.x, still.middle.y) == (0.5, 0.5)


def test_the_mask_is_where_something_moves_and_nowhere_else(small):
    disc = moved(small, x=6)
    second = small.copy()
    second[100:250, 80:300] = disc[100:250, 80:300]
    model = load("flow_mask")
    model(small)
    mask = cv2.resize(model(second), (640, 360))
    assert model.kind is Mask
    assert mask[120:230, 110:270].mean() > 0.5 and mask[:, 380:].max() < 0.05
    found = told(small, second)
    assert 80 < found.middle.x * 640 < 300 and 100 < found.middle.y * 360 < 250
    field = np.reshape(found.field, (found.rows, found.columns, 2))
    assert field[5, 4, 0] == pytest.approx(6 / 640, rel=0.4) and abs(field[:, 11:]).max() < 1e-3


def test_gain_and_steady_are_knobs(small):
    second = moved(small, x=5)
    assert told(small, second, gain=0.2).energy < 0.3 * told(small, second).energy
    assert told(small, second, gain=0).energy == 0
    assert told(small, second, steady=1).energy < 0.1 * told(small, second).energy


def test_what_it_remembers_can_be_kept_and_forgotten(small):
    one, two = load("flow"), load("flow")
    one(small)
    two.load(one.save())
    second = moved(small, x=4)
    assert Landmarks.digest(one(second)) == Landmarks.digest(two(second))
    two.reset()
    assert two.save() is None and two(second)[0].confidence == 0


def test_another_size_begins_anew(small):
    model = load("flow")
    model(small)
    assert model(small[:300])[0].confidence == 0


class Stateless(Model):
    """`check_model` asks for the same output twice: here from the same state."""

    def __init__(self, card: str) -> None:
        self._model = load(card)
        self.ports, self.kind = self._model.ports, self._model.kind
        self.open, self.close, self.describe = self._model.open, self._model.close, self._model.describe

    def __call__(self, *args, **ports):
        self._model.reset()
        self._model(ports["image"][::-1])
        return self._model(*args, **ports)


@pytest.mark.parametrize("card", ["flow", "flow_mask"])
def test_it_behaves_on_stage(small, card):
    check_model(lambda: Stateless(card), {"image": [small, moved(small, x=3)], "gain": [1.0], "steady": [0.0]})


def test_what_it_does_not_know_is_said_with_a_sentence(small):
    with pytest.raises(Fault, match='no port "gian"'):
        load("flow", gian=2)
    with pytest.raises(Fault, match="no working size"):
        load("flow", size=(320, 240))
    with pytest.raises(ValueError, match="a picture is"):
        load("flow")(np.zeros((4, 4), np.float32))


@pytest.fixture
def film(weights) -> list[np.ndarray]:
    """Every tenth frame of the clip, 640 x 360."""
    with av.open(str(clip_path("bigbuckbunny"))) as container:
        frames = [f for n, f in enumerate(container.decode(video=0)) if n % 10 == 0]
    return [f.to_ndarray(format="rgb24", width=640, height=360) for f in frames]


def test_the_same_bits_while_others_are_in_opencv_too(film):
    """OpenCV cuts its work into other pieces where another thread is in it: sums of floats then round otherwise."""
    found: list[list[str]] = [[], [], []]

    def look(out: list[str]) -> None:
        mask, movement = load("flow_mask", gain=2), load("flow")
        for _ in range(4):
            mask.reset()
            movement.reset()
            out.append("".join(Mask.digest(mask(p)) + Landmarks.digest(movement(p)) for p in film))

    threads = [threading.Thread(target=look, args=(out,)) for out in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({told for out in found for told in out}) == 1
