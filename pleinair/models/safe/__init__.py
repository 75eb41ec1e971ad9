"""Is a model file what it says? Read as bytes, before any runtime sees it.

`check` knows the formats that may be used and refuses everything else: a list of what is allowed, since a list of what
is dangerous is never complete. docs/safety.md says it in other words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import ModelFault

RUNNABLE = frozenset({"onnx", "tflite", "safetensors", "gguf", "ctranslate2", "npz", "npy"})
"""What a runtime may be given."""
DATA = frozenset({"json", "text"})
"""What lies beside a model: vocabularies, lists, networks written as JSON."""
RAW = RUNNABLE | DATA | {"numbers", "torch", "archive"}
"""What a converter of ours may read besides, for files that are converted once and never run."""


@dataclass(frozen=True)
class Found:
    """A file that was checked.

    format   "onnx", "tflite", "safetensors", "gguf", "ctranslate2", "npz", "npy", "json", "text" (where they were
             allowed: "media", "numbers", "torch", "archive")
    summary  what that format's checker tells of it: wire.Summary, Tflite, Safetensors, Counted, CTranslate2, Npz,
             Array, Json; None where there is nothing to tell
    """

    format: str
    summary: Any = None


def check(
    data: bytes | bytearray | memoryview | Path | str, name: str = "", allow: Collection[str] = RUNNABLE | DATA
) -> Found:
    """What the file is, all of its structure looked at.

    data   its bytes, or a path: the file is mapped and never read whole
    name   what people call it
    allow  the formats that may be used here

    ModelFault, with a sentence, for every other format and for a file of a known one that is not exactly right. It
    needs a second at the most and no more memory than twice the file (and 8 MB); it never runs anything.
    """
    from .parts import Broken, refused, viewed

    name = _spoken(name or (Path(data).name if isinstance(data, (str, Path)) else "") or "it")
    with viewed(data) as view:
        try:
            return _checked(view, name, allow)
        except Broken as error:
            fault = refused(name, str(error), getattr(error, "hint", ""))
        except (RecursionError, MemoryError, OverflowError):
            fault = refused(name, "it is made to use up this computer's memory", "do not use this file")
    raise fault


def _checked(view: memoryview, name: str, allow: Collection[str]) -> Found:
    from . import ct2, gguf, npz, onnx, pickles, safetensors, tflite, what
    from .parts import Broken

    if not len(view):
        raise Broken("it is empty")
    checkers = {
        "gguf": gguf.check, "tflite": tflite.check, "npy": npz.check_npy, "npz": npz.check, "ctranslate2": ct2.check,
        "safetensors": safetensors.check,
    }  # fmt: skip
    kind = what.by_magic(view)
    if kind in checkers:
        _wanted(kind, allow, name)
        return Found(kind, checkers[kind](view))
    if "archive" in allow and name.lower().endswith(".tar.gz") and bytes(view[:2]) == b"\x1f\x8b":
        return Found("archive")  # a converter unpacks it, in memory and with a bound
    if kind == "torch" and "torch" not in allow:
        raise _pickled(name, "it is a torch file: a pickle, which can run anything")
    if kind:
        _wanted(kind, allow, name)
        return Found(kind)
    if pickles.find(view):
        raise _pickled(name, "it is a pickle, which can run anything")
    if other := what.foreign(view):
        if "pickle" in other:
            raise _pickled(name, f"it is {other}")
        error = Broken(f"it is {other}")
        error.hint = what.hint(other)
        raise error
    if what.is_text(view):
        return _words(view, name, allow)
    try:
        summary = onnx.check(view)
    except Broken as error:
        if "numbers" in allow and not name.lower().endswith((".onnx", ".ort")):
            return Found("numbers")
        raise _unknown(view, name, error) from None
    _wanted("onnx", allow, name)
    return Found("onnx", summary)


def _words(view: memoryview, name: str, allow: Collection[str]) -> Found:
    """JSON or plain text. A text that begins with a bracket (a vocabulary's "[PAD]") may be a text after all."""
    from . import jsontext, what
    from .parts import Broken

    if what.is_json(view):
        try:
            found = jsontext.check(view)
            _wanted("json", allow, name)
            return Found("json", found)
        except Broken:
            if "text" not in allow or name.lower().endswith(".json"):
                raise
    elif name.lower().endswith(".json"):
        raise Broken("it is no JSON")
    _wanted("text", allow, name)
    return Found("text")


def _wanted(kind: str, allow: Collection[str], name: str) -> None:
    from .parts import refused
    from .what import FORMATS

    if kind not in allow:
        wanted = " or ".join(FORMATS[k] for k in FORMATS if k in allow) if len(allow) < 4 else "a model's file"
        raise refused(
            name, f"it is {FORMATS[kind]}, and {wanted} is wanted here", "check the card: which file is which?"
        )


def _unknown(view: memoryview, name: str, no_onnx: ValueError) -> ModelFault:
    """Nothing tells what it is: its name says what was meant, and that format's reader says why it is not."""
    from .parts import refused

    if name.lower().endswith((".onnx", ".ort")) or view[0] in (0x08, 0x3A):
        return refused(name, str(no_onnx), getattr(no_onnx, "hint", ""))
    return refused(
        name,
        "it is of no format that is used here, or was cut short",
        "ONNX, TFLite, safetensors, GGUF, CTranslate2 and NPZ are used; ask whoever made it for one of these",
    )


def _pickled(name: str, why: str) -> ModelFault:
    from .parts import refused

    return refused(name, why, "ask for the same weights as safetensors, which can hold numbers and nothing else")


def _spoken(name: str) -> str:
    """A file's name for a sentence: one line, no escapes."""
    return "".join(c if c.isprintable() else "?" for c in name)[:120]
