"""`https:`, over real TLS to the loopback: ranges, redirects, cuts, mirrors."""

from __future__ import annotations

import hashlib

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import partial, store
from pleinair.models.fetch import fetch
from pleinair.models.sources import web

from .conftest import Shelf, card

BLOB = b"".join(b"%07d " % n for n in range(256_000))  # 2 MB of a vocabulary
SHA = hashlib.sha256(BLOB).hexdigest()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(web, "WAIT_S", 0.0)


def ranges(server) -> list[str]:
    return [headers.get("Range", "") for _, _, headers in server.asked]


def test_a_file_is_brought_and_its_progress_told(home, secure):
    server = secure(Shelf({"/w": BLOB}))
    seen = []
    got = fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})], lambda *step: seen.append(step))
    assert got[0].how == f"{server.url}/w" and store.path_of(SHA).read_bytes() == BLOB
    assert seen[-1] == ("w", len(BLOB), len(BLOB)) and not any((home / "store" / "partial").iterdir())


def test_a_cut_line_goes_on_from_where_it_stopped(home, secure):
    server = secure(Shelf({"/w": BLOB}, cut=(700_000, 300_000)))
    fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert ranges(server) == ["", "bytes=700000-", "bytes=1000000-"] and store.path_of(SHA).read_bytes() == BLOB


def test_a_fetch_that_failed_half_way_goes_on_at_the_next(home, secure):
    shelf = Shelf({"/w": BLOB}, cut=(500_000, 0, 0, 0, 0))
    server = secure(shelf)
    one = card(w={"from": f"{server.url}/w", "blob": BLOB})
    with pytest.raises(ModelFault) as fault:
        fetch([one])
    assert "cut after 0.5 of 2.0 MB" in fault.value.what and "goes on from there" in fault.value.hint
    assert not list(store.blobs()) and partial.path_of(SHA).stat().st_size == 500_000
    shelf.cut.clear()
    fetch([one])
    assert ranges(server)[-1] == "bytes=500000-" and store.path_of(SHA).read_bytes() == BLOB


def test_a_server_without_ranges_starts_over(home, secure):
    server = secure(Shelf({"/w": BLOB}, ranges=False, cut=(600_000,)))
    fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert store.path_of(SHA).read_bytes() == BLOB


def test_a_wrong_beginning_is_thrown_away_and_brought_once_more(home, secure):
    server = secure(Shelf({"/w": BLOB}))
    partial.path_of(SHA).parent.mkdir(parents=True)
    partial.path_of(SHA).write_bytes(b"?" * 1_000_000)
    fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert ranges(server) == ["bytes=1000000-", ""] and store.path_of(SHA).read_bytes() == BLOB


def test_a_server_that_begins_again_and_says_that_it_does_not(home, secure):
    """`206`, the right range, and the whole file: what is too much is found, and it is brought once more."""

    def answer(request):
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        request.send_response(206 if start else 200)
        request.send_header("Content-Range", f"bytes {start}-{len(BLOB) - 1}/{len(BLOB)}")
        request.end_headers()
        request.wfile.write(BLOB)

    server = secure(answer)
    partial.path_of(SHA).parent.mkdir(parents=True)
    partial.path_of(SHA).write_bytes(BLOB[:1000])
    fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert ranges(server) == ["bytes=1000-", ""] and store.path_of(SHA).read_bytes() == BLOB


def test_a_mirror_is_as_good_as_the_original_and_goes_on_where_it_stopped(home, secure):
    first = secure(Shelf({"/w": BLOB}, cut=(900_000, 0, 0, 0, 0)))
    second = secure(Shelf({"/mirror": BLOB}))
    sources = [f"{first.url}/gone", f"{first.url}/w", f"{second.url}/mirror"]
    (got,) = fetch([card(w={"from": sources, "blob": BLOB})])
    assert got.how == sources[2] and ranges(second) == ["bytes=900000-"]
    assert "answered 404" in got.failed[0] and "was cut after 0.9" in got.failed[1]
    assert store.path_of(SHA).read_bytes() == BLOB


