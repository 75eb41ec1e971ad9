"""`hf:`, with the real huggingface_hub against a hub on the loopback."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import partial, store
from pleinair.models.fetch import fetch

from .conftest import Shelf, card, reply

constants = pytest.importorskip("huggingface_hub.constants", reason="the extra hub is not installed")

BLOB = b"".join(b"%07d " % n for n in range(256_000))  # 2 MB of a vocabulary
SHA = hashlib.sha256(BLOB).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = f"hf:some/model@{COMMIT}/weights/w.onnx"


@pytest.fixture
def hub(serve, monkeypatch):
    """A hub with one repository, some/model, at one commit. `hub.shelf` decides about cuts and ranges."""
    shelf = Shelf({"/file": BLOB})

    def answer(request):
        start = f"/some/model/resolve/{COMMIT}/"
        if not request.path.startswith("/some/model/"):
            reply(request, b"", 401, X_Error_Code="RepoNotFound")
        elif server.gated and request.headers.get("Authorization") != "Bearer hf_mine":
            reply(request, b"", 403, X_Error_Code="GatedRepo")
        elif not request.path.startswith(start):
            reply(request, b"", 404, X_Error_Code="RevisionNotFound")
        elif request.path != f"{start}weights/w.onnx":
            reply(request, b"", 404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        elif request.command == "HEAD":
            headers = {
                "X-Repo-Commit": COMMIT,
                "ETag": f'"{SHA}"',
                "X-Linked-Size": str(len(BLOB)),
                "X-Linked-Etag": f'"{SHA}"',
            }
            reply(request, BLOB, **headers)
        else:
            request.path = "/file"
            shelf(request)

    server = serve(answer)
    server.shelf, server.gated = shelf, False
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        server.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    return server


def test_a_file_at_one_commit_is_brought(home, hub):
    seen = []
    (got,) = fetch([card(w={"from": SOURCE, "blob": BLOB})], lambda *step: seen.append(step))
    assert got.how == SOURCE and store.path_of(SHA).read_bytes() == BLOB and seen[-1] == ("w", len(BLOB), len(BLOB))
    assert {method for method, _, _ in hub.asked} == {"HEAD", "GET"}
    assert {path for _, path, _ in hub.asked} == {f"/some/model/resolve/{COMMIT}/weights/w.onnx"}  # nothing is reported


def test_a_cut_is_taken_up_where_it_stopped_by_the_next_fetch_too(home, hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)  # what the client writes at once
    partial.path_of(SHA).parent.mkdir(parents=True)
    partial.path_of(SHA).write_bytes(BLOB[:1_000_000])
    hub.shelf.cut = [500_000]
    fetch([card(w={"from": SOURCE, "blob": BLOB})])
    asked = [h.get("Range", h.get("range")) for method, _, h in hub.asked if method == "GET"]
    assert asked[0] == "bytes=1000000-" and asked[-1] == "bytes=1500000-"
    assert store.path_of(SHA).read_bytes() == BLOB


def test_a_hub_without_ranges_starts_over(home, hub):
    partial.path_of(SHA).parent.mkdir(parents=True)
    partial.path_of(SHA).write_bytes(BLOB[:1_000_000])
    hub.shelf.ranges = False
    fetch([card(w={"from": SOURCE, "blob": BLOB})])
    assert store.path_of(SHA).read_bytes() == BLOB


def test_a_branch_is_no_revision(home, hub):
    with pytest.raises(ModelFault) as fault:
        fetch([card(w={"from": "hf:some/model@main/w.onnx", "blob": BLOB})])
    assert '"main" is a name that moves' in fault.value.what and "40 hex digits" in fault.value.hint and not hub.asked


def test_what_is_not_there_is_a_sentence(home, hub):
    other = COMMIT[::-1]
    for source, part in (
        (f"hf:some/other@{COMMIT}/w.onnx", "there is no some/other on the hub"),
        (f"hf:some/model@{other}/w.onnx", "has no commit"),
        (f"hf:some/model@{COMMIT}/other.onnx", "holds no other.onnx"),
        (f"hf:some/model@{COMMIT}/../../x", "is no source"),
        ("hf:some/model/w.onnx", "is no source"),
    ):
        with pytest.raises(ModelFault, match=part):
            fetch([card(w={"from": source, "blob": BLOB})])


def test_terms_that_must_be_accepted_are_said(home, hub, monkeypatch):
    hub.gated = True
    one = card(w={"from": SOURCE, "blob": BLOB})
    with pytest.raises(ModelFault, match="accept its terms"):
        fetch([one])
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    fetch([one])
    assert store.has(one.files["w"])


def test_another_size_is_refused_before_a_byte_is_brought(home, hub):
    with pytest.raises(ModelFault, match="has 2048000 bytes there, and the card says 3"):
        fetch([card(w={"from": SOURCE, "blob": b"abc"})])
    assert {method for method, _, _ in hub.asked} == {"HEAD"}


def test_without_the_client_it_says_how_to_install_it(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelFault) as fault:
        fetch([card(w={"from": SOURCE, "blob": BLOB})])
    assert "pleinair[hub]" in fault.value.hint


def test_the_mirror_that_the_client_is_set_to_is_asked(home, hub):
    """In a process of its own, since the client reads HF_ENDPOINT when it is imported."""
    import os

    code = (
        "from tests.models.sources.conftest import card\nfrom pleinair.models.fetch import fetch\n"
        "from tests.models.sources.test_hub import BLOB, SOURCE\n"
        "fetch([card(w={'from': SOURCE, 'blob': BLOB})])\n"
        "import huggingface_hub.constants as c\nassert c.HF_HUB_DISABLE_TELEMETRY\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "HF_ENDPOINT": hub.url}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert hub.asked and store.path_of(SHA).read_bytes() == BLOB
