"""Openness is measured as the Linux Foundation's own tool measures it, on its own test files and models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pleinair.licence.openness import ANSWERS, QUESTIONS, components, evaluate, questions
from pleinair.licence.parts import Part

GOLDEN = json.loads(Path(__file__).with_name("mof_golden.json").read_text("utf-8"))


@pytest.mark.parametrize("name, found, mof, progress", GOLDEN["expected"], ids=lambda v: str(v)[:40])
def test_the_tools_own_test_files_come_out_as_its_own_results_say(name, found, mof, progress):
    got = evaluate(found)
    assert got.mof == mof
    assert [round(got.progress[k], 2) for k in (1, 2, 3)] == progress


def test_all_models_of_the_tool_come_out_in_its_class():
    assert len(GOLDEN["models"]) == 273
    for name, found, mof, progress in GOLDEN["models"]:
        got = evaluate(found)
        assert (got.mof, [round(got.progress[k], 2) for k in (1, 2, 3)]) == (mof, progress), name
    assert {m[2] for m in GOLDEN["models"]} == {0, 1, 2, 3}


def everything(licence="Apache-2.0"):
    return dict.fromkeys(components(), licence)


def test_there_are_seventeen_components_and_all_of_them_open_make_class_one():
    assert len(components()) == 17
    got = evaluate(everything())
    assert got.mof == 1 and not got.osaid_lacks and got.progress == {1: 100, 2: 100, 3: 100}


def test_a_paper_may_stand_in_for_the_report_and_nothing_else_may():
    third = {"architecture", "parameters", "evaluation_results", "model_card", "data_card"}
    assert evaluate(dict.fromkeys(third | {"paper"}, "Apache-2.0")).mof == 3
    assert evaluate(dict.fromkeys(third | {"samples"}, "Apache-2.0")).mof == 0


def test_what_is_there_without_an_open_licence_does_not_count_and_is_told_apart_from_what_is_missing():
    found = everything() | {"parameters": "CC-BY-NC-4.0", "report": "unlicensed", "paper": "unlicensed"}
    del found["datasets"]
    got = evaluate(found)
    assert got.mof == 0
    assert (got.closed, set(got.unlicensed), got.missing) == (("parameters",), {"report", "paper"}, ("datasets",))
    assert "parameters" in got.osaid_lacks


def test_the_osi_asks_for_no_data_set_but_for_information_on_it():
    found = everything()
    del found["datasets"]
    assert not evaluate(found).osaid_lacks
    del found["data_card"]
    assert evaluate(found).osaid_lacks == ("information on the data",)


def test_the_four_questions_are_answered_by_the_gate():
    free = questions([Part("free", "weights", "Apache-2.0")])
    assert list(free) == list(QUESTIONS) and {q["answer"] for q in free.values()} <= {"yes", "yes, with duties"}
    tied = questions([Part("tied", "weights", "unknown")])
    assert {q["answer"] for q in tied.values()} == {"no"} and all(q["because"] for q in tied.values())
    assert set(ANSWERS.values()) == {"yes", "yes, with duties", "not clear", "no"}
