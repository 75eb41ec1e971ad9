"""The command line, called as a function and as a program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pleinair import cli, folders

from ..conftest import GALLERY_WEIGHTS


@dataclass
class Called:
    """What a verb answered. `found`: the JSON object of --json."""

    code: int
    out: str
    said: str
    found: Any = None


@pytest.fixture
def home(weights, tmp_path, monkeypatch) -> Path:
    """A home of this test's own, with the weights in it as copies: what is flipped or removed here is nobody else's."""
    from pleinair.models import store
    from pleinair.models.card import find_card

    before, folder = folders.data_dir(), tmp_path / "home"
    files = [f for name in GALLERY_WEIGHTS for f in find_card(name).needed.values()]
    for place in [store.path_of(file.sha256) for file in files]:
        copy = folder / place.relative_to(before)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place, copy)
    if (before / "cache" / "backends").is_dir():
        shutil.copytree(before / "cache" / "backends", folder / "cache" / "backends")
    monkeypatch.setenv("PLEINAIR_HOME", str(folder))
    return folder


@pytest.fixture
def empty_home(tmp_path, monkeypatch) -> Path:
    """A home in which nothing is yet."""
    folder = tmp_path / "empty"
    monkeypatch.setenv("PLEINAIR_HOME", str(folder))
    return folder


@pytest.fixture
def call(capsys, tmp_path) -> Callable[..., Called]:
    """`call("check", "mirror")`; `--json` is added, and its object is in `found`."""

    def run(*argv: object, json_too: bool = True) -> Called:
        place = tmp_path / "found.json"
        place.unlink(missing_ok=True)
        arguments = [str(a) for a in argv] + (["--json", str(place)] if json_too else [])
        try:
            code = cli.main(arguments)
        except SystemExit as left:  # argparse: the call was wrong
            code = int(left.code or 0)
        out, said = capsys.readouterr()
        return Called(code, out, said, json.loads(place.read_text("utf-8")) if place.exists() else None)

    return run


def program(*argv: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The same as a program of its own."""
    command = [sys.executable, "-m", "pleinair", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
