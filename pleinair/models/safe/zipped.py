"""The table of contents of a zip file, read strictly: what NPZ and torch files are kept in.

APPNOTE.TXT 6.3.10 is the format. Python's `zipfile` is kind to odd files; this reader is not: one volume, no junk
before or after, no comment, no encryption, every entry where the table says, none on top of another (the bomb of
D. Fifield, "A better zip bomb", 2019), no name twice and none that climbs out of a folder.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from dataclasses import dataclass

from .parts import Broken, Reader, no_overlap, short, text_of

MAX_ENTRIES = 10_000
PADDING = 3
_LOCAL, _CENTRAL, _END, _END64, _LOCATOR64 = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_ENCRYPTED, _STREAMED = 0x2041, 0x0008
_OTHER_NAME = 0x7075
"""An extra field with another name for the file: some readers take that one."""
_LINK = 0o120000
"""What the upper half of the attributes says of a link (Unix), in its upper four bits."""
_FULL = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """One file in the zip: its bytes are view[start : start + packed], `size` once unpacked."""

    name: str
    stored: bool
    start: int
    packed: int
    size: int
    crc: int


def is_padded(view: memoryview) -> bool:
    """A zip with up to three NULs in front: MediaPipe lays the files in its bundles at multiples of four."""
    start = next((n for n in range(PADDING + 1) if view[n : n + 1] != b"\0"), PADDING + 1)
    return view[start : start + 4] == _LOCAL


def entries(view: memoryview, padding: int = 0) -> list[Entry]:
    """The table of contents; `padding`: how many NULs may lie in front of it. Broken where it is not exactly right."""
    count, table, end = _end(view)
    if count > MAX_ENTRIES:
        raise Broken(f"it is a zip with {count} files in it")
    found: list[Entry] = []
    names: set[str] = set()
    spans: list[tuple[int, int, str]] = []
    reader = Reader(view[:end], table)
    for _ in range(count):
        entry, before = _entry(view, reader, table)
        alike = unicodedata.normalize("NFC", entry.name).casefold()
        if alike in names:
            raise Broken(f"it is a zip that holds {short(entry.name)} twice")
        names.add(alike)
        spans.append((before, entry.start + entry.packed, entry.name))
        found.append(entry)
    if reader.at != end:
        raise Broken("its zip table does not end where it says")
    no_overlap(spans, "the files in the zip")
    before_all = spans[0][0] if spans else 0
    if before_all > padding or any(view[:before_all]):
        raise Broken("something lies before its zip")
    if table - max((stop for _, stop, _ in spans), default=0) > 24:  # a data descriptor, at most
        raise Broken("something is hidden between the files of its zip")
    return found


def unpack(view: memoryview, entry: Entry, most: int | None = None) -> bytes:
    """The entry's bytes, or its first `most`. Broken where they are not what the table says."""
    packed = view[entry.start : entry.start + entry.packed]
    if entry.stored:
        blob = bytes(packed if most is None else packed[:most])
    else:
        blob = inflate(packed, entry.size if most is None else min(most, entry.size))
    if most is None and (len(blob) != entry.size or zlib.crc32(blob) != entry.crc):
        raise Broken(f"{short(entry.name)} in its zip is damaged")
    return blob


def inflate(packed: memoryview, most: int) -> bytes:
    """At most `most` bytes of a raw deflate stream, in small steps: never more memory than was asked for."""
    tool = zlib.decompressobj(-15)
    out = bytearray()
    try:
        at = 0
        while len(out) < most and not tool.eof:
            piece = tool.unconsumed_tail or bytes(packed[at : at + 65536])
            if not tool.unconsumed_tail:
                at += len(piece)
            if not piece:
                break
            out += tool.decompress(piece, most - len(out))
    except zlib.error:
        raise Broken("its zip is damaged") from None
    return bytes(out)


