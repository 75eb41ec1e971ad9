"""Where Pleinair keeps things on this machine. Nothing is made until something is written.

`PLEINAIR_HOME` moves all of it (an exhibition machine, a test); else it is the place that the system gives to a
user's data.
"""

from __future__ import annotations

import os
from pathlib import Path


def data_dir() -> Path:
    """The root of everything that Pleinair writes for itself."""
    home = os.environ.get("PLEINAIR_HOME")
    if home:
        return Path(home).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("pleinair", appauthor=False))


def store_dir() -> Path:
    """Weights and clips by their sha256."""
    return data_dir() / "store"


def cards_dir() -> Path:
    """Cards of the artist's own (`pleinair models add`)."""
    return data_dir() / "cards"


def cache_dir() -> Path:
    """What can be made again at any time: compiled networks, backend decisions."""
    return data_dir() / "cache"


def piece_dir(name: str) -> Path:
    """Lock, presets and tapes of a gallery piece: the installed package may be read-only."""
    return data_dir() / "pieces" / name
