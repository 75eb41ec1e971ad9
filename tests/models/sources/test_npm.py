"""`npm:`, with the real npm (and without any) against a registry on the loopback."""

from __future__ import annotations

import shutil
import tarfile

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.fetch import fetch

from .conftest import card, packed

A, B = b"a weights file" * 500, b"another one" * 700

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm on this machine")


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


def test_a_package_or_a_version_or_a_file_that_there_is_not(home, registry):
    registry({"thing": ("1.0.0", packed({"a": A}))})
    for source, part in (
        ("npm:other@1.0.0/a", "npm found no other 1.0.0"),
        ("npm:thing@2.0.0/a", "npm found no thing 2.0.0"),
        ("npm:thing@1.0.0/b", "thing 1.0.0 holds no b"),
    ):
        with pytest.raises(ModelFault, match=part):
            fetch([card(a={"from": source, "blob": A})])


@pytest.mark.parametrize(
    "spec", ["thing@latest", "thing@^1.0.0", "thing", "git+ssh://x@1.0.0", "--registry=x@1.0.0", "../x@1.0.0"]
)
def test_only_one_exact_version_of_a_registry_s_package_is_a_source(home, registry, spec):
    server = registry({"thing": ("1.0.0", packed({"a": A}))})
    with pytest.raises(ModelFault, match="is no source"):
        fetch([card(a={"from": f"npm:{spec}/a", "blob": A})])
    assert not server.asked


def test_no_network_is_a_sentence(home, registry):
    server = registry({})
    server.npmrc.write_text("registry=http://127.0.0.1:9/\n")
    with pytest.raises(ModelFault) as fault:
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])
    assert "npm reached no package index" in fault.value.what and "npm config get registry" in fault.value.hint


def test_a_link_in_a_package_is_not_followed(home, registry):
    link = tarfile.TarInfo("package/a")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    registry({"thing": ("1.0.0", packed({"package.json": b"{}"}, extra=(link,)))})
    with pytest.raises(ModelFault, match="holds no a"):
        fetch([card(a={"from": "npm:thing@1.0.0/a", "blob": A})])
