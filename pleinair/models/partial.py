"""Files on their way: what has arrived of one so far, kept until it is whole, and one process at a time on each."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .. import folders

POLL_S = 0.05


def path_of(sha256: str) -> Path:
    """Where the beginning of the file with that hash lies, or would lie."""
    return folders.store_dir() / "partial" / sha256


@contextlib.contextmanager
def alone(sha256: str) -> Iterator[None]:
    """While this is held, no other process brings that file: it waits here. Given up by the system if the process dies.

    On a disk without locks (some network disks) nobody waits, and a file may be brought twice: never half.
    """
    place = folders.store_dir() / "locks" / sha256
    lock = None
    with contextlib.suppress(OSError):  # a read-only or a full disk is said by whoever writes the file itself
        lock = _locked(place)
    try:
        yield
    finally:
        if lock is not None:
            with contextlib.suppress(OSError):
                place.unlink()  # while it is held: who waits for it sees that it is gone, and takes a new one
            lock.close()


def _locked(place: Path) -> IO[bytes]:
    place.parent.mkdir(parents=True, exist_ok=True)
    while True:
        lock = open(place, "ab")  # noqa: SIM115  held until it is closed
        try:
            while not _try(lock):
                time.sleep(POLL_S)
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(lock.fileno()), place.stat()):
                    return lock
        except BaseException:
            lock.close()
            raise
        lock.close()


def _try(lock: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
