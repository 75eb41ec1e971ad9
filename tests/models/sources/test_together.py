"""Two processes at once, a disk that is full, a network that is unplugged: each for real."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading

import pytest

from pleinair.models import partial, store
from pleinair.models.fetch import fetch

from .conftest import Shelf, card

BLOB = b"".join(b"%07d " % n for n in range(256_000))  # 2 MB of a vocabulary
SHA = hashlib.sha256(BLOB).hexdigest()

FETCH = """
import sys
from pleinair.core.errors import Fault
from pleinair.models import partial, store
from pleinair.models.fetch import fetch
from tests.models.sources.conftest import card
from tests.models.sources.test_together import BLOB
{before}
try:
    print(*[f.how for f in fetch([card(w={{"from": sys.argv[1], "blob": BLOB}})])])
except Fault as fault:
    print(fault)
"""


def namespace(*kinds: str) -> list[str]:
    """`unshare` with these options, where this machine lets us."""
    for user in ([], ["-r"]):
        command = ["unshare", *user, *kinds]
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return command
    pytest.skip("this machine gives no namespaces")


def run(source: str, *, before: str = "", wrapped: tuple[str, ...] = ()) -> str:
    command = [*wrapped, sys.executable, "-c", FETCH.format(before=before), source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_that_want_the_same_file_bring_it_once(home, secure):
    shelf, go = Shelf({"/w": BLOB}), threading.Event()

    def answer(request):
        go.wait(30)
        shelf(request)

    server = secure(answer)
    telling = "locked = partial._try\ndef told(lock):\n    mine = locked(lock)\n    "
    telling += "print('mine' if mine else 'waiting', flush=True)\n    return mine\npartial._try = told"
    command = [sys.executable, "-c", FETCH.format(before=telling), f"{server.url}/w"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.stdout.readline().strip() for process in both]
    assert sorted(said) == ["mine", "waiting"]
    go.set()
    ends = [process.communicate(timeout=60)[0].split("\n") for process in both]
    assert {lines[-2] for lines in ends} == {f"{server.url}/w", "there already"}
    assert [path for _, path, _ in server.asked] == ["/w"] and store.path_of(SHA).read_bytes() == BLOB


def test_a_process_that_was_killed_keeps_nobody_waiting_and_its_beginning_is_used(home, secure):
    shelf, asked = Shelf({"/w": BLOB}), threading.Event()

    def answer(request):
        if asked.is_set():
            return shelf(request)
        request.send_response(200)
        request.send_header("Content-Length", str(len(BLOB)))
        request.end_headers()
        request.wfile.write(BLOB[:800_000])
        request.wfile.flush()
        asked.set()
        return request.rfile.read()  # until the other side is gone

    server = secure(answer)
    command = [sys.executable, "-c", FETCH.format(before=""), f"{server.url}/w"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    asked.wait(30)
    place = partial.path_of(SHA)
    while first.poll() is None and not (place.exists() and place.stat().st_size >= 524_288):
        pass
    first.kill()
    first.wait()
    had = place.stat().st_size
    assert run(f"{server.url}/w").strip() == f"{server.url}/w"
    assert server.asked[-1][2]["Range"] == f"bytes={had}-" and store.path_of(SHA).read_bytes() == BLOB


@pytest.fixture
def small_disk(home) -> tuple[str, ...]:
    """A home on a disk of 1 MB."""
    unshare = namespace("-m")
    home.mkdir()
    mount = f'mount -t tmpfs -o size=1m tmpfs "{home}" && exec "$@"'
    return (*unshare, "sh", "-c", mount, "sh")


def test_a_disk_without_room_is_said_before_anything_is_downloaded(home, secure, small_disk):
    server = secure(Shelf({"/w": BLOB}))
    said = run(f"{server.url}/w", wrapped=small_disk)
    assert "the disk is full: 2.0 MB are needed, and 1.0 MB are free" in said and "PLEINAIR_HOME" in said
    assert not server.asked


@pytest.mark.parametrize("scheme", ["https", "pypi", "npm", "file"])
def test_a_disk_that_fills_up_meanwhile_is_a_sentence(scheme, home, secure, small_disk, index, registry, tmp_path):
    from .conftest import packed

    noise = hashlib.shake_256(b"").digest(len(BLOB))  # it must not pack well
    registry({"thing": ("1.0.0", packed({"w": noise}))})
    index("boxed", "1.0", {"boxed/w": noise})
    (tmp_path / "w").write_bytes(BLOB)
    source = {
        "https": f"{secure(Shelf({'/w': BLOB})).url}/w",
        "pypi": "pypi:boxed==1.0/boxed/w",
        "npm": "npm:thing@1.0.0/w",
        "file": f"file:{tmp_path / 'w'}",
    }[scheme]
    said = run(source, before="store.room_for = lambda count: None", wrapped=small_disk)
    assert said.startswith("the disk is full\n") and "PLEINAIR_HOME" in said


def test_with_the_network_unplugged_what_is_here_works_and_what_is_missing_says_how(home, secure):
    server = secure(Shelf({"/w": BLOB}))
    unplugged = tuple(namespace("-n"))
    said = run(f"{server.url}/w", wrapped=unplugged, before="import pleinair.models.sources.web as w\nw.WAIT_S = 0")
    assert "localhost cannot be reached" in said and "is there a network? Then fetch again" in said
    fetch([card(w={"from": f"{server.url}/w", "blob": BLOB})])
    assert run(f"{server.url}/w", wrapped=unplugged).strip() == "there already"
