"""JSON, walked from end to end without building it: for headers and lists that could be made to swell in memory.

`json.loads` needs twenty times the size of `[[],[],[]...]`; here memory grows with the number of keys in open tables,
and nothing else. RFC 8259, strictly: no key twice in a table, no NaN, no comments, nothing behind the end.
"""

from __future__ import annotations

import codecs
import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .parts import Broken, product, short

MAX_BYTES = 64 << 20
MAX_PARTS = 200_000
MAX_KEYS = 1_000_000
MAX_DEPTH = 64
MAX_NUMBER = 64

_STRING = rb"""\"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+\""""
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_S = rb"[ \t\n\r]*+"
_TOKEN = re.compile(rb"%s(?:(%s)(?:%s(:))?|(%s)|(true|false|null)|([\[\]{},]))" % (_S, _STRING, _S, _NUMBER))
_BLANK = re.compile(_S)
_WORD = (
    rb"(?:\"[^\"\\\x00-\x1f]*+\"|-?(?:0|[1-9][0-9]{0,40}+)(?:\.[0-9]{1,40}+)?(?:[eE][+-]?[0-9]{1,3}+)?|true|false|null)"
)
_PLAIN = rb"(?:%s|\[%s(?:%s%s(?:,%s%s%s)*+)?+\])" % (_WORD, _S, _WORD, _S, _S, _WORD, _S)
"""A text, a number, a word, or a list of these."""
_ITEMS = re.compile(rb"(?:%s%s%s,){1,4096}+" % (_S, _PLAIN, _S))
"""A row of plain values in a list, each with its comma."""
_PAIRS = re.compile(rb"(?:%s\"[^\"\\\x00-\x1f]*+\"%s:%s%s%s,){1,1024}+" % (_S, _S, _S, _PLAIN, _S))
"""A row of names with plain values in a table."""
_KEY = re.compile(rb"\"([^\"]*+)\"%s:%s(?:\"[^\"]*+\"|\[(?:[^\"\]]|\"[^\"]*+\")*+\])?" % (_S, _S))

Event = tuple[str, bytes]
"""("{", b"") ("}", b"") ("[", b"") ("]", b""); ("key", raw), ("text", raw) with quotes and escapes as they stand;
("number", raw), ("word", b"true")."""


def walk(view: memoryview, depth: int = MAX_DEPTH, quick: bool = False) -> Iterator[Event]:
    """Every part of the text in its order. Broken where it is no JSON, or nested deeper than `depth`.

    quick  rows of plain values are looked at and not told
    """
    if len(view) > MAX_BYTES:
        raise Broken(f"it has {len(view)} bytes of JSON; {MAX_BYTES} are the most")
    _utf8(view)
    stack: list[array | None] = []  # of each open table the hashes of its keys so far, of each open list None
    at, wanted, parts, named = 0, "value", 0, 0  # wanted: value, first (a value or the end), key, firstkey, comma
    match = _TOKEN.match
    while True:
        if quick and wanted in ("value", "first", "key", "firstkey") and stack:
            keys = stack[-1]
            row = (
                (_ITEMS if keys is None else _PAIRS).match(view, at)
                if (keys is None) == (wanted[-3:] != "key")
                else None
            )
            if row:
                at = row.end()
                wanted = "value" if keys is None else "key"
                if keys is not None:
                    keys.extend(map(hash, _KEY.findall(view, row.start(), at)))
        found = match(view, at)
        parts += 1
        if found is None or parts > MAX_PARTS:
            raise Broken("it is no JSON, or was cut short" if found is None else "it has more parts than are read here")
        at = found.end()
        text, colon, number, word, sign = found.groups()
        if wanted in ("key", "firstkey"):
            if colon:
                # of the bytes: two texts of other widths may share a hash, since Python hashes them as they lie
                plain = as_text(text).encode("utf-8", "surrogatepass") if b"\\" in text else bytes(text[1:-1])
                stack[-1].append(hash(plain))  # type: ignore[union-attr]
                yield "key", text
                wanted = "value"
                continue
            if sign != b"}" or wanted == "key":
                raise Broken("it is no JSON: a table in it is damaged")
        elif wanted == "comma" and sign == b",":
            wanted = "value" if stack[-1] is None else "key"
            continue
        elif wanted in ("value", "first") and sign not in (b"}", b",") and not (sign == b"]" and wanted == "value"):
            if sign == b"{" or sign == b"[":
                if len(stack) >= depth:
                    raise Broken("its lists are nested without end")
                stack.append(array("q") if sign == b"{" else None)
                wanted = "firstkey" if sign == b"{" else "first"
                yield sign.decode(), b""
                continue
            if sign is None:
                if colon or (number and len(number) > MAX_NUMBER):
                    raise Broken("it is no JSON: a value in it is damaged")
                if text is not None:
                    yield "text", text
                else:
                    yield ("word", word) if number is None else ("number", number)
                if not stack:
                    break
                wanted = "comma"
                continue
        elif wanted != "comma" or sign not in (b"]", b"}"):
            raise Broken("it is no JSON: a comma is missing, or one too many")
        if not stack or (sign == b"]") != (stack[-1] is None):
            raise Broken("it is no JSON: its brackets do not match")
        named += _once(stack.pop())
        if named > MAX_KEYS:
            raise Broken("it has more names than are read here")
        yield sign.decode(), b""
        if not stack:
            break
        wanted = "comma"
    rest = _BLANK.match(view, at)
    if rest is None or rest.end() != len(view):
        raise Broken("something lies behind its end")


