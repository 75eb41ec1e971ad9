"""Writes docs/pictures/bend.jpg: one painter with five of its layers bent. python tools/shelf/bend.py"""

from pathlib import Path

from pleinair.cli.layers import write_sheet
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.models.layers import layers_of

LAYERS = ("contract.1/Relu", "res.1.0/Relu", "Add_2", "res.4.0/Relu", "expand.0/Relu")

fetch(["multistyle26", "astronaut"])
card = find_card("multistyle26")
chosen = [layer for layer in layers_of(card, (320, 240)) if layer.name in LAYERS]
write_sheet(card, chosen, Path(__file__).parents[2] / "docs/pictures/bend.jpg")
