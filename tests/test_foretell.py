"""How long a model takes, asked before it runs: whatever its first port wants, and whether it streams or not."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from pleinair import Audio, Image, Sound, Text
from pleinair.core.model import Model
from pleinair.foretell import arguments, model_cost, repeated


class Any(Model):
    def __init__(self, kind) -> None:
        self.ports = {"first": kind, "second": Image}
        self.got: list = []

    def __call__(self, first, second=None):
        self.got.append(first)
        return first


@pytest.mark.parametrize(("kind", "is_one"), [(Image, np.ndarray), (Audio, Sound), (Text, str)])
def test_a_model_is_called_with_what_its_first_port_wants(kind, is_one):
    model = Any(kind)
    assert model_cost(model) >= 0
    assert len(model.got) == 6 and all(isinstance(one, is_one) for one in model.got)
    kind.check(model.got[0])


def test_what_the_piece_says_is_what_it_is_called_with():
    model = Any(Text)
    model_cost(model, {"first": "from piece.toml"})
    assert set(model.got) == {"from piece.toml"}
    assert arguments(model, {"first": "x"}) == {}


def test_of_a_model_that_streams_an_item_counts():
    class Words(Any):
        def stream(self, first, second=None):
            for word in (None, "a", "b", None, "c"):
                self.got.append(word)
                yield word

    model = Words(Text)
    assert list(islice(repeated(model, {"first": "x"}), 4)) == [None] * 4
    assert [w for w in model.got if w] == ["a", "b", "c", "a"], "word by word, and no further"

    class Silent(Any):
        def stream(self, first, second=None):
            return iter(())

    assert len(list(islice(repeated(Silent(Text), {"first": "x"}), 3))) == 3
