"""Enlarge: better than bicubic, no halos, any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.effects.enlarge import Enlarge
from pleinair.sources.synthetic import Synthetic


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_closer_to_the_truth_than_bicubic_and_crisper():
    truth = Synthetic("room", strip=False).picture(40)
    small = cv2.resize(truth, (320, 240), interpolation=cv2.INTER_AREA)
    bicubic = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
    out = Enlarge()(small, truth)
    assert out.shape == truth.shape and psnr(out, truth) > psnr(bicubic, truth) + 0.5

    def edges(x: np.ndarray) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())

    assert edges(out) > 1.1 * edges(bicubic)


def test_an_edge_never_overshoots():
    small = np.full((40, 40, 3), 60, np.uint8)
    small[:, 20:] = 190
    out = Enlarge((160, 160), crisp=2)(small)
    assert out.min() == 60 and out.max() == 190


def test_targets():
    small = Synthetic(size=(64, 48)).picture(0)
    assert Enlarge()(small, np.zeros((96, 100, 3), np.uint8)).shape == (96, 100, 3)
    assert Enlarge((30, 20))(small).shape == (20, 30, 3)
    assert Enlarge(2)(small).shape == (96, 128, 3)
    assert Enlarge()(small) is small
    with pytest.raises(ValueError):
        Enlarge("screen")
    with pytest.raises(ValueError):
        Enlarge(10_000)(small)


@pytest.mark.parametrize("size", [(1, 1), (1, 100), (3, 2)])
def test_tiny_pictures(size):
    assert Enlarge((50, 40))(np.zeros((size[1], size[0], 3), np.uint8)).shape == (40, 50, 3)


@pytest.mark.parametrize("threads", [2, 4])
def test_the_same_bits_with_any_number_of_threads(threads):
    small = Synthetic("noise", size=(320, 240)).picture(0)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = Enlarge(2)(small)
        cv2.setNumThreads(threads)
        assert np.array_equal(one, Enlarge(2)(small))
    finally:
        cv2.setNumThreads(before)
