"""The pieces that README and docs show really run, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pleinair import assembly
from pleinair.core.kinds import Image
from pleinair.core.observer import Observer
from pleinair.ingredients import cards_in
from pleinair.models.fetch import fetch
from pleinair.paint.shown import shown_of
from pleinair.run.offline import OfflineRunner

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "docs/write-a-piece.md", "docs/bend.md"]


def pieces() -> list[tuple[str, str, str]]:
    """(name, python, toml) of each piece in the docs; a toml block right behind a piece belongs to it."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for number, block in enumerate(re.finditer(r"```python\n(.*?)```(?:\n```toml\n(.*?)```)?", text, re.S)):
            if "Piece()" in block[1]:
                found.append((f"{Path(page).stem}-{number}", block[1], block[2] or ""))
    return found


@pytest.mark.parametrize(("name", "python", "toml"), pieces(), ids=[p[0] for p in pieces()])
def test_a_piece_in_the_docs_runs(name, python, toml, tmp_path, weights):
    if "piece.model" in python and "[model." not in toml:
        toml += '[model.painting]\ncard = "multistyle26"\nsize = [160, 120]\n'
    (tmp_path / "piece.py").write_text(python)
    (tmp_path / "piece.toml").write_text(toml)
    loaded = assembly.load(tmp_path)
    assert loaded.piece.warnings() == []
    talks = "mic" in loaded.piece.declared
    if talks:
        fetch([card.name for card in cards_in(loaded.manifest)])
    devices = {"camera": "synthetic:room", "mic": "sound:visitor"}
    sources = {n: uri for n, uri in devices.items() if n in loaded.piece.declared}
    parts = assembly.MachineParts(loaded, sources=sources)
    runner = OfflineRunner(assembly.assemble(loaded, parts))
    runner.run(5 if talks else 0.5)
    shown = runner.last[next(iter(runner.graph.screens.values()))]
    assert talks or runner.graph.nodes[shown.stream].kind is Image
    assert shown_of(shown).std() > 1, "the picture is not empty"


def test_the_readme_shows_the_gallery_piece_itself():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert (ROOT / "pleinair/gallery/mirror/piece.py").read_text("utf-8").strip() in readme


@pytest.mark.parametrize("name", ["mirror", "muse"])
def test_every_gallery_piece_with_a_camera_runs_and_moves_with_it(name, weights):
    loaded = assembly.load(name)
    assert loaded.piece.warnings() == []
    parts = assembly.MachineParts(loaded, sources={"camera": "synthetic:room"})
    runner = OfflineRunner(assembly.assemble(loaded, parts))
    seen = []

    class Shown(Observer):
        def on_frame(self, frame, raw=None):
            if frame.stream == "draw":
                seen.append(frame.data)

    runner.observers.add(Shown())
    runner.run(0.5)
    assert len(seen) >= 10
    assert seen[0].shape == (480, 640, 3)
    assert abs(seen[0].astype(int) - seen[-1]).mean() > 0.5, "the picture follows the camera"


def test_a_gallery_piece_is_a_page():
    for name, file in assembly.gallery().items():
        assert len(file.read_text("utf-8").splitlines()) <= 45, name
