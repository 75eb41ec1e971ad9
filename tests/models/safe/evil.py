"""Pickles that would run something, if anybody read them: they leave a mark in a folder, or call a port.

None of them is loaded in this process; that they do harm is shown by `test_pickles.py` in a process of its own.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

from . import broken, making, torches


class Call:
    """Pickles as a call of any function by name."""

    def __init__(self, function: str, *args, state=None) -> None:
        self.function, self.args, self.state = function, args, state


def assembled(call: Call, protocol: int) -> bytes:
    """The pickle of a call, written instruction by instruction: no module needs to be there."""
    module, _, name = call.function.rpartition(".")
    if protocol < 2:
        head, args = f"c{module}\n{name}\n".encode(), b"".join(_old(a) for a in call.args)
    else:
        head = b"\x80%c" % protocol
        if protocol >= 4:
            head += _text(module, protocol) + _text(name, protocol) + b"\x93"
        else:
            head += f"c{module}\n{name}\n".encode()
        args = b"".join(assembled(a, protocol)[2:-1] if isinstance(a, Call) else _text(a, protocol) for a in call.args)
    return head + b"(" + args + b"tR."


def _old(value) -> bytes:
    if isinstance(value, Call):
        return assembled(value, 0)[:-1]
    return b"V" + value.encode("raw_unicode_escape") + b"\n"


def _text(value, protocol: int) -> bytes:
    raw = value.encode()
    return b"\x8c%c" % len(raw) + raw if protocol >= 4 and len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def calls(mark: str, port: int) -> dict[str, Call]:
    """Ten ways to do harm."""
    touch = f"touch {mark}"
    return {
        "os.system": Call("os.system", touch),
        "posix.system": Call("posix.system", touch),
        "subprocess": Call("subprocess.getoutput", touch),
        "eval": Call("builtins.eval", f"open({mark!r}, 'w')"),
        "exec": Call("builtins.exec", f"open({mark!r}, 'w')"),
        "importlib": Call("builtins.getattr", Call("importlib.import_module", "os"), "system"),
        "http.client": Call("http.client.HTTPConnection", "127.0.0.1"),
        "urlopen": Call("urllib.request.urlopen", f"http://127.0.0.1:{port}/"),
        "open": Call("io.open", mark, "w"),
        "runpy": Call("runpy.run_path", mark),
    }


def pickles(mark: str, port: int) -> Iterator[tuple[str, bytes]]:
    """More than fifty, each under another coat."""
    every = calls(mark, port)
    for n, (label, call) in enumerate(every.items()):
        for protocol in (0, 2, 4) if n % 2 else (0, 3, 5):
            yield f"{label}, protocol {protocol}", assembled(call, protocol)
    raw = assembled(every["os.system"], 4)
    old = assembled(every["os.system"], 0)
    yield "INST", b"(V" + f"touch {mark}".encode() + b"\nios\nsystem\n."
    yield "OBJ", b"(cos\nsystem\nV" + f"touch {mark}".encode() + b"\no."
    yield "NEWOBJ", b"\x80\x02cos\nsystem\n(X\x02\0\0\0idt\x81."
    yield "behind a line", b"# a vocabulary\n" + old
    yield "behind junk", b"GGML" + bytes(60) + raw
    yield "behind a memo", b"\x80\x04\x8c\x01a\x94h\x00" + raw[2:]
    yield "in gzip", gzip.compress(raw)
    yield "in zlib", zlib.compress(raw)
    yield "in bz2", bz2.compress(raw)
    yield "in xz", lzma.compress(raw)
    yield "by joblib", b"\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x15joblib.numpy_pickle\x94\x8c\x05hello\x93\x94)R."
    arrays = {"a": np.zeros(4, np.float32)}
    yield "in torch's zip", torches.zipped(arrays, raw)
    yield "in torch's row", torches.in_a_row(arrays, raw)
    yield "in a zip", broken.zipped({"data.pkl": raw})
    yield "in a zip, unnamed", broken.zipped({"weights": raw})
    yield "in a packed zip", broken.zipped({"archive/data.pkl": raw}, zipfile.ZIP_DEFLATED)
    yield "beside an array", broken.zipped({"a.npy": making.npy(4), "b.npy": raw})
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], object), allow_pickle=True)
    yield "in an array of objects", objects.getvalue()
    yield "in an array in a zip", broken.zipped({"a.npy": objects.getvalue()})
    yield "in base64", b"\x80\x04" + codecs.encode(raw, "base64")
    yield "behind a network", making.onnx(1) + raw
    yield "behind numbers", making.safetensors(3) + raw
    yield "behind tensors", making.gguf(3) + raw
    yield "behind tables", making.ct2(3) + raw
    yield "as the header of numbers", making.header_of(raw)
    yield "plain data", pickle.dumps({"weights": list(range(40))}, 4)
    yield "a state dict of bytes", pickle.dumps({"w": b"x" * 200}, 2)


NAMES = (
    "weights.onnx", "weights.safetensors", "weights.gguf", "weights.npz", "weights.tflite", "weights.json", "model.bin",
    "vocab.txt", "weights.pt", "weights.pkl", "weights",
)  # fmt: skip
