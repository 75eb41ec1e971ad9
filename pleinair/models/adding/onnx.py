"""What an ONNX file says: its ports tell what it is for, its metadata whose it is."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...backends import wire
from ...core.errors import ModelFault
from .. import check_onnx
from . import half, labels, outside
from .found import Found, clean

RECOGNISERS = ("classify", "objects", "lines", "upscale", "depth", "imagine", "picture_features")
"""Tasks whose modules have `recognise(summary)`: what a card says of the network; None: it is another's. The surest
first: whatever makes a row of numbers of a picture could be picture_features."""


MOST_IN_TWO = 256 << 20
"""Bytes of a network whose numbers lie elsewhere: what is left is its layers."""


def read(file: Path) -> Found:
    """ModelFault: it is none, or reaches outside its folder."""
    found = read_blob(file.read_bytes(), file.name, labels.beside(file))
    found.files = {} if found.made else {"network": file}
    return found


def in_two(file: Path) -> Found | None:
    """A network whose numbers lie beside it: read as one. None: it is whole, or no such file."""
    blob = file.read_bytes() if file.stat().st_size <= MOST_IN_TWO else b""
    if not blob or not outside.places(blob):
        return None
    whole = outside.joined(file, blob)
    found = read_blob(whole, file.name, labels.beside(file))
    found.facts.append(("in two files", "joined into one"))
    if not found.made:
        found.made["network"] = file.name, lambda: whole
    return found


def read_blob(blob: bytes, name: str, named: list[str]) -> Found:
    """The same for the bytes of a file; `named`: what it tells apart, where something beside it says so."""
    summary = check_onnx.inspect(blob, name)
    found = Found("ONNX", title=name.removesuffix(".onnx"))
    if half.is_half(summary):
        blob = half.widened(blob)
        summary = check_onnx.inspect(blob, name)
        found.made["network"] = name, lambda: blob
        found.facts.append(("half precision", "its ports are widened to float32"))
    takes = _ports(summary) or "nothing"
    facts = facts_of(blob)
    _papers(found, facts)
    found.facts += [("takes", takes), ("gives", _ports(summary, outputs=True))]
    found.cards = dict(_recognised(summary, name, named or labels.told(facts.get("names", ""))))
    found.why = f"it takes {takes} and gives {_ports(summary, outputs=True)}, and no task here is for that"
    return found


def _recognised(summary: wire.Summary, name: str, named: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if (card := _painter(summary)) is not None:
        yield "stylise", card
    for task in RECOGNISERS:
        recognise = importlib.import_module(f"pleinair.models.seeing.{task}").recognise
        try:
            card = recognise(summary, named) if task == "classify" else recognise(summary)
        except (TypeError, ValueError, IndexError):
            continue  # shapes that nobody has thought of are another network's
        if card is not None:
            yield task, card
    try:
        from ..vector import ports_of

        yield "vector", {"ports": dict.fromkeys(ports_of(summary, name), "Vector")}
    except ModelFault:
        return


def _painter(found: wire.Summary) -> dict[str, Any] | None:
    """Ports, options and working size of a network that paints; None where it is none."""
    image, weights = found.inputs.get("image"), found.inputs.get("style_weights")
    others = set(found.inputs) - {"image", "style_weights"}
    if image is None or len(image) != 4 or image[1] != 3 or len(found.outputs) != 1 or others:
        return None
    painted = next(iter(found.outputs.values()))
    if painted and (len(painted) != 4 or painted[1] not in (3, -1)):
        return None
    options: dict[str, Any] = {"network": "mixture", "multiple": 4, "output": next(iter(found.outputs))}
    ports = {"image": "Image"}
    if "style_weights" in found.inputs:
        if not weights or len(weights) != 1 or weights[0] < 1:
            return None
        ports["style_weights"] = "Vector"
        options["styles"] = weights[0]
    height, width = image[2:]
    return {"size": [width, height] if width > 0 and height > 0 else [320, 240], "ports": ports, "options": options}


def facts_of(blob: bytes) -> dict[str, str]:
    """The file's own words: producer, documentation, and ModelProto.metadata_props (onnx.proto, fields 2, 6 and 14)."""
    found: dict[str, str] = {}
    for number, value in _fields(memoryview(blob)):
        if number in (2, 6):
            found["producer" if number == 2 else "doc"] = bytes(value).decode("utf-8", "replace")[:2000]
        elif number == 14 and len(found) < 64:
            pair = {n: bytes(v).decode("utf-8", "replace")[:2000] for n, v in _fields(value)}
            found[pair.get(1, "")[:100].lower()] = pair.get(2, "")
    return found


def _fields(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Length-delimited fields of a protobuf message that was checked before."""
    at = 0
    while at < len(view):
        tag, at = _varint(view, at)
        if tag & 7 == 2:
            length, at = _varint(view, at)
            yield tag >> 3, view[at : at + length]
            at += length
        elif tag & 7 == 0:
            _, at = _varint(view, at)
        else:
            at += {1: 8, 5: 4}.get(tag & 7, len(view))


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(view) and shift < 64:
        byte = view[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            break
    return number, at


def _papers(found: Found, facts: dict[str, str]) -> None:
    """Name, author and licence, under the keys that exporters write."""
    first = {word: clean(next((facts[k] for k in keys if facts.get(k)), "")) for word, keys in _KEYS.items()}
    found.title, found.about = first["title"] or found.title, first["about"]
    found.states(first["licence"], "the file's own metadata")
    if first["author"]:
        found.credits.append((first["author"], "named as the author in the file's metadata"))
    found.facts += [(what, first[what]) for what in ("task", "producer") if first[what]]


_KEYS = {
    "title": ("title", "name", "model_name", "modelspec.title"),
    "licence": ("license", "licence", "modelspec.license"),
    "author": ("author", "model_author", "modelspec.author"),
    "about": ("description", "modelspec.description"),
    "task": ("task",),
    "producer": ("producer",),
}


_TYPES = {number: word for word, number in wire.TYPES.items()} | {10: "float16", 16: "bfloat16", 3: "int8", 8: "text"}


def _ports(found: wire.Summary, outputs: bool = False) -> str:
    """Names, sides, and the type where it is not float32."""
    told = []
    for name, sides in (found.outputs if outputs else found.inputs).items():
        shape = f" [{', '.join('?' if s < 0 else str(s) for s in sides)}]" if sides else ""
        kind = found.types.get(name, wire.FLOAT)
        told.append(clean(name, 60) + shape + ("" if kind == wire.FLOAT else f" of {_TYPES.get(kind, 'another type')}"))
    return ", ".join(told[:8]) + (" ..." if len(told) > 8 else "")
