"""The wire: binary messages carry pictures, text messages carry JSON. docs/protocol.md is written for strangers.

A binary message is: u32 little endian = length of the header, the header (JSON, UTF-8), then the picture's bytes.
Everything that comes in is checked by hand, sizes before memory; what is wrong raises ValueError with a sentence.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

VERSION = 1
MAX_HEADER = 4_096
"""Bytes of a binary message's header."""
MAX_TEXT = 65_536
"""Bytes of a text message."""
MAX_PICTURE = 8192 * 4320 * 3 // 2 + MAX_HEADER + 4
"""Bytes of a camera message: an 8K picture in planes."""
_LENGTH = struct.Struct("<I")


def pack(header: dict[str, Any], payload: bytes) -> bytes:
    head = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join((_LENGTH.pack(len(head)), head, payload))


def unpack(message: bytes) -> tuple[dict[str, Any], memoryview]:
    """Header and payload of a binary message."""
    if len(message) < 4:
        raise ValueError("a binary message begins with the length of its header, and this one is too short for that")
    (length,) = _LENGTH.unpack_from(message)
    if length > MAX_HEADER or 4 + length > len(message):
        raise ValueError(f"a header of {length} bytes does not fit ({MAX_HEADER} is the most) or is not there whole")
    view = memoryview(message)
    return parse(bytes(view[4 : 4 + length])), view[4 + length :]


def parse(text: str | bytes) -> dict[str, Any]:
    """A JSON object. NaN, Infinity and numbers too large to be one (1e400) are refused, and so is deep nesting."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"a message of {len(text)} characters is too long: {MAX_TEXT} is the most")
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded)
    except UnicodeDecodeError:
        raise ValueError("the message is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the message is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"a message is a JSON object, and this is {_kind(value)}")
    return value


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number that JSON has")


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{word[:24]} is too large to be a number here")
    return number


def _bounded(word: str) -> int:
    if len(word) > 20:
        raise ValueError(f"{word[:12]}... has too many digits")
    return int(word)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def number(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number in a range; true and false are not numbers, and neither is "0.4"."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is a number, and this is {_kind(value)}")
    if not math.isfinite(value):
        raise ValueError(f"{what} is a finite number, and this is not")
    if not low <= value <= high:
        raise ValueError(f"{what} is between {low:g} and {high:g}, and this is {value:g}")
    return float(value)


def whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what} is a whole number, and this is {_kind(value)}")
    if not low <= value <= high:
        raise ValueError(f"{what} is between {low} and {high}, and this is {value}")
    return value


def word(value: Any, what: str, longest: int = 64) -> str:
    """A name: printable, not empty, not long."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is a string, and this is {_kind(value)}")
    if not 0 < len(value) <= longest or not value.isprintable() or value != value.strip():
        raise ValueError(f"{what} is 1 to {longest} printable characters without spaces around them")
    return value
