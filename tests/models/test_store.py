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

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.card import Card, File

BLOB = b"plein air " * 1000
SHA = hashlib.sha256(BLOB).hexdigest()


def card(sha256: str = SHA, size: int = len(BLOB)) -> Card:
    return Card("test", "stylise", "Test", {"network": File("network", "a.onnx", (), sha256, size)})


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
