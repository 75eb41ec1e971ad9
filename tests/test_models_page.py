"""docs/models.md: every two lines of code run as they stand there, on a real picture and real speech, and every card is
on the page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import pleinair
from pleinair import Sound
from pleinair.addresses import read_picture
from pleinair.models import clip_path, store
from pleinair.models.card import all_cards, find_card
from pleinair.models.fetch import fetch
from pleinair.sources.sound import SoundFile

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/models.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def fetched(*names: str) -> None:
    wanted = [name for name in names if store.missing(find_card(name))]
    if wanted:
        fetch(wanted)


@pytest.fixture(scope="module")
def given() -> dict:
    """What the page says is given: two pictures of one scene, three seconds of speech, all words of pleinair."""
    fetched("astronaut", "two_cities")
    picture = read_picture(clip_path("astronaut"))
    pieces, rate = [], 0
    source = SoundFile(str(clip_path("two_cities")))
    source.open()
    for capture in source:
        pieces.append(capture.data.samples)
        rate = capture.data.rate
        if sum(map(len, pieces)) > 3.5 * rate:
            break
    words: dict = {}
    exec("from pleinair import *", words)
    sound = Sound(np.concatenate(pieces), rate)
    return {**words, "pleinair": pleinair, "picture": picture, "next_picture": np.roll(picture, 3, 1), "sound": sound}


@pytest.mark.parametrize("code", BLOCKS, ids=[re.search(r'load\("([^"]+)"', b)[1] for b in BLOCKS])
def test_the_lines_run_as_they_stand_there(code, given):
    fetched(*re.findall(r'load\("([^"]+)"', code))
    before = dict(given)
    exec(code, before)
    made = {name: value for name, value in before.items() if name not in given and name != "__builtins__"}
    assert made and all(value is not None for value in made.values())


@pytest.mark.parametrize("place", re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE))
def test_its_pictures_are_there(place):
    assert 5_000 < (ROOT / "docs" / place).stat().st_size < 100_000


def test_every_card_of_the_shelf_is_on_the_page():
    assert [c.name for c in all_cards() if c.task != "clip" and c.folder is None and c.name not in PAGE] == []
