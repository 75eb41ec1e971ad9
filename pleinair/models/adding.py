"""A card of one's own for a file on this computer: `pleinair models add FILE`.

The file is copied into the store by its hash, and the card that names it goes into the user's cards folder. What a task
can take is read off the network's own ports; a network that does not fit is refused, and nothing is written.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from .. import plugins
from ..backends import wire
from ..core.errors import Fault, ModelFault
from . import check_onnx, store
from .card import Card, read_card

TASKS = tuple(task for task in ("stylise", "vector") if task in plugins.names("tasks"))
"""What a file may be added as."""

_NOW = "nothing was written"
_FITS = (
    "a painter has an input image [1, 3, height, width] and, where it mixes styles, style_weights [N]; "
    "one output picture, 0..1"
)


def name_of(file: Path) -> str:
    """A card's name out of a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")[:64] or "model"


def add(file: Path, name: str, task: str, licence: str, folder: Path) -> tuple[Card, Path]:
    """Copies the file into the store and writes its card into `folder`; returns the card and where it stands.

    task     one of TASKS: "stylise", or "vector" for bare tensors
    licence  SPDX identifier of the weights, as whoever made them states it; "unknown" where nobody does

    ModelFault: no such file, no ONNX, it does not fit the task, or it cannot be opened.
    """
    try:
        found = check_onnx.inspect(file.read_bytes(), file.name)
    except OSError as error:
        raise ModelFault(f"{file} cannot be read: {error.strerror}", now=_NOW) from None
    about = _painter(found, file.name) if task == "stylise" else _bare(found, file.name)
    known = {blob.name for blob in store.blobs()}
    sha256, count = store.adopt(file)
    card: dict[str, Any] = {
        "name": name,
        "task": task,
        "title": file.stem,
        **about,
        "weights": {"licence": licence, "stated_in": "by who added it" if licence != "unknown" else ""},
        "files": {"network": {"name": file.name, "from": [], "sha256": sha256, "bytes": count}},
    }
    path = folder / f"{name}.toml"
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = "# Written by pleinair models add. Say whose work it is, and under which licence.\n" + _toml(card)
        draft.write_text(text, encoding="utf-8")
        _try(draft, file.name)
        draft.replace(path)
    except OSError as error:
        raise store.disk_fault(error) from error
    except Fault:
        if sha256 not in known:
            store.discard(sha256)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return read_card(path), path


def _painter(found: wire.Summary, name: str) -> dict[str, Any]:
    """Ports, options and working size of a network that paints. ModelFault where it is none."""
    image, weights = found.inputs.get("image"), found.inputs.get("style_weights")
    others = sorted(set(found.inputs) - {"image", "style_weights"})
    if image is None or len(image) != 4 or image[1] != 3 or len(found.outputs) != 1 or others:
        told = ", ".join(f"{n} {s}" for n, s in found.inputs.items()) or "nothing"
        raise ModelFault(f"{name} does not fit the task stylise: it takes {told}", now=_NOW, hint=_FITS)
    options: dict[str, Any] = {"network": "mixture", "multiple": 4, "output": next(iter(found.outputs))}
    ports = {"image": "Image"}
    if weights is not None:
        if len(weights) != 1 or weights[0] < 1:
            raise ModelFault(f"{name} does not fit the task stylise: style_weights is {weights}", now=_NOW, hint=_FITS)
        ports["style_weights"] = "Vector"
        options["styles"] = weights[0]
    height, width = image[2:]
    size = [width, height] if width > 0 and height > 0 else [320, 240]
    return {"size": size, "ports": ports, "options": options}


def _bare(found: wire.Summary, name: str) -> dict[str, Any]:
    from .vector import ports_of

    return {"ports": dict.fromkeys(ports_of(found, name), "Vector")}


def _try(path: Path, name: str) -> None:
    """Opens it once: what the task cannot take is said now, not on stage."""
    from . import load

    model = load(read_card(path), backend="onnx", precision="f32", threads=1)
    try:
        model.open()
    except ModelFault:
        raise
    except Exception as error:
        raise ModelFault(f"{name} was read, and does not run: {error}", now=_NOW, hint=_FITS) from None
    finally:
        model.close()


def _toml(table: dict[str, Any], prefix: str = "") -> str:
    text = "".join(f"{_key(k)} = {_value(v)}\n" for k, v in table.items() if not isinstance(v, dict))
    for key, inner in table.items():
        if isinstance(inner, dict):
            if not inner or not all(isinstance(v, dict) for v in inner.values()):
                text += f"\n[{prefix}{_key(key)}]\n"
            text += _toml(inner, f"{prefix}{_key(key)}.")
    return text


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    """JSON, which TOML reads: but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
