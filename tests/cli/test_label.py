"""`label`: what stands on the wall, as text and as a page to print."""

from __future__ import annotations

import re

PASSES = 'piece.source("camera")\n@piece.draw\ndef draw(camera): return camera\n'


def test_the_gallery_piece_has_a_label_with_credits_notices_and_privacy(home, call):
    got = call("label", "mirror")
    assert got.code == 0, got.said
    assert got.out.startswith("Mirror, 2026\nPleinair\n")
    assert "Dumoulin" in got.out and "Blender Foundation" in got.out
    assert "https://creativecommons.org/licenses/by/3.0/" in got.out
    assert "Art. 50(1)" in got.out and "A camera looks at this place" in got.out
    assert "generated or changed by artificial intelligence" in got.out
    assert "no legal advice" in got.out and "Energy: not measured." in got.out
    assert got.found["verdicts"] == [["exhibit-free", "allowed, with duties"]]


def test_source_code_is_offered_only_where_copies_are_handed_over(home, call):
    assert "Source code" not in call("label", "mirror").out
    out = call("label", "mirror", "--use", "archive-deposit").out
    assert "Source code" in out and re.search(r"source code of .*x264 inside\s+av", out, re.DOTALL)


def test_the_page_is_whole_in_itself_and_prints_on_two_papers(home, call, tmp_path):
    page = tmp_path / "label.html"
    got = call("label", "muse", "--html", page)
    assert got.code == 0
    text = page.read_text("utf-8")
    assert "size: A5" in text and "size: A4" in text and "contenteditable" in text
    assert not re.search(r'(src|href)="?https?:|url\((?!data:)', text)  # no request leaves it
    assert "\u201c" in text or "\u2019" in text
    assert '"' not in re.sub(r"<[^>]*>|<style>.*?</style>", "", text.split("</style>")[1])


def test_json_alone_goes_to_standard_output(home, call):
    import json

    got = call("label", "mirror", "--json", "-", json_too=False)
    assert json.loads(got.out)["title"] == "Mirror"


def test_a_use_that_is_not_clear_is_said_beside_the_label(home, call, write_piece):
    folder = write_piece(PASSES, '[source.camera]\ndevice = "clip:carphone"\n')
    got = call("label", folder, "--use", "exhibit-paid")
    assert got.code == 0 and "exhibit-paid: refused" in got.said
    assert "A camera" not in got.out  # a clip is no camera


def test_wrong_calls(home, call, tmp_path):
    assert call("label", "mirror", "--use", "sell").code == 2
    assert call("label", "mirror", "--html", tmp_path / "no" / "where.html").code == 2
    assert call("label", "nothing").code == 1


def test_a_recorded_session_and_another_language(home, call, tmp_path):
    got = call("label", "mirror", "--recorded", "for the archive, until May")
    assert "what the camera sees is stored" in got.out and "until May." in got.out
    assert "Nothing is stored" not in got.out and "Nothing is stored" in call("label", "mirror").out
    page = tmp_path / "label.html"
    assert call("label", "mirror", "--language", "fr", "--html", page).code == 0
    assert '<html lang="fr">' in page.read_text("utf-8") and "Aux visiteurs" in page.read_text("utf-8")
    assert call("label", "mirror", "--language", "klingon").code == 1


def test_a_piece_that_listens_and_talks_says_so_on_the_wall(home, call):
    out = call("label", "parrot").out
    assert "You are talking with a machine" in out and "A microphone listens at this place" in out
    assert "A camera looks" not in out and "Kokoro-82M" in out and "nothing is sent over the" in out
