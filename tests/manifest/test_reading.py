"""piece.toml and site.toml: what they say, and what is said of a slip in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pleinair.core.errors import ManifestFault
from pleinair.manifest import USES, read

FULL = """
title  = "Mirror"
artist = "A. N. Artist"
year   = 2026
uses   = ["exhibit-free", "sell-edition"]
seed   = 7
about  = "Ein Spiegel – 鏡"

[budget]
age_ms = 100

[source.camera]
device = "webcam"
fallback = "file:clip.mp4"
size   = [640, 480]
rate   = 30

[sink.speaker]
device = "null"

[model.painting]
card   = "multistyle26"
cards  = ["multistyle26", "anystyle"]
size   = [320, 240]
precision = "f32"
threads = 2
style_weights = [0.5, 0.5]

[stage]
port = 9000
lan = true
"""


def manifest(tmp_path, text: str = FULL, site: str | None = None):
    folder = tmp_path / "piece"
    folder.mkdir(exist_ok=True)
    (folder / "piece.toml").write_text(text, "utf-8")
    if site is not None:
        (folder / "site.toml").write_text(site, "utf-8")
    return read(folder)


def test_everything_that_a_piece_toml_may_say(tmp_path):
    m = manifest(tmp_path)
    assert (m.title, m.artist, m.year, m.seed, m.age_ms) == ("Mirror", "A. N. Artist", 2026, 7, 100)
    assert m.uses == ("exhibit-free", "sell-edition") and m.about == "Ein Spiegel – 鏡"
    camera = m.sources["camera"]
    assert (camera.device, camera.fallback, camera.options) == (
        "webcam",
        "file:clip.mp4",
        {"size": (640, 480), "rate": 30},
    )
    painting = m.models["painting"]
    assert painting.card == "multistyle26" and painting.cards == ("multistyle26", "anystyle")
    assert painting.size == (320, 240) and painting.threads == 2 and painting.constants == {"style_weights": [0.5, 0.5]}
    assert painting.where.startswith("piece.toml, line 21") and painting.lines["style_weights"].startswith(
        "piece.toml, line 27"
    )
    assert m.sinks["speaker"].device == "null" and (m.port, m.lan) == (9000, True)


def test_everything_has_a_default(tmp_path):
    m = manifest(tmp_path, "")
    assert m.title == "piece" and m.uses == ("develop",) and m.seed == 0 and m.age_ms is None and m.port == 8765
    assert read(tmp_path / "nowhere").title == "nowhere"


@pytest.mark.parametrize("text", ["\ufefftitle = 'x'", "title = 'x'\r\nseed = 1\r\n"], ids=["bom", "crlf"])
def test_what_windows_editors_write_is_read(tmp_path, text):
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "piece.toml").write_bytes(text.encode())
    assert read(folder).title == "x"


# -- the venue's file


def test_the_venues_file_lies_over_the_works(tmp_path):
    site = '[source.camera]\ndevice = "rtsp://camera.local/1"\n[stage]\nport = 80\n'
    site += '[osc]\nport = 9000\n[operator]\nkind = "museum"\n'
    m = manifest(tmp_path, site=site)
    camera = m.sources["camera"]
    assert camera.device == "rtsp://camera.local/1" and camera.where.startswith("site.toml, line 1")
    assert camera.options == {"size": (640, 480)}, "another device keeps the size, not the other's own keys"
    assert (m.port, m.lan) == (80, True)


def test_the_venue_may_say_a_little_of_the_same_device(tmp_path):
    m = manifest(tmp_path, site="[source.camera]\nsize = [320, 240]\n")
    assert m.sources["camera"].device == "webcam" and m.sources["camera"].options == {"size": (320, 240), "rate": 30}
    assert m.sources["camera"].fallback == "file:clip.mp4"


def test_a_named_site_file_is_taken_instead(tmp_path):
    other = tmp_path / "venue.toml"
    other.write_text("[stage]\nport = 81\n")
    (tmp_path / "piece").mkdir()
    (tmp_path / "piece" / "site.toml").write_text("[stage]\nport = 80\n")
    assert read(tmp_path / "piece", other).port == 81 and read(tmp_path / "piece").port == 80
    with pytest.raises(ManifestFault, match="there is no"):
        read(tmp_path / "piece", tmp_path / "missing.toml")


@pytest.mark.parametrize("site, says", [
    ("title = 'Mine'", "title"), ("[model.painting]\ncard = 'x'", "model"), ("[sorce.camera]\n", "sorce"),
    ("[stage]\nprot = 80", "stage.prot"), ("[stage]\nport = '80'", "a port's number"),
    ("[stage]\nport = 70000", "65535"),
    ("[stage]\nlan = 1", "true or false"), ("[source.camera\n", "cannot be read"),
])  # fmt: skip
def test_a_slip_in_the_venues_file_is_said_with_its_line(tmp_path, site, says):
    with pytest.raises(ManifestFault) as caught:
        manifest(tmp_path, site=site)
    assert says in caught.value.what and "site.toml" in caught.value.where + caught.value.what


# -- slips


@pytest.mark.parametrize("text, says, line, hint", [
    ("titel = 'x'", "titel", 1, 'did you mean "title"'),
    ("title = 'x'\n[budget]\nage = 5", "budget.age", 3, "age_ms"),
    ("title = 'x'\n\n[sorce.camera]\ndevice = 'webcam'", "sorce", 3, "source"),
    ("title = 5", "title is a text", 1, ""), ("year = '2026'", "year is a whole number", 1, ""),
    ("year = true", "year is a whole number", 1, ""), ("seed = 1.5", "seed is a whole number", 1, ""),
    ("[budget]\nage_ms = 'fast'", "age_ms is a number", 2, ""), ("[budget]\nage_ms = -1", "age_ms is a number", 2, ""),
    ("[budget]\nage_ms = nan", "age_ms is a number", 2, ""), ("[budget]\nage_ms = inf", "age_ms is a number", 2, ""),
    ("budget = 5", "budget is a table", 1, ""),
    ("uses = 'develop'", "uses is a list", 1, 'uses = ["'), ("uses = []", "uses is a list", 1, ""),
    ("uses = ['exhibit']", "'exhibit' is no use", 1, "exhibit-"), ("uses = [['develop']]", "is no use", 1, ""),
    ("source = 'webcam'", "source is a table", 1, ""),
    ("[source]\ncamera = 'webcam'", "[source.camera] is a table", 2, "device"),
    ("[source.a]\ndevice = 'x'\n[source.b]\ndevice = 5", "the device of b", 4, ""),
    ("[source.a]\nfallback = 5", "the fallback of a", 2, ""),
    ("[source.a]\nsize = 5", "the size of source.a", 2, "size = ["),
    ("[source.a]\nsize = [640]", "the size of source.a", 2, ""),
    ("[source.a]\nsize = [0, 480]", "the size", 2, ""), ("[source.a]\nsize = [640.0, 480]", "the size", 2, ""),
    ("[source.a]\nsize = [640, true]", "the size", 2, ""), ("[source.a]\nsize = [99999, 480]", "the size", 2, ""),
    ("[model.m]\nsize = [64, 64]", "names no card", 1, "multistyle26"), ("[model.m]\ncard = 5", "names no card", 1, ""),
    ("[model.m]\ncard = ''", "names no card", 1, ""), ("[model.m]\ncards = 'abc'", "cards is a list", 2, ""),
    ("[model.m]\ncards = [1]", "cards is a list", 2, ""), ("[model]\nm = 5", "names no card", 2, ""),
    ("[model.a]\ncard = 'x'\nthreads = 1\n[model.b]\ncard = 'x'\nthreads = 'two'", "threads is a whole number", 6, ""),
    ("[model.m]\ncard = 'x'\nthreads = 0", "threads is 1 or more", 3, ""),
    ("[model.m]\ncard = 'x'\nprecision = 16", "f32 or bf16", 3, ""),
    ("[stage]\nport = true", "a port's number", 2, ""), ("title = \"Mirror", "cannot be read", 1, "in quotes"),
    ("title = 'a'\ntitle = 'b'", "cannot be read", 2, ""), ("title = Mirror", "cannot be read", 1, "in quotes"),
])  # fmt: skip
def test_every_slip_is_a_sentence_with_its_line(tmp_path, text, says, line, hint):
    with pytest.raises(ManifestFault) as caught:
        manifest(tmp_path, text)
    fault = caught.value
    assert says in fault.what and hint in fault.hint and fault.now
    assert fault.where.startswith(f"piece.toml, line {line}"), fault.where


@pytest.mark.parametrize("blob", [b"\xff\xfe", b"\x00", b"title = '\xff'"], ids=repr)
def test_a_file_that_is_no_text_is_a_sentence(tmp_path, blob):
    (tmp_path / "piece.toml").write_bytes(blob)
    with pytest.raises(ManifestFault, match="cannot be read"):
        read(tmp_path)


def test_a_folder_in_a_files_place_is_a_sentence(tmp_path):
    (tmp_path / "piece.toml").mkdir()
    with pytest.raises(ManifestFault, match="cannot be read"):
        read(tmp_path)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_sentence(tmp_path_factory, text):
    from pleinair.manifest import parse

    try:
        parse(text, tmp_path_factory.getbasetemp() / "piece.toml")
    except ManifestFault as fault:
        assert fault.what


def test_the_uses_are_spelt_as_the_contract_spells_them():
    assert USES == (
        "develop", "exhibit-free", "exhibit-paid", "sell-outputs", "sell-edition", "archive-deposit", "fine-tune",
        "publish-weights",
    )  # fmt: skip


def test_a_card_that_is_a_path_is_meant_from_the_pieces_folder(tmp_path):
    (tmp_path / "piece.toml").write_text('[model.a]\ncard = "mine/card.toml"\ncards = ["mine/card.toml", "b"]\n')
    spec = read(tmp_path).models["a"]
    assert (spec.card, spec.cards) == (str(tmp_path / "mine/card.toml"), (str(tmp_path / "mine/card.toml"), "b"))
