"""docs/cli.md is made of the help texts, and is current; and every command that a page shows is one."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from bench.__main__ import ALL as BENCHES
from pleinair import cli
from pleinair.cli import docs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(program: str) -> list[tuple[str, ...]]:
    """What the pages call a program with: in backticks, and as lines of a block."""
    found = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        for told in re.findall(rf"`{program} ([^`\n]+)`|^{program} (.+)$", text, re.M):
            found.add(tuple(shlex.split("".join(told), comments=True)))
    return sorted(found)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse lays its help out in another way since 3.13")
def test_the_page_is_what_the_help_says():
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == docs.text(), "make docs writes it again"


@pytest.mark.parametrize("words", commands("pleinair"), ids=" ".join)
def test_a_command_that_a_page_shows_is_one_that_pleinair_takes(words, capsys):
    if words in [*((verb,) for verb in cli.VERBS), ("models", "add"), ("run", "--json")]:
        return  # it is only named
    try:
        assert cli.parser(words[0]).parse_args(words).main
    except SystemExit:
        pytest.fail(capsys.readouterr().err)


def test_benches_and_makes_targets_that_a_page_shows_are_there():
    benches = {word for words in commands("python -m bench") for word in words if not word.startswith("-")}
    assert benches and benches <= set(BENCHES)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert {words[0] for words in commands("make")} <= set(targets)
