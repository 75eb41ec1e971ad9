"""`npm:`, with the real npm (and without any) against a registry on the loopback."""

from __future__ import annotations

import shutil
import tarfile

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.fetch import fetch
from pleinair.models.sources import web

from .conftest import card, packed

A, B = b"a weights file" * 500, b"another one" * 700


@pytest.fixture(params=["npm", "without npm"], autouse=True)
def client(request, monkeypatch) -> str:
    """Everything here holds with the real npm and on a machine that has none."""
    which = shutil.which
    if request.param == "npm" and not which("npm"):
        pytest.skip("there is no npm on this machine")
    if request.param != "npm":
        monkeypatch.setattr(shutil, "which", lambda name, *a, **k: None if name == "npm" else which(name, *a, **k))
        monkeypatch.setattr(web, "WAIT_S", 0.0)
    return request.param


def archives(server) -> int:
    return sum(path.endswith(".tgz") for _, path, _ in server.asked)


def test_one_download_of_a_scoped_package_serves_every_file_of_it(home, registry):
    script = b'{"name":"@some/thing","version":"1.2.3","scripts":{"prepare":"touch ran","postinstall":"touch ran"}}'
    server = registry({"@some/thing": ("1.2.3", packed({"package.json": script, "w/a.bin": A, "w/b.bin": B}))})
    start = "npm:@some/thing@1.2.3/w"
    one = card("one", a={"from": f"{start}/a.bin", "blob": A}, b={"from": f"{start}/b.bin", "blob": B})
    two = card("two", a={"from": f"{start}/a.bin", "blob": A})
    seen = []
    got = fetch([one, two], lambda *step: seen.append(step))
    assert {(f.card, f.how) for f in got} == {
        ("one", f"{start}/a.bin"),
        ("one", f"{start}/b.bin"),
        ("two", f"{start}/a.bin"),
    }
    assert archives(server) == 1 and store.read(one, "b") == B
    assert seen[-1] == ("@some/thing 1.2.3", len(A) + len(B), len(A) + len(B))
    assert not list(home.rglob("ran")) and not any((home / "store" / "tmp").iterdir())
    assert {f.how for f in fetch([one, two])} == {"there already"} and archives(server) == 1


def test_a_package_whose_archive_is_not_what_the_registry_states(home, registry):
    registry({"thing": ("1.0.0", packed({"a": A}))}, spoilt=("thing",))
    with pytest.raises(ModelFault, match="thing 1.0.0 arrived damaged"):
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])
    assert not list(store.blobs())


def test_a_package_or_a_version_or_a_file_that_there_is_not(home, registry, client):
    registry({"thing": ("1.0.0", packed({"a": A}))})
    says = "npm found no {}" if client == "npm" else "registry holds no {}|answered 404"
    for source, part in (
        ("npm:other@1.0.0/a", says.format("other 1.0.0")),
        ("npm:thing@2.0.0/a", says.format("thing 2.0.0")),
        ("npm:thing@1.0.0/b", "thing 1.0.0 holds no b"),
    ):
        with pytest.raises(ModelFault, match=part):
            fetch([card(a={"from": source, "blob": A})])


def test_the_token_of_the_user_s_configuration_is_sent(home, registry, monkeypatch):
    server = registry({"@some/thing": ("1.0.0", packed({"a": A}))})
    server.token = "0123456789"
    host = server.url.removeprefix("http:")
    monkeypatch.setenv("MY_TOKEN", server.token)
    server.npmrc.write_text(f"# mine\n@some:registry={server.url}/\n{host}/:_authToken=${{MY_TOKEN}}\n")
    fetch([card(a={"from": "npm:@some/thing@1.0.0/a", "blob": A})])
    assert len(list(store.blobs())) == 1


@pytest.mark.parametrize(
    "spec",
    [
        "thing@latest",
        "thing@^1.0.0",
        "thing",
        "git+ssh://x@1.0.0",
        "--registry=x@1.0.0",
        "--version@1.0.0",
        "@-a/b@1.0.0",
        "../x@1.0.0",
    ],
)
def test_only_one_exact_version_of_a_registry_s_package_is_a_source(home, registry, spec):
    server = registry({"thing": ("1.0.0", packed({"a": A}))})
    with pytest.raises(ModelFault, match="is no source"):
        fetch([card(a={"from": f"npm:{spec}/a", "blob": A})])
    assert not server.asked


def test_no_network_is_a_sentence(home, registry, client):
    server = registry({})
    server.npmrc.write_text("registry=http://127.0.0.1:9/\n")
    with pytest.raises(ModelFault) as fault:
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])
    if client == "npm":
        assert "npm reached no package index" in fault.value.what and "npm config get registry" in fault.value.hint
    else:
        assert "127.0.0.1 does not answer" in fault.value.what


def test_a_link_in_a_package_is_not_followed(home, registry):
    link = tarfile.TarInfo("package/a")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    registry({"thing": ("1.0.0", packed({"package.json": b"{}"}, extra=(link,)))})
    with pytest.raises(ModelFault, match="holds no a"):
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])


@pytest.mark.parametrize("client", ["without npm"], indirect=True)
def test_without_npm_and_without_a_configuration_it_says_what_to_do(home, registry, client):
    registry({}).npmrc.write_text("")
    with pytest.raises(ModelFault) as fault:
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])
    assert "no npm here, and no npm registry is set" in fault.value.what and "install Node.js" in fault.value.hint
