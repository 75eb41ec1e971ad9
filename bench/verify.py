"""`models verify`: how fast the store is read and hashed, by one core, from memory and from the disk.

The goal is 300 MB/s per core. sha256 is as fast as the processor's own instructions for it (SHA-NI on x86-64, the
cryptographic extension on ARM): without them OpenSSL does some 250 to 500 MB/s, which is then the floor, and is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pleinair.models import store

from .common import Figure

GOAL_MB_S = 300


def run(quick: bool) -> list[Figure]:
    size, count = (16 << 20, 4) if quick else (64 << 20, 16)
    with tempfile.TemporaryDirectory(prefix="pleinair-bench-") as home:
        before = os.environ.get("PLEINAIR_HOME")
        os.environ["PLEINAIR_HOME"] = home
        try:
            places = _fill(size, count)
            bare = max(_bare(places[0]) for _ in range(3))
            rounds = [_verified(count) for _ in range(2 if quick else 5)]
            for place in places:
                _forget(place)
            cold = _verified(count)
            whole = _whole()
        finally:
            os.environ.pop("PLEINAIR_HOME")
            if before is not None:
                os.environ["PLEINAIR_HOME"] = before
    total = size * count / 1e6
    clock, core = (sorted(times)[len(rounds) // 2] for times in zip(*rounds, strict=True))
    warm = total / core
    detail = {
        "files": count, "MB": round(total), "hash alone, MB/s": round(bare), "of it": round(warm / bare, 2),
        "by the clock, MB/s": round(total / clock),
        "from the disk, by the clock, MB/s": round(total / cold[0]), "as a program, MB/s": round(total / whole),
        "sha256 instructions": _instructions(),
    }  # fmt: skip
    return [
        Figure(
            "models verify, per second of one core",
            round(warm),
            "MB/s",
            f">= {GOAL_MB_S}",
            warm >= GOAL_MB_S,
            detail,
        )
    ]


def _fill(size: int, count: int) -> list[Path]:
    places = []
    block = os.urandom(1 << 20)
    for n in range(count):
        with tempfile.TemporaryFile() as stream:
            stream.write(n.to_bytes(8, "little"))
            for _ in range(size >> 20):
                stream.write(block)
            stream.truncate(size)
            stream.seek(0)
            places.append(store.path_of(store.put(stream, None, "bench")[0]))
    return places


def _bare(place: Path) -> float:
    """MB/s of sha256 over bytes in memory: what nothing that reads a file can be faster than."""
    blob = place.read_bytes()
    began = time.process_time()
    hashlib.sha256(blob).digest()
    return len(blob) / 1e6 / (time.process_time() - began)


def _verified(count: int) -> tuple[float, float]:
    """Seconds by the clock, and of this core's own time: what else runs on the machine is in the first only."""
    began, worked = time.perf_counter(), time.process_time()
    assert [v.state for v in store.verify()] == ["whole"] * count
    return time.perf_counter() - began, time.process_time() - worked


def _whole() -> float:
    """The command itself, from its start to its end."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pleinair", "models", "verify", "--json", "-"], capture_output=True)
    took = time.perf_counter() - began
    assert json.loads(done.stdout)["ok"]
    return took


def _forget(place: Path) -> None:
    """Out of the page cache, where the system lets us."""
    with contextlib.suppress(AttributeError, OSError), open(place, "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _instructions() -> str:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "not known"
    return "yes" if " sha_ni" in flags or " sha2" in flags else "none: this processor's floor is the hash alone"
