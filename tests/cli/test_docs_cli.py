"""docs/cli.md is made of the help texts, and is current."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pleinair.cli import docs

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse lays its help out in another way since 3.13")
def test_the_page_is_what_the_help_says():
    assert PAGE.read_text("utf-8") == docs.text(), "make docs writes it again"
