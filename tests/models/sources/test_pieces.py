"""Files in parts, and files that are made out of others at fetch."""

from __future__ import annotations

import hashlib

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import convert, store
from pleinair.models import fetch as fetching
from pleinair.models.fetch import fetch, take_local

from .conftest import card

PARTS = [b"one " * 4000, b"two " * 3000, b"three"]
WHOLE = b"".join(PARTS)


@pytest.fixture
def in_parts(home, tmp_path):
    for n, part in enumerate(PARTS):
        (tmp_path / f"{n}").write_bytes(part)
    return card(
        network={
            "blob": WHOLE,
            "parts": [{"from": f"file:{tmp_path / str(n)}", "blob": p} for n, p in enumerate(PARTS)],
        }
    )


def test_parts_are_joined_and_thrown_away(in_parts):
    got = fetch([in_parts])
    assert [f.how for f in got] == ["joined out of 3 parts"] and store.read(in_parts, "network") == WHOLE
    assert [p.name for p in store.blobs()] == [hashlib.sha256(WHOLE).hexdigest()]
    assert [f.how for f in fetch([in_parts])] == ["there already"]


def test_parts_that_came_before_a_cut_are_not_brought_again(in_parts, tmp_path):
    last = tmp_path / "2"
    last.rename(tmp_path / "away")
    with pytest.raises(ModelFault, match="there is no file 2"):
        fetch([in_parts])
    for n in range(2):
        (tmp_path / f"{n}").unlink()
    (tmp_path / "away").rename(last)
    fetch([in_parts])
    assert store.read(in_parts, "network") == WHOLE and len(list(store.blobs())) == 1


def test_a_part_that_is_another_is_refused(in_parts, tmp_path):
    (tmp_path / "1").write_bytes(PARTS[1][:-1] + b"?")
    with pytest.raises(ModelFault, match="the card says"):
        fetch([in_parts])


def test_parts_that_do_not_make_what_the_card_means_are_refused(home, tmp_path):
    (tmp_path / "0").write_bytes(PARTS[0])
    part = {"from": f"file:{tmp_path / '0'}", "blob": PARTS[0]}
    with pytest.raises(ModelFault, match="the card says"):
        fetch([card(network={"blob": PARTS[0][:-1] + b"?", "parts": [part]})])


@pytest.fixture
def made(home, tmp_path, monkeypatch):
    """A file that a converter makes out of two: `made(result)`."""
    calls = []

    def make(name, files, options):
        calls.append((name, dict(files), dict(options)))
        return files["graph"] + files["weights"] + options["tail"].encode()

    monkeypatch.setattr(convert, "make", make)
    for role in ("graph", "weights"):
        (tmp_path / role).write_bytes(role.encode() * 10)
    raw = {role: {"from": f"file:{tmp_path / role}", "blob": role.encode() * 10} for role in ("graph", "weights")}

    def build(result: bytes, tail: str = "!"):
        return card(options={"tail": tail}, network={"blob": result, "made": "tfjs", "of": ["graph", "weights"]}, **raw)

    build.calls = calls
    return build


MADE = b"graph" * 10 + b"weights" * 10 + b"!"


def test_a_file_is_made_once_and_what_it_was_made_of_goes(made):
    mine = made(MADE)
    got = fetch([mine])
    assert [(f.name, f.how) for f in got] == [("network", "made by tfjs out of graph, weights")]
    assert store.read(mine, "network") == MADE and not store.missing(mine)
    assert [p.name for p in store.blobs()] == [hashlib.sha256(MADE).hexdigest()]
    fetch([mine])
    assert [c[0] for c in made.calls] == ["tfjs"]
    assert all(v.state == "whole" for v in store.verify([mine]))


def test_another_result_than_the_card_pins_is_refused(made):
    with pytest.raises(ModelFault, match="the converter tfjs made another network"):
        fetch([made(MADE[:-1] + b"?")])


def test_a_card_of_one_s_own_in_local_files_is_made_without_a_fetch(made):
    mine = made(MADE)
    take_local(mine)
    assert store.read(mine, "network") == MADE


def test_a_raw_file_that_another_process_threw_away_is_brought_again(made, monkeypatch):
    mine = made(MADE)
    bring = fetching._Bringer.bring

    def thrown_away(self, card, file):
        bring(self, card, file)
        if file.role == "weights" and not thrown:
            thrown.append(file)
            store.discard(file.sha256)

    thrown: list = []
    monkeypatch.setattr(fetching._Bringer, "bring", thrown_away)
    fetch([mine])
    assert thrown and store.read(mine, "network") == MADE
