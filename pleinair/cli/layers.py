"""`models show CARD --layers [SHEET.jpg]`: what can be bent in a model, as a table and as a sheet of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ModelFault
from .say import say
from .table import say_table

if TYPE_CHECKING:
    from ..models.card import Card

TILE = (200, 150)
MOST = 48
"""Layers on a sheet: of more, so many are shown, evenly chosen."""
_SHOWN = {"hands": "hand_pointing"}
"""A free photograph, by what a model senses, where the astronaut shows none of it."""
INK, PAPER = (24, 26, 30), (232, 228, 218)


def show_layers(card: Card, sheet: Path | None) -> list[dict[str, Any]]:
    """Prints the layers; with `sheet`, writes a picture of what each does. Returns them for --json."""
    from ..models.layers import layers_of

    found = layers_of(card, TILE_SIZE if card.size else None) if sheet else layers_of(card)
    many = len({layer.role for layer in found}) > 1
    rows = [(layer.name, layer.op, " x ".join(map(str, layer.shape)), layer.role if many else "") for layer in found]
    say_table(rows, ("layer", "made by", "shape", "role" if many else ""))
    if found:
        looks = [layer for layer in found if layer.role == found[-1].role]  # of several networks the last looks closest
        one = looks[len(looks) // 2]
        alone = [layer.name for layer in found].count(one.name) == 1
        entry = f'"{one.name}"' if alone else f'{{ layer = "{one.name}", role = "{one.role}" }}'
        say(f"\n  played in a piece, in [model.NAME] of piece.toml:    bend = {{ swirl = {entry} }}")
        say("  its knobs: swirl_scale (1), swirl_shift (0), swirl_noise (0), swirl_drift (0)")
    if sheet is not None:
        write_sheet(card, found, sheet)
        say(f"  what each does: {sheet}")
    return [{"name": x.name, "role": x.role, "op": x.op, "shape": list(x.shape)} for x in found]


TILE_SIZE = (320, 256)
"""At which a sheet's models work: sides that all of them take."""


def write_sheet(card: Card, layers: list[Any], place: Path) -> None:
    """A row for each layer: half of its channels turned over, and its numbers clouded; above them the plain picture."""
    if len(layers) > MOST:
        say(f"  {MOST} of {len(layers)} layers are shown")
        layers = [layers[round(n * (len(layers) - 1) / (MOST - 1))] for n in range(MOST)]
    from ..models import load
    from ..models.layers import played
    from ..paint import fit, text

    size = TILE_SIZE if card.size else None
    model = load(card, size=size, backend="onnx")
    image = _picture(card)
    image = _near(image, model(image))
    plain = _drawn(card, image, model(image))
    model.close()
    tiles = [("as it is", [plain, image])]
    many = len({layer.role for layer in layers}) > 1
    for layer, found in played(card, image, layers, size):
        name = f"{layer.role}: {layer.name}" if many else layer.name
        tiles.append((name, [_drawn(card, image, found[what]) for what in ("scale", "noise")]))
        say(f"  {len(tiles) - 1} of {len(layers)}  {layer.name}")
    width, height = TILE
    columns = 3 if len(tiles) > 8 else 2
    rows = -(-len(tiles) // columns)
    step = (2 * width + 24, height + 40)
    page = np.empty((rows * step[1] + 16, columns * step[0] + 24, 3), np.uint8)
    page[:] = INK
    for n, (name, pair) in enumerate(tiles):
        y, x = (n // columns) * step[1] + 16, (n % columns) * step[0] + 24
        for k, picture in enumerate(pair):
            page[y : y + height, x + k * width : x + (k + 1) * width] = fit(picture, TILE, "contain")
        strip = np.empty((28, 2 * width, 3), np.uint8)
        strip[:] = INK
        page[y + height : y + height + 28, x : x + 2 * width] = text(strip, name, (0.5, 0.5), 0.5, PAPER)
    _save(page, place)


def _near(image: np.ndarray, found: Any) -> np.ndarray:
    """The part of a photograph where somebody was found, with some room around: a sheet's pictures are small."""
    from ..core.kinds import Landmarks
    from ..paint import crop

    if not isinstance(found, Landmarks) or not found:
        return image
    points = found[0].points[:, :2]
    middle, reach = (points.min(0) + points.max(0)) / 2, np.ptp(points, axis=0).max() * 0.8
    return crop(image, *np.clip([*(middle - reach), *(middle + reach)], 0, 1).tolist())


def _drawn(card: Card, image: np.ndarray, found: Any) -> np.ndarray:
    """What a model made of a picture, as a picture. ModelFault: there is nothing in it to be seen."""
    from ..core.kinds import Boxes, Landmarks
    from ..paint import blend, boxes, grey, mesh, resize, skeleton

    if isinstance(found, np.ndarray) and found.ndim == 3:
        return found
    if isinstance(found, np.ndarray) and found.ndim == 2:
        return blend(np.zeros_like(image), image, resize(found, image.shape[1::-1]))
    if isinstance(found, Landmarks):
        return skeleton(mesh(blend(grey(image), "black", 0.5), found), found, width=0.01)
    if isinstance(found, Boxes):
        return boxes(image, found)
    raise ModelFault(f"{card.name} makes no pictures, so there is none to show of its layers")


def _picture(card: Card) -> np.ndarray:
    """A free photograph where it was fetched, else the built-in picture. Of a model that looks for people: a photograph
    of what it looks for; ModelFault, with the command that brings it, where it was not fetched."""
    from ..addresses import read_picture
    from ..models import clip_path
    from ..models.testcard import picture

    try:
        return read_picture(clip_path(next((_SHOWN[sense] for sense in card.senses if sense in _SHOWN), "astronaut")))
    except ModelFault:
        if card.senses:
            raise
        return picture((512, 384), 0)


def _save(page: np.ndarray, place: Path) -> None:
    import cv2

    if place.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise ModelFault(f"{place.name} is no name for a picture", hint="--layers sheet.jpg")
    fine, blob = cv2.imencode(place.suffix, page[..., ::-1])
    if not fine:
        raise ModelFault(f"{place.name} could not be written")
    try:
        place.write_bytes(blob.tobytes())
    except OSError as error:
        raise ModelFault(f"{place} could not be written: {error.strerror}", hint="choose another folder") from None
