"""A model for all tests of a file, and a picture of somebody."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.models import clip_path
from pleinair.models.fetch import fetch


@pytest.fixture(scope="session")
def portrait(weights) -> np.ndarray:
    """The astronaut, 512 x 512."""
    fetch(["astronaut"])
    image = cv2.imread(str(clip_path("astronaut")))[..., ::-1].copy()
    image.setflags(write=False)
    return image