def test_a_source_with_another_file_is_passed_over(home, secure):
    server = secure(Shelf({"/other": BLOB[:-1] + b"?", "/short": BLOB[:-1], "/w": BLOB}))
    (got,) = fetch([card(w={"from": [f"{server.url}/{n}" for n in ("other", "short", "w")], "blob": BLOB})])
    assert got.how.endswith("/w") and "the card says" in got.failed[0] and "has 2047999 bytes there" in got.failed[1]


def test_where_no_source_gives_it_each_is_named(home, secure):
    server = secure(Shelf({}))
    with pytest.raises(ModelFault) as fault:
        fetch([card(w={"from": [f"{server.url}/a", f"{server.url}/b"], "blob": BLOB})])
    assert "none of the 2 places" in fault.value.what
    assert f"{server.url}/a: " in fault.value.where and f"{server.url}/b: " in fault.value.where


def test_a_redirect_is_followed_and_credentials_stay_at_home(home, secure):
    far = secure(Shelf({"/w": BLOB}))
    shelf = Shelf({})
    near = secure(shelf)
    shelf.redirects = {"/w": "/again", "/again": f"{far.url}/w"}
    mine = card(w={"from": [], "blob": BLOB}).files["w"]
    web.download(f"{near.url}/w", mine, lambda *_: None, {"Authorization": "Bearer secret"})
    assert [h.get("Authorization") for _, _, h in near.asked] == ["Bearer secret"] * 2
    assert [h.get("Authorization") for _, _, h in far.asked] == [None] and store.has(mine)


@pytest.mark.parametrize("target", ["http://localhost:{port}/w", "file:///etc/hostname", "ftp://localhost/w"])
def test_a_redirect_leads_to_https_or_nowhere(home, secure, serve, target):
    plain = serve(Shelf({"/w": BLOB}))
    shelf = Shelf({})
    server = secure(shelf)
    shelf.redirects = {"/w": target.format(port=plain.server_address[1])}
    with pytest.raises(ModelFault, match="is not a safe way"):
        fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert not plain.asked and not list(store.blobs())


def test_redirects_without_end_are_a_sentence(home, secure):
    shelf = Shelf({})
    server = secure(shelf)
    shelf.redirects = {"/w": "/w"}
    with pytest.raises(ModelFault, match="sends on and on"):
        fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert len(server.asked) == web.REDIRECTS


def test_a_stream_without_end_is_cut_at_the_card_s_size(home, secure):
    sent = []

    def endless(request):
        request.send_response(200)
        request.send_header("Connection", "close")
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 100_000)
            sent.append(100_000)

    server = secure(endless)
    with pytest.raises(ModelFault, match="is larger than the 2048000 bytes"):
        fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert not partial.path_of(SHA).exists() or partial.path_of(SHA).stat().st_size <= len(BLOB)


def test_a_certificate_that_nobody_vouches_for_is_refused(home, serve, certificate):
    server = serve(Shelf({"/w": BLOB}), certificate)
    with pytest.raises(ModelFault, match="certificate of localhost was not accepted"):
        fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])


@pytest.mark.parametrize(("status", "part"), [(401, "who asks"), (404, "newer card"), (503, "wait a while")])
def test_an_answer_that_is_no_file_is_a_sentence(home, secure, status, part):
    shelf = Shelf({})
    shelf.status = {"/w": status}
    server = secure(shelf)
    with pytest.raises(ModelFault) as fault:
        fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert str(status) in fault.value.what and part in fault.value.hint


def test_no_network_is_a_sentence(home):
    with pytest.raises(ModelFault) as fault:
        fetch([card(w={"from": "https://127.0.0.1:9/w", "blob": BLOB})])
    assert "127.0.0.1 cannot be reached" in fault.value.what and "is there a network?" in fault.value.hint
