"""A Whisper of one's own: the folder that CTranslate2's converter wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import safe
from ..safe import ct2, parts
from .found import Found, refuse, table_of

ROLES = {"model": ("model.bin",), "config": ("config.json",), "tokenizer": ("tokenizer.json",)}
ROLES |= {"vocabulary": ("vocabulary.txt", "vocabulary.json")}
LIKE = "whisper-base"
ENGLISH_VOCABULARY = 51_864
"""Words of the models that know English only; those of many languages have 51 865 or more."""


def is_one(folder: Path) -> bool:
    return folder.is_dir() and (folder / "model.bin").is_file()


def read(folder: Path) -> Found:
    """ModelFault: no Whisper, or a file of it is missing or not exactly right."""
    found = Found("CTranslate2", title=folder.absolute().name)
    for role, names in ROLES.items():
        place = next((folder / name for name in names if (folder / name).is_file()), None)
        if place is None:
            raise refuse(
                folder.name, f"it holds no {' or '.join(names)}", "convert it again: ct2-transformers-converter"
            )
        allow = {"ctranslate2"} if role == "model" else {"json", "text"}
        safe.check(place, place.name, allow)
        found.files[role] = place
    with parts.viewed(found.files["model"]) as view:
        spec = ct2.check(view).spec
    if not spec.startswith("Whisper"):
        raise refuse(folder.name, f"it is a {spec}, and only Whisper is run here")
    words = _words(found.files["vocabulary"])
    many = words > ENGLISH_VOCABULARY
    found.facts += [("languages", "many" if many else "English"), ("vocabulary", f"{words} words")]
    found.component(
        "Whisper, by OpenAI", "base", licence="MIT", stated_in="openai/whisper, LICENSE",
        remark="If it is a Whisper that OpenAI trained; one that somebody trained further has a licence of its own.",
    )  # fmt: skip
    card = table_of(LIKE if many else "whisper-tiny-en")
    found.components += card.pop("components", [])
    found.cards["transcribe"] = card
    found.borrowed = _voice_activity()
    return found


def _voice_activity() -> dict[str, dict[str, Any]]:
    """What cuts the utterances, as the built-in card has it."""
    import tomllib

    from ..card import BUILT_IN

    files = tomllib.loads((BUILT_IN / f"{LIKE}.toml").read_text("utf-8"))["files"]
    return {role: entry for role, entry in files.items() if role not in ROLES}


def _words(place: Path) -> int:
    if place.suffix == ".json":
        return len(json.loads(place.read_text("utf-8")))
    return sum(1 for line in place.read_text("utf-8", "replace").split("\n") if line)
