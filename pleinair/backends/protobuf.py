"""Protobuf's wire format, read and written without a schema: the fields of a message, in the order of the file.

https://protobuf.dev/programming-guides/encoding. Nothing is executed, nothing is copied but names, and every length is
checked against what is left of the file. Its sentences speak of ONNX, the one format that is read through it.

A field is (number << 3 | form): form 0 = a varint, 1 = 8 bytes, 2 = a length and that many bytes, 5 = 4 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator


class Broken(ValueError):
    """The bytes are not what they should be; the message is a sentence's second half. `hint`: what to try, or ""."""

    hint = ""


def fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value) of each field; value is an int or a view of its bytes. Broken where they are none."""
    for number, _, _, value in spans(view):
        yield number, value


def spans(view: memoryview) -> Iterator[tuple[int, int, int, int | memoryview]]:
    """(field number, start, end, value) of each field; value is an int or a view of its bytes."""
    for number, _, value, start, end in _places(view):
        yield number, start, end, value


def spelt(view: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """(field number, its form, value) of each field."""
    for number, how, value, _, _ in _places(view):
        yield number, how, value


def _places(view: memoryview) -> Iterator[tuple[int, int, int | memoryview, int, int]]:
    at, end = 0, len(view)
    while at < end:
        start = at
        key = view[at]
        if key < 128:
            at += 1
        else:
            key, at = _varint(view, at)
        number, how = key >> 3, key & 7
        if number < 1:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        if how == 0:
            value, at = _varint(view, at)
            yield number, how, value, start, at
            continue
        if how == 2:
            size, at = _varint(view, at)
        elif how in (1, 5):
            size = 8 if how == 1 else 4
        else:
            raise Broken("its bytes are not those of an ONNX file")
        if size < 0 or size > end - at:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        yield number, how, view[at : at + size], start, at + size
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise Broken("it was cut short, or its bytes are not those of an ONNX file")
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    value &= (1 << 64) - 1
    return (value - (1 << 64) if value >> 63 else value), at


def message(value: int | memoryview) -> memoryview:
    """A field's value where only bytes make sense. Broken where it is a number."""
    if isinstance(value, int):
        raise Broken("its bytes are not those of an ONNX file")
    return value


def short(name: str) -> str:
    """A name out of a file, fit for a sentence: quoted, no line breaks, no escapes, not too long."""
    clean = "".join(c if c.isprintable() else "?" for c in name[:61])
    return f'"{clean[:57]}..."' if len(name) > 60 else f'"{clean}"'


def text(value: int | memoryview) -> str:
    """A field's value as a text, its first 4096 bytes; what is no UTF-8 is marked."""
    return bytes(message(value)[:4096]).decode("utf-8", "replace")


def numbers(value: int | memoryview) -> Iterator[int]:
    """A repeated int64, packed or not."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _encode(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_field(number: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return _encode(number << 3) + _encode(value)


def block(number: int, body: bytes | bytearray) -> bytes:
    """A field that holds bytes: a text, or a message within."""
    return _encode(number << 3 | 2) + _encode(len(body)) + bytes(body)
