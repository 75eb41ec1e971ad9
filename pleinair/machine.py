"""What this machine is, and what this process costs it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def rss_mb() -> float | None:
    """Resident memory in MB (2^20); None where the system does not tell (Linux tells)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return None


def cpu_name() -> str:
    """What the processor calls itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
