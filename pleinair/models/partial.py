"""Files on their way: what has arrived of one so far, kept until it is whole, and one process at a time on each."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from .. import folders
from ..core.errors import ModelFault
from . import store
from .card import File
from .store_faults import TooMuch, other

POLL_S = 0.1


def path_of(sha256: str) -> Path:
    """Where the beginning of the file with that hash lies, or would lie."""
    return folders.store_dir() / "partial" / sha256


class Draft(io.RawIOBase):
    """The beginning of a file, open for more; never longer than the card says."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self._limit, self._name = file.bytes, file.name
        self.path = path_of(file.sha256)
        self._at = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(self.path, "ab", buffering=0)  # noqa: SIM115  closed by close()
        except OSError as error:
            raise store.disk_fault(error) from error
        if self.size > file.bytes:
            self.restart()

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return os.fstat(self._stream.fileno()).st_size

    def write(self, blob: bytes) -> int:  # type: ignore[override]
        """At the end, always. ModelFault: more than the card says, or no room."""
        if self.size + len(blob) > self._limit:
            raise other(f"{self._name} is larger than the {self._limit} bytes that the card gives", TooMuch)
        rest = memoryview(blob)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as error:
            raise store.disk_fault(error) from error
        return len(blob)

    def tell(self) -> int:
        return self.size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """For a client that goes back to truncate; what is written goes to the end all the same."""
        self._at = offset + (self.size if whence == os.SEEK_END else 0)
        return self._at

    def truncate(self, size: int | None = None) -> int:
        return self._stream.truncate(self._at if size is None else size)

    def restart(self) -> None:
        """Throws away what is here."""
        self.truncate(0)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            super().close()


def complete(file: File, pour: Callable[[Draft], None], report: Callable[[str, int, int], None]) -> None:
    """Lets `pour` write what is missing of a file, and puts it into the store when it is whole.

    What arrived before a fault is kept for the next fetch. Where an old beginning and a new end do not make the file
    that the card means, it is brought once more from the start.
    """
    while True:
        with Draft(file) as draft, watched(draft.path, lambda size: report(file.name, size, file.bytes)):
            begun = draft.size
            try:
                if begun < file.bytes:
                    pour(draft)
            except TooMuch:  # a server that began again from the start, and did not say so
                draft.restart()
                if not begun:
                    raise
                continue
        try:
            store.settle(draft.path, file)
        except store.StoreFault:
            raise
        except ModelFault:
            draft.path.unlink(missing_ok=True)
            if begun:
                continue
            raise
        report(file.name, file.bytes, file.bytes)
        return


@contextlib.contextmanager
def watched(place: Path, arrived: Callable[[int], None]) -> Iterator[None]:
    """Calls `arrived` with the bytes at a place (a file or a folder), several times a second."""
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(POLL_S):
            arrived(size_of(place))

    watcher = threading.Thread(target=watch, name="fetch-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder, that another program may be writing to."""
    size = 0
    for path in (
        (os.path.join(base, n) for base, _, names in os.walk(place) for n in names) if place.is_dir() else (place,)
    ):
        with contextlib.suppress(OSError):  # it was moved meanwhile
            size += os.path.getsize(path)
    return size


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
