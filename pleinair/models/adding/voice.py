"""A voice in Piper's format: VOICE.onnx and VOICE.onnx.json beside it. A voice is somebody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import check_onnx
from ..safe import jsontext
from .found import Found, clean, refuse, table_of

MAX_SETTINGS = 4 << 20


def settings_of(file: Path) -> Path | None:
    """The settings beside a voice, or None."""
    for place in (file.with_name(file.name + ".json"), file.with_suffix(".json")):
        if place.is_file():
            return place
    return None


def is_one(file: Path) -> bool:
    """Whether an .onnx file is a voice: its settings lie beside it, and speak of phonemes."""
    place = settings_of(file) if file.suffix == ".onnx" else None
    if place is None or place.stat().st_size > MAX_SETTINGS:
        return False
    return b'"phoneme_id_map"' in place.read_bytes()


def read(file: Path) -> Found:
    """ModelFault: not exactly right, or another network."""
    place = settings_of(file)
    assert place is not None  # is_one
    told: Any = jsontext.load(place.read_bytes(), place.name)
    summary = check_onnx.inspect(file.read_bytes(), file.name)
    if not {"input", "input_lengths", "scales"} <= set(summary.inputs):
        raise refuse(file.name, "its settings are a Piper voice's, and the network is another")
    if not isinstance(told, dict):
        raise refuse(place.name, "it is no voice's settings")
    found = Found("Piper voice", title=file.stem, files={"network": file, "config": place}, voice=True)
    language, audio = (told.get(k) if isinstance(told.get(k), dict) else {} for k in ("language", "audio"))
    speakers = told.get("num_speakers", 1)
    for what, value in (
        ("language", language.get("name_english") or language.get("code")),
        ("speakers", speakers),
        ("sound", f"{audio.get('sample_rate')} Hz"),
        ("data set", told.get("dataset")),
    ):
        if text := clean(value):
            found.facts.append((what, text))
    found.states(told.get("license"), "the voice's own settings")
    if data := clean(told.get("dataset")):
        found.component(f"the recordings: {data}", "data", stated_in="named in the voice's settings, without a licence")
    like = table_of("kokoro")
    found.components += like.get("components", [])  # espeak-ng spells for this one too
    found.cards["speak"] = {"ports": like["ports"], "makes": ["speech"], "options": {"network": "piper"}}
    return found
