"""How open a model is: the Model Openness Framework's class, the OSI's definition, and four plain questions.

MOF 1.0 (M. White and others, The Model Openness Framework, arXiv 2403.13784, 2024) asks for 17 components. Class III,
an open model, needs architecture, final parameters, evaluation results, model card, data card and a technical report
(a research paper will do in its place); class II, open tooling, adds training, inference and evaluation code and
evaluation data; class I, open science, adds data sets, preprocessing code, intermediate parameters and the paper. A
component counts when it is there under an open licence. Percentages follow the Linux Foundation's tool.

OSAID 1.0 (Open Source Initiative, The Open Source AI Definition, 2024) is yes or no: parameters, code and information
on the data, under terms that let anyone use, study, change and share.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from .gate import Verdict, verdict
from .ids import understood
from .parts import Part
from .terms import FOLDER

if TYPE_CHECKING:
    from ..manifest import Operator
    from ..models.card import Card

CLASSES = {1: "Class I, open science", 2: "Class II, open tooling", 3: "Class III, open model", 0: "no class"}
UNLICENSED = "unlicensed"
OSAID = {
    "parameters": ("parameters",),
    "code": ("training_code", "inference_code", "preprocessing_code"),
    "information on the data": ("data_card",),
}
QUESTIONS = {
    "May the weights be passed on?": "publish-weights",
    "May it be trained further?": "fine-tune",
    "May it be archived for ever?": "archive-deposit",
    "May a work be sold with it inside?": "sell-edition",
}
ANSWERS = {"allow": "yes", "duties": "yes, with duties", "ask": "not clear", "refuse": "no"}


@dataclass(frozen=True)
class Component:
    """One of the 17. `class_`: the class that first asks for it; `needed`: whether that class fails without it."""

    key: str
    name: str
    type: str
    class_: int
    needed: bool


@dataclass(frozen=True)
class Openness:
    """mof: 0..3 (0: no class). progress: class -> per cent. open, unlicensed, closed, missing: components by state.

    unfitting  open, but under a licence made for another type of content       osaid_lacks  what the OSI's definition
    asks for and is not there; nothing lacks: it meets the definition
    """

    mof: int
    progress: dict[int, float]
    open: tuple[str, ...]
    unlicensed: tuple[str, ...]
    closed: tuple[str, ...]
    missing: tuple[str, ...]
    unfitting: tuple[str, ...]
    osaid_lacks: tuple[str, ...]

    @property
    def label(self) -> str:
        return CLASSES[self.mof]

    def as_dict(self) -> dict[str, Any]:
        return {
            "mof_class": self.mof, "mof_label": self.label, "progress": {str(k): v for k, v in self.progress.items()},
            "open": list(self.open), "unlicensed": list(self.unlicensed), "closed": list(self.closed),
            "missing": list(self.missing), "not_type_appropriate": list(self.unfitting),
            "osaid": not self.osaid_lacks, "osaid_lacks": list(self.osaid_lacks),
        }  # fmt: skip


@cache
def components() -> dict[str, Component]:
    """The 17, by key."""
    return {
        key: Component(key, c["name"], c["type"], c["class"], c["needed"]) for key, c in _table()["component"].items()
    }


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "mof.toml").read_text("utf-8"))


@cache
def _open() -> frozenset[str]:
    return frozenset(_table()["open"]["licences"])


def evaluate(found: Mapping[str, str]) -> Openness:
    """found: component -> SPDX expression, or "unlicensed" where it is there without a licence. What is not named is
    missing. KeyError where a component is none of the 17.

    Of "A OR B" one that is open is enough, of "A AND B" both must be; "A WITH E" is as open as A, for an exception that
    SPDX knows only adds permissions.
    """
    known = components()
    states = {key: _state(found[key], known[key]) if key in found else "missing" for key in known}
    is_open = {key for key, state in states.items() if state == "open"}
    paper_stands_in = "report" not in is_open and "paper" in is_open
    progress: dict[int, float] = {}
    lower_met = True
    for level in (3, 2, 1):
        needed = [c.key for c in known.values() if c.needed and c.class_ >= level]
        had, total = len(is_open & set(needed)), len(needed)
        if paper_stands_in:
            had, total = (had, total - 1) if level == 1 else (had + 1, total)
        progress[level] = min(100.0, had / total * 100) if lower_met else 0.0
        lower_met = lower_met and had >= total
    mof = min((level for level, value in progress.items() if value == 100.0), default=0)
    lacks = [what for what, keys in OSAID.items() if not is_open >= set(keys)]
    by = {
        state: tuple(k for k, s in states.items() if s == state) for state in ("open", UNLICENSED, "closed", "missing")
    }
    fitting = _table()["fitting"]
    unfitting = tuple(k for k in by["open"] if not _within(found[k], frozenset(fitting[known[k].type])))
    return Openness(mof, progress, by["open"], by[UNLICENSED], by["closed"], by["missing"], unfitting, tuple(lacks))


NOTHING_TRAINED = "nothing was trained: there are no weights, so no class of the framework says anything of it"


def report(card: Card, parts: list[Part], operator: Operator | None = None) -> dict[str, Any]:
    """For `models show --json`: the evaluation, whether anybody wrote down what there is (`known`), whether there is a
    model to speak of (`applies`; where not, no class and no definition, and `why`), and the four questions."""
    asked = questions(parts, operator) if parts else {}
    if card.task == "clip" or not card.files:
        why = "it is no model" if card.task == "clip" else NOTHING_TRAINED
        return {"applies": False, "why": why, "known": bool(card.openness), "components": dict(card.openness),
                "mof_class": None, "osaid": None, "questions": asked}  # fmt: skip
    known = bool(card.openness)
    found = evaluate(card.openness).as_dict()
    if not known:  # nobody looked: that is no verdict
        found |= {"mof_class": None, "mof_label": "not known", "osaid": None}
    return {"applies": True, "known": known, **found, "questions": asked}


def lines(card: Card, parts: list[Part], operator: Operator | None = None) -> list[str]:
    """For the desk: how open it is, in a line, then the four questions with their answers, and what is there."""
    told = [line(card), *(f"{ask} {about['answer']}" for ask, about in questions(parts, operator).items())]
    if card.openness:
        got, names = evaluate(card.openness), components()
        for what, keys in (("open", got.open), ("there, without a licence or with none that is known", got.unlicensed),
                           ("there, and not open", got.closed), ("not there, or not found", got.missing)):  # fmt: skip
            told += (
                [f"{what}: {', '.join(names[k].name[:1].lower() + names[k].name[1:] for k in keys)}"] if keys else []
            )
    return told


def line(card: Card) -> str:
    """One line for the desk: `multistyle26: no class of the Model Openness Framework (2 of 17 components are open)`."""
    if not card.files:
        return f"{card.name}: {NOTHING_TRAINED}"
    if not card.openness:
        return f"{card.name}: nobody has written down how open it is"
    got = evaluate(card.openness)
    there = f"{len(got.open)} of {len(components())} components are open"
    osi = (
        "meets the OSI's definition"
        if not got.osaid_lacks
        else f"not open source to the OSI: lacks {', '.join(got.osaid_lacks)}"
    )
    comma = "," if got.mof else ""
    return f"{card.name}: {got.label}{comma} of the Model Openness Framework ({there}); {osi}"


def _state(licence: str, component: Component) -> str:
    if not licence or licence == UNLICENSED:
        return UNLICENSED
    return "open" if _within(licence, _open()) else "closed"


def _within(licence: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression holds with these identifiers alone."""
    if licence in allowed or licence.lower() in {one.lower() for one in allowed}:
        return True
    if not re.search(r"\s(and|or|with)\s", licence, re.IGNORECASE):
        return False
    said = understood(licence)
    return all(any(" " not in one and _within(one, allowed) for _, one in group) for group in said.together)


def questions(parts: list[Part], operator: Operator | None = None) -> dict[str, dict[str, Any]]:
    """The four questions: {question: {"answer", "use", "because"}}, answered by the gate."""
    found = {}
    for question, use in QUESTIONS.items():
        judged: Verdict = verdict(parts, use, operator)
        found[question] = {"answer": ANSWERS[judged.verdict], "use": use, "because": judged.because}
    return found
