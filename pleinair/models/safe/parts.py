"""What all checkers share: the word for a broken file, a reader that never leaves the file, and limits.

A checker gets a memoryview (of bytes, or of a file that is mapped and never read whole), copies nothing but names, and
counts what it looks at: a file may ask for so much work and no more, whatever it claims of itself.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from ...backends.protobuf import Broken, short
from ...core.errors import ModelFault

__all__ = ["Broken", "Reader", "no_overlap", "plain", "product", "refused", "short", "text_of", "viewed"]

MAX_SIDES = 8
"""Sides of one tensor; no format on the shelf has more."""
MAX_COUNT = 1 << 48
"""Numbers in one tensor."""
CUT = "it was cut short"


class Reader:
    """Little-endian numbers out of a view, one after the other. Broken at the end of the file, never beyond it."""

    def __init__(self, view: memoryview, at: int = 0) -> None:
        self.view, self.at, self.end = view, at, len(view)

    def take(self, count: int) -> memoryview:
        """The next `count` bytes, as a view."""
        at = self.at
        if count < 0 or count > self.end - at:
            raise Broken(CUT)
        self.at = at + count
        return self.view[at : at + count]

    def skip(self, count: int) -> None:
        if count < 0 or count > self.end - self.at:
            raise Broken(CUT)
        self.at += count

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def number(self, form: str) -> int | float | bool:
        """One number of a `struct` format."""
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]


def product(sides: tuple[int, ...] | list[int], what: str) -> int:
    """How many numbers a shape holds. Broken where a side is negative, where there are too many, or where the product
    is a number that no file can mean (and that wraps around to a small one in 64 bits)."""
    if len(sides) > MAX_SIDES:
        raise Broken(f"{what} has {len(sides)} sides")
    count = 1
    for side in sides:
        if side < 0:
            raise Broken(f"{what} has a side of {side}")
        count *= side
        if side > MAX_COUNT or count > MAX_COUNT:
            raise Broken(f"{what} would hold more numbers than any file can")
    return count


def no_overlap(spans: list[tuple[int, int, str]], what: str = "the tables") -> None:
    """Broken where two (start, end, name) share a byte: one table's bytes must not be read as another's."""
    spans.sort()
    for (_, end, one), (start, stop, other) in zip(spans, spans[1:], strict=False):
        if start < end and stop > start:
            raise Broken(f"{what} {short(one)} and {short(other)} lie on top of each other")


def text_of(view: memoryview) -> str:
    """A name in UTF-8. Broken where it is none, or holds a NUL (which ends it for one reader, and not for another) or
    another control character (which no name needs, and a terminal obeys)."""
    try:
        text = bytes(view).decode("utf-8")
    except UnicodeDecodeError:
        raise Broken("a name in it is not UTF-8") from None
    if not plain(text):
        raise Broken("a name in it holds a NUL, or another control character")
    return text


def plain(text: str) -> bool:
    """Whether a name holds neither control characters nor halves of characters."""
    return text.isprintable() or not any(c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff" for c in text)


@contextlib.contextmanager
def viewed(data: bytes | bytearray | memoryview | Path | str) -> Iterator[memoryview]:
    """The bytes, or the file's, mapped: gigabytes cost nothing until they are looked at."""
    if not isinstance(data, (str, Path)):
        yield memoryview(data).cast("B")
        return
    try:
        with open(data, "rb", opener=_opened) as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                yield memoryview(b"")
                return
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        name = Path(data).name
        raise ModelFault(
            f"the file {name} cannot be read: {error.strerror or error}",
            now="nothing was loaded",
            hint="check the path",
        ) from None
    view = memoryview(mapped)
    try:
        yield view
    finally:
        with contextlib.suppress(BufferError):  # a fault's traceback may still hold a piece of it
            view.release()
            mapped.close()


def _opened(path: str, flags: int) -> int:
    """Opens files and nothing else: a pipe or a device would be waited for without end."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no ordinary file")
    return handle


def refused(name: str, why: str, hint: str = "") -> ModelFault:
    """The four-part Fault of a file that is refused. What of it comes out of the file cannot break the line."""
    why = "".join(c if c.isprintable() else "?" for c in why[:300])
    return ModelFault(
        f"the model file {name} cannot be used: {why}",
        now="the model was not loaded; nothing in the file was run",
        hint=hint or "fetch it again, or ask whoever made it for a whole one",
    )
