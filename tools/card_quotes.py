"""Whether what the built-in cards quote stands in the package that they quote from: word for word, spaces aside.

    python tools/card_quotes.py FOLDER [CARD ...]

Packages are brought into FOLDER by pip and npm (some are large), opened as containers, and never installed. What was
left out of a quote is "[...]"; a quote that is found in no text of the package is named, and so is one without a place.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pleinair.models.card import BUILT_IN, Card, read_card

TEXTS = re.compile(r"(?i)(licen[cs]e|copying|notice|readme|metadata|pkg-info|terms|package\.json|_data\.py|\.md$|\.txt$"
                   r"|\.html$|data/__init__\.py$|_fetchers\.py$)")  # fmt: skip


def main(folder: Path, names: list[str]) -> int:
    bad = quoted = 0
    for path in sorted(BUILT_IN.glob("*.toml")):
        card = read_card(path)
        licences = [("weights", card.weights), ("code", card.code), *((c.what, c.licence) for c in card.components)]
        for what, licence in licences:
            if names and card.name not in names:
                continue
            if not licence.stated_in and (licence.id != "unknown" or licence.quote):
                bad += 1
                print(f"{card.name}, {what}: {licence.id}, and not where that is stated")
            if licence.quote:
                quoted += 1
                where = [name for name in _holding(folder, card) if _stands(licence.quote, name[1])]
                bad += not where
                print(f"{card.name}, {what}: {where[0][0] if where else 'NOT FOUND: ' + repr(licence.quote)}")
    print(f"{quoted} quotes, {bad} of them or of their places not found")
    return 1 if bad else 0


def _stands(quote: str, text: str) -> bool:
    """Each part of the quote, in order."""
    place, plain = 0, _plain(text)
    for part in quote.split("[...]"):
        place = plain.find(_plain(part), place)
        if place < 0:
            return False
    return True


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[\s*#_>]+", " ", text.replace("\u2014", "-")).split())


def _holding(folder: Path, card: Card) -> Iterator[tuple[str, str]]:
    """(name, text) of all texts of the packages that the card's files come from, and of headers of GGUF files."""
    files = [p for f in card.files.values() for p in (f, *f.parts)]
    named = [m for text in (card.weights.stated_in, card.code.stated_in) for m in _NAMED.findall(text)]
    packages = dict.fromkeys(_package(s) for f in files for s in f.sources)
    if not any(p.startswith("npm:") for p in packages):
        packages |= dict.fromkeys(f"pypi:{name}=={version}" for name, version in named)  # its papers alone, perhaps
    for package in filter(None, packages):
        yield from _texts(_brought(folder, package))


_NAMED = re.compile(r"package ([@\w./-]+) (\d[\w.]*)")


def _package(source: str) -> str:
    if source.startswith("pypi:"):
        return source.split("/")[0]
    if source.startswith("npm:"):
        return re.match(r"npm:(@[^/]+/)?[^/]+", source)[0]
    return ""


def _brought(folder: Path, package: str) -> Path:
    kind, _, name = package.partition(":")
    place = folder / re.sub(r"[^A-Za-z0-9.=@-]", "_", name)
    if not place.exists():
        place.mkdir(parents=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(place), name]
        npm = ["npm", "pack", "--silent", "--pack-destination", str(place), name]
        subprocess.run(pip if kind == "pypi" else npm, check=True, stdout=subprocess.DEVNULL)
    return next(place.iterdir())


def _texts(container: Path) -> Iterator[tuple[str, str]]:
    if container.suffix == ".whl":
        with zipfile.ZipFile(container) as archive:
            for info in archive.infolist():
                if TEXTS.search(info.filename) and info.file_size < 4 << 20:
                    yield f"{container.name}: {info.filename}", archive.read(info).decode("utf-8", "replace")
                elif info.filename.endswith(".gguf"):
                    with archive.open(info) as stream:
                        yield f"{container.name}: {info.filename}", stream.read(1 << 16).decode("latin-1")
        return
    with tarfile.open(container) as archive:
        for member in archive:
            if member.isfile() and TEXTS.search(member.name) and member.size < 4 << 20:
                yield f"{container.name}: {member.name}", archive.extractfile(member).read().decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
