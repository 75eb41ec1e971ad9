"""Pickles, under any name and in any coat, are refused; nothing in them is run."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.safe import RAW, check, pickles, torch_zip

from . import evil, making

WATCHED = (
    "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect",
    "socket.getaddrinfo", "urllib.Request", "exec", "compile", "import", "open", "ctypes.dlopen",
)  # fmt: skip
_seen: list[tuple] | None = None


def _hook(event: str, args: tuple) -> None:
    if _seen is not None and event in WATCHED:
        _seen.append((event, *map(str, args)))


@pytest.fixture
def watched():
    """What Python itself reports of programs, imports, files and sockets while a test runs."""
    global _seen
    if not getattr(_hook, "set", False):
        sys.addaudithook(_hook)
        _hook.set = True
    for _, _, blob in making.valid():  # imports what it needs, before we look
        check(blob)
    with pytest.raises(ModelFault):
        check(b"(V1\ni__builtin__\nint\n.")
    _seen = []
    yield _seen
    _seen = None


@pytest.fixture
def port():
    """A port on this machine that notes whoever calls."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        called: list[bool] = []

        def listen() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    called.append(True)
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], called
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_fifty_pickles_under_every_name(tmp_path, watched, port):
    mark = tmp_path / "ran"
    made = list(evil.pickles(str(mark), port[0]))
    assert len(made) >= 50
    del watched[:]
    for label, blob in made:
        for name in evil.NAMES:
            with pytest.raises(ModelFault) as fault:
                check(blob, name)
            assert fault.value.what and fault.value.now and fault.value.hint, label
    assert not watched, watched[:5]
    assert not mark.exists() and not port[1]


def test_a_converters_door_is_not_open_to_them_either(tmp_path):
    """Where numbers and torch files may be read, a pickle is neither."""
    for label, blob in evil.pickles(str(tmp_path / "ran"), 9):
        try:
            found = check(blob, "weights.bin", RAW)
        except ModelFault:
            continue
        assert found.format in ("torch", "numbers"), label
        if found.format == "torch":
            with pytest.raises(ModelFault, match="cannot be used"):
                torch_zip.tensors(blob)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_these_pickles_do_harm_where_they_are_read(tmp_path, protocol):
    """The control: Python's own reader runs them."""
    blob = evil.assembled(evil.calls(str(tmp_path / "ran"), 9)["os.system"], protocol)
    read = "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"
    subprocess.run([sys.executable, "-c", read], input=blob, check=True)
    assert (tmp_path / "ran").exists()


def test_words_and_numbers_are_no_pickles():
    import numpy as np

    for seed in range(40):
        dice = np.random.default_rng(seed)
        for blob in (
            dice.standard_normal(60_000).astype("<f4").tobytes(),
            dice.bytes(250_000),
            making.text(500 + seed),
        ):
            assert not pickles.find(memoryview(blob))
