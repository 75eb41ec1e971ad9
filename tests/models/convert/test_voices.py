"""Files of bare numbers into named tables: the same bytes each time, and nothing of another size."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import safe
from pleinair.models.convert import make
from pleinair.models.hearing.voices import _tables


def test_tables_by_name():
    numbers = {name: np.full((510, 256), n, "<f4").tobytes() for n, name in enumerate(("ada", "bo"))}
    blob = make("voices", numbers, {})
    assert blob == make("voices", numbers, {}) and safe.check(blob, "voices.safetensors").format == "safetensors"
    tables = _tables(blob)
    assert list(tables) == ["ada", "bo"] and (tables["bo"] == 1).all() and tables["bo"].shape == (510, 256)


def test_another_size_is_a_sentence():
    with pytest.raises(ModelFault, match="the voice ada cannot be used: it has 12 bytes"):
        make("voices", {"ada": bytes(12)}, {})
