"""`civitai:`, against a service on the loopback that answers as the documented API does."""

from __future__ import annotations

import hashlib
import json

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.fetch import fetch

from .conftest import Shelf, card, reply

BLOB = b"a style that somebody trained" * 9000
SHA = hashlib.sha256(BLOB).hexdigest()
TOKEN = "0123456789abcdef"


@pytest.fixture
def service(serve, monkeypatch):
    """Version 128 has two files; the download leads to another host, as the real one does."""
    storage = serve(Shelf({"/signed": BLOB}, cut=(100_000,)))
    ask_who = []

    def answer(request):
        allowed = not ask_who or request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if request.path == "/api/v1/model-versions/128":
            files = [
                {"name": "other.ckpt", "downloadUrl": f"{server.url}/other", "hashes": {"SHA256": "F" * 64}},
                {
                    "name": "w.safetensors",
                    "downloadUrl": f"{server.url}/api/download/128",
                    "hashes": {"SHA256": SHA.upper()},
                },
                {"name": "no hash", "downloadUrl": f"{server.url}/other", "hashes": {}},
            ]
            reply(request, json.dumps({"id": 128, "files": files}).encode(), Content_Type="application/json")
        elif request.path == "/api/download/128" and allowed:
            reply(request, b"", 307, Location=f"{storage.url}/signed")
        else:
            reply(request, b'{"error": "no"}', 404 if allowed else 401)

    server = serve(answer)
    server.storage, server.ask_who = storage, ask_who
    monkeypatch.setenv("CIVITAI_URL", server.url)
    monkeypatch.delenv("CIVITAI_API_TOKEN", raising=False)
    return server


def test_the_file_with_the_card_s_hash_is_taken_and_a_cut_taken_up(home, service):
    fetch([card(w={"from": "civitai:128", "blob": BLOB})])
    assert store.path_of(SHA).read_bytes() == BLOB
    assert [h.get("Range") for _, _, h in service.storage.asked] == [None, "bytes=100000-"]


def test_the_key_goes_to_the_service_and_to_nobody_else(home, service, monkeypatch):
    service.ask_who.append(True)
    one = card(w={"from": "civitai:128", "blob": BLOB})
    with pytest.raises(ModelFault) as fault:
        fetch([one])
    assert "answered 401" in fault.value.what and "CIVITAI_API_TOKEN" in fault.value.hint
    monkeypatch.setenv("CIVITAI_API_TOKEN", TOKEN)
    fetch([one])
    assert store.has(one.files["w"]) and all("Authorization" not in h for _, _, h in service.storage.asked)


def test_a_version_that_is_another_or_not_there(home, service):
    for source, blob, part in (
        ("civitai:128", b"another", "version 128 holds another file than the card means .other.ckpt, w.safetensors"),
        ("civitai:999", BLOB, "answered 404"),
        ("civitai:latest", BLOB, "is no source"),
    ):
        with pytest.raises(ModelFault, match=part):
            fetch([card(w={"from": source, "blob": blob})])
