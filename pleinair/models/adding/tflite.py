"""What a TFLite file says. Its ports tell too little to choose a task by: it is added like a card that there is.

It becomes ONNX, which every runtime here reads and whose layers can be bent, where its operators are known; else it
stays as it is, for LiteRT and OpenVINO.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...core.errors import ModelFault
from .. import convert, safe
from . import labels, onnx
from .found import Found


def read(file: Path) -> Found:
    """ModelFault: it is not exactly right."""
    blob = file.read_bytes()
    summary = safe.check(blob, file.name, {"tflite"}).summary
    found = Found("TFLite", title=file.stem)
    found.facts.append(("operators", str(summary.operators)))
    if summary.custom:
        found.facts.append(("of its own", ", ".join(summary.custom[:8])))
    try:
        made = convert.make("tflite", {"network": blob}, {})
    except ModelFault as fault:
        found.files["network"] = file
        found.facts.append(("layers", f"cannot be bent: {fault.what.partition(': ')[2]}"))
    else:
        found.made["network"] = f"{file.stem}.onnx", lambda: made
        found.about = f"Made of {file.name}, sha256 {hashlib.sha256(blob).hexdigest()}"
        found.facts.append(("layers", "can be bent: it becomes ONNX"))
        _labelled(found, made, labels.beside(file))
    found.why = (
        "what it is for cannot be told from it: name a card that it can stand in for with --like (hands, pose ...)"
    )
    return found


def _labelled(found: Found, made: bytes, named: list[str]) -> None:
    """With a list of labels beside it, as Teachable Machine gives it, it tells things apart. Its pictures are -1..1, as
    those of all networks that Keras wrote."""
    card = onnx.read_blob(made, found.title, named).cards.get("classify") if named else None
    if card is not None:
        card["options"]["range"] = "-1..1"
        found.cards["classify"] = card
