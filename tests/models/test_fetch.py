"""Fetching, with the user's own pip set to a folder of wheels. No test here needs a network."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap

import pytest

from pleinair.core.errors import ModelFault
from pleinair.licence import of_card, verdict
from pleinair.models import clip_path, store
from pleinair.models.card import Card, File, find_card
from pleinair.models.fetch import fetch

A, B = b"a weights file" * 500, b"another one" * 700


def card(name: str, *entries: tuple[str, bytes], package: str = "boxed==1.0", sha256: str | None = None) -> Card:
    files = {
        path: File(path, path, (f"pypi:{package}/boxed/{path}",), sha256 or hashlib.sha256(b).hexdigest(), len(b))
        for path, b in entries
    }
    return Card(name, "stylise", name, files)


def test_one_download_serves_every_file_of_a_wheel(home, index, monkeypatch):
    index("boxed", "1.0", {"boxed/a": A, "boxed/b": B, "boxed/__init__.py": b"raise SystemExit('imported')"})
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(a) or popen(*a, **k))
    seen = []
    cards = [card("one", ("a", A), ("b", B)), card("two", ("a", A))]
    got = fetch(cards, lambda *step: seen.append(step))
    assert len(started) == 1 and {(f.card, f.name) for f in got} == {("one", "a"), ("one", "b"), ("two", "a")}
    assert store.read(cards[0], "b") == B
    assert seen[-1] == ("boxed 1.0", len(A) + len(B), len(A) + len(B))
    assert [f.how for f in fetch(cards)] == ["there already"] * 3 and len(started) == 1
    assert not any((home / "store" / "tmp").iterdir())


def test_a_wheel_without_the_file_is_a_sentence(home, index):
    index("boxed", "1.0", {"boxed/b": B})
    with pytest.raises(ModelFault, match="boxed 1.0 holds no boxed/a"):
        fetch([card("one", ("a", A))])


def test_another_file_than_the_card_means_is_refused(home, index):
    index("boxed", "1.0", {"boxed/a": A})
    with pytest.raises(ModelFault) as fault:
        fetch([card("one", ("a", A), sha256="0" * 64)])
    assert "the card says 000000000000" in fault.value.what and fault.value.now == "nothing was put into the store"
    assert not list(store.blobs())


def test_a_wheel_cut_in_half_is_refused_and_fetched_again(home, index):
    wheel = index("boxed", "1.0", {"boxed/a": A})
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFault):
        fetch([card("one", ("a", A))])
    assert not list(store.blobs())
    wheel.write_bytes(whole)
    fetch([card("one", ("a", A))])
    assert store.read(card("one", ("a", A)), "a") == A


def test_a_fetch_that_was_killed_leaves_nothing_half_done(home, index):
    index("boxed", "1.0", {"boxed/a": A})
    killed = textwrap.dedent("""
        import os, sys
        from tests.models.test_fetch import A, card
        from pleinair.models import store
        from pleinair.models.fetch import fetch
        settle = store._settle
        store._settle = lambda draft, place: (draft.write_bytes(A[:100]), os._exit(9))
        fetch([card("one", ("a", A))])
    """)
    assert subprocess.run([sys.executable, "-c", killed]).returncode == 9
    assert any((home / "store" / "tmp").iterdir()) and not list(store.blobs())
    fetch([card("one", ("a", A))])
    assert store.read(card("one", ("a", A)), "a") == A
    assert not any((home / "store" / "tmp").iterdir())


def test_a_damaged_file_in_the_store_is_brought_again(home, index):
    index("boxed", "1.0", {"boxed/a": A})
    one = card("one", ("a", A))
    fetch([one])
    place = store.path(one, "a")
    place.chmod(0o644)
    place.write_bytes(A[:-1] + b"?")
    assert fetch([one])[0].how.startswith("pypi:")
    assert store.read(one, "a") == A


def test_a_package_that_the_index_lacks(home, index):
    with pytest.raises(ModelFault) as fault:
        fetch([card("one", ("a", A))])
    assert "pip found no boxed 1.0" in fault.value.what and "pip config list" in fault.value.hint


def test_no_network_is_a_sentence(home, index, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelFault) as fault:
        fetch([card("one", ("a", A))])
    assert "reached no package index" in fault.value.what and "network" in fault.value.hint


def test_only_wheels_are_taken_because_a_source_archive_would_run(home, index):
    import io
    import tarfile

    ran = home.parent / "ran"
    with tarfile.open(index.folder / "boxed-1.0.tar.gz", "w:gz") as archive:
        setup = f"open({str(ran)!r}, 'w')".encode()
        for name, blob in (("setup.py", setup), ("boxed/a", A), ("PKG-INFO", b"Name: boxed\nVersion: 1.0\n")):
            entry = tarfile.TarInfo(f"boxed-1.0/{name}")
            entry.size = len(blob)
            archive.addfile(entry, io.BytesIO(blob))
    with pytest.raises(ModelFault):
        fetch([card("one", ("a", A))])
    assert not ran.exists()


def test_a_file_source_is_copied_and_checked(home, own_card, real_blob):
    folder = own_card(real_blob)
    got = fetch([str(folder)])
    assert got[0].how == "file:mine.onnx" and store.path_of(got[0].sha256).read_bytes() == real_blob


def test_a_file_source_cut_short_is_refused(home, own_card, real_blob):
    folder = own_card(real_blob)
    (folder / "mine.onnx").write_bytes(real_blob[:1000])
    with pytest.raises(ModelFault, match="has 1000 bytes, and the card says 751171: it was cut short"):
        fetch([str(folder)])
    assert not list(store.blobs())


def test_a_clip_that_lies_with_the_shelf_comes_from_there(tmp_path, monkeypatch):
    """Wherever one stands, and with no network: nobody lent a voice for it, so it may be shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))
    (got,) = fetch(["visitor"])
    assert got.how == "file:visitor.flac" and clip_path("visitor").is_file()
    assert verdict(of_card(find_card("visitor")), "exhibit-paid").verdict == "allow"