def _end(view: memoryview) -> tuple[int, int, int]:
    """(number of entries, where the table begins, where it ends) out of the last record."""
    at = len(view) - 22
    if at < 0 or view[at : at + 4] != _END:
        raise Broken("it is a zip that was cut short, or something lies behind it")
    disk, first, here, count, size, table, comment = struct.unpack("<4x4H2IH", view[at:])
    if disk or first or here != count or comment:
        raise Broken("it is a zip in several volumes, or with a comment")
    end = at
    if at >= 20 and view[at - 20 : at - 16] == _LOCATOR64:
        end = int.from_bytes(view[at - 12 : at - 4], "little")
        if end + 56 != at - 20 or view[end : end + 4] != _END64:
            raise Broken("its zip table does not end where it says")
        here, count, size, table = struct.unpack("<24x4Q", view[end : end + 56])
        if here != count:
            raise Broken("it is a zip in several volumes")
    if table + size != end:
        raise Broken("its zip table does not lie where it says")
    return count, table, end


def _entry(view: memoryview, reader: Reader, table: int) -> tuple[Entry, int]:
    """The next line of the table, checked against the file's own header; with where that header begins."""
    head = reader.take(46)
    if head[:4] != _CENTRAL:
        raise Broken("its zip table is damaged")
    flags, method, crc, packed, size, named, extra, comment, disk, kind, at = struct.unpack("<8x2H4x3I3HH2xII", head)
    raw = reader.take(named)
    name = text_of(raw)
    more = reader.take(extra)
    reader.skip(comment)
    if _FULL in (packed, size, at):
        size, packed, at = _wide(more, size, packed, at)
    if flags & _ENCRYPTED or method not in (0, 8) or disk:
        raise Broken(f"{short(name)} in its zip is locked, or packed in a way that is not read here")
    if kind >> 16 & 0o170000 == _LINK:
        raise Broken(f"its zip holds {short(name)}, a link")
    if _OTHER_NAME in _kinds(more):
        raise Broken(f"its zip gives {short(name)} two names")
    if name.startswith(("/", "\\")) or ":" in name or "\\" in name or ".." in name.split("/"):
        raise Broken(f"its zip holds {short(name)}, a name that leaves its folder")
    local = Reader(view[:table], at)
    first = local.take(30)
    its_flags, its_method, its_named, its_extra = struct.unpack("<6x2H16x2H", first)
    both = _ENCRYPTED | _STREAMED
    if first[:4] != _LOCAL or its_method != method or (flags ^ its_flags) & both or local.take(its_named) != raw:
        raise Broken(f"{short(name)} in its zip is one thing in the table and another in its place")
    its_crc, its_packed, its_size = struct.unpack("<14x3I4x", first)
    if not flags & _STREAMED and (its_crc != crc or its_packed not in (packed, _FULL) or its_size not in (size, _FULL)):
        raise Broken(f"{short(name)} in its zip has one size in the table and another in its place")
    local.skip(its_extra)
    start = local.at
    local.skip(packed)
    if method == 0 and packed != size:
        raise Broken(f"{short(name)} in its zip has one size in the table and another in its place")
    return Entry(name, method == 0, start, packed, size, crc), at


def _kinds(extra: memoryview) -> set[int]:
    """Of which kinds the extra fields are. What is no such field is passed over: writers pad with it."""
    reader, found = Reader(extra), set()
    while reader.at + 4 <= reader.end:
        found.add(reader.u16())
        length = reader.u16()
        if length > reader.end - reader.at:
            break
        reader.skip(length)
    return found


def _wide(extra: memoryview, size: int, packed: int, at: int) -> tuple[int, int, int]:
    """The 64-bit numbers behind those that are all ones."""
    reader = Reader(extra)
    while reader.at < reader.end:
        kind, length = reader.u16(), reader.u16()
        part = Reader(reader.take(length))
        if kind == 1:
            size, packed, at = (part.u64() if value == _FULL else value for value in (size, packed, at))
            return size, packed, at
    raise Broken("its zip table is damaged")
