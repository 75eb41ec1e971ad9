"""A CLIP pair of one's own: a folder with two ONNX networks, one for pictures and one for texts, and the words."""

from __future__ import annotations

from pathlib import Path

from .. import check_onnx, safe
from .found import Found, refuse

PICTURE = ("picture.onnx", "vision_model.onnx", "image_encoder.onnx", "visual.onnx")
TEXT = ("text.onnx", "text_model.onnx", "text_encoder.onnx", "textual.onnx")
WORDS = {"words": "tokenizer.json", "vocab": "vocab.json", "merges": "merges.txt"}


def is_one(folder: Path) -> bool:
    return folder.is_dir() and _first(folder, PICTURE) is not None and _first(folder, TEXT) is not None


def read(folder: Path) -> Found:
    """ModelFault: no words beside the networks, or a file that is not exactly right."""
    picture, text = _first(folder, PICTURE), _first(folder, TEXT)
    assert picture is not None and text is not None  # is_one
    files = {"picture": picture, "text": text}
    for place in files.values():
        check_onnx.inspect(place.read_bytes(), place.name)
    words = {role: folder / name for role, name in WORDS.items() if (folder / name).is_file()}
    if "words" in words:
        words = {"words": words["words"]}
    elif set(words) != {"vocab", "merges"}:
        raise refuse(folder.name, "it holds no words: tokenizer.json, or vocab.json and merges.txt")
    for place in words.values():
        safe.check(place, place.name, {"json", "text"})
    found = Found("CLIP pair", title=folder.absolute().name, files=files | words)
    ports = {"image": "Image", "labels": "Text"}
    found.cards["picture_text"] = {"ports": ports, "options": {}}
    return found


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    """There, or in the folder `onnx` of a repository of the hub."""
    places = [place / name for place in (folder, folder / "onnx") for name in names]
    return next((place for place in places if place.is_file()), None)
