"""Ages at the glass: percentiles in bounded memory, and parts that add up."""

import numpy as np

from pleinair.core.frame import Frame, Span
from pleinair.stage.ages import POINTS, Ages, Glass, split


def test_percentiles_are_right_within_one_percent():
    ages, values = Ages(), np.random.default_rng(3).gamma(3, 9, 20_000)
    assert ages.summary() is None
    for value in values:
        ages.add(float(value))
    found = ages.summary()
    for name, q in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert abs(found[name] / np.percentile(values, q) - 1) < 0.01
    assert found["max"] == round(values.max(), 3)


def test_a_run_of_any_length_keeps_its_size():
    ages = Ages()
    for value in range(200_000):
        ages.add(value % 977 + 0.5)
    assert len(ages._bins) < 3000


def test_parts_add_up_to_the_age():
    frame = Frame(
        None,
        "draw",
        0,
        0,
        trace=(
            Span("camera", 0, 2_000_000, 2_000_000),
            Span("painting", 1_000_000, 9_000_000, 12_100_000),
            Span("draw", 100_000, 500_000, 12_800_000),
        ),
    )
    roles = {"camera": "source", "painting": "model", "draw": "effect"}
    parts = split(frame, roles, 0, 12_900_000, 13_000_000, 13_500_000, 13_600_000, 14_200_000, 20_000_000)
    assert abs(sum(parts.values()) - 20.0) < 1e-9
    assert parts["model"] == 9.0
    assert parts["capture"] == 2.0
    assert parts["encode"] == 0.5


def test_the_ribbon_keeps_a_minute():
    glass = Glass()
    for n in range(1000):
        glass.add(10.0, dict.fromkeys(("capture", "waiting", "model", "draw", "encode", "travel", "paint"), 1.0))
        glass.point(n * 0.25 + 1)
    assert len(glass.points) == POINTS
