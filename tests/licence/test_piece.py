"""The gate over a piece: locked verdicts, warnings, overrides, what wheels carry, and the run that says so."""

from __future__ import annotations

import pytest

from pleinair.ingredients import cards_in
from pleinair.licence import piece
from pleinair.licence.parts import of_card, of_environment
from pleinair.manifest import Lock, Manifest, ModelSpec, Operator, SourceSpec, parse, read
from pleinair.models.card import card_from, find_card


def card(licence="Apache-2.0", name="mine", **more):
    """A card of nothing but a licence."""
    table = {"name": name, "task": "vector", "title": name, "weights": {"licence": licence, "stated_in": "LICENSE"}}
    return card_from({**table, "files": {"network": {"sha256": "0" * 64, "bytes": 1}}, **more})


def opinion(cards, lock=None, use="exhibit-paid", operator=None):
    manifest = Manifest(uses=(use,), operator=operator or Operator())
    return piece.opinions(manifest, cards, lock or Lock())[0], manifest


def test_parts_are_counted_transitively():
    components = [
        {"what": "base", "kind": "base", "licence": "llama3.1"},
        {"what": "adapter", "kind": "adapter", "licence": "MIT"},
        {"what": "pictures", "kind": "data", "licence": "CC-BY-4.0"},
        {"what": "voice", "kind": "voice", "licence": "CC0-1.0"},
        {"what": "espeak-ng", "kind": "library", "licence": "GPL-3.0-or-later"},
    ]  # fmt: skip
    parts = of_card(card(components=components, code={"licence": "BSD-3-Clause", "stated_in": "LICENSE"}))
    assert [p.kind for p in parts] == ["weights", "base", "adapter", "data", "voice", "library", "container"]
    got, _ = opinion([card(components=[{"what": "base", "kind": "base", "licence": "CC-BY-NC-4.0"}])])
    assert got.verdict == "refuse" and "base" in got.because[0]


def test_a_card_without_weights_and_without_words_on_a_licence_has_no_weights_to_weigh():
    assert of_card(card_from({"name": "flow", "task": "flow", "title": "flow", "files": {}})) == []


def test_wheels_contents_count_when_they_are_handed_over():
    inside = {p.what: p.licence for p in of_environment() if " inside " in p.what}
    assert inside.get("x264 inside av") == "GPL-2.0-or-later"
    assert any("OpenSSL" in what for what in inside)
    assert all(p.licence != "unknown" for p in of_environment())  # each is written down
    shown, _ = opinion([card()], use="exhibit-paid")
    sold, _ = opinion([card()], use="sell-edition")
    assert shown.verdict == "allow" and sold.verdict == "duties"
    assert any("x264" in sentence and "ource" in sentence for sentence in sold.because)


def test_a_task_brings_the_libraries_that_it_needs():
    names = {p.of for p in of_environment(["transcribe"])}
    assert {"ctranslate2", "faster-whisper"} <= names and "ctranslate2" not in {p.of for p in of_environment()}


def test_what_opened_yesterday_opens_today_and_a_changed_opinion_is_a_warning(tmp_path):
    cards, lock = [card("CC-BY-NC-4.0")], Lock()
    first, manifest = opinion(cards, lock)
    assert first.verdict == "refuse" and piece.lock_in(lock, manifest, cards, [first])
    lock.verdicts["exhibit-paid"]["verdict"] = "duties"  # the table was kinder then
    lock.save(tmp_path / "piece.lock")
    today, _ = opinion(cards, Lock.load(tmp_path / "piece.lock"))
    assert today.verdict == "duties" and today.today.verdict == "refuse"
    assert "It opens as it did" in today.warning and "was allowed, with duties" in today.warning
    assert [n["verdict"] for n in piece.notices([today])] == ["duties", "warning"]


def test_a_locked_verdict_is_about_these_parts_and_no_others():
    lock = Lock()
    cards = [card("CC-BY-NC-4.0")]
    first, manifest = opinion(cards, lock)
    piece.lock_in(lock, manifest, cards, [first])
    lock.verdicts["exhibit-paid"]["verdict"] = "allow"
    swapped, _ = opinion([card("GPL-3.0-only"), card("unknown", "other")], lock)
    assert swapped.locked is None and swapped.verdict == "refuse"


def test_the_lock_keeps_overrides_and_verdicts_word_for_word(tmp_path):
    lock = Lock()
    cards = [card("unknown")]
    piece.accept(lock, "exhibit-paid", 'Ada "Countess" L.: by letter, 3 May: "yes"', "refuse", cards)
    piece.accept(lock, "sell-edition", "B: c", "ask", cards)
    got, manifest = opinion([card("unknown")], lock)
    piece.lock_in(lock, manifest, [card("unknown")], [got])
    lock.save(tmp_path / "piece.lock")
    back = Lock.load(tmp_path / "piece.lock")
    assert back.overrides == lock.overrides and back.verdicts == lock.verdicts
    assert got.accepted["reason"] == 'by letter, 3 May: "yes"' and got.clear and got.verdict == "refuse"


