"""How a token is thrown: shares as they should be, and the same throw for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from pleinair.backends.sampling import Dice, Sampling

SHARES = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
LOGITS = np.log(SHARES).astype(np.float32) + np.float32(3.7)
ALL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}


def thrown(count: int = 4000, logits=LOGITS, **how) -> np.ndarray:
    """How often each came, as a share."""
    dice = Dice(Sampling(**{**ALL, **how}))
    found = Counter(dice.throw(logits) for _ in range(count))
    return np.array([found[n] for n in range(len(logits))]) / count


def test_shares_are_those_of_the_model():
    assert np.abs(thrown() - SHARES).max() < 0.03


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_bends_the_shares(temperature):
    want = SHARES ** (1 / temperature)
    assert np.abs(thrown(temperature=temperature) - want / want.sum()).max() < 0.03
    assert (thrown(50, temperature=0)[0] == 1) and thrown(200, temperature=1e-4)[0] == 1


@pytest.mark.parametrize(
    ("how", "kept"),
    [({"top_k": 1}, 1), ({"top_k": 3}, 3), ({"top_p": 0.5}, 1), ({"top_p": 0.6}, 2), ({"top_p": 0.91}, 4),
     ({"min_p": 0.49}, 2), ({"min_p": 0.9}, 1), ({"min_p": 0.05, "top_k": 9}, 5)],
)  # fmt: skip
def test_what_is_left_out_never_comes_and_the_rest_keeps_its_shares(how, kept):
    found = thrown(**how)
    assert (found[:kept] > 0).all() and found[kept:].sum() == 0
    assert np.abs(found[:kept] - SHARES[:kept] / SHARES[:kept].sum()).max() < 0.03


def test_the_same_seed_throws_the_same_and_another_does_not():
    one, same, other = (Dice(Sampling(**ALL, seed=seed)) for seed in (7, 7, 8))
    first = [one.throw(LOGITS) for _ in range(60)]
    assert first == [same.throw(LOGITS) for _ in range(60)] != [other.throw(LOGITS) for _ in range(60)]
    assert Dice(Sampling(seed=2**32 - 2)).throw(LOGITS) in range(5)


def test_what_was_said_lately_comes_less():
    logits = np.array([2.0, 1.9, -1.0], np.float32)
    assert Dice(Sampling(temperature=0)).throw(logits) == 0
    assert Dice(Sampling(temperature=0, repeat=1.3), [0]).throw(logits) == 1
    assert Dice(Sampling(temperature=0, repeat=1.3), [0, 1]).throw(np.array([-0.1, -0.1, -0.11], np.float32)) == 2
    dice = Dice(Sampling(temperature=0, repeat=1.3))
    assert [dice.throw(logits) for _ in range(2)] == [0, 1], "what it said itself counts"
    assert logits[0] == 2, "the model's own numbers are not touched"


def test_a_large_vocabulary_and_a_flat_one_are_thrown_from():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, 260_000).astype(np.float32)
    assert 0 <= Dice(Sampling()).throw(logits) < 260_000
    assert 0 <= Dice(Sampling(**{**ALL, "temperature": 5.0})).throw(logits) < 260_000
    flat = np.zeros(1000, np.float32)
    assert len({d.throw(flat) for d in [Dice(Sampling(**ALL))] for _ in range(200)}) > 100


@pytest.mark.parametrize("how", [{}, {"top_k": 2}, {"temperature": 0}, {"temperature": 2.0}])
def test_how_sure_the_model_was_is_its_own_share(how):
    dice = Dice(Sampling(**{**ALL, **how}))
    for _ in range(20):
        token = dice.throw(LOGITS)
        assert np.exp(dice.sure) == pytest.approx(SHARES[token], rel=1e-5)
