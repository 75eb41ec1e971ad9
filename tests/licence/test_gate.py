"""The gate: the worst component decides, unknown is never allowed, and the operator counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pleinair.licence.gate import Verdict, verdict
from pleinair.licence.parts import KINDS, Part
from pleinair.licence.terms import VERDICTS, rows
from pleinair.manifest import USES, Operator

KNOWN = [i for row in rows() for i in row.ids] + [t for row in rows() for t in row.tags]
EXHIBIT = ("exhibit-free", "exhibit-paid")
EVERYWHERE = ("develop", *EXHIBIT, "sell-outputs", "sell-edition", "archive-deposit", "fine-tune", "publish-weights")


def judged(licence, use, operator=None, senses=(), kind="weights", name="it") -> Verdict:
    return verdict([Part(name, kind, licence)], use, operator, senses)


licences = st.one_of(st.sampled_from(KNOWN), st.text(max_size=40), st.sampled_from(["MIT AND {}", "{} OR MIT"]).map(
    lambda form: form.format("Apache-2.0")))  # fmt: skip
parts = st.builds(Part, what=st.text(max_size=20), kind=st.sampled_from(KINDS), licence=licences)
operators = st.builds(
    Operator,
    kind=st.sampled_from(["", "artist", "museum", "company"]),
    revenue_eur=st.one_of(st.none(), st.floats(0, 1e9)),
    territory=st.sampled_from(["", "EU", "DE", "UK", "KR", "US", "CH"]),
)
senses = st.sets(st.sampled_from(["face", "emotion", "body", "hands", "voice", "identity"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, max_size=6), st.sampled_from(USES), operators, senses)
def test_the_worst_component_decides(made_of, use, operator, read):
    whole = verdict(made_of, use, operator, read)
    alone = [verdict([part], use, operator, read).verdict for part in made_of]
    assert whole.verdict == max(alone, key=VERDICTS.index, default="refuse")
    assert len(whole.findings) >= len(made_of)


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, max_size=5), parts, st.sampled_from(USES), operators, senses)
def test_one_more_component_never_makes_it_better(made_of, more, use, operator, read):
    before, after = verdict(made_of or [more], use, operator, read), verdict([*made_of, more], use, operator, read)
    assert VERDICTS.index(after.verdict) >= VERDICTS.index(before.verdict)


@settings(max_examples=150, deadline=None)
@given(st.lists(parts, max_size=4), st.sampled_from(KINDS), st.sampled_from(USES), operators, senses,
       st.sampled_from(["unknown", "", "other", "custom", "none", "see license", "bespoke-3", "??"]))  # fmt: skip
def test_unknown_is_never_allowed_whatever_stands_beside_it(made_of, kind, use, operator, read, nothing):
    got = verdict([*made_of, Part("it", kind, nothing)], use, operator, read)
    assert got.verdict in ("ask", "refuse")
    assert kind in ("data", "container") or got.verdict == "refuse"
    assert got.because


@settings(max_examples=80, deadline=None)
@given(st.lists(parts, min_size=1, max_size=4), st.sampled_from(USES), operators, senses)
def test_every_finding_has_clause_source_date_and_sentence_and_a_verdict_no_better_than_its_row(
    made_of, use, operator, read
):
    for finding in verdict(made_of, use, operator, read).findings:
        assert finding.clause and finding.source and finding.date and finding.says
        if finding.part.kind not in ("data", "container"):
            assert VERDICTS.index(finding.verdict) >= VERDICTS.index(finding.row.cells[use].verdict)


def test_no_parts_at_all_is_nothing_known():
    assert verdict([], "develop").verdict == "refuse"


def test_a_finding_has_a_sentence_with_licence_clause_and_date():
    (sentence,) = judged("CC-BY-NC-4.0", "exhibit-paid", name="MusicGen").because
    assert (
        sentence.startswith("MusicGen (the weights, CC-BY-NC-4.0): ")
        and "1(i)" in sentence
        and "2026-11-22" in sentence
    )


@pytest.mark.parametrize("use", EVERYWHERE)
def test_llama_4_is_refused_in_the_european_union_and_asked_about_where_nobody_says(use):
    assert judged("llama4", use, Operator(territory="EU")).verdict == "refuse"
    assert judged("llama4", use, Operator(territory="EE")).verdict == "refuse"
    assert judged("llama4", use, Operator(territory="US")).verdict == "duties"
    assert judged("llama4", use, Operator()).verdict == "ask"


@pytest.mark.parametrize(
    "where, expected",
    [("EU", "refuse"), ("gb", "refuse"), ("UK", "refuse"), ("KR", "refuse"), ("JP", "duties"), ("", "ask")],
)
def test_hunyuan_knows_its_territory(where, expected):
    licence = "LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla"
    assert judged(licence, "exhibit-free", Operator(territory=where)).verdict == expected


@pytest.mark.parametrize(
    "kind, revenue, expected",
    [
        ("artist", None, "duties"), ("artist", 40_000, "duties"), ("museum", 400_000, "duties"),
        ("museum", None, "ask"),
        ("", None, "ask"), ("museum", 900_000, "ask"), ("museum", 3_000_000, "refuse"), ("artist", 1_000_001, "refuse"),
    ],
)  # fmt: skip
def test_stability_counts_the_operators_revenue(kind, revenue, expected):
    got = judged("stabilityai-ai-community", "exhibit-paid", Operator(kind, revenue, "DE"))
    assert got.verdict == expected, got.because
    if expected == "ask" and revenue is None:
        assert "site.toml" in got.because[0]


def test_ltx_counts_ten_million():
    assert judged("ltxv", "exhibit-paid", Operator("museum", 5_000_000)).verdict == "duties"
    assert judged("ltxv", "exhibit-paid", Operator("company", 12_000_000)).verdict == "refuse"


def test_for_non_commercial_licences_the_use_decides_and_not_the_institution():
    for kind in ("artist", "museum", "school"):
        assert judged("CC-BY-NC-4.0", "exhibit-free", Operator(kind, 0)).verdict == "ask"
        assert judged("CC-BY-NC-4.0", "exhibit-paid", Operator(kind, 0)).verdict == "refuse"


def test_biometric_terms_count_what_the_piece_reads_off_people():
    assert judged("flux-1-dev-non-commercial-license", "develop").verdict == "ask"
    assert judged("flux-1-dev-non-commercial-license", "develop", senses=["face"]).verdict == "refuse"
    assert judged("sam-license", "exhibit-free").verdict == "duties"
    assert judged("sam-license", "exhibit-free", senses=["identity"]).verdict == "ask"


def test_gpl_code_is_free_to_run_and_has_duties_when_handed_over():
    for use in ("develop", *EXHIBIT, "sell-outputs"):
        assert judged("GPL-2.0-or-later", use, kind="wheel").verdict == "allow"
    for use in ("sell-edition", "archive-deposit"):
        got = judged("GPL-2.0-or-later", use, kind="wheel")
        assert got.verdict == "duties" and "ource" in got.because[0] and got.findings[0].row.owed.source


def test_of_alternatives_the_best_is_chosen_and_of_a_sum_the_worst_counts():
    assert judged("Apache-2.0 OR GPL-3.0-only", "exhibit-free").verdict == "allow"
    assert judged("Apache-2.0 AND CC-BY-NC-4.0", "exhibit-paid").verdict == "refuse"


def test_what_a_model_learnt_from_is_asked_about_and_not_handed_over():
    got = judged("unknown", "exhibit-free", kind="data")
    assert got.verdict == "ask" and "not settled" in got.because[0]
    assert judged("CC-BY-4.0", "exhibit-free", kind="data").verdict == "duties"


@pytest.mark.parametrize(
    "kind, expected", [("data", "ask"), ("container", "ask"), ("base", "refuse"), ("voice", "refuse")]
)
@pytest.mark.parametrize("licence", ["CC-BY-NC-4.0", "unknown"])
def test_what_it_learnt_from_asks_where_what_it_grew_out_of_refuses(kind, expected, licence):
    """docs/licences.md, "What it learnt from": decided so, and why."""
    got = verdict([Part("it", "weights", "MIT"), Part("that", kind, licence)], "exhibit-paid")
    assert got.verdict == expected and "that" in got.because[0]
