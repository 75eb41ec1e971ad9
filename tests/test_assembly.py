"""From a folder to a graph: what is found, what is said where it is not."""

from __future__ import annotations

import pytest

from pleinair import assembly
from pleinair.assembly import MachineParts, assemble, gallery, locate
from pleinair.core.errors import ManifestFault, PieceFault
from pleinair.ingredients import cards_in
from pleinair.models.fetch import fetch

PLAIN = "piece.source('camera')\npiece.draw(lambda camera: camera)\n"
SOURCE = "[source.camera]\ndevice = 'synthetic:room'\nsize = [64, 48]\n"


def test_a_piece_is_a_folder_a_file_or_a_gallery_pieces_name(write_piece):
    folder = write_piece(PLAIN)
    assert locate(folder) == locate(folder / "piece.py") == (folder / "piece.py").resolve()
    assert locate("mirror") == gallery()["mirror"]


@pytest.mark.parametrize("where, says, hint", [("mirorr", "no piece", "mirror"), (".", "no piece.py", "pleinair new")])
def test_where_there_is_no_piece_is_said(tmp_path, monkeypatch, where, says, hint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PieceFault, match=says) as caught:
        locate(where)
    assert hint in caught.value.hint


def test_a_gallery_piece_keeps_its_lock_and_tapes_elsewhere():
    loaded = assembly.load("mirror")
    assert gallery()["mirror"].parent not in (loaded.home, *loaded.home.parents)


def test_a_piece_written_on_windows_is_read(tmp_path):
    text = "\ufefffrom pleinair import Piece\r\npiece = Piece()\r\n"
    text += "piece.source('camera')\r\npiece.draw(lambda camera: camera)\r\n"
    (tmp_path / "piece.py").write_bytes(text.encode())
    (tmp_path / "piece.toml").write_bytes(("\ufeff" + SOURCE).encode())
    assert set(assembly.load(tmp_path).piece.declared) == {"camera", "draw"}


def test_a_piece_that_is_no_text_is_a_sentence(tmp_path):
    (tmp_path / "piece.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PieceFault, match="cannot be read"):
        assembly.load(tmp_path)


def test_the_variable_called_piece_is_the_piece(write_piece):
    folder = write_piece("from pleinair import Piece\nother = Piece()\npiece = Piece()\npiece.source('a')\n")
    assert set(assembly.load(folder).piece.declared) == {"a"}


def test_a_syntax_error_in_a_helper_names_the_helper(write_piece):
    folder = write_piece("import helper\n" + PLAIN)
    (folder / "helper.py").write_text("x = (\n")
    with pytest.raises(PieceFault, match="helper.py is not Python yet") as caught:
        assembly.load(folder)
    assert caught.value.where.startswith("helper.py, line 1")


def test_reading_a_piece_leaves_the_import_path_as_it_was(write_piece):
    import sys

    before = list(sys.path), list(sys.meta_path)
    with pytest.raises(PieceFault):
        assembly.load(write_piece("raise RuntimeError('x')"))
    assembly.load(write_piece(PLAIN))
    assert (list(sys.path), list(sys.meta_path)) == before


@pytest.mark.parametrize("name", sorted(gallery()))
def test_every_gallery_piece_is_read_and_wired(name, weights):
    loaded = assembly.load(name)
    fetch([card.name for card in cards_in(loaded.manifest)])
    graph = assemble(loaded, MachineParts(loaded, stand_in=True))
    assert graph.screens and not loaded.piece.warnings()


def test_the_venues_file_is_watched_and_counts_as_a_change(write_piece):
    folder = write_piece(PLAIN, SOURCE)
    before = assembly.load(folder)
    assert folder / "site.toml" in before.watched
    (folder / "site.toml").write_text("[stage]\nport = 9000\n")
    after = assembly.load(folder)
    assert (after.texts, after.site_text != before.site_text) == (before.texts, True)


def test_a_table_of_piece_toml_that_no_line_of_the_piece_speaks_of_is_a_slip(write_piece):
    folder = write_piece(PLAIN, SOURCE.replace("camera", "camra"))
    with pytest.raises(ManifestFault, match="camra") as caught:
        assembly.load(folder)
    assert "camera" in caught.value.hint and "piece.toml, line 1" in caught.value.where


@pytest.mark.parametrize("text, says", [
    ("exit()", "SystemExit"), ("import nowhere_at_all", "nowhere_at_all"), ("\0", "null bytes|not Python"),
    ("x = (", "not Python yet"),
    ("from pleinair import Piece", "makes no Piece"),
    ("import pleinair\npiece = pleinair.Piece()\npiece.source('a b')", "'a b'"),
])  # fmt: skip
def test_what_is_no_piece_is_a_sentence_at_its_line(tmp_path, text, says):
    (tmp_path / "piece.py").write_text(text)
    with pytest.raises(PieceFault, match=says) as caught:
        assembly.load(tmp_path)
    assert caught.value.where or caught.value.hint
