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


@pytest.mark.parametrize(
    "licence, is_open",
    [
        ("MIT OR Apache-2.0", True), ("MIT AND Apache-2.0", True), ("MIT OR LicenseRef-mine", True),
        ("MIT AND LicenseRef-mine", False), ("CC-BY-NC-4.0 OR LicenseRef-mine", False), ("apache-2.0", True),
        ("(MIT OR CC-BY-NC-4.0) AND BSD-3-Clause", True), ("(MIT AND CC-BY-NC-4.0) OR CC-BY-ND-4.0", False),
        ("Apache-2.0 WITH LLVM-exception", True), ("Apache-2.0 WITH Commons-Clause", False), ("MIT AND", False),
        ("MIT*", False), ("CC-BY-NC-4.0", False),
    ],
)  # fmt: skip
def test_expressions_count_as_their_parts_do(licence, is_open):
    got = evaluate({"parameters": licence})
    assert (got.open, got.closed) == ((("parameters",), ()) if is_open else ((), ("parameters",)))


def test_what_was_not_trained_has_no_class_and_that_is_said():
    from pleinair.licence.openness import line, report
    from pleinair.licence.parts import of_card
    from pleinair.models.card import find_card

    flow, painter, clip = (find_card(name) for name in ("flow", "multistyle26", "bikes"))
    got = report(flow, of_card(flow))
    assert got["applies"] is False and got["mof_class"] is None and "nothing was trained" in got["why"]
    assert "nothing was trained" in line(flow) and report(clip, of_card(clip))["applies"] is False
    assert report(painter, of_card(painter))["mof_class"] == 0 and report(painter, of_card(painter))["applies"]


def test_what_nobody_looked_into_is_no_verdict():
    from pleinair.licence.openness import report
    from pleinair.models.card import card_from

    files = {"network": {"sha256": "0" * 64, "bytes": 1}}
    got = report(card_from({"name": "mine", "task": "vector", "files": files}), [])
    assert (got["known"], got["mof_class"], got["osaid"]) == (False, None, None)


def test_the_desk_has_class_definition_and_four_answers():
    from pleinair.licence.openness import lines
    from pleinair.licence.parts import of_card
    from pleinair.models.card import find_card

    first, *rest = lines(find_card("chat"), of_card(find_card("chat")))
    assert "Model Openness Framework" in first and "OSI" in first
    assert [r for r in rest if "?" in r] == [
        "May the weights be passed on? yes, with duties", "May it be trained further? yes",
        "May it be archived for ever? yes, with duties", "May a work be sold with it inside? yes, with duties",
    ]  # fmt: skip
    assert any(r.startswith("open: ") and "training code" in r for r in rest)
