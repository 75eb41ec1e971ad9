"""Where files lie in the store, by their sha256; whether they are what their name says."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import folders
from .card import Card, File


def path_of(sha256: str) -> Path:
    """Where the file with that hash lies, or would lie."""
    return folders.store_dir() / "sha256" / sha256[:2] / sha256


def has(file: File) -> bool:
    """Whether the file is there in its full size. A changed byte is found by `verify`, and when it is read."""
    try:
        return path_of(file.sha256).stat().st_size == file.bytes
    except OSError:
        return False


def blobs() -> Iterator[Path]:
    """Every file in the store."""
    root = folders.store_dir() / "sha256"
    if root.is_dir():
        yield from sorted(p for p in root.glob("??/*") if _ours(p))


def strangers() -> list[Path]:
    """What lies among the store's files and is none: it is never touched."""
    root = folders.store_dir() / "sha256"
    if not root.is_dir():
        return []
    return sorted(p for p in (*root.glob("*"), *root.glob("??/*")) if not _ours(p) and not _is_drawer(p))


def _ours(place: Path) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{64}", place.name)) and place.is_file() and place.name[:2] == place.parent.name


def _is_drawer(place: Path) -> bool:
    return place.is_dir() and bool(re.fullmatch(r"[0-9a-f]{2}", place.name))


def discard(sha256: str) -> None:
    """Removes one file; nothing where there is none."""
    place = path_of(sha256)
    with contextlib.suppress(FileNotFoundError):
        with contextlib.suppress(OSError):
            place.chmod(0o600)  # Windows does not remove what is read-only
        place.unlink()


def hash_of(place: Path) -> str:
    """sha256 of a file."""
    with open(place, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What `verify` found about one file. `state`: "whole", "missing", "changed", "unreadable"."""

    sha256: str
    bytes: int
    state: str
    name: str = ""


def verify(cards: Iterable[Card] | None = None) -> list[Verdict]:
    """Reads every file of the cards (without cards: all of the store) and compares its hash."""
    if cards is None:
        return [verify_one(place) for place in blobs()]
    return [verify_one(path_of(f.sha256), f.name) for card in cards for f in card.needed.values()]


def verify_one(place: Path, name: str = "") -> Verdict:
    """The same for one file of the store."""
    try:
        if not place.is_file():
            return Verdict(place.name, 0, "missing", name)
        state = "whole" if hash_of(place) == place.name else "changed"
        return Verdict(place.name, place.stat().st_size, state, name)
    except OSError:  # a disk that fails, or a file that only somebody else may read
        return Verdict(place.name, 0, "unreadable", name)


def strays(keep: Iterable[Card]) -> list[Path]:
    """What no card of `keep` runs with, and the beginnings of files that none of them names."""
    cards = list(keep)
    wanted = {f.sha256 for card in cards for f in card.needed.values()}
    named = wanted | {f.sha256 for card in cards for file in card.files.values() for f in (file, *file.parts)}
    partial = folders.store_dir() / "partial"
    begun = sorted(partial.iterdir()) if partial.is_dir() else []
    return [p for p in blobs() if p.name not in wanted] + [p for p in begun if p.name not in named]


def prune(keep: Iterable[Card]) -> list[tuple[str, int]]:
    """Removes what no card of `keep` needs; returns (sha256, bytes) of each. OSError: it may not be removed."""
    gone = []
    for place in strays(keep):
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            size = place.stat().st_size
            with contextlib.suppress(OSError):
                place.chmod(0o600)  # Windows does not remove what is read-only
            place.unlink()
            gone.append((place.name, size))
    return gone
