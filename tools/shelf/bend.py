"""Writes docs/pictures/bend.jpg, one painter with five of its layers bent, and bend_hand.jpg, a hand seen by networks
that are bent. python tools/shelf/bend.py"""

from pathlib import Path

import cv2

from pleinair.addresses import read_picture
from pleinair.cli.layers import write_sheet
from pleinair.models import clip_path, load
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.models.layers import layers_of
from pleinair.paint import blend, fit, grey, skeleton, tile

PICTURES = Path(__file__).parents[2] / "docs/pictures"
LAYERS = ("contract.1/Relu", "res.1.0/Relu", "Add_2", "res.4.0/Relu", "expand.0/Relu")


def painter() -> None:
    card = find_card("multistyle26")
    chosen = [layer for layer in layers_of(card, (320, 240)) if layer.name in LAYERS]
    write_sheet(card, chosen, PICTURES / "bend.jpg")


def hands() -> None:
    """A fist with a finger up, and what the network makes of it as one of its layers is played."""
    picture = read_picture(clip_path("hand_pointing"))
    dim, tiles = blend(grey(picture), "ink", 0.4), [fit(picture, (190, 253))]
    for layer, knobs in (
        ("re_lu_17", {}),
        ("re_lu_17", {"scale": -1}),
        ("re_lu_17", {"shift": -1}),
        ("re_lu_22", {"shift": 1.0}),
    ):
        model = load("hands", backend="onnx", bend={"a": {"layer": layer, "role": "hand", "channels": 0.6}})
        found = model(picture, **{f"a_{knob}": value for knob, value in knobs.items()})
        tiles.append(fit(skeleton(dim, found, width=0.012), (190, 253)))
        model.close()
    cv2.imwrite(str(PICTURES / "bend_hand.jpg"), tile(tiles, len(tiles))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])


if __name__ == "__main__":
    fetch(["multistyle26", "astronaut", "hands", "hand_pointing"])
    painter()
    hands()
