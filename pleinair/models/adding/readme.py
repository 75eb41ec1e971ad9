"""The papers at the head of a README.md, as hubs write them: `license: apache-2.0` between two lines of dashes."""

from __future__ import annotations

import re
from pathlib import Path

from .found import Found, clean

MOST = 1 << 16
_LINE = re.compile(r"^(license|license_name|base_model):\s*(.*)$")


def read(folder: Path, found: Found) -> None:
    """Adds what the README states and the file itself does not."""
    try:
        with open(folder / "README.md", "rb") as stream:
            lines = stream.read(MOST).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    if not lines or lines[0].strip() != "---":
        return
    told: dict[str, str] = {}
    for place, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            break
        if match := _LINE.match(line):
            after = lines[place + 1].strip().removeprefix("- ") if place + 1 < len(lines) else ""
            told[match[1]] = clean((match[2] or after).strip("\"' "))
    if not found.licence:
        found.states(told.get("license_name") or told.get("license"), "the tag in README.md beside it")
    if told.get("base_model"):
        found.component(told["base_model"], "base", stated_in="named in README.md, without a licence")
