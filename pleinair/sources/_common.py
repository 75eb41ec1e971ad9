"""What several sources share: saying something that does not end them, checking a rate, and a file's hash."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ..core.errors import DeviceFault, Fault


class Tells:
    """Mixed into a Source. `tell` is what the runner sets to hear of it; without one it goes to the log `pleinair`."""

    tell: Callable[[Fault], None] | None = None
    _told: frozenset[str] = frozenset()

    def say_once(self, key: str, fault: Fault) -> None:
        """Tells of `fault`, and of nothing else under the same key as long as this source lives."""
        if key in self._told:
            return
        self._told = self._told | {key}
        if self.tell is not None:
            self.tell(fault)
        else:
            logging.getLogger("pleinair").warning("%s", fault)


MAX_RATE_HZ = 1000.0


def paced_at(rate: float, who: str, *, zero: bool = False) -> float:
    """The rate as a float where it can be kept; DeviceFault where it cannot."""
    try:
        rate = float(rate)
    except (TypeError, ValueError):
        rate = float("nan")
    if not (0 < rate <= MAX_RATE_HZ or (zero and rate == 0)):
        raise DeviceFault(
            f"{who} cannot run at {rate} times a second",
            now="the source was not opened",
            hint=f"rate is a number above 0, at most {MAX_RATE_HZ:.0f}",
        )
    return rate


def sha256_of(file: str) -> str:
    """Of a file's bytes, in hex; read again only where it has changed. OSError where it is not there."""
    stat = Path(file).stat()
    return _sha256(file, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _sha256(file: str, size: int, mtime_ns: int) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
