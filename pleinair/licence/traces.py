"""What a file of weights says about its own origin, whatever its name and its tag say: metadata, tensor names, shapes.

Only headers are read, nothing is loaded and nothing executed. The fingerprints are of FLUX.1 [dev], whose licence
refuses exhibition and sale: its transformer has 19 double and 38 single blocks of width 3072 and, unlike FLUX.1
[schnell], an embedding of the guidance it was distilled with (`guidance_in`; in diffusers' naming
`time_text_embed.guidance_embedder`). Source of names and shapes: black-forest-labs/flux, src/flux/model.py and util.py;
diffusers, transformer_flux.py. What leaves none of these traces is not found: that is why unknown is refused too.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEADER = 64 << 20
"""Bytes of a header that are read at most."""
SCANNED = 32 << 20
"""Bytes at each end that are searched for names where the format is not known."""
MAX_STRING = 1 << 20
FLUX_DEV = "LicenseRef-pleinair-flux-1-dev-1.1.1"


@dataclass(frozen=True)
class Seen:
    """What a header holds. `tensors`: name -> shape, () where only the name is known. `said`: key -> text."""

    tensors: dict[str, tuple[int, ...]]
    said: dict[str, str]


@dataclass(frozen=True)
class Trace:
    """A finding. `licence`: what it means, "" where it only raises a question. `why`: a sentence."""

    licence: str
    why: str


_FLUX_WORDS = re.compile(
    r"flux[\s._-]*1?[\s._-]*(kontext|fill|depth|canny|redux)?[\s._-]*\[?dev\]?(?![a-z])|flux1[\s._-]*dev|black[\s_-]*forest[\s_-]*labs.{0,40}dev"
    r"|flux.{0,24}non[\s_-]*commercial|flux[\s._-]*2[\s._-]*(dev|klein[\s._-]*9b)",
    re.IGNORECASE,
)
_GUIDANCE = re.compile(r"guidance_in[._]|guidance_embed", re.IGNORECASE)
_DOUBLE = re.compile(
    r"double_blocks[._]\d+[._](img|txt)_(attn|mlp|mod)|transformer_blocks[._]\d+[._](attn[._]add_[qkv]_proj|ff_context|norm1_context)",
    re.IGNORECASE,
)
_SINGLE = re.compile(
    r"single_blocks[._]\d+[._](linear[12]|modulation|norm)|single_transformer_blocks[._]\d+[._](proj_mlp|proj_out|attn)",
    re.IGNORECASE,
)
_WIDE = {(3072, 9216), (3072, 21504), (3072, 15360), (3072, 12288)}
"""Shapes, sorted, of the blocks' big matrices: qkv, linear1, linear2 (or proj_out), the MLP."""
_GUIDE = (256, 3072)
"""The time embedding's first matrix; [dev] has a second one of it for the guidance."""
_PAPER = re.compile(r"\.(md|txt|json|ya?ml|toml|rst|html?)$|^(licen[cs]e|copying|notice|readme)[^.]*$", re.IGNORECASE)
_LOW_RANK = re.compile(r"lora[._]?(a|b|up|down|unet|te)|\.hada_|\.lokr_|lycoris", re.IGNORECASE)


def traces(path: Path) -> list[Trace]:
    """What a file of weights, or a folder of them with its papers, betrays."""
    if path.is_dir():
        return [t for child in sorted(path.rglob("*"))[:2000] if child.is_file() for t in traces(child)]
    found = _words(f"its name is {path.name}", path.name)
    if _PAPER.search(path.name) and path.stat().st_size < MAX_STRING:
        return found + _paper(path)
    seen = read(path)
    for key, text in seen.said.items():
        found += _words(f"its metadata say {key} = {text[:80]!r}", f"{key} {text}")
    return found + shaped(seen)


def shaped(seen: Seen) -> list[Trace]:
    """What tensor names and shapes betray."""
    names = list(seen.tensors)
    guided = [n for n in names if _GUIDANCE.search(n)]
    double, single = sum(bool(_DOUBLE.search(n)) for n in names), sum(bool(_SINGLE.search(n)) for n in names)
    shapes = [tuple(sorted(side for side in s if side != 1)) for s in seen.tensors.values()]
    wide, guides = sum(s in _WIDE for s in shapes), shapes.count(_GUIDE)
    flux = (double and single) or wide >= 8
    if guided and (flux or double or single):
        return [Trace(FLUX_DEV, f'it has the guidance embedding that only FLUX.1 [dev] has ("{guided[0]}")')]
    if wide >= 8 and guides >= 2:
        return [
            Trace(
                FLUX_DEV,
                f"its tensors have the shapes of FLUX.1 [dev]: {wide} of its blocks, {guides} embeddings of 256 x 3072",
            )
        ]
    low = [n for n in names if _LOW_RANK.search(n)]
    if low and (double or single):
        return [
            Trace(
                FLUX_DEV,
                f'it is an adapter for FLUX.1 ("{low[0][:60]}"), and nothing in it says that it was not made on [dev]',
            )
        ]
    if flux:
        return [
            Trace(
                "",
                "it has the shape of FLUX.1 without the guidance of [dev]: [schnell], or a merge that hides its origin",
            )
        ]
    return []


