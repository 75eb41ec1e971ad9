"""A TensorFlow.js model: the folder with model.json and its .bin files, as ml5.js and Teachable Machine have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import convert
from ..safe import jsontext
from .found import Found, clean, refuse

MAX_JSON = 64 << 20
_TEACHABLE = "Teachable Machine"
_BASES = {"MobileNetV2": b'"block_1_project_BN"', "MobileNet": b'"conv_pw_1_bn"'}
"""What Teachable Machine builds on -> a layer that only it has, as Keras calls it."""


def is_one(place: Path) -> bool:
    """A folder with such a model.json, or the file itself."""
    place = _json_of(place)
    if not place.is_file() or place.stat().st_size > MAX_JSON:
        return False
    return b'"weightsManifest"' in place.read_bytes()


def read(place: Path) -> Found:
    """ModelFault: weights that are missing, a layer that is not known here, or a model for sounds or poses."""
    from . import onnx

    place = _json_of(place)
    told: Any = jsontext.load(place.read_bytes(), place.name)
    about = _about(place.parent)
    kind = clean(about.get("packageName"))
    _for_pictures(place, kind, told)
    files = {"graph": place.read_bytes(), "weights": b"".join(_shards(place, told))}
    blob = convert.make("tfjs", files, {})
    name = clean(about.get("modelName")) or place.parent.absolute().name
    labels = [clean(label) for label in about.get("labels") or () if isinstance(label, str)]
    found = onnx.read_blob(blob, f"{name}.onnx", labels)
    found.facts = [fact for fact in found.facts if fact[0] != "producer"]  # that is this converter
    found.format = "TensorFlow.js" + (f", of {_TEACHABLE}" if kind else "")
    found.made, found.files, found.title = {"network": (f"{name}.onnx", lambda: blob)}, {}, name
    if kind.endswith("/image") and "classify" in found.cards:
        card = found.cards["classify"]
        # as its library does it: the middle square, (0..255) / 127 - 1
        del card["options"]["range"]
        card["options"] |= {"mean": 127.0, "scale": 127.0, "softmax": False}
        found.cards = {"classify": card}
        _built_on(found, files["graph"])
    return found


def _built_on(found: Found, graph: bytes) -> None:
    """The network that was there before, and what it learnt from: told by the names of its layers."""
    kind = next((name for name, layer in _BASES.items() if layer in graph), "")
    if not kind:
        found.component(
            "the network on which Teachable Machine built", "base",
            remark="Its layers have other names than those of the two MobileNets that @teachablemachine/image 0.8.5 "
            "loads. Ask whoever trained it which network they began with, and under which licence its weights are.",
        )  # fmt: skip
        return
    found.component(
        f"{kind}, on which Teachable Machine builds", "base", licence="Apache-2.0",
        stated_in=f"Keras's docs/templates/applications.md, section {kind}, commit 034466b; nowhere in the export",
        quote="These weights are released under [the Apache License]"
        "(https://github.com/tensorflow/models/blob/master/LICENSE).",
        remark="Told by the names of its layers, and by the addresses that @teachablemachine/image 0.8.5 (Apache-2.0) "
        "loads from. Whether the numbers are those of Keras was not compared.",
    )  # fmt: skip
    found.component(
        f"ImageNet ({kind} was trained on it)", "data",
        stated_in="keras.applications, in the same document; what may be done with its pictures is not said there",
    )  # fmt: skip


def _json_of(place: Path) -> Path:
    return place / "model.json" if place.is_dir() else place


def _about(folder: Path) -> dict[str, Any]:
    """Teachable Machine's metadata.json; {} where there is none."""
    place = folder / "metadata.json"
    if not place.is_file() or place.stat().st_size > 1 << 20:
        return {}
    told = jsontext.load(place.read_bytes(), place.name)
    return told if isinstance(told, dict) else {}


def _for_pictures(place: Path, kind: str, told: Any) -> None:
    if kind.endswith("/pose"):
        raise refuse(
            place.parent.name, f"it is a pose model of {_TEACHABLE}: it reads numbers of PoseNet's, which is not here",
            "train an image model; or let `pose` and a few lines of Python decide",
        )  # fmt: skip
    if "speech-commands" in kind or "wordLabels" in _about(place.parent):
        raise refuse(
            place.parent.name, f"it is a sound model of {_TEACHABLE}, which nothing here runs yet",
            "`transcribe` hears words, `notes` and `pitch` hear tones",
        )  # fmt: skip
    if not isinstance(told, dict) or not isinstance(told.get("weightsManifest"), list):
        raise refuse(place.name, "it is no model of TensorFlow.js")


def _shards(place: Path, told: dict[str, Any]) -> list[bytes]:
    """The .bin files, in their order: names of files beside it, and nothing else."""
    blobs = []
    for group in told["weightsManifest"]:
        for name in group.get("paths", ()) if isinstance(group, dict) else ():
            if not isinstance(name, str) or not name or set(name) & set("/\\:\0") or name in (".", ".."):
                raise refuse(place.name, f"it reaches for {clean(name, 60)}, which is not beside it", "do not use it")
            path = place.parent / name
            if not path.is_file() or path.is_symlink():
                raise refuse(
                    place.name, f"{name} is not beside it", "put model.json and its .bin files into one folder"
                )
            blobs.append(path.read_bytes())
    return blobs