def test_an_override_is_for_the_parts_that_were_signed_for_and_no_others():
    lock, cards = Lock(), [card("unknown")]
    piece.accept(lock, "exhibit-paid", "Ada: by letter", "refuse", cards)
    assert opinion(cards, lock)[0].clear
    swapped, _ = opinion([card("CC-BY-NC-4.0")], lock)
    assert not swapped.clear and "Ada signed" in swapped.warning and "other things" in swapped.warning


def test_a_locked_verdict_does_not_speak_for_another_operator():
    """Locked in the studio; a museum that earns three millions runs it."""
    lock, cards = Lock(), [card("stabilityai-ai-community")]
    artist, museum = Operator("artist", 20_000, "DE"), Operator("museum", 3_000_000, "DE")
    first, manifest = opinion(cards, lock, operator=artist)
    piece.lock_in(lock, manifest, cards, [first])
    assert first.verdict == "duties" and opinion(cards, lock, operator=artist)[0].locked
    assert opinion(cards, lock, operator=museum)[0].verdict == "refuse"


@pytest.mark.parametrize("text", ["override = 3\n", "override = [1]\n", "[verdict]\nexhibit-free = 2\n"])
def test_a_lock_that_was_tampered_with_is_a_fault_and_no_permission(tmp_path, text):
    from pleinair.core.errors import ManifestFault

    (tmp_path / "piece.lock").write_text(text, "utf-8")
    with pytest.raises(ManifestFault):
        Lock.load(tmp_path / "piece.lock")


def test_a_locked_verdict_that_is_no_verdict_does_not_count():
    cards, lock = [card("unknown")], Lock()
    first, manifest = opinion(cards, lock)
    piece.lock_in(lock, manifest, cards, [first])
    lock.verdicts["exhibit-paid"]["verdict"] = "fine"
    assert opinion(cards, lock)[0].verdict == "refuse"


def test_the_venue_says_who_runs_it(tmp_path):
    (tmp_path / "piece.toml").write_text('uses = ["exhibit-paid"]\n', "utf-8")
    (tmp_path / "site.toml").write_text('[operator]\nkind = "museum"\nrevenue_eur = 3e6\nterritory = "DE"\n', "utf-8")
    manifest = read(tmp_path)
    assert manifest.operator == Operator("museum", 3e6, "DE")
    assert opinion([card("stabilityai-ai-community")], operator=manifest.operator)[0].verdict == "refuse"


@pytest.mark.parametrize(
    "line, hint",
    [
        ('kind = "musem"', "museum"),
        ("revenue_eur = -1", "revenue"),
        ('revenue_eur = "much"', "euros"),
        ("revnue = 3", "revenue_eur"),
    ],
)
def test_a_slip_in_the_operators_table_is_told_with_its_line(tmp_path, line, hint):
    from pleinair.core.errors import ManifestFault

    (tmp_path / "site.toml").write_text(f"[operator]\n{line}\n", "utf-8")
    with pytest.raises(ManifestFault) as told:
        read(tmp_path)
    assert hint in str(told.value) and "site.toml, line 2" in str(told.value)


def test_clips_used_as_sources_count_also_those_that_stand_in_for_an_evening():
    manifest = parse(
        '[source.camera]\ndevice = "webcam"\nfallback = "clip:bikes"\n', __import__("pathlib").Path("piece.toml")
    )
    assert [c.name for c in cards_in(manifest)] == ["bikes"]
    assert [c.name for c in cards_in(manifest, {"camera": "clip:carphone"})] == ["carphone"]
    assert cards_in(manifest, {"camera": "file:own.mp4"}) == []
    manifest.models["painting"] = ModelSpec("multistyle26", ("multistyle26", "anystyle"))
    manifest.sources["wall"] = SourceSpec("clip:bigbuckbunny")
    assert [c.name for c in cards_in(manifest)] == ["multistyle26", "anystyle", "bikes", "bigbuckbunny"]


def test_built_in_painters_may_be_shown_and_their_nameless_test_clips_may_not():
    assert opinion([find_card("multistyle26")])[0].verdict in ("allow", "duties")
    assert opinion([find_card("bigbuckbunny")])[0].verdict == "duties"
    assert opinion([find_card("bikes")])[0].verdict == "refuse"


def test_every_card_of_the_shelf_gets_a_verdict_for_every_use():
    from pleinair.licence.terms import VERDICTS
    from pleinair.manifest import USES
    from pleinair.models.card import all_cards

    cards = all_cards()
    assert len(cards) >= 5
    for one in cards:
        for got in piece.opinions(Manifest(uses=USES), [one], Lock()):
            assert got.verdict in VERDICTS and (got.because or got.verdict == "allow"), one.name
            unknown = [p for p in of_card(one) if p.licence == "unknown"]
            assert not unknown or got.verdict in ("ask", "refuse"), one.name
