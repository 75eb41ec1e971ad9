"""A text encoder of one's own: a folder as the hub gives it (model.safetensors, config.json, a tokenizer)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import convert, safe
from ..convert.bert import FAMILIES
from ..safe import jsontext
from . import known
from .found import Found, clean, refuse, table_of

MAX_SETTINGS = 4 << 20
TOKENIZERS = ("tokenizer.json", "vocab.txt")


def is_one(folder: Path) -> bool:
    return (folder / "model.safetensors").is_file() and (folder / "config.json").is_file()


def read(folder: Path) -> Found:
    """ModelFault: another family, or a file of it is missing or not exactly right."""
    config = _settings(folder / "config.json")
    family = clean(config.get("model_type"))
    if family == "whisper":
        raise known.folder(folder.absolute())
    if family not in FAMILIES:
        raise refuse(
            folder.name, f'its network is of the family "{family}", and of bare weights {", ".join(FAMILIES)} are read',
            "ask for it as ONNX or GGUF",
        )  # fmt: skip
    tokenizer = next((folder / name for name in TOKENIZERS if (folder / name).is_file()), None)
    if tokenizer is None:
        raise refuse(folder.name, f"it holds no {' or '.join(TOKENIZERS)}")
    weights = folder / "model.safetensors"
    safe.check(weights, weights.name, {"safetensors"})
    safe.check(tokenizer, tokenizer.name, {"json", "text"})
    options = _options(folder, config)
    found = Found("text encoder", title=folder.absolute().name)
    if "/" in (base := clean(config.get("_name_or_path"))):
        found.component(base, "base", stated_in="named in config.json, without a licence")
    found.files = {"tokenizer": tokenizer}
    found.made["network"] = f"{folder.absolute().name}.onnx", lambda: _network(folder, options)
    found.facts += [("family", family), ("one vector", {"cls": "the first word's"}.get(options["pooling"], "the mean"))]
    found.facts.append(("reads", f"{options['words']} tokens at once"))
    like = table_of("embed_text")
    found.components += like.pop("components", [])
    found.cards["embed_text"] = {"ports": like["ports"], "options": options, "tolerance": like.get("tolerance", {})}
    return found


def _network(folder: Path, options: dict[str, Any]) -> bytes:
    files = {"weights": "model.safetensors", "config": "config.json"}
    return convert.make("bert", {role: (folder / name).read_bytes() for role, name in files.items()}, options)


def _options(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """How words become one vector, as sentence-transformers writes it down beside the weights."""
    pooling = _settings(folder / "1_Pooling" / "config.json")
    told = _settings(folder / "sentence_bert_config.json")
    words = told.get("max_seq_length") or config.get("max_position_embeddings")
    tokenizer = _settings(folder / "tokenizer_config.json")
    options = {
        "pooling": "cls" if pooling.get("pooling_mode_cls_token") is True else "mean",
        "words": words if isinstance(words, int) and 2 <= words <= 8192 else 256,
    }
    return options | ({"lower_case": False} if tokenizer.get("do_lower_case") is False else {})


def _settings(place: Path) -> dict[str, Any]:
    """A JSON file beside the weights; {} where there is none."""
    if not place.is_file():
        return {}
    if place.stat().st_size > MAX_SETTINGS:
        raise refuse(place.name, "it is too large to be a model's settings")
    told = jsontext.load(place.read_bytes(), place.name)
    return told if isinstance(told, dict) else {}
