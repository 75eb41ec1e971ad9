"""Cutting speech: where an utterance begins and ends, from confidences alone."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.hearing.utterances import STEP, STEP_S, Cutter, Rules

RULES = Rules()
END = round(RULES.end_s / STEP_S + 0.4999)


def steps(sures, rules=RULES):
    """Each window holds its own number, so that what was kept can be read off."""
    cutter, found = Cutter(rules), []
    for n, sure in enumerate(sures):
        found += cutter(np.full(STEP, n, np.float32), sure)
    return cutter, found


def windows(step) -> list[int]:
    return [int(n) for n in step.samples[::STEP]]


def test_an_utterance_has_its_onset_and_a_little_silence():
    _, found = steps([0.0] * 20 + [0.9] * 30 + [0.0] * 20)
    named = [s.what for s in found if s.what != "grew"]
    assert named == ["started", "paused", "ended"]
    ended = found[-1]
    before = round(RULES.before_s / STEP_S)
    assert windows(ended)[0] == 20 - before and windows(ended)[-1] == 49 + 7  # 0.2 s of silence
    assert ended.begin_s == pytest.approx(20 * STEP_S) and ended.end_s == pytest.approx(50 * STEP_S)
    assert ended.confidence == pytest.approx(0.9)


def test_what_is_heard_at_the_pause_is_what_ends():
    _, found = steps([0.9] * 30 + [0.0] * 20)
    paused, ended = (next(s for s in found if s.what == what) for what in ("paused", "ended"))
    assert np.array_equal(paused.samples, ended.samples)


def test_a_breath_is_no_end():
    _, found = steps([0.9] * 20 + [0.0] * 10 + [0.9] * 20 + [0.0] * 20)
    assert [s.what for s in found if s.what != "grew"] == ["started", "paused", "resumed", "paused", "ended"]


def test_one_loud_window_is_nobody_and_a_cough_is_dropped():
    assert not steps([0.0] * 5 + [0.9] + [0.0] * 30)[1]
    _, found = steps([0.0] * 5 + [0.9] * 3 + [0.0] * 30)
    assert [s.what for s in found if s.what != "grew"] == ["started", "paused", "dropped"]


def test_between_the_thresholds_it_goes_on():
    _, found = steps([0.9] * 10 + [0.4] * 40)
    assert {s.what for s in found} == {"started", "grew"}


def test_who_never_pauses_is_cut_where_the_voice_is_weakest_and_nothing_is_lost():
    rules = Rules(longest_s=2.0, before_s=0.0)
    sures = [0.9] * 200
    sures[55] = 0.6
    cutter, found = steps(sures, rules)
    found += cutter.flush()
    ended = [s for s in found if s.what == "ended"]
    assert ended[0].end_s == pytest.approx(56 * STEP_S)
    assert [n for s in ended for n in windows(s)] == list(range(200))


def test_the_second_utterance_keeps_what_was_before_it():
    _, found = steps([0.9] * 20 + [0.0] * END + [0.9] * 20 + [0.0] * END)
    first, second = (s for s in found if s.what == "ended")
    assert windows(second)[0] == 20 + END - round(RULES.before_s / STEP_S)


def test_options_that_cannot_be_are_a_sentence():
    assert Rules.of({"pause_s": 0.1, "partial_s": 1}, "mine").pause_s == 0.1
    with pytest.raises(ModelFault, match="contradict"):
        Rules.of({"pause_s": 2.0}, "mine")
    with pytest.raises(ModelFault, match="are numbers"):
        Rules.of({"pause_s": "long"}, "mine")
