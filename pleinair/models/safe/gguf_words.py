"""The vocabulary in a GGUF file. llama.cpp ends the process that it runs in where two words are the same, where no word
stands for the end of a line, or where single bytes are words of an encoder: found with files made for it.
"""

from __future__ import annotations

import struct
from array import array

import numpy as np

from .parts import Broken, Reader

_TEXT, _LIST, _WHOLE = 8, 9, (4, 5)
_BYTE = 6
"""llama.cpp's type of a word that is a single byte."""
_LINE = (hash(b"<0x0A>"), hash(b"\n"))


class Words:
    """What the facts of `tokenizer.ggml` say, looked at before they are passed over."""

    def __init__(self) -> None:
        self.model = b""
        self.hashes: np.ndarray | None = None
        self.bytes = False

    def look(self, key: bytes, kind: int, reader: Reader) -> None:
        """At a fact whose value begins where the reader is; the reader stays there. Broken: two words are the same."""
        ahead = Reader(reader.view, reader.at)
        if key == b"model" and kind == _TEXT:
            self.model = bytes(ahead.take(min(ahead.u64(), 64)))
        elif kind == _LIST and key in (b"tokens", b"token_type"):
            inner, count = ahead.u32(), ahead.u64()
            if key == b"tokens" and inner == _TEXT and count <= (ahead.end - ahead.at) // 8:
                self._words(ahead, count)
            elif key == b"token_type" and inner in _WHOLE and count <= (ahead.end - ahead.at) // 4:
                self.bytes = bool((np.frombuffer(ahead.take(4 * count), "<i4") == _BYTE).any())

    def check(self) -> None:
        if self.hashes is None:
            return
        if self.model == b"llama" and not any((self.hashes == line).any() for line in _LINE):
            raise Broken("no word of its vocabulary ends a line")
        if self.model == b"bert" and self.bytes:
            raise Broken("its vocabulary is an encoder's, with single bytes in it")

    def _words(self, ahead: Reader, count: int) -> None:
        view, at, end, length = ahead.view, ahead.at, ahead.end, struct.Struct("<Q").unpack_from
        found = array("q")
        for _ in range(count):
            if at + 8 > end or (size := length(view, at)[0]) > end - at - 8:
                return  # cut short: said where it is read
            at += 8 + size
            if size:  # those without letters are given other names by llama.cpp
                found.append(hash(bytes(view[at - size : at])))
        self.hashes = np.frombuffer(found, np.int64)
        self.hashes.sort()
        if (self.hashes[1:] == self.hashes[:-1]).any():
            raise Broken("two words of its vocabulary are the same")
