"""What a file is by its content: its name is never asked."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Any

from . import ct2, gguf, npz, pickles, safetensors, tflite, torch_zip
from .parts import Broken

MAX_TEXT = 64 << 20

FORMATS = {
    "onnx": "an ONNX network",
    "tflite": "a TFLite network",
    "safetensors": "a safetensors file",
    "gguf": "a GGUF file",
    "ctranslate2": "a CTranslate2 model",
    "npz": "arrays of numpy's (NPZ)",
    "npy": "an array of numpy's (NPY)",
    "json": "JSON",
    "text": "a text",
    "media": "a film, a sound or a picture",
    "torch": "a torch file, which is a pickle",
    "numbers": "bare numbers",
}
"""Every format that there is on the shelf, in words."""

LFS = b"version https://git-lfs"

# First bytes -> what it is. None of these is ever used as a model
_MAGIC = [
    (b"\x7fELF", "a program (for Linux)"),
    (b"MZ", "a program (for Windows)"),
    (b"\xcf\xfa\xed\xfe", "a program (for macOS)"),
    (b"\xce\xfa\xed\xfe", "a program (for macOS)"),
    (b"\xca\xfe\xba\xbe", "a program (for macOS or Java)"),
    (b"#!", "a script"),
    (b"<?php", "a script"),
    (b"\x1f\x8b", "a packed file (gzip)"),
    (b"BZh", "a packed file (bzip2)"),
    (b"\xfd7zXZ", "a packed file (xz)"),
    (b"\x28\xb5\x2f\xfd", "a packed file (zstd)"),
    (b"\x04\x22\x4d\x18", "a packed file (lz4)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!", "an archive (rar)"),
    (b"\x89HDF", "an HDF5 file (Keras), which may hold programs"),
    (b"%PDF", "a PDF"),
    (b"SQLite format", "a database"),
    (LFS, "a note that the file lies elsewhere (git LFS): what was downloaded is not the file"),
    (b"\x0b\x05", "a pickle packed by joblib"),
    (b"lmgg", "a network of whisper.cpp (GGML), from before GGUF"),
    (b"7767517\n", "a network of NCNN"),
]
_HINTS = {
    "git LFS": "git lfs pull, or download the file itself from its page",
    "web page": "open its address in a browser: it may want you to sign in, or to accept terms",
    "packed file": "unpack it, and use what is in it",
    "archive": "unpack it, and use what is in it",
    "HDF5": "ask for the same network as ONNX (tf2onnx makes it of Keras's files)",
    "OpenVINO": "ask for the ONNX file that it was made of",
    "NCNN": "ask for the ONNX file that it was made of",
    "whisper.cpp": "ask for the same one for faster-whisper (CTranslate2)",
}
"""A word out of what it is -> what to do."""
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_MEDIA = re.compile(
    rb"(?s)....(?:ftyp|moov|mdat|wide|free|skip)|RIFF....(?:WAVE|AVI |WEBP)|FORM....AIF|GIF8|\x89PNG\r\n|\xff\xd8\xff"
    rb"|OggS|fLaC|ID3|\xff[\xfb\xf3\xf2]|\x1aE\xdf\xa3|II\x2a\x00|MM\x00\x2a|YUV4MPEG2|\x00\x00\x01\xba"
)
_HTML = re.compile(rb"(?i)\s*<(!doctype|html|head|body|script|\?xml|svg)")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


_OURS: tuple[tuple[str, Callable[[memoryview], Any]], ...] = (  # a torch file is a zip as an npz is: it is asked first
    ("gguf", gguf.is_gguf),
    ("tflite", tflite.is_tflite),
    ("npy", npz.is_npy),
    ("torch", torch_zip.is_torch),
    ("npz", npz.is_npz),
    ("ctranslate2", ct2.is_ct2),
    ("safetensors", safetensors.is_safetensors),
    ("media", lambda view: _MEDIA.match(bytes(view[:16]))),
)


def by_magic(view: memoryview) -> str:
    """One of FORMATS where the first bytes tell, "" where they do not."""
    return next((form for form, is_it in _OURS if is_it(view)), "")


def foreign(view: memoryview) -> str:
    """What a file is that no model can be, in words; "" where that cannot be said."""
    head = bytes(view[:512])
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    if head.startswith(b"PK"):
        return "an archive (zip)" + (", with a pickle in it" if _zipped_pickle(view) else "")
    if head[257:262] == b"ustar":
        return "an archive (tar)"
    if b"<net " in head and b"version=" in head:
        return "a network of OpenVINO, whose numbers are in another file"
    if _HTML.match(head):
        return "a web page: what was downloaded is not the file"
    if _ZLIB.match(head):
        return "a packed file (zlib)"
    return ""


def is_page(head: bytes) -> bool:
    """Whether these first bytes are a web page's."""
    return bool(_HTML.match(head[:512]))


def hint(what: str) -> str:
    """What to do about such a file; "" where there is nothing better than to fetch it again."""
    return next((deed for word, deed in _HINTS.items() if word in what), "")


def _zipped_pickle(view: memoryview) -> bool:
    from . import zipped

    try:
        for entry in zipped.entries(view)[:64]:
            head = memoryview(zipped.unpack(view, entry, 4096))
            if entry.name.endswith((".pkl", ".pickle")) or pickles.find(head):
                return True
    except Broken:
        pass
    return False


def is_text(view: memoryview) -> bool:
    """UTF-8 without control characters, all of it."""
    if len(view) > MAX_TEXT:
        return False
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for at in range(0, len(view), 65536):
            piece = view[at : at + 65536]
            if _CONTROL.search(piece):
                return False
            decode(piece)
        decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


_JSON = re.compile(rb"[ \t\r\n]*[\[{]")


def is_json(view: memoryview) -> bool:
    return bool(_JSON.match(view[:256]))
