"""What every test may ask for.

Tests have a home of their own, `.cache/pleinair` in this checkout (git-ignored) unless PLEINAIR_HOME names another:
what they fetch stays there, so that a machine fetches it once, and nothing of the user's is touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = Path(os.environ.get("PLEINAIR_HOME") or ROOT / ".cache" / "pleinair")
os.environ["PLEINAIR_HOME"] = str(HOME)
GALLERY_WEIGHTS = ("multistyle26", "anystyle", "bigbuckbunny", "carphone")


def pytest_configure(config: pytest.Config) -> None:
    """Locks and cards that an earlier session left would decide things in this one."""
    if HOME == ROOT / ".cache" / "pleinair":
        for left in ("pieces", "cards"):
            shutil.rmtree(HOME / left, ignore_errors=True)


@pytest.fixture
def write_piece(tmp_path: Path) -> Callable[..., Path]:
    """`write_piece(python, toml="", name="piece")`: a piece's folder. `from pleinair import *` and `piece = Piece()`
    are put in front where they are missing."""

    def write(python: str, toml: str = "", name: str = "piece") -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        if "Piece()" not in python:
            python = "from pleinair import *\nfrom pleinair import Piece\npiece = Piece()\n" + python
        (folder / "piece.py").write_text(python, "utf-8")
        if toml:
            (folder / "piece.toml").write_text(toml, "utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def weights() -> None:
    """The gallery's weights and clip, fetched once into whatever store this machine has."""
    from pleinair.models.fetch import fetch

    fetch(GALLERY_WEIGHTS)
