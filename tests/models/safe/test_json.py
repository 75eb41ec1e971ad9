"""JSON, walked: as strict as Python's own reader where both can be asked, whatever is done to a text."""

from __future__ import annotations

import json
import random

import pytest

from pleinair.models.safe import check, jsontext
from pleinair.models.safe.parts import Broken

from . import making

SEEDS = [making.words(n) for n in range(6)] + [
    b'{"a":[1,2],"b":{"c":"d","e":[["x","y"],["z","w"]]},"f":null}',
    b'[1,2.5e3,-0,"a",[true,false],{}]',
    b'{"a":["]","b",2],"b":1,"c":"[","d":["\\"]"],"e":[{"f":1,"g":[]}]}',
    b'{"aa":1,"ab":"2","ac":[3],"ad":true,"ba":["x,","y]"],"bb":-1e5,"bc":null}',
]
SIGNS = b'{}[]",:0123456789.eE-+ \n\\abtruefalsn'


def python_takes(text: bytes) -> bool:
    def once(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError
        return dict(pairs)

    def never(word):
        raise ValueError

    try:
        json.loads(text.decode(), object_pairs_hook=once, parse_constant=never)
    except (ValueError, RecursionError):
        return False
    return True


def we_take(text: bytes, quick: bool) -> bool:
    try:
        for _ in jsontext.walk(memoryview(text), quick=quick):
            pass
    except Broken:
        return False
    return True


@pytest.mark.parametrize("quick", [False, True])
def test_the_same_texts_as_pythons_reader(quick):
    dice = random.Random(3)
    taken = 0
    for _ in range(12_000):
        text = bytearray(dice.choice(SEEDS))
        for _ in range(dice.randrange(1, 4)):
            place, how = dice.randrange(len(text)), dice.randrange(3)
            if how == 0:
                text[place] = dice.choice(SIGNS)
            elif how == 1:
                del text[place]
            else:
                text.insert(place, dice.choice(SIGNS))
        expected = python_takes(bytes(text))
        assert we_take(bytes(text), quick) == expected, bytes(text)
        taken += expected
    assert taken > 500


def test_the_vocabulary_of_a_large_language_model():
    """A quarter of a million words and as many pairs: rows are looked at without being told one by one."""
    words = {f"\u0120word{n}": n for n in range(250_000)}
    pairs = [[f"a{n}", f"b{n}"] for n in range(250_000)]
    text = json.dumps({"model": {"vocab": words, "merges": pairs}}, ensure_ascii=False).encode()
    assert check(text, "tokenizer.json").format == "json"
    twice = text.replace('"\u0120word249999"'.encode(), '"\u0120word17"'.encode())
    assert twice != text and not we_take(twice, True)
