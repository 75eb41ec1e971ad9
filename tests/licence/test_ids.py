"""What people write for a licence: SPDX, hubs' tags, names; and what is not understood."""

from __future__ import annotations

import pytest

from pleinair.licence.ids import understood
from pleinair.licence.terms import rows


def numbers(text, name=""):
    return [[row.number for row, _ in group] for group in understood(text, name).together]


@pytest.mark.parametrize(
    "text, row",
    [
        ("Apache-2.0", 1), ("apache-2.0", 1), ("Apache License, Version 2.0", 1), ("license:apache-2.0", 1),
        ("MIT License", 2), ("The MIT License", 2), ("3-Clause BSD License", 3), ("cc0-1.0", 4), ("cc-by-4.0", 5),
        ("CC BY-NC 4.0", 7), ("creativeml-openrail-m", 11), ("openrail++", 12), ("bigscience-bloom-rail-1.0", 13),
        ("llama3.1", 16), ("llama4", 17), ("gemma", 18), ("flux-1-dev-non-commercial-license", 19),
        ("stabilityai-ai-community", 20), ("tencent-hunyuan-community", 23), ("tongyi-qianwen", 24),
        ("qwen-research", 25), ("GPL-2.0+", 39), ("AGPL-3.0-or-later", 31), ("OpenMDW-1.1", 10),
    ],
)  # fmt: skip
def test_spellings_of_hubs_and_people_are_understood(text, row):
    assert numbers(text) == [[row]]


def test_every_tag_and_identifier_of_the_table_finds_its_own_row():
    for row in rows():
        for text in (*row.ids, *row.tags, *row.spelt):
            assert numbers(text) == [[row.number]], text


STRANGE = [
    "",
    "   ",
    "other",
    "unknown",
    "foo",
    "MIT AND",
    "AND",
    "see LICENSE",
    "x" * 500,
    "MIT (non-commercial)",
    "MIT; v9",
]


@pytest.mark.parametrize("text", STRANGE)
def test_what_is_not_understood_is_unknown(text):
    assert any(37 in group for group in numbers(text))


def test_and_counts_all_and_or_lets_one_choose():
    assert numbers("MIT AND Apache-2.0") == [[2], [1]]
    assert numbers("Apache-2.0 OR BSD-3-Clause") == [[1, 3]]
    assert numbers("(MIT OR GPL-3.0-only) AND CC-BY-4.0") == [[2, 32], [5]]
    assert numbers("(MIT AND Apache-2.0) OR GPL-3.0-only") == [[2, 32], [1, 32]]
    assert numbers("MIT AND nonsense-9") == [[2], [37]]


def test_an_exception_is_named_and_the_licence_stays():
    said = understood("GPL-3.0-or-later WITH GCC-exception-3.1")
    assert said.exceptions == ("GCC-exception-3.1",) and said.together[0][0][0].number == 32


def test_a_models_name_tells_variants_of_one_licence_apart():
    assert numbers("llama3.2", "Llama-3.2-1B") == [[16]]
    assert numbers("llama3.2", "Llama-3.2-11B-Vision") == [[17]]
