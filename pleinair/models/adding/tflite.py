"""What a TFLite file says. Its ports tell too little to choose a task by: it is added like a card that there is."""

from __future__ import annotations

from pathlib import Path

from .. import safe
from .found import Found


def read(file: Path) -> Found:
    """ModelFault: it is not exactly right."""
    summary = safe.check(file, file.name, {"tflite"}).summary
    found = Found("TFLite", files={"network": file}, title=file.stem)
    found.facts.append(("operators", str(summary.operators)))
    if summary.custom:
        found.facts.append(("of its own", ", ".join(summary.custom[:8])))
    found.why = (
        "what it is for cannot be told from it: name a card that it can stand in for with --like (hands, pose ...)"
    )
    return found
