"""Calm and Enlarge on what they are for: a real clip, painted by the real network."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from pleinair.effects.calm import Calm
from pleinair.effects.enlarge import Enlarge
from pleinair.models import clip_path, load
from pleinair.sources.file import File

from .test_calm import flicker, run


@pytest.fixture(scope="module")
def painted(weights):
    """24 frames of carphone_pristine.mp4 at 640 x 480 and their paintings at 320 x 240."""
    source = File(str(clip_path("carphone")), size=(640, 480))
    source.open()
    guides = [c.data for c in islice(source, 24)]
    source.close()
    model = load("multistyle26", size=(320, 240))
    mix = np.zeros(26, np.float32)
    mix[8] = 1
    paintings = [model(g, style_weights=mix) for g in guides]
    model.close()
    return guides, paintings


def test_calm_halves_the_flicker_of_a_real_painting(painted):
    guides, paintings = painted
    small = [cv2.resize(g, (320, 240), interpolation=cv2.INTER_AREA) for g in guides]
    calmed = run(Calm(), paintings, guides)
    assert flicker(calmed, small) < 0.55 * flicker(paintings, small)


def test_enlarge_beats_bicubic_on_a_real_painting(painted):
    painting = painted[1][-1]
    half = cv2.resize(painting, (160, 120), interpolation=cv2.INTER_AREA)

    def error(x: np.ndarray) -> float:
        return float(np.mean((x.astype(float) - painting) ** 2))

    assert error(Enlarge(2)(half)) < error(cv2.resize(half, (320, 240), interpolation=cv2.INTER_CUBIC))
