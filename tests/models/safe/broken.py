"""Files that are not what they say, by hand, in classes; here those of words, and what is no model at all."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator

import numpy as np

from . import making, torches
from .broken_arrays import npz_broken, numpy_broken, zipped
from .broken_networks import onnx_broken, onnx_outside, tflite_broken
from .broken_tables import ct2_broken, gguf_broken, safetensors_broken


def json_broken() -> Iterator[tuple[str, bytes]]:
    good = making.words(9)
    for n in range(1, 12):
        yield f"cut at {n}/12", good[: len(good) * n // 12]
    yield from {
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep tables": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "a name twice": b'{"a":1,"a":2}',
        "spelt twice": b'{"a":1,"\\u0061":2}',
        "NaN": b'{"a":NaN}',
        "Infinity": b"[Infinity]",
        "a comma too many": b'{"a":1,}',
        "a comma too few": b'{"a":1 "b":2}',
        "a colon too few": b'{"a" 1}',
        "brackets": b'{"a":[1}',
        "brackets crossed": b"[{]}",
        "something behind": b"{} {}",
        "a pickle behind": b"{}\x80\x04N.",
        "single quotes": b"{'a':1}",
        "no quotes": b"{a:1}",
        "a comment": b"{/* */}",
        "a line in a text": b'{"a":"\n"}',
        "a bad escape": b'{"a":"\\x41"}',
        "no UTF-8": b'{"a":"\xff"}',
        "half a character": b'{"a":"\xe2\x98"}',
        "a number with a zero": b"[01]",
        "a number with a dot": b"[1.]",
        "plus": b"[+1]",
        "an endless number": b"[1" + b"0" * 9999 + b"]",
        "a key that is a number": b"{1:2}",
        "an empty item": b"[1,,2]",
        "a closing comma": b"[1,]",
        "a mark before": b"\xef\xbb\xbf{}",
        "NUL": b'{"a":"\0"}',
        "a colon in a list": b'["a":1]',
        "an open text": b'{"a":"',
    }.items()
    for path in ("../w.bin", "/etc/passwd", "C:\\w", "\\\\host\\w"):
        yield f"tfjs {path}", making.tfjs(1, path=path)
    for shape in ([-1, 2], [1 << 40, 1 << 40], [1] * 20, [1 << 62, 4], [2.5]):
        yield f"tfjs {shape[:3]}", making.tfjs(1, shape=shape)


def foreign() -> Iterator[tuple[str, bytes]]:
    """What lands in a download folder by mistake, or on purpose: none of it is a model."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    body = b"echo harm\n" * 20
    yield from {
        "tar": out.getvalue(),
        "gzip": gzip.compress(body),
        "zlib": zlib.compress(body),
        "zip": zipped({"a.txt": body}),
        "zip that climbs": zipped({"../../evil.sh": body}),
        "empty zip": zipped({}),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(60),
        "xz": b"\xfd7zXZ\0" + bytes(60),
        "bzip2": b"BZh91AY&SY" + bytes(60),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(60),
        "ELF": b"\x7fELF\x02\x01\x01" + bytes(120),
        "Windows": b"MZ\x90\0" + bytes(120),
        "macOS": b"\xcf\xfa\xed\xfe" + bytes(120),
        "Java": b"\xca\xfe\xba\xbe" + bytes(60),
        "script": b"#!/bin/sh\nrm -rf /\n",
        "HTML": b"<!DOCTYPE html><html><body>404</body></html>",
        "html": b"\n\n <html><script>x</script></html>",
        "XML": b"<?xml version='1.0'?><net/>",
        "SVG": b"<svg onload='x'/>",
        "PHP": b"<?php system('id'); ?>",
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(60),
        "PDF": b"%PDF-1.7\n" + bytes(60),
        "SQLite": b"SQLite format 3\0" + bytes(60),
        "LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
        "film": b"\0\0\0\x20ftypisom" + bytes(60),
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(60),
        "JPEG": b"\xff\xd8\xff\xe0" + bytes(60),
        "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(60),
        "nothing": b"",
        "one byte": b"\0",
        "zeros": bytes(4096),
        "noise": np.random.default_rng(1).bytes(4096),
        "0xff": b"\xff" * 4096,
        "torch zip": torches.zipped({"a": np.zeros(4, np.float32)}),
        "torch row": torches.in_a_row({"a": np.zeros(4, np.float32)}),
    }.items()


CLASSES = {
    "onnx-outside": (onnx_outside, "onnx"),
    "onnx": (onnx_broken, "onnx"),
    "gguf": (gguf_broken, "gguf"),
    "safetensors": (safetensors_broken, "safetensors"),
    "tflite": (tflite_broken, "tflite"),
    "npy": (numpy_broken, "npy"),
    "npz": (npz_broken, "npz"),
    "ctranslate2": (ct2_broken, "bin"),
    "json": (json_broken, "json"),
    "foreign": (foreign, "onnx"),
}
"""Class -> (what makes its files, the ending that they are given)."""
