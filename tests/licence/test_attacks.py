"""Attempts to get "allow" for what nobody allowed: spellings, look-alikes, expressions, texts with a sentence more.

Each was a hole once, or stands beside one. The known texts are those of tests/licence/test_texts.py.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pleinair.licence.gate import verdict
from pleinair.licence.ids import understood
from pleinair.licence.parts import Part
from pleinair.licence.texts import match
from pleinair.manifest import USES, Operator

from .test_texts import MIT

PLAIN = MIT.format(who="2020 Ada Lovelace")


@pytest.fixture(scope="module")
def apache() -> str:
    return (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")


def judged(licence, use="exhibit-paid", operator=None):
    return verdict([Part("it", "weights", licence)], use, operator).verdict


@pytest.mark.parametrize(
    "licence",
    [
        "MIT*", "MIT?", "!MIT", "~MIT", "MIT\uff08\u975e\u5546\u7528\uff09", "Apache-2.0 \u975e\u5546\u7528",
        "MIT \u043d\u0435\u0442",
        "M\u0406T", "\uff2d\uff29\uff34", "MIT\u200b", "MIT\u202eCN", "MIT\x00NC", "MIT #", "MIT <nc>", "MIT % 2",
        "MIT \u20ac",
        "(MIT", "MIT)", "()", "MIT AND", "OR", "MIT OR", "no MIT", "not-MIT", "MIT, not", "MIT (expired)", "MIT NC",
        "MIT-NC", "MIT/NC", "MIT & NC", "MIT | NC", "MIT+", "CC-BY", "cc", "free", "open", "NOASSERTION", "NONE",
        "LicenseRef-MIT", "DocumentRef-x:MIT", "proprietary", "MIT AND proprietary", "Apache-2.0 AND LicenseRef-mine",
        "MIT AND MIT-feh", "Apache-2.0 " + "AND MIT " * 200,
    ],
)  # fmt: skip
def test_what_only_looks_like_a_free_licence_is_refused(licence):
    assert all(judged(licence, use) == "refuse" for use in USES)


@pytest.mark.parametrize(
    "exception", ["Commons-Clause", "Commons Clause", "non-commercial", "LicenseRef-scancode-commons-clause", "MIT"]
)
def test_an_exception_that_spdx_does_not_know_may_take_away_rather_than_add(exception):
    assert judged(f"Apache-2.0 WITH {exception}") == "refuse"
    assert judged("Apache-2.0 WITH LLVM-exception") == "allow"


@pytest.mark.parametrize(
    "old, row",
    [
        ("GPL-2.0", 39), ("GPL-2.0+", 39), ("GPL-3.0", 32), ("LGPL-2.1", 40), ("LGPL-3.0+", 40), ("AGPL-3.0", 31),
        ("GPL-2.0-with-classpath-exception", 39), ("GPL-3.0-with-GCC-exception", 32), ("wxWindows", 40),
        ("BSD-2-Clause-FreeBSD", 37), ("BSD-2-Clause-NetBSD", 37), ("Nunit", 37), ("Net-SNMP", 37),
    ],
)  # fmt: skip
def test_deprecated_identifiers_mean_what_spdx_says_or_nothing(old, row):
    assert [[r.number for r, _ in group] for group in understood(old).together] == [[row]]


def test_a_hubs_tag_for_a_family_of_texts_is_at_best_asked_about():
    assert judged("openrail") == "ask" and judged("creativeml-openrail-m") == "duties"


@pytest.mark.parametrize(
    "text", [" OR ".join(["(MIT AND GPL-3.0-only)"] * 16), "(" * 190 + "MIT" + ")" * 190, "MIT AND " * 49 + "MIT"]
)
def test_an_expression_cannot_make_the_gate_think_for_ever(text):
    began = time.perf_counter()
    said = understood(text)
    assert len(said.together) <= 64 and time.perf_counter() - began < 5


SLIPPED = [
    "Galleries pay the author ten euros for every visitor.", "Museums are excluded.", "Galleries excluded", "You pay",
    "Offer void for galleries.", "This covers private projects; all else costs extra.", "Ends on 1 January 2027.",
    "Every venue shall ask the author first.", "\u7981\u6b62\u5546\u4e1a\u4f7f\u7528\u3002",
    "\u05d0\u05d9\u05df \u05e9\u05d9\u05de\u05d5\u05e9", "n\u043et f\u043er c\u043emmercial us\u0435",
    "\uff2e\uff4f \uff47\uff41\uff4c\uff4c\uff45\uff52\uff49\uff45\uff53", "N\u200bo ga\u200blleries",
    "Copyright (c) 2024 X. Non-commercial use only.", "Copyright (c) 2024 X, who wants a letter first",
    "Copyright 2024 X. Write to me before any screening.", "All rights reserved. No commercial use.",
    "All rights reserved in the territory of Peru", "(c) You may not show it", "MIT, but not for museums or galleries",
    "BSD non commercial licence", "<no commercial use>", "<!-- no galleries -->", "[x](no-commercial-use)",
    "\u201cCommons Clause\u201d License Condition v1.0. The grant of rights under the License will not include the "
    "right to Sell the Software.",
]  # fmt: skip


@pytest.mark.parametrize("more", SLIPPED)
def test_one_sentence_more_makes_any_text_unknown(apache, more):
    middle = apache.index("3. Grant of Patent License")
    texts = {
        "after the short one": f"{PLAIN}\n{more}\n",
        "before the short one": f"{more}\n{PLAIN}",
        "after the long one": f"{apache}\n{more}\n",
        "inside the long one": f"{apache[:middle]}\n{more}\n\n   {apache[middle:]}",
    }
    for where, text in texts.items():
        got = match(text)
        assert not got.ids and got.why, where


@pytest.mark.parametrize(
    "was, now",
    [
        ("any person", "any hobbyist"), ("and/or sell ", ""), ("publish, ", ""), ("sublicense, ", ""),
        ("free of charge, ", ""), ("free of charge", "for a charge"), ("without restriction", "with restriction"),
        ("AUTHORS OR\nCOPYRIGHT HOLDERS BE", "AUTHORS, IF PAID, BE"),
    ],
)  # fmt: skip
def test_a_word_less_or_another_one_makes_another_licence(was, now):
    assert was in PLAIN and match(PLAIN).ids == ("MIT",)
    assert not match(PLAIN.replace(was, now)).ids


def test_what_was_put_in_is_quoted():
    got = match(PLAIN + "\nMuseums are excluded.")
    assert got.how == "changed" and '"museums are excluded"' in got.why


@pytest.mark.parametrize(
    "also",
    ["Copyright (c) 1999-2024 M\u00fcller & S\u00f6hne GmbH <mail@example.org>", "All rights reserved.", "MIT License",
     "The MIT License (MIT)", "https://opensource.org/licenses/MIT", "<br>", "(c) 2024 J. W. Kim, Inc. and others"],
)  # fmt: skip
def test_who_holds_the_copyright_and_a_title_change_nothing(also):
    assert match(f"{also}\n{PLAIN}").ids == ("MIT",)


def test_the_long_text_without_its_appendix_is_the_same_licence(apache):
    terms = apache[: apache.index("END OF TERMS AND CONDITIONS") + 27]
    assert match(terms).ids == ("Apache-2.0",) and not match(terms + "\nNo galleries.").ids


@pytest.mark.parametrize(
    "where, llama, hunyuan",
    [
        ("Germany", "refuse", "refuse"), ("Europe", "refuse", "refuse"), ("UE", "refuse", "refuse"),
        ("U.K.", "duties", "refuse"), ("Republic of Korea", "duties", "refuse"), ("JP", "duties", "duties"),
        ("Bavaria", "ask", "ask"), ("D", "ask", "ask"), ("ZZ", "ask", "ask"), ("E U", "ask", "ask"),
    ],
)  # fmt: skip
def test_a_territory_that_is_not_understood_is_not_known(where, llama, hunyuan):
    """It was taken for a country outside the European Union once."""
    assert judged("llama4", "exhibit-free", Operator(territory=where)) == llama
    assert judged("tencent-hunyuan-community", "exhibit-free", Operator(territory=where)) == hunyuan