def declared(path: Path) -> dict[str, str]:
    """Licences that a file's own metadata name: key -> text (GGUF's `general.license`, a safetensors header's)."""
    said = read(path).said if path.is_file() else {}
    return {
        key: text
        for key, text in said.items()
        if re.search(r"licen[cs]e(\.name|\.link)?$", key, re.IGNORECASE) and text
    }


def _words(where: str, text: str) -> list[Trace]:
    if hit := _FLUX_WORDS.search(text):
        return [Trace(FLUX_DEV, f"{where}: that is FLUX.1 [dev] ({hit[0].strip()!r})")]
    return []


def _paper(path: Path) -> list[Trace]:
    """A text that lies beside the weights: a licence, a card, a configuration."""
    from .texts import match

    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return []
    matched = match(text)
    if any("flux" in licence for licence in matched.ids) or (matched.how == "changed" and "flux" in matched.key):
        return [Trace(FLUX_DEV, f"{path.name} beside it is the licence of FLUX.1 [dev]")]
    if re.search(r'"guidance_embeds"\s*:\s*true', text) and "flux" in text.lower():
        return [Trace(FLUX_DEV, f'{path.name} beside it says "guidance_embeds": true, which is FLUX.1 [dev]')]
    return _words(f"{path.name} beside it says so", text)


# -- headers ---------------------------------------------------------------------------------------------------------


def read(path: Path) -> Seen:
    """Names, shapes and metadata out of a file's header. What cannot be read is searched for names instead."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            if start[:4] == b"GGUF":
                return _gguf(file)
            if len(start) == 8 and 2 <= struct.unpack("<Q", start)[0] <= HEADER and file.read(9)[8:] == b"{":
                file.seek(0)
                return _safetensors(file)
    except (OSError, ValueError, struct.error, KeyError, RecursionError, MemoryError, AttributeError, TypeError):
        pass
    return _searched(path)


def _safetensors(file: BinaryIO) -> Seen:
    """https://github.com/huggingface/safetensors: eight bytes of length, then JSON."""
    (length,) = struct.unpack("<Q", file.read(8))
    head = json.loads(file.read(length))
    meta = {str(k): str(v)[:MAX_STRING] for k, v in (head.pop("__metadata__", None) or {}).items()}
    return Seen({str(n): tuple(map(int, t["shape"])) for n, t in head.items()}, meta)


_SIZES = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def _gguf(file: BinaryIO) -> Seen:
    """https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: key-value pairs, then names and shapes."""

    def number(kind: str) -> int:
        return struct.unpack(kind, file.read(struct.calcsize(kind)))[0]

    def string() -> str:
        length = number("<Q")
        if length > MAX_STRING:
            raise ValueError("a string that is too long")
        return file.read(length).decode("utf-8", "replace")

    def value(kind: int, depth: int = 0) -> str:
        if kind == 8:
            return string()
        if kind == 9:
            inner, count = number("<I"), number("<Q")
            if count > 4_000_000 or depth > 4:
                raise ValueError("an array that is too long")
            items = [value(inner, depth + 1) for _ in range(count)]
            return " ".join(items[:50])
        return str(number(_SIZES[kind]))

    file.read(4)
    number("<I")
    tensors, pairs = number("<Q"), number("<Q")
    if tensors > 200_000 or pairs > 20_000:
        raise ValueError("too many entries")
    said = {}
    for _ in range(pairs):
        key = string()
        said[key] = value(number("<I"))
    shapes = {}
    for _ in range(tensors):
        name, sides = string(), number("<I")
        if sides > 8:
            raise ValueError("too many sides")
        shapes[name] = tuple(number("<Q") for _ in range(sides))
        file.read(12)  # its type and its place
    return Seen(shapes, {k: v for k, v in said.items() if not k.startswith("tokenizer.")})


_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{7,160}")


def _searched(path: Path) -> Seen:
    """Names that stand as plain text in both ends of any file: ONNX, pickles, uncompressed zips, and the rest."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            ends = [file.read(SCANNED)]
            if size > SCANNED:
                file.seek(max(SCANNED, size - SCANNED))
                ends.append(file.read(SCANNED))
    except OSError:
        return Seen({}, {})
    names = dict.fromkeys(hit.decode() for end in ends for hit in _relevant(end))
    spelt = [hit for end in ends for hit in _spelt(end)]
    said = {f"text {n}": hit for n, hit in enumerate(spelt)}
    return Seen({n: () for n in names}, said)


def _spelt(blob: bytes) -> Iterable[str]:
    """What stands around a word that sounds like FLUX [dev]."""
    for needle in (b"flux", b"FLUX", b"Flux"):
        place = blob.find(needle)
        if place >= 0:
            yield "".join(chr(c) if 32 <= c < 127 else " " for c in blob[place : place + 60])


def _relevant(blob: bytes) -> Iterable[bytes]:
    """Only names that a fingerprint could match: a gigabyte of weights holds much that looks like one."""
    for needle in (b"blocks", b"guidance_", b"lora_", b".lora"):
        place = blob.find(needle)
        seen = 0
        while place >= 0 and seen < 20_000:
            around = blob[max(0, place - 120) : place + 120]
            seen += 1
            yield from (hit[0] for hit in _NAME.finditer(around) if needle in hit[0])
            place = blob.find(needle, place + len(needle))
