"""Licence texts are known by hash, then by likeness; what was slipped in is seen; tags that lie are reported.

No licence's text is kept here: the short ones are written out, since they ask to be copied, and the long one is taken
from the packages that carry it.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from pleinair.licence.texts import ALIKE, match, sketch, words

MIT = """MIT License

Copyright (c) {who}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@pytest.fixture(scope="module")
def apache() -> str:
    """As this project's own LICENSE carries it."""
    return (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize(
    "who", ["2022 OpenAI", "2023 Ada Lovelace <ada@example.org>", "1999-2026 A, B and C. All rights reserved."]
)
def test_a_text_is_known_whoever_holds_the_copyright(who):
    got = match(MIT.format(who=who))
    assert got.ids == ("MIT",) and got.how == "exact"


def test_line_breaks_case_quotes_and_titles_do_not_matter():
    text = MIT.format(who="2022 X").replace("\n", " \r\n  ").upper().replace('"', "\u201d")
    assert match(text.split("\n", 1)[1]).ids == ("MIT",)
    assert match("# " + MIT.format(who="2022 X")).ids == ("MIT",)


def test_the_long_text_is_known_as_projects_carry_it(apache):
    got = match(apache)
    assert got.ids == ("Apache-2.0",) and got.likeness >= ALIKE


@pytest.mark.parametrize(
    "more",
    [
        "This software may not be used for commercial purposes.",
        "Use is permitted for research purposes only.",
        "You must not use this model in the European Union.",
        "No use in any museum or exhibition.",
        "The Software shall not be sold.",
        "Licensees with annual revenue above one million dollars need a paid licence.",
    ],
)
def test_a_restriction_that_was_slipped_into_a_known_text_makes_it_unknown(apache, more):
    middle = apache.index("3. Grant of Patent License")
    for text in (
        apache + "\n" + more,
        apache[:middle] + more + "\n\n   " + apache[middle:],
        MIT.format(who="X") + more,
    ):
        got = match(text)
        assert not got.ids and got.how in ("changed", "unknown"), got
        assert got.why


def test_what_is_said_of_a_slipped_in_word_names_it(apache):
    got = match(apache + "\nThis software may not be used for commercial purposes.")
    assert got.how == "changed" and "Apache" in got.why and "commercial" in got.why


@pytest.mark.parametrize("text", ["", "\n\n", "Do what you like.", "All rights reserved.", "lorem ipsum dolor " * 400])
def test_a_text_that_nobody_knows_is_unknown(text):
    assert match(text).ids == () and match(text).how == "unknown"


def test_half_a_licence_is_no_licence(apache):
    assert match(apache[: len(apache) // 2]).ids == ()


def test_the_sketch_estimates_the_likeness_of_shingles():
    rng = np.random.default_rng(5)
    vocabulary = [f"w{i}" for i in range(400)]
    a = [vocabulary[i] for i in rng.integers(0, 400, 1500)]
    for share in (0.0, 0.5, 1.0):
        cut = int(len(a) * share)
        b = a[:cut] + [f"x{i}" for i in range(len(a) - cut)]
        shingles = [{" ".join(t[i : i + 3]) for i in range(len(t) - 2)} for t in (a, b)]
        exact = len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
        assert abs(np.mean(sketch(a) == sketch(b)) - exact) < 0.12


def test_words_leave_out_who_holds_the_copyright_and_keep_what_is_granted():
    assert words("Copyright (c) 2020 Ada\nYou may use it.") == ["you", "may", "use", "it"]
    assert "copyright" in words("Copyright Black Forest Labs grants you nothing at all, " + "and so on " * 30)


def test_licences_that_installed_packages_carry_are_recognised():
    """Apache's text inside wheels: an appendix more or less, another year."""
    known = 0
    for name in ("openvino", "license-expression", "aiohttp", "platformdirs", "rich", "qoi"):
        files = [
            f
            for f in metadata.files(name) or []
            if f.name.upper().startswith(("LICENSE", "LICENCE")) and f.suffix in ("", ".txt")
        ]
        known += any(match(f.locate().read_text("utf-8")).ids for f in files)
    assert known >= 3
