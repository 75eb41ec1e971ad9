"""What every test may ask for.

Tests have a home of their own, `.cache/pleinair` in this checkout (git-ignored) unless PLEINAIR_HOME names another:
what they fetch stays there, so that a machine fetches it once, and nothing of the user's is touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
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


@pytest.fixture(scope="session")
def tflites() -> dict[str, bytes]:
    """MediaPipe's networks as they were published, by their roles ("mesh_tflite"); "tflite" is that of the mask. Cards
    keep only what is made of them. All lie in one wheel."""
    from pleinair.models import store
    from pleinair.models.card import find_card
    from pleinair.models.fetch import fetch

    files = {}
    for name in ("faces", "hands", "pose", "person_mask"):
        files |= {role: file for role, file in find_card(name).files.items() if role.endswith("tflite")}
    card = replace(find_card("faces"), name="mediapipe", files=files)
    fetch([card])
    return {role: store.read(card, role) for role in files}
