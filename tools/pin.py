"""Writes requirements/SYSTEM-MACHINE-PYTHON[-test|-all].txt: exact versions with hashes, for the platform it runs on.

    python tools/pin.py

What pip would install is asked of pip, and only names, versions and hashes are kept: no index, no address. Whoever
installs gets them from whatever index their own pip asks.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
SETS = {"": "", "-test": "test", "-all": "test,bench,dev"}


def main() -> int:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    where = f"{platform.system().lower()}-{platform.machine()}-cp{sys.version_info.major}{sys.version_info.minor}"
    for suffix, extras in SETS.items():
        wanted = list(about["dependencies"])
        for extra in filter(None, extras.split(",")):
            wanted += _flat(about["optional-dependencies"], extra)
        lines = sorted(_resolved(wanted))
        name = f"{where}{suffix}.txt"
        head = "# Written by tools/pin.py (make pins): the newest that pyproject.toml allowed, and what it hashes to.\n"
        (ROOT / "requirements" / name).write_text(head + "".join(lines), "utf-8")
        print(f"requirements/{name}: {len(lines)} packages")
    return 0


def _flat(extras: dict[str, list[str]], name: str) -> list[str]:
    """An extra's requirements, those of other extras of ours taken apart."""
    found = []
    for entry in extras[name]:
        if entry.startswith("pleinair["):
            for inner in entry.partition("[")[2].partition("]")[0].split(","):
                found += _flat(extras, inner.strip())
        else:
            found.append(entry)
    return found


def _resolved(wanted: list[str]) -> list[str]:
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary=:all:",
        "--disable-pip-version-check", "--report", "-", *wanted,
    ]  # fmt: skip
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    lines = []
    for entry in report["install"]:
        meta, archive = entry["metadata"], entry["download_info"]["archive_info"]
        sha256 = archive.get("hashes", {}).get("sha256") or archive["hash"].removeprefix("sha256=")
        lines.append(f"{meta['name'].lower()}=={meta['version']} --hash=sha256:{sha256}\n")
    return lines


if __name__ == "__main__":
    sys.exit(main())
