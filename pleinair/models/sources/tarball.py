"""Files out of a package's .tgz, read as a stream: never extracted, no links followed, nothing sized by what it claims.

The format is POSIX.1-1988 ustar, with the path and size of POSIX.1-2001 (pax) and GNU's long names. Python's own
tarfile holds an extended header of any size in memory; here it may have 64 KiB.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Container, Iterator
from typing import IO

BLOCK = 512
MAX_MEMBERS = 100_000
MAX_BYTES = 1 << 36
"""What all members may come to, unpacked: 64 GiB."""
MAX_EXTENDED = 1 << 16


class Broken(Exception):
    """It is no whole .tgz, or one that goes beyond what a package needs."""


class Member(io.RawIOBase):
    """One file in the stream: read it before asking for the next."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self.left = stream, size

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        count = self.left if count < 0 else min(count, self.left)
        blob = _read(self._stream, count)
        self.left -= len(blob)
        return blob


def members(packed: IO[bytes], wanted: Container[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """(path without the package's own folder, stream) of each regular file that is wanted, each path once.

    Broken: cut short, damaged, or beyond the limits above.
    """
    total, seen, long_name, pax = 0, set(), "", {}
    with gzip.GzipFile(fileobj=packed) as stream:
        for _ in range(MAX_MEMBERS):
            head = _read(stream, BLOCK)
            if head.count(0) == BLOCK:
                return
            _check(head)
            kind = head[156:157]
            size = _number(head[124:136])
            if kind in (b"x", b"g", b"L"):
                blob = _extended(stream, size)
                if kind == b"x":
                    pax = _pax(blob)
                elif kind == b"L":
                    long_name = _text(blob)
                continue
            if "size" in pax:
                size = _decimal(pax["size"])
            total += size
            if total > MAX_BYTES:
                raise Broken("it unpacks to more than 64 GiB")
            name = pax.get("path") or long_name or "/".join(filter(None, (_text(head[345:500]), _text(head[:100]))))
            long_name, pax = "", {}
            path = name.removeprefix("./").partition("/")[2]
            member = Member(stream, size if kind in (b"0", b"\0", b"7") else 0)
            if kind in (b"0", b"\0", b"7"):
                if path in wanted and path not in seen:
                    seen.add(path)
                    yield path, member  # type: ignore[misc]
                _skip(stream, member.left + -size % BLOCK)
            else:  # folders, links and devices: a link has no bytes of its own, and none is followed
                _skip(stream, size + -size % BLOCK if kind not in (b"1", b"2", b"5") else 0)
    raise Broken(f"it has more than {MAX_MEMBERS} members")


def _read(stream: IO[bytes], count: int) -> bytes:
    """Exactly so many bytes."""
    try:
        blob = stream.read(count)
    except (OSError, EOFError, zlib.error) as error:
        raise Broken(str(error)) from None
    if len(blob) < count:
        raise Broken("it was cut short")
    return blob


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0:
        count -= len(_read(stream, min(count, 1 << 20)))


def _check(head: bytes) -> None:
    """The header's own sum, in which its own field counts as spaces."""
    if sum(head) - sum(head[148:156]) + 8 * 32 != _number(head[148:156]):
        raise Broken("a header is damaged")


def _extended(stream: IO[bytes], size: int) -> bytes:
    if size > MAX_EXTENDED:
        raise Broken("an extended header is too large")
    blob = _read(stream, size)
    _skip(stream, -size % BLOCK)
    return blob


def _pax(blob: bytes) -> dict[str, str]:
    """`LENGTH key=value\\n` records; the length counts itself."""
    found, at = {}, 0
    while at < len(blob):
        space = blob.find(b" ", at, at + 10)
        length = _decimal(_text(blob[at:space])) if space > at else 0
        record = blob[space + 1 : at + length]
        if length < 5 or not record.endswith(b"\n") or b"=" not in record:
            raise Broken("an extended header is damaged")
        key, _, value = record[:-1].partition(b"=")
        found[_text(key)] = _text(value)
        at += length
    return found


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 with its top bit set."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        number = int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        number = -1
    if number < 0:
        raise Broken("a header is damaged")
    return number


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Broken("an extended header is damaged")
    return int(text)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
