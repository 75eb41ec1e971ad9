"""llama.cpp's C functions, out of the library that the package xllamacpp carries.

xllamacpp's own Python class is a web server: it opens a listening socket and decodes as fast as it can in a thread of
its own. Here one call is one token, so that a language model takes its turn like any other network, stops at once, and
replays. Only functions are called, never a struct's fields, but for the first two of a context's parameters (n_ctx,
n_batch), which are compared with their known defaults first: what the structs hold otherwise may change with a version
and is passed through as it came.
"""

from __future__ import annotations

import collections
import ctypes
import functools
import importlib.util
import struct
import subprocess
import sys
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_void_p
from importlib import metadata
from pathlib import Path
from typing import Any

from ..core.errors import ModelFault

TESTED = ("2026.10.11549",)
"""Versions of xllamacpp that this was run with. Another one is tried out in a process of its own first."""
DEFAULTS = (512, 2048, 512, 1)
"""n_ctx, n_batch, n_ubatch, n_seq_max, as `llama_context_default_params` gives them."""
_ERROR = 4


class Params(ctypes.Structure):
    """A struct that is passed through unread: larger than any version's."""

    _fields_ = [("words", ctypes.c_uint64 * 64)]


class Batch(ctypes.Structure):
    """What `llama_batch_get_one` gives and `llama_decode` takes."""

    _fields_ = [("words", ctypes.c_uint64 * 16)]


class Message(ctypes.Structure):
    _fields_ = [("role", c_char_p), ("content", c_char_p)]


class TokenArray(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t), ("selected", ctypes.c_int64), ("sorted", c_bool)]


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, c_char_p, c_void_p)
_P, _I, _S = c_void_p, c_int32, c_char_p
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "llama_backend_init": (None, ()),
    "llama_log_set": (None, (_LOG, _P)),
    "llama_model_default_params": (Params, ()),
    "llama_context_default_params": (Params, ()),
    "llama_model_load_from_file": (_P, (_S, Params)),
    "llama_model_free": (None, (_P,)),
    "llama_model_get_vocab": (_P, (_P,)),
    "llama_model_chat_template": (_S, (_P, _S)),
    "llama_model_n_ctx_train": (_I, (_P,)),
    "llama_init_from_model": (_P, (_P, Params)),
    "llama_free": (None, (_P,)),
    "llama_n_ctx": (c_uint32, (_P,)),
    "llama_n_batch": (c_uint32, (_P,)),
    "llama_set_n_threads": (None, (_P, _I, _I)),
    "llama_set_abort_callback": (None, (_P, _P, _P)),
    "llama_get_memory": (_P, (_P,)),
    "llama_memory_clear": (None, (_P, c_bool)),
    "llama_memory_seq_rm": (c_bool, (_P, _I, _I, _I)),
    "llama_batch_get_one": (Batch, (_P, _I)),
    "llama_decode": (_I, (_P, Batch)),
    "llama_get_logits_ith": (_P, (_P, _I)),
    "llama_vocab_n_tokens": (_I, (_P,)),
    "llama_vocab_is_eog": (c_bool, (_P, _I)),
    "llama_tokenize": (_I, (_P, _S, _I, _P, _I, c_bool, c_bool)),
    "llama_token_to_piece": (_I, (_P, _I, _P, _I, _I, c_bool)),
    "llama_chat_apply_template": (_I, (_S, _P, c_size_t, c_bool, _P, _I)),
    "llama_chat_builtin_templates": (_I, (POINTER(_S), c_size_t)),
    "llama_adapter_lora_init": (_P, (_P, _S)),
    "llama_set_adapters_lora": (_I, (_P, POINTER(_P), c_size_t, POINTER(c_float))),
    "llama_sampler_free": (None, (_P,)),
    "llama_sampler_apply": (None, (_P, POINTER(TokenArray))),
    "llama_sampler_accept": (None, (_P, _I)),
    "llama_sampler_init_grammar": (_P, (_P, _S, _S)),
}

_said: collections.deque[str] = collections.deque(maxlen=8)


@_LOG
def _hear(level: int, text: bytes, _: int) -> None:
    if level == _ERROR and text:
        _said.append(text.decode("utf-8", "replace").strip())


def last_words() -> str:
    """What llama.cpp said was wrong, and forgets it."""
    words = [w for w in _said if w]
    _said.clear()
    return words[0].partition(": ")[2] or words[0] if words else ""


@functools.cache
def library() -> Any:
    """The C functions, typed. ModelFault where they are not there, or are not those that were expected."""
    version = _version()
    spec = importlib.util.find_spec("xllamacpp.xllamacpp")
    try:
        lib = ctypes.CDLL(spec.origin)
        for name, (gives, takes) in _FUNCTIONS.items():
            function = getattr(lib, name)
            function.restype, function.argtypes = gives, takes
    except (OSError, AttributeError) as error:  # on Windows the library shows nothing but Python's own entrance
        raise _not_understood(version, str(error)) from None
    lib.llama_log_set(_hear, None)
    if struct.unpack_from("<4I", lib.llama_context_default_params()) != DEFAULTS:
        raise _not_understood(version, "its parameters lie elsewhere")
    lib.llama_backend_init()
    return lib


@functools.cache
def try_out(path: str) -> None:
    """One token in a process of its own, where this version of xllamacpp was never run: a crash there is a sentence
    here."""
    version = _version()
    if version in TESTED or not sys.executable:
        return
    question = [sys.executable, "-m", __spec__.name if __spec__ else "pleinair.backends.llama_c", path]
    try:
        ended = subprocess.run(question, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _not_understood(version, str(error)) from None
    if ended.returncode != 0:
        raise _not_understood(version, f"one word ended with {ended.returncode}")


def _version() -> str:
    try:
        return metadata.version("xllamacpp")
    except metadata.PackageNotFoundError:
        raise ModelFault(
            "language models need the package xllamacpp",
            now="the model was not loaded",
            hint='pip install "pleinair[language]"',
        ) from None


def _not_understood(version: str, why: str) -> ModelFault:
    return ModelFault(
        f"xllamacpp {version} cannot be used here: {why}",
        now="the model was not loaded",
        hint=f"pip install xllamacpp=={TESTED[-1]}",
    )


def _main() -> None:
    from .gguf import Gguf, Sampling

    global TESTED
    TESTED = (_version(),)
    engine = Gguf(Path(sys.argv[1]), threads=1, context=256)
    assert sum(1 for _ in engine.stream(engine.tokens("a"), Sampling(), 2)) > 0
    engine.close()


if __name__ == "__main__":
    _main()
