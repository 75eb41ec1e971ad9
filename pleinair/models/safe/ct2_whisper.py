"""What CTranslate2 believes of a Whisper's tables, and ends the process where it is wrong.

It asks few tables for their shape: a table of words that is shorter than the vocabulary, no heads, a layer that there
is not are a crash there, and a bias that is too short is read beyond its end. Found by changing files that are whole,
each opened and run in a process of its own (bench/survive.py); so every table that it reads must have the shape that
the others say. The names are those of WhisperSpec in CTranslate2's python/ctranslate2/specs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .parts import Broken, refused, short

_WIDE = frozenset({0, 4, 5})
"""float32, float16, bfloat16."""
_ROUNDED = frozenset({1, 2})
_WHOLE = frozenset({1, 2, 3})
WORDS = "decoder/embeddings/weight"
_INSIDE = re.compile(r"(?:^|/)(?:linear_\d+|conv\d+|embeddings|projection)/([^/]+)$")
# "d": how wide the network is, "v": words, "m": bands of the spectrum, "f", "p": whatever the first such table says
_SIDES = [
    (re.compile(pattern), sides.split())
    for pattern, sides in {
        r".*layer_norm/(gamma|beta)": "d",
        r"encoder/conv1/": "d m 3",
        r"encoder/conv2/": "d d 3",
        r".*/self_attention/linear_0/": "3d d",
        r".*/self_attention/linear_1/": "d d",
        r".*/attention/linear_[02]/": "d d",
        r".*/attention/linear_1/": "2d d",
        r".*/ffn/linear_0/": "f d",
        r".*/ffn/linear_1/": "d f",
        r"decoder/(embeddings|projection)/": "v d",
        r"(en|de)coder/position_encodings/encodings": "p d",
    }.items()
]


@dataclass(frozen=True)
class Table:
    """Its sides, its DataType, and of a single whole number the number."""

    sides: tuple[int, ...]
    kind: int
    value: int = 0


def check(tables: Mapping[str, Table]) -> int:
    """How many words it knows; 0 where it has no table of them, which the runtime says. Broken where one table does not
    fit the others."""
    _numbers(tables)
    words = tables.get(WORDS)
    if words is None:
        return 0
    if len(words.sides) != 2 or 0 in words.sides:
        raise Broken(f"its table of words has the sides {words.sides}")
    known = {"v": words.sides[0], "d": words.sides[1]}
    for name, table in tables.items():
        _shaped(name, table, tables, known)
    return words.sides[0]


def _shaped(name: str, table: Table, tables: Mapping[str, Table], known: dict[str, int]) -> None:
    inside = _INSIDE.search(name)
    leaf = inside[1] if inside else ""
    if inside and leaf not in ("weight", "bias", "weight_scale"):
        raise Broken(f"the table {short(name)} is of no kind that is known here")
    sides = next((sides for pattern, sides in _SIDES if pattern.match(name)), None)
    if sides is None:
        return
    part = name.rpartition("/layer_")
    place = name.split("/")[0] + part[2].split("/")[0] if part[1] else name
    wanted = tuple(_side(side, known, table.sides, n, place) for n, side in enumerate(sides))
    rows = wanted[:1]
    fits = {"bias": (rows,), "weight_scale": ((), rows)}.get(leaf, (wanted, (wanted[0], _product(wanted[1:]))))
    if table.sides not in fits:
        raise Broken(f"the table {short(name)} has the sides {table.sides}, and the others want {fits[0]}")
    scaled = leaf == "weight" and table.kind in _ROUNDED and name + "_scale" in tables
    if table.kind not in _WIDE and not scaled:
        raise Broken(f"the table {short(name)} holds whole numbers, and nothing says of what")


def _side(side: str, known: dict[str, int], its: tuple[int, ...], n: int, place: str) -> int:
    """What a side must be; a free one ("f" of its layer, "m", "p" of its table) is what it is where it comes first."""
    if side.isdigit():
        return int(side)
    times, letter = int(side[:-1] or 1), side[-1]
    if letter in "dv":
        return times * known[letter]
    return known.setdefault(f"{letter} {place}", its[n] if n < len(its) else 0)


def _product(sides: tuple[int, ...]) -> int:
    count = 1
    for side in sides:
        count *= side
    return count


def _numbers(tables: Mapping[str, Table]) -> None:
    """Heads and layers that it names. It divides by the first, and looks for the second."""
    width = tables[WORDS].sides[-1] if WORDS in tables and tables[WORDS].sides else 0
    for part in ("encoder", "decoder"):
        heads = tables.get(f"{part}/num_heads")
        if heads is None:
            continue
        if heads.sides or heads.kind not in _WHOLE or heads.value < 1 or width % heads.value:
            raise Broken(f"its {part} cannot have {heads.value} heads")
    layers = {name.split("/")[1] for name in tables if name.startswith("decoder/layer_") and name.count("/") > 2}
    layer, heads = tables.get("decoder/alignment_layer"), tables.get("decoder/alignment_heads")
    if layer is not None and not (
        layer.kind in _WHOLE and not layer.sides and -max(len(layers), 1) <= layer.value < max(len(layers), 1)
    ):
        raise Broken(f"it aligns by layer {layer.value}, and has {len(layers)}")
    most = tables["decoder/num_heads"].value if "decoder/num_heads" in tables else 1 << 15
    if heads is not None and not (heads.kind in _WHOLE and not heads.sides and 0 <= heads.value <= most):
        raise Broken(f"it aligns by {heads.value} heads")


def beside(words: int, files: Mapping[str, bytes], name: str) -> None:
    """Whether the vocabulary and the settings beside the model mean words that it knows.

    files  name -> bytes: "config.json", "vocabulary.txt" or "vocabulary.json"

    ModelFault: there are more words than the model knows, or the settings name others.
    """
    from . import jsontext

    if not words:
        return
    for file, blob in files.items():
        if file == "vocabulary.txt":
            count = blob.count(b"\n") + (not blob.endswith(b"\n"))
        elif file == "vocabulary.json":
            told = jsontext.load(blob, file)
            count = len(told) if isinstance(told, list) else 0
        else:
            continue
        if count > words:
            raise refused(name, f"{file} has {count} words, and the model knows {words}", "fetch both again")
    settings = jsontext.load(files.get("config.json", b"{}"), "config.json")
    for key in ("suppress_ids", "suppress_ids_begin", "lang_ids"):
        ids = settings.get(key) if isinstance(settings, dict) else None
        if ids is not None and not (isinstance(ids, list) and all(type(i) is int and 0 <= i < words for i in ids)):
            raise refused(name, f"config.json names words that the model does not know ({key}: {json.dumps(ids)[:60]})")
