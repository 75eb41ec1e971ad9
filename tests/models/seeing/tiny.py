"""Networks of a few bytes, made here, and cards around them: for tasks whose weights no package carries."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from pleinair.models.card import Card, read_card
from pleinair.models.convert.writing import Writer


def card_of(folder: Path, task: str, files: dict[str, bytes], options: str = "", size=None, rest: str = "") -> Card:
    """A card of one's own in a folder; `files` role -> bytes. A role "words.json" has that name on the disk."""
    folder = folder / hashlib.sha256(repr((task, options, rest, sorted(files))).encode()).hexdigest()[:12]
    folder.mkdir(exist_ok=True)
    text = f'name = "mine"\ntask = "{task}"\n' + (f"size = [{size[0]}, {size[1]}]\n" if size else "") + rest
    for role, blob in files.items():
        name = role if "." in role else f"{role}.onnx"
        role = role.split(".")[0]
        (folder / name).write_bytes(blob)
        text += f'\n[files.{role}]\nname = "{name}"\nfrom = ["file:{name}"]\n'
        text += f'sha256 = "{hashlib.sha256(blob).hexdigest()}"\nbytes = {len(blob)}\n'
    (folder / "card.toml").write_text(f"{text}\n[options]\n{options}\n", "utf-8")
    return read_card(folder / "card.toml")


def average_colour(size, name: str = "image") -> bytes:
    """[1, 3, h, w] -> [1, 3]: the mean of each channel."""
    w = Writer("average")
    image = w.unique(name)
    w.unique("row")
    w.name_output(w.add("Flatten", [w.add("GlobalAveragePool", [image])]), "row")
    return w.save({name: ("float32", [1, 3, size[1], size[0]])}, {"row": ("float32", [1, 3])})


def two_colours(numbers: int, side: int, *, shift: float = 0.0) -> bytes:
    """[1, numbers] -> [1, 3, side, side]: red is the first number, green the second, blue 0; plus `shift`."""
    w = Writer("two_colours")
    latent = w.unique("z")
    w.unique("picture")
    weights = np.zeros((numbers, 3), np.float32)
    weights[0, 0] = weights[1, 1] = 1
    colour = w.add("Add", [w.add("MatMul", [latent, w.constant(weights)]), w.constant(np.float32(shift))])
    colour = w.add("Reshape", [colour, w.ints([1, 3, 1, 1])])
    w.name_output(w.add("Expand", [colour, w.ints([1, 3, side, side])]), "picture")
    return w.save({"z": ("float32", [1, numbers])}, {"picture": ("float32", [1, 3, side, side])})
