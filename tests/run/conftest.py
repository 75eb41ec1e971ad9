"""A live run that is looked after, and one tape that many tests read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pleinair import Piece
from pleinair.run.lane import Lane
from pleinair.run.live import LiveRunner

from .parts import Log, Parts
from .tapes import COSTS, KNOBS, everything, record


@pytest.fixture
def run():
    """`run(piece, parts)` -> (runner, log), started; stopped and looked after at the end."""
    before = set(threading.enumerate())
    started = []

    def start(piece: Piece, parts: Parts | None = None, **options):
        log = Log()
        graph = piece.build(parts or Parts())
        runner = LiveRunner(graph, observers=[log, *options.pop("observers", [])], lane=Lane(), **options)
        started.append(runner)
        runner.start()
        return runner, log

    yield start
    for runner in started:
        runner.strict = False
        runner.stop()
    left = [t for t in set(threading.enumerate()) - before if t.name.startswith("pleinair") and "stuck" not in t.name]
    assert not left, left


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> tuple[Path, object]:
    """A tape of `everything`, and what makes it. Nobody writes on it: a test alters a copy."""
    folder = tmp_path_factory.mktemp("tapes") / "whole"
    make = everything()
    record(folder, make(), costs=COSTS, knobs=KNOBS, strict=False)
    return folder, make
