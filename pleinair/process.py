"""What this process itself costs."""

from __future__ import annotations

import os
from pathlib import Path


def rss_mb() -> float | None:
    """Resident memory in MB (2^20); None where the system does not tell (Linux tells)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return None
