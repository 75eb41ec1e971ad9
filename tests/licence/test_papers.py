"""A licence's text that came with the weights: read, hashed, matched, and stricter than what a card says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pleinair.licence import piece
from pleinair.licence.gate import verdict
from pleinair.licence.parts import of_card
from pleinair.manifest import Lock, Manifest
from pleinair.models import store
from pleinair.models.card import read_card

from .test_texts import MIT

PLAIN = MIT.format(who="2024 Ada")


@pytest.fixture
def card(tmp_path, monkeypatch):
    """`card(weights, **papers)`: a card of one's own whose weights are in the store, with texts beside it."""
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))

    def make(weights: str, more: str = "", **papers: str):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "w.bin").write_bytes(b"numbers")
        sha256, size = store.adopt(folder / "w.bin")
        for name, text in papers.items():
            (folder / name).write_text(text, "utf-8")
        files = f'[files.network]\nname = "w.bin"\nfrom = "file:w.bin"\nsha256 = "{sha256}"\nbytes = {size}\n'
        (folder / "card.toml").write_text(f'task = "vector"\n[weights]\n{weights}\n{files}{more}', "utf-8")
        return read_card(folder / "card.toml")

    return make


def judged(card, use="exhibit-paid"):
    return verdict(of_card(card), use)


def test_without_a_licence_it_is_refused_and_what_to_do_is_said(card):
    got = judged(card(""))
    assert got.verdict == "refuse" and any(
        "--licence-file LICENSE" in s and 'paper = "LICENSE"' in s for s in got.because
    )


def test_the_text_alone_is_enough(card):
    mine = card('paper = "LICENSE"', LICENSE=PLAIN)
    assert judged(mine).verdict == "allow" and of_card(mine)[0].licence == "MIT"
    assert "LICENSE" in of_card(mine)[0].stated_in


def test_a_word_without_a_place_is_asked_about(card):
    got = judged(card('licence = "MIT"'))
    assert got.verdict == "ask" and "not where that is stated" in got.because[0]
    assert judged(card('licence = "MIT"\nstated_in = "its page"')).verdict == "allow"


@pytest.mark.parametrize(
    "text, verdict_",
    [
        (PLAIN + "\nNo galleries.", "refuse"), ("Do what you like.", "refuse"), ("", "refuse"), (PLAIN, "allow"),
        (PLAIN.replace("sell", "keep"), "refuse"),
    ],
)  # fmt: skip
def test_a_text_that_is_not_known_word_for_word_makes_it_unknown(card, text, verdict_):
    assert judged(card('licence = "MIT"\nstated_in = "LICENSE"\npaper = "LICENSE"', LICENSE=text)).verdict == verdict_
    assert judged(card('paper = "LICENSE"', LICENSE=text)).verdict == verdict_


def test_a_card_that_says_more_than_its_text_is_believed_as_far_as_the_text(card):
    got = judged(card('licence = "CC0-1.0"\nstated_in = "me"\npaper = "LICENSE"', LICENSE=PLAIN), "sell-edition")
    assert got.verdict == "duties" and "he card says CC0-1.0, and LICENSE beside it is MIT" in " ".join(
        f.note + f.says for f in got.findings
    )


def test_a_text_that_is_gone_is_asked_about_and_another_one_is_unknown(card, tmp_path):
    sha256 = hashlib.sha256(PLAIN.encode()).hexdigest()
    weights = f'licence = "MIT"\nstated_in = "LICENSE"\npaper = "LICENSE"\npaper_sha256 = "{sha256}"'
    assert judged(card(weights, LICENSE=PLAIN)).verdict == "allow"
    assert judged(card(weights, LICENSE=PLAIN + "\n")).verdict == "refuse"
    (tmp_path / "mine" / "LICENSE").unlink()
    assert judged(card(weights)).verdict == "ask"


def test_a_paper_lies_beside_its_card_and_nowhere_else(card, tmp_path):
    (tmp_path / "LICENSE").write_text(PLAIN, "utf-8")
    for name in ("../LICENSE", str(tmp_path / "LICENSE")):
        got = judged(card(f'licence = "MIT"\nstated_in = "x"\npaper = "{name}"'))
        assert got.verdict == "refuse" and "does not lie beside it" in " ".join(got.because)


def test_a_component_has_a_text_of_its_own(card):
    base = '[[components]]\nwhat = "base"\nkind = "base"\nlicence = "MIT"\nstated_in = "x"\npaper = "BASE"\n'
    stated = 'licence = "MIT"\nstated_in = "its page"'
    assert judged(card(stated, base, BASE=PLAIN)).verdict == "allow"
    assert judged(card(stated, base, BASE=PLAIN + "\nNo galleries.")).verdict == "refuse"


def test_another_text_is_another_question_than_the_one_that_was_locked(card, tmp_path):
    mine, manifest, lock = card('paper = "LICENSE"', LICENSE=PLAIN), Manifest(uses=("exhibit-paid",)), Lock()
    assert piece.lock_in(lock, manifest, [mine], piece.opinions(manifest, [mine], lock))
    assert piece.opinions(manifest, [mine], lock)[0].locked["verdict"] == "allow"
    (tmp_path / "mine" / "LICENSE").write_text(PLAIN + "\nNo galleries.", "utf-8")
    (now,) = piece.opinions(manifest, [read_card(Path(tmp_path / "mine" / "card.toml"))], lock)
    assert now.locked is None and now.verdict == "refuse"


def test_the_licence_of_the_piece_beside_its_card_is_not_that_of_the_weights(card):
    """A card that names its own text is not held against another one that lies there."""
    mine = card('paper = "WEIGHTS.txt"', **{"WEIGHTS.txt": PLAIN, "LICENSE": "All rights reserved by me."})
    assert judged(mine).verdict == "allow"


def test_a_text_that_is_not_known_is_named_once_with_the_words_that_were_put_in(card):
    got = judged(card('paper = "LICENSE"', LICENSE=PLAIN + "\nMuseums excluded."))
    assert len(got.because) == 2 and '"museums excluded"' in got.because[1]
