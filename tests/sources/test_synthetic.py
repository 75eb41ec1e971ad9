"""The synthetic source: a function of its number, and the number can be read back."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from pleinair.core.codec import decode, encode_jpeg
from pleinair.core.errors import DeviceFault
from pleinair.core.source import Raw
from pleinair.sources._scenes import SCENES
from pleinair.sources.synthetic import Synthetic, read_number, stamp_number
from pleinair.sources.tick import Tick


@pytest.mark.parametrize("scene", SCENES)
def test_recall_gives_the_same_picture(scene):
    live = list(islice(Synthetic(scene, size=(160, 120)), 40))
    again = Synthetic(scene, size=(160, 120))
    for n in (0, 39, 7):
        assert np.array_equal(again.recall(live[n].raw.note), live[n].data)
    assert [c.t_ns for c in live[:3]] == [0, 33_333_333, 66_666_667]
    assert not np.array_equal(live[0].data, live[1].data), "it moves"
    assert not live[0].data.flags.writeable


@pytest.mark.parametrize("scene", SCENES)
def test_the_number_survives_jpeg_scaling_inversion_and_grading(scene):
    source = Synthetic(scene)
    for n in (0, 1, 12345, 2**22 - 1):
        image = source.picture(n)
        assert read_number(image) == n
        assert read_number(decode(Raw("jpeg", encode_jpeg(image, 30)))) == n
        assert read_number(cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA)) == n
        assert read_number(cv2.resize(image, (1280, 960))) == n
        assert read_number(255 - image) == n
        assert read_number((image // 3 + 90).astype(np.uint8)) == n


@pytest.mark.parametrize("size", [(64, 48), (640, 272), (97, 65), (1921, 1081)])
def test_the_number_at_odd_sizes(size):
    assert read_number(Synthetic(size=size).picture(77)) == 77


def test_a_picture_without_a_number_has_none():
    rng = np.random.default_rng(0)
    assert read_number(np.zeros((480, 640, 3), np.uint8)) is None
    found = [read_number(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)) for _ in range(50)]
    assert sum(n is not None for n in found) <= 3
    assert read_number(np.zeros((4, 4, 3), np.uint8)) is None


def test_numbers_wrap_and_tiny_pictures_have_no_strip():
    image = np.zeros((48, 64, 3), np.uint8)
    stamp_number(image, 2**22 + 5)
    assert read_number(image) == 5
    tiny = np.zeros((8, 8, 3), np.uint8)
    stamp_number(tiny, 5)
    assert not tiny.any()


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_any_size(scene, size):
    assert Synthetic(scene, size=size).picture(3).shape == (size[1], size[0], 3)


def test_rate_zero_is_as_fast_as_it_is_taken():
    source = Synthetic(rate=0)
    assert not source.paced and next(iter(source)).t_ns is None


def test_seed_makes_another_one():
    assert not np.array_equal(Synthetic("noise", seed=1).picture(0), Synthetic("noise", seed=2).picture(0))


@pytest.mark.parametrize("wrong", [{"target": "rooom"}, {"size": (0, 0)}, {"rate": -3}, {"rate": float("nan")}])
def test_bad_options(wrong):
    with pytest.raises(DeviceFault) as caught:
        Synthetic(**wrong)
    assert caught.value.hint


def test_tick_is_exact_and_recallable():
    tick = Tick(rate=60)
    captures = list(islice(tick, 121))
    assert captures[0].data == 0 and captures[120].data == 2.0 and captures[60].t_ns == 10**9
    assert all(tick.recall(c.raw.note) == c.data for c in captures)
    ticking = iter(tick)
    next(ticking)
    tick.interrupt()
    assert list(ticking) == []
    assert Tick("25").rate == 25
    with pytest.raises(DeviceFault):
        Tick(rate=0)
