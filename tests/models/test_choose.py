"""The backend is decided once, by time among those that agree, and pinned."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import choose, load
from pleinair.models.card import find_card

SIZE = (64, 48)


@pytest.fixture(scope="module")
def measured(weights):
    return choose.measure(find_card("multistyle26"), SIZE, 2, None)


def test_the_fastest_that_agrees_wins(measured):
    agreeing = [e for e in measured.tried if e.get("agrees")]
    assert measured.ran_ms == min(e["ran_ms"] for e in agreeing)
    assert measured.agreement["psnr_db"] >= find_card("multistyle26").tolerance["psnr_db"]
    named = {(e["name"], e["precision"]): e for e in measured.tried}
    assert named["openvino", "f32"]["agreement"]["max_levels"] <= 1
    assert named["onnx", "f32"]["agreement"] == {"psnr_db": 120.0, "max_levels": 0.0}


def test_a_choice_survives_json_and_pins(measured, frame):
    pinned = json.loads(json.dumps(measured.as_dict()))
    assert choose.Choice.of(pinned) == measured and not choose.drift(pinned)
    model = load("multistyle26", backend=pinned)
    assert model.size == SIZE and model.describe()["backend"]["precision"] == measured.precision
    again = load("multistyle26", backend=model.describe()["backend"], size=SIZE)  # what a lock or a tape holds
    assert np.array_equal(model(frame), again(frame))
    model.close()
    again.close()


def test_drift_is_told(measured):
    older = dataclasses.replace(measured, version="2020.1", isa="x86_64+sse4_2")
    assert len(choose.drift(older)) == 2 and "2020.1" in choose.drift(older)[0]


def test_a_pin_that_is_not_whole_is_a_sentence():
    with pytest.raises(ModelFault) as fault:
        load("multistyle26", backend={"name": "openvino"})
    assert "piece.lock" in fault.value.hint


def test_the_answer_is_remembered_and_asked_for_once(measured, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(choose.folders, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(choose, "_elsewhere", lambda *a: asked.append(a) or measured)
    first = choose.decide("multistyle26", SIZE, 2)
    assert choose.decide("multistyle26", SIZE, 2) == first and len(asked) == 1
    choose.decide("multistyle26", (96, 96), 2)
    assert len(asked) == 2
    next(tmp_path.rglob("*.json")).write_text("{broken")
    choose.decide("multistyle26", SIZE, 2), choose.decide("multistyle26", (96, 96), 2)
    assert len(asked) == 3


def test_none_that_agrees_is_a_fault_that_says_why():
    card = dataclasses.replace(find_card("multistyle26"), tolerance={"max_levels": -1.0})
    with pytest.raises(ModelFault) as fault:
        choose.measure(card, (32, 32), 1, None)
    assert "onnx f32: 120.0 dB" in fault.value.where


def test_a_precision_asked_for_is_kept(monkeypatch, tmp_path, weights):
    monkeypatch.setattr(choose.folders, "cache_dir", lambda: tmp_path)
    choice = choose.decide("multistyle26", (32, 32), 1, precision="f32")  # really in a process of its own
    assert choice.precision == "f32" and {e["precision"] for e in choice.tried} == {"f32"}
