"""A model for all tests of a file, and a picture of somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from pleinair.core.model import Model
from pleinair.models import clip_path, load
from pleinair.models.fetch import fetch


@pytest.fixture(scope="module")
def opened(weights) -> Iterator[Callable[..., Model]]:
    """`opened("hands", backend="onnx")`: what the card needs is fetched, and that of `also`; closed after the file."""
    models = []

    def make(card: str, *also: str, **how) -> Model:
        fetch([card, *also])
        models.append(load(card, **how))
        models[-1].open()
        return models[-1]

    yield make
    for model in models:
        model.close()


@pytest.fixture(scope="session")
def portrait(weights) -> np.ndarray:
    """The astronaut, 512 x 512."""
    fetch(["astronaut"])
    image = cv2.imread(str(clip_path("astronaut")))[..., ::-1].copy()
    image.setflags(write=False)
    return image
