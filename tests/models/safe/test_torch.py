"""torch's own files: tensors come out, in a process of its own, and nothing in them is run."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.safe import jail, torch_zip
from pleinair.models.safe.parts import Broken

from . import torches
from .broken_torch import ARRAYS, torch_broken


@pytest.mark.parametrize("layout", [torches.zipped, torches.in_a_row])
def test_every_tensor_comes_out_as_it_went_in(layout):
    found = torch_zip.tensors(layout(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_from_a_path_too(tmp_path):
    (tmp_path / "w.pth").write_bytes(torches.zipped(ARRAYS))
    np.testing.assert_array_equal(torch_zip.tensors(tmp_path / "w.pth")["half"], ARRAYS["half"])


def test_views_of_one_storage_are_cut_out_of_it():
    base = np.arange(12, dtype=np.float32)
    pickle = torches.state({"t": base}, shape=(4, 2), strides=(1, 4), offset=2)
    np.testing.assert_array_equal(
        torch_zip.tensors(torches.zipped({"t": base}, pickle))["t"], np.stack([base[2:6], base[6:10]], 1)
    )


@pytest.mark.parametrize(
    "odd", [{"offset": 1}, {"shape": (5, 5)}, {"strides": (100, 1)}, {"count": 13}, {"shape": (1 << 62, 4)}]
)
def test_a_tensor_that_reaches_beyond_its_numbers(odd):
    base = np.arange(12, dtype=np.float32).reshape(3, 4)
    with pytest.raises(ModelFault, match="cannot be used"):
        torch_zip.tensors(torches.zipped({"t": base}, torches.state({"t": base}, **odd)))


@pytest.mark.parametrize("word", [b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nload\n", b"ctorch._utils\nexec\n"])
@pytest.mark.parametrize("layout", [torches.zipped, torches.in_a_row])
def test_a_pickle_that_wants_something_run(layout, word, tmp_path):
    canary = tmp_path / "ran"
    pickle = torches.PROTO + word + b"(" + torches.text(f"touch {canary}") + b"tR."
    with pytest.raises(ModelFault) as fault:
        torch_zip.tensors(layout(ARRAYS, pickle))
    assert "asks Python to run" in fault.value.what and "safetensors" in fault.value.hint and not canary.exists()


def test_torchscript_is_a_program():
    with pytest.raises(ModelFault, match="TorchScript"):
        torch_zip.tensors(torches.zipped(ARRAYS, extra={"archive/code/__torch__.py": b"def f(): pass"}))


def test_a_file_that_is_one_tensor_and_no_more():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    blob = torches.zipped({"x": array}, torches.PROTO + torches.tensor("0", array, False) + torches.STOP)
    ((name, found),) = torch_zip.tensors(blob).items()
    assert name == "tensor" and (found == array).all()


def test_a_list_that_would_swell():
    """Ten lists, each of ten of the one before: a gigabyte of nothing, if it were followed."""
    pickle = torches.PROTO + b"](K\x01eq\x00" + b"".join(b"](" + b"h%c" % n * 10 + b"eq%c" % (n + 1) for n in range(12))
    with pytest.raises(ModelFault, match="cannot be used"):
        torch_zip.tensors(torches.zipped({}, pickle + torches.STOP))


def test_torch_files_that_are_not_what_they_say():
    """In this process, where a crash would be seen; the jail turns whatever happens into a sentence."""
    count = 0
    for label, blob in torch_broken():
        with pytest.raises(Broken) as error:
            torch_zip.convert(memoryview(blob))
        assert str(error.value).isprintable(), label
        count += 1
    assert count >= 80


def answer(view: memoryview) -> bytes:
    """Runs in the jail: tries every door."""
    import os
    import socket

    tries = {
        "file": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "write": lambda: os.open("/tmp/pleinair-jail-test", os.O_CREAT | os.O_WRONLY),
        "socket": lambda: socket.socket(),
        "fork": os.fork,
        "program": lambda: os.execv("/bin/true", ["true"]),
        "memory": lambda: bytearray(8 << 30),
    }
    shut = []
    for name, door in tries.items():
        try:
            door()
        except (OSError, MemoryError):
            shut.append(name)
    return " ".join(shut).encode()


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_the_reader_sits_behind_shut_doors():
    assert jail.call("tests.models.safe.test_torch:answer", b"", 1000) == b"file write socket fork program memory"


def slow(view: memoryview) -> bytes:
    while True:
        pass


def test_a_reader_that_does_not_end_is_ended():
    with pytest.raises(Broken, match="longer than any honest file"):
        jail.call("tests.models.safe.test_torch:slow", b"", 10, seconds=1.5)
