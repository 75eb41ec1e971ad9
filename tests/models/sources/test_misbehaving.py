"""Places that misbehave: what is brought all the same, and what becomes a sentence."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import partial, store
from pleinair.models.fetch import fetch
from pleinair.models.sources import web

from .conftest import Shelf, card, reply
from .test_hub import COMMIT, SOURCE, constants

BLOB = b"".join(b"%07d " % n for n in range(40_000))
SHA = hashlib.sha256(BLOB).hexdigest()
PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(web, "WAIT_S", 0.0)


def bring(server, path: str = "/w"):
    return fetch([card(w={"from": f"{server.url}{path}", "blob": BLOB})])


@pytest.mark.parametrize("length", [True, False])
def test_a_web_page_is_told_from_the_file(home, secure, length):
    def answer(request):
        request.send_response(200)
        if length:
            request.send_header("Content-Length", str(len(PAGE)))
        request.end_headers()
        request.wfile.write(PAGE)

    with pytest.raises(ModelFault, match="answers with a web page") as caught:
        bring(secure(answer))
    assert "sign in" in caught.value.hint and partial.size_of(partial.path_of(SHA)) == 0


@pytest.mark.parametrize("sized", [True, False])
def test_what_is_packed_on_the_way_is_unpacked(home, secure, sized):
    def answer(request):
        packed = gzip.compress(BLOB)
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        if sized:
            request.send_header("Content-Length", str(len(packed)))
        request.end_headers()
        request.wfile.write(packed)

    bring(secure(answer))
    assert store.path_of(SHA).read_bytes() == BLOB


def test_what_swells_on_the_way_is_cut_at_the_card_s_size(home, secure):
    server = secure(lambda request: reply(request, gzip.compress(bytes(50 << 20)), Content_Encoding="gzip"))
    with pytest.raises(ModelFault, match="larger than"):
        bring(server)
    assert partial.size_of(partial.path_of(SHA)) <= len(BLOB)


def busy(times: int, status: int, **headers: str):
    left, shelf = [times], Shelf({"/w": BLOB})

    def answer(request):
        if left[0]:
            left[0] -= 1
            return reply(request, b"", status, **headers)
        return shelf(request)

    return answer


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_asks_for_patience_gets_it(home, secure, monkeypatch, status):
    waited = []
    monkeypatch.setattr(web.time, "sleep", waited.append)
    bring(secure(busy(2, status, Retry_After="7")))
    assert store.path_of(SHA).read_bytes() == BLOB and waited == [7.0, 7.0]


def test_patience_has_an_end(home, secure, monkeypatch):
    monkeypatch.setattr(web.time, "sleep", lambda seconds: None)
    with pytest.raises(ModelFault, match="answered 429, 4 times"):
        bring(secure(busy(99, 429, Retry_After="7")))
    with pytest.raises(ModelFault, match="asks for 3600 s of patience"):
        bring(secure(busy(99, 429, Retry_After="3600")))
    with pytest.raises(ModelFault, match="answered 429 Too Many"):
        bring(secure(busy(99, 429)))


def test_what_came_before_the_line_went_silent_is_kept(home, secure, monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(web, "TRIES", 1)

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(BLOB)))
        request.end_headers()
        request.wfile.write(BLOB[:1000])
        request.wfile.flush()
        done.wait(5)

    import threading

    done = threading.Event()
    with pytest.raises(ModelFault) as caught:
        bring(secure(answer))
    done.set()
    assert "was cut after" in caught.value.what and partial.path_of(SHA).read_bytes() == BLOB[:1000]


@pytest.mark.parametrize("url", ["https://", "https://[::1", "https://a b/c", "https://a:99999/b", "https://a\nb/c"])
def test_what_is_no_address(home, url):
    with pytest.raises(ModelFault, match="is no address"):
        fetch([card(w={"from": url, "blob": BLOB})])


def test_no_password_in_an_address(home):
    with pytest.raises(ModelFault, match="a name and a password stand in the address") as caught:
        fetch([card(w={"from": "https://me:secret@127.0.0.1:9/w", "blob": BLOB})])
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named_without_its_password(home, secure, monkeypatch):
    server = secure(Shelf({"/w": BLOB}))
    for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://me:secret@127.0.0.1:9")
    with pytest.raises(ModelFault, match="cannot be reached") as caught:
        bring(server)
    assert "127.0.0.1:9" in caught.value.hint and "secret" not in str(caught.value)


@pytest.fixture
def hub(serve, monkeypatch):
    def start(answer, certificate=None):
        server = serve(answer, certificate)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        return server

    return start


def from_hub():
    return fetch([card(w={"from": SOURCE, "blob": BLOB})])


@pytest.mark.parametrize(("status", "hint"), [(429, "hf auth login"), (500, "wait a while"), (503, "wait a while")])
def test_a_hub_that_is_busy(home, hub, status, hint):
    hub(lambda request: reply(request, b"", status))
    with pytest.raises(ModelFault, match=f"it answered {status}") as caught:
        from_hub()
    assert hint in caught.value.hint


def test_what_answers_is_no_hub(home, hub):
    hub(lambda request: reply(request, PAGE, Content_Type="text/html"))
    with pytest.raises(ModelFault, match="what answers is no hub") as caught:
        from_hub()
    assert "HF_ENDPOINT" in caught.value.hint and "sign in" in caught.value.hint


def test_a_hub_whose_certificate_nobody_vouches_for(home, hub, certificate, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    hub(Shelf({}), certificate)
    with pytest.raises(ModelFault, match="its certificate was not accepted"):
        from_hub()


def test_a_hub_that_sends_elsewhere_is_followed_without_the_token(home, hub, serve, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    other = serve(Shelf({"/w": BLOB}))
    headers = {"X-Repo-Commit": COMMIT, "ETag": '"x"', "X-Linked-Size": str(len(BLOB))}
    elsewhere = other.url.replace("127.0.0.1", "localhost") + "/w"
    hub(lambda request: reply(request, b"", 302, Location=elsewhere, **headers))
    from_hub()
    assert store.path_of(SHA).read_bytes() == BLOB
    assert [k for _, _, told in other.asked for k in told if k.lower() == "authorization"] == []


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_an_npm_registry_that_does_not_give_it(home, serve, tmp_path, monkeypatch, status):
    for key in [k for k in os.environ if k.lower().startswith("npm_config_")]:
        monkeypatch.delenv(key)
    (tmp_path / "npmrc").write_text("fetch-retries=0\n")
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("npm_config_globalconfig", str(tmp_path / "none"))
    server = serve(lambda request: reply(request, b"{}", status))
    monkeypatch.setenv("npm_config_registry", server.url + "/")
    with pytest.raises(ModelFault, match=f"npm asks answered {status}") as caught:
        fetch([card(w={"from": "npm:some-weights@1.0.0/a/w", "blob": BLOB})])
    assert "npm config get registry" in caught.value.hint
