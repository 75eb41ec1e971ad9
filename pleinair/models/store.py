"""Weights and clips by their sha256, in the user's own data folder.

A file is written beside the store under a name of its own, synced, made read-only and then renamed into place: whoever
looks sees all of it or nothing, and two processes may bring the same file at once. Nothing here ever downloads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO

from .. import folders
from ..core.errors import ModelFault
from . import safe
from .card import Card, File
from .places import Verdict, blobs, discard, has, hash_of, path_of, prune, strangers, strays, verify, verify_one
from .store_faults import StoreFault, absent, disk_fault, full_disk, other, spoilt

__all__ = [
    "StoreFault", "Verdict", "adopt", "blobs", "discard", "disk_fault", "examine", "full_disk", "has", "hash_of",
    "missing", "other", "path", "path_of", "prune", "put", "read", "room_for", "settle", "strangers", "strays",
    "verify", "verify_one", "workspace",
]  # fmt: skip

CHUNK = 1 << 20


def missing(card: Card) -> list[File]:
    """The files that the card runs with and that are not in the store."""
    return [f for f in card.needed.values() if not has(f)]


def path(card: Card, role: str) -> Path:
    """Where a file of the card lies. ModelFault, with the command that brings it, where it does not."""
    file = _file(card, role)
    if not has(file):
        raise absent(card, file)
    return path_of(file.sha256)


def read(card: Card, role: str, allow: Collection[str] = ()) -> bytes:
    """The bytes of a file of the card, hash and structure checked: what is handed to a runtime is what was checked.

    allow  the formats that may be read, as `safe.check` names them; by default those of models and of what lies beside
           them, for a clip those of films, sounds and pictures, and for what is only converted also numbers and torch
    """
    file = _file(card, role)
    try:
        with open(path_of(file.sha256), "rb") as stream:
            blob = stream.read(file.bytes + 1)
    except OSError:
        raise absent(card, file) from None
    if len(blob) != file.bytes:
        raise spoilt(card, file, f"it has {len(blob)} bytes, and the card says {file.bytes}")
    found = hashlib.sha256(blob).hexdigest()
    if found != file.sha256:
        raise spoilt(card, file, f"its sha256 is {found[:12]}..., and the card says {file.sha256[:12]}...")
    _examine(blob, file, frozenset(allow or _formats(card, role)))
    return blob


def examine(card: Card, role: str) -> None:
    """Looks at the structure of a file that has just come. ModelFault where it is refused; then it is gone again."""
    file = _file(card, role)
    try:
        _examine(path_of(file.sha256), file, _formats(card, role))
    except ModelFault:
        discard(file.sha256)
        raise


_CHECKED: set[tuple[str, frozenset[str]]] = set()


def _examine(blob: bytes | Path, file: File, allow: frozenset[str]) -> None:
    if (file.sha256, allow) not in _CHECKED:  # the same bytes are not looked at twice
        safe.check(blob, file.name, allow)
        _CHECKED.add((file.sha256, allow))


def _formats(card: Card, role: str) -> frozenset[str]:
    if any(role in file.of for file in card.files.values()):
        return safe.RAW
    return frozenset({"media"}) if card.task == "clip" else safe.RUNNABLE | safe.DATA


def adopt(source: Path, file: File | None = None) -> tuple[str, int]:
    """Copies a file from this machine into the store; returns (sha256, bytes). With `file`: only if it is that one."""
    try:
        with open(source, "rb") as stream:
            return put(stream, file, source.name)
    except FileNotFoundError:
        raise ModelFault(f"there is no file {source}", hint="check the path, and whether the disk is there") from None
    except (IsADirectoryError, PermissionError) as error:
        raise ModelFault(f"{source} cannot be read: {error.strerror}") from None


def put(
    stream: IO[bytes], file: File | None, name: str, progress: Callable[[int], None] | None = None
) -> tuple[str, int]:
    """Copies a stream into the store, hashing it on the way; returns (sha256, bytes).

    With `file`: a stream of another size or hash is refused, and reading stops one byte after the size that the card
    gives, so that no archive can fill the disk.
    """
    with workspace() as folder:
        digest, size = hashlib.sha256(), 0
        limit = file.bytes if file else None
        draft = folder / "file"
        try:
            with open(draft, "wb") as out:
                while chunk := stream.read(CHUNK if limit is None else min(CHUNK, limit - size + 1)):
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise other(f"{name} is larger than the {limit} bytes that the card gives")
                    digest.update(chunk)
                    out.write(chunk)
                    if progress:
                        progress(size)
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise disk_fault(error) from error
        sha256 = digest.hexdigest()
        if file:
            _is_the_one(file, name, size, sha256)
        _settle(draft, path_of(sha256))
    return sha256, size


def settle(draft: Path, file: File) -> None:
    """Moves a file that lies on the store's own disk into the store, if it is the one that the card means."""
    try:
        with open(draft, "r+b") as stream:
            os.fsync(stream.fileno())
            size = os.fstat(stream.fileno()).st_size
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise disk_fault(error) from error
    _is_the_one(file, file.name, size, sha256)
    _settle(draft, path_of(sha256))


def _is_the_one(file: File, name: str, size: int, sha256: str) -> None:
    if size != file.bytes:
        raise other(f"{name} has {size} bytes, and the card says {file.bytes}: it was cut short")
    if sha256 != file.sha256:
        raise other(f"{name} has the sha256 {sha256[:12]}..., and the card says {file.sha256[:12]}...")


def _settle(draft: Path, place: Path) -> None:
    try:
        draft.chmod(0o444)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(draft, place)
        except PermissionError:  # Windows: another process is reading the same file, which is then the same
            if not place.is_file():
                raise
    except OSError as error:
        raise disk_fault(error) from error


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder inside the store for work in progress, removed at the end. What a killed process left is swept up."""
    root = folders.store_dir() / "tmp"
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))
    except OSError as error:
        raise disk_fault(error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(root: Path) -> None:
    for left in root.iterdir():
        pid = left.name.split("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # asking would be ending it; what is left there is small, and `models prune` may take it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def room_for(count: int) -> None:
    """StoreFault where the store's disk has less room than so many bytes: said before anything is downloaded."""
    place = folders.store_dir()
    while not place.exists():
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return  # a disk that does not say: then it is found while writing
    if count > free:
        fault = full_disk()
        fault.what += f": {count / 1e6:.1f} MB are needed, and {free / 1e6:.1f} MB are free"
        raise fault


def _file(card: Card, role: str) -> File:
    if role not in card.files:
        raise ModelFault(
            f'the card {card.name} names no file "{role}"',
            now="the model was not loaded",
            hint=f"its files are: {', '.join(card.files)}",
        )
    return card.files[role]
