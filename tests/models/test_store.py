"""The store: whole files only, by hash, whoever writes at the same time."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.models import places, store
from pleinair.models.adding import add, look, restored
from pleinair.models.card import Card, File, find_card
from pleinair.models.fetch import fetch

from .adding.test_brought import small

BLOB = b"plein air " * 1000
SHA = hashlib.sha256(BLOB).hexdigest()


def card(sha256: str = SHA, size: int = len(BLOB)) -> Card:
    return Card("test", "stylise", "Test", {"network": File("network", "a.onnx", ("pypi:a==1/a.onnx",), sha256, size)})


def test_importing_and_asking_writes_nothing(home):
    assert store.missing(card()) and not store.verify()
    assert not home.exists()


def test_what_is_put_in_is_read_only_and_whole(home):
    assert store.put(io.BytesIO(BLOB), None, "a") == (SHA, len(BLOB))
    place = store.path(card(), "network")
    assert store.read(card(), "network") == BLOB
    assert not place.stat().st_mode & 0o222
    assert [v.state for v in store.verify([card()])] == ["whole"]
    assert not any((home / "store" / "tmp").iterdir())


def test_missing_weights_name_the_command_that_brings_them(home):
    with pytest.raises(ModelFault) as fault:
        store.path(card(), "network")
    assert "not on this computer" in fault.value.what and "pleinair fetch test" in fault.value.hint


@pytest.mark.parametrize("spoil", [lambda b: b[:-5], lambda b: b"X" + b[1:]])
def test_a_changed_or_cut_file_is_found_when_it_is_read(home, spoil):
    store.put(io.BytesIO(BLOB), None, "a")
    place = store.path_of(SHA)
    place.chmod(0o644)
    place.write_bytes(spoil(BLOB))
    with pytest.raises(ModelFault, match="is not the one that the card means"):
        store.read(card(), "network")
    assert [v.state for v in store.verify()] == ["changed"]


def test_more_bytes_than_the_card_gives_are_not_even_read(home):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, n=-1):
            self.taken += n
            return b"x" * n

    endless = Endless()
    with pytest.raises(ModelFault, match="larger than"):
        store.put(endless, card().files["network"], "a")
    assert endless.taken <= len(BLOB) + 1
    assert not list(store.blobs())


def test_a_full_disk_is_a_sentence(home, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(ModelFault) as fault:
        store.put(io.BytesIO(BLOB), None, "a")
    assert fault.value.what == "the disk is full" and "PLEINAIR_HOME" in fault.value.hint
    assert not list(store.blobs()) and not any((home / "store" / "tmp").iterdir())


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "file"))  # a file where a folder should be: root is refused too
    with pytest.raises(ModelFault) as fault:
        store.put(io.BytesIO(BLOB), None, "a")
    assert "PLEINAIR_HOME" in fault.value.hint


def test_many_at_once_put_the_same_file(home):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: store.put(io.BytesIO(BLOB), None, "a"), range(32)))
    assert found == {(SHA, len(BLOB))} and store.read(card(), "network") == BLOB


def test_what_a_killed_process_left_is_swept_up(home):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = home / "store" / "tmp" / f"{gone.stdout.strip()}-half"
    ours = home / "store" / "tmp" / f"{os.getpid()}-busy"
    left.mkdir(parents=True)
    ours.mkdir()
    (left / "file").write_bytes(b"half")
    store.put(io.BytesIO(BLOB), None, "a")
    assert not left.exists() and ours.exists()


def test_prune_keeps_what_a_card_names(home):
    store.put(io.BytesIO(BLOB), None, "a")
    other, _ = store.put(io.BytesIO(b"other"), None, "b")
    assert store.prune([card()]) == [(other, 5)]
    assert store.read(card(), "network") == BLOB


def test_what_is_no_file_of_the_store_is_named_and_left_alone(home):
    root = folders.store_dir() / "sha256"
    store.put(io.BytesIO(b"a"), None, "a")
    (root / "hello.txt").write_text("hi")
    (root / "ab" / ("a" * 64)).mkdir(parents=True)
    (root / "cd").mkdir()
    (root / "cd" / ("ab" * 32)).write_bytes(b"in the wrong drawer")
    assert {p.name for p in store.strangers()} == {"hello.txt", "a" * 64, "ab" * 32}
    assert len(list(store.blobs())) == 1 and len(store.prune([])) == 1
    assert len(store.strangers()) == 3


def test_two_that_prune_at_once_do_not_meet(home, monkeypatch):
    sha256, _ = store.put(io.BytesIO(b"a"), None, "a")
    found = list(places.strays([]))
    store.discard(sha256)
    monkeypatch.setattr(places, "strays", lambda keep: found)
    assert store.prune([]) == []


def test_a_file_of_ones_own_that_was_lost_is_not_to_be_fetched(own_card, real_blob):
    """It has no source: `fetch` could not bring it, and what is left of it is kept."""
    path = own_card(real_blob) / "card.toml"
    path.write_text(path.read_text().replace('from = ["file:mine.onnx"]\n', ""))
    card = find_card(path)
    sha256, _ = store.put(io.BytesIO(real_blob), None, "mine")
    place = store.path_of(sha256)
    place.chmod(0o600)
    place.write_bytes(b"X" + real_blob[1:])
    with pytest.raises(ModelFault) as caught:
        store.read(card, "network")
    assert "models add mine.onnx" in caught.value.hint
    with pytest.raises(ModelFault, match="does not say where"):
        fetch([card])
    assert place.is_file()
    store.discard(sha256)
    with pytest.raises(ModelFault) as caught:
        store.path(card, "network")
    assert "models add mine.onnx" in caught.value.hint


def test_a_file_that_is_added_again_puts_back_what_was_lost(home, tmp_path):
    (tmp_path / "mine.onnx").write_bytes(small())
    card, _ = add(tmp_path / "mine.onnx", "mine", "", "", folders.cards_dir())
    place = store.path_of(card.files["network"].sha256)
    place.chmod(0o600)
    place.write_bytes(b"spoilt")
    found = restored(look(tmp_path / "mine.onnx"))
    assert found is not None and found.name == "mine" and store.verify_one(place).state == "whole"
    (tmp_path / "mine.onnx").write_bytes(small(names="{0: 'a', 1: 'b', 2: 'c'}"))
    assert restored(look(tmp_path / "mine.onnx")) is None