def _once(keys: array | None) -> int:
    """How many names a table has. Broken where one stands there twice."""
    if not keys:
        return 0
    count = len(keys)
    if count < 1000:
        alone = len(set(keys)) == count
    else:
        row = np.frombuffer(keys, np.int64).copy()
        row.sort()
        alone = not (row[1:] == row[:-1]).any()
    if not alone:
        raise Broken("a table in it holds a name twice")
    return count


def as_text(raw: bytes) -> str:
    """A text out of an event."""
    try:
        return json.loads(raw)
    except ValueError:
        raise Broken("it is no JSON: a text in it is damaged") from None


def as_int(raw: bytes) -> int:
    """A whole number out of an event."""
    if not re.fullmatch(rb"-?[0-9]{1,19}", raw):
        raise Broken(f"{raw[:20].decode()} is no size")
    return int(raw)


def _utf8(view: memoryview) -> None:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for at in range(0, len(view), 65536):
            decode(view[at : at + 65536])
        decode(b"", True)
    except UnicodeDecodeError:
        raise Broken("it is no text in UTF-8") from None


@dataclass
class Json:
    """What a JSON file holds. `keys`: names in its outermost table (the first 64); `weights`: bytes of numbers that a
    TensorFlow.js model wants from the files `paths` beside it, 0 where it is none."""

    keys: list[str] = field(default_factory=list)
    weights: int = 0
    paths: list[str] = field(default_factory=list)

    @property
    def tfjs(self) -> bool:
        """Whether it is TensorFlow.js's model.json."""
        return "weightsManifest" in self.keys


def check(view: memoryview) -> Json:
    """Walks all of it. Broken: no JSON, or a TensorFlow.js model that means sizes or files that cannot be."""
    found = Json()
    key = dtype = packed = ""
    shape: list[int] = []
    depth = listed = 0
    quick = not _MANIFEST.search(view)
    for kind, raw in walk(view, quick=quick):
        if kind in "{[":
            depth += 1
            if listed and kind == "{" and depth == listed + 4:
                shape, dtype, packed = [], "", ""
        elif kind in "]}":
            if listed and kind == "}" and depth == listed + 4 and dtype != "string":
                found.weights += product(shape, "a table of numbers") * _TFJS.get(packed or dtype, 4)
            depth -= 1
            if depth == listed:
                listed = 0
        elif kind == "key":
            key = as_text(raw) if listed or depth == 1 else ""
            if depth == 1:
                if len(found.keys) < 64:
                    found.keys.append(key[:64])
                listed = 1 if key == "weightsManifest" else 0
                if listed and quick:
                    raise Broken("a name in it is spelt so that it is not found")
        elif listed and kind == "text":
            if key == "paths":
                found.paths.append(_path(as_text(raw)))
            elif key == "dtype" and depth > listed + 4:
                packed = as_text(raw)
            elif key == "dtype":
                dtype = as_text(raw)
        elif listed and key == "shape" and kind == "number":
            shape.append(as_int(raw))
            if len(shape) > 8:
                raise Broken("a table of numbers has more than 8 sides")
    return found


_MANIFEST = re.compile(rb"weightsManifest")
_TFJS = {"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2, "complex64": 8}


def _path(place: str) -> str:
    from ..check_onnx import leaves_its_folder

    if leaves_its_folder(place):
        raise Broken(f"it reaches for the file {short(place)} outside its own folder")
    return place


def load(data: bytes, name: str = "the file") -> object:
    """`json.loads` of a file that was walked before. ModelFault where it is none; a megabyte may need twenty."""
    from .parts import refused

    try:
        check(memoryview(data))
        return json.loads(data)
    except Broken as error:
        raise refused(name, str(error)) from None
