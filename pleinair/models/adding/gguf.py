"""What a GGUF file says: whose it is, out of what it was made, how it was quantised.

Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ("Standardized key-value pairs"); file types: llama.h.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from ..safe import gguf
from .found import Found, clean, refuse, table_of

_TYPES = (
    "F32 F16 Q4_0 Q4_1 . . . Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ2_XXS "
    "IQ2_XS Q2_K_S IQ3_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ3_M IQ2_S IQ2_M IQ4_XS IQ1_M BF16"
)
FILE_TYPES = {number: name for number, name in enumerate(_TYPES.split()) if name != "."}
PIECE = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
"""How llama.cpp names the pieces of a large model."""
EMBEDDERS = ("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "gemma-embedding")
NO_WORDS = ("clip", "wavtokenizer-dec", "t5encoder", "stable-diffusion", "flux", "sd3", "wan", "lumina2", "ltxv")
"""Architectures that make no text."""


def read(file: Path) -> Found:
    """ModelFault: it is not exactly right."""
    inside = gguf.read(file, file.name)
    said = inside.metadata
    place, pieces = (said.get(f"split.{key}", 0) for key in ("no", "count"))
    if isinstance(pieces, int) and isinstance(place, int) and pieces > 1:
        raise refuse(
            file.name, f"it is piece {place + 1} of {pieces} of a model",
            f"llama.cpp joins them: llama-gguf-split --merge {PIECE.sub(_first, file.name)} whole.gguf; then add that",
        )  # fmt: skip
    found = Found("GGUF", files={"model": file}, title=clean(said.get("general.name")) or file.stem)
    found.about = clean(said.get("general.description"))
    _papers(found, said)
    count = sum(math.prod(t.shape) for t in inside.tensors.values())
    found.facts += [("architecture", clean(inside.architecture) or "not said"), ("numbers", _count(count))]
    found.facts.append(("quantised to", _type(said, inside)))
    context = said.get(f"{inside.architecture}.context_length")
    if isinstance(context, int):
        found.facts.append(("context", f"{context} tokens"))
    kind = said.get("general.type", "model")
    if kind == "adapter":
        found.why = "it is a LoRA adapter, and sits on a model: name that model's card with --like, and --role adapter"
        found.files = {"adapter": file}
    elif inside.architecture in EMBEDDERS or inside.architecture in NO_WORDS or kind in ("mmproj", "vocab"):
        found.why = f"a network of the architecture {clean(inside.architecture)} makes no text"
    elif not said.get("tokenizer.ggml.model"):
        found.why = "it has no vocabulary in it"
    else:
        found.cards["chat"] = _chat(said, context, found)
    return found


def _first(piece: re.Match[str]) -> str:
    return f"-00001-of-{piece[2]}.gguf"


def _chat(said: dict[str, Any], context: Any, found: Found) -> dict[str, Any]:
    like = table_of("chat")
    card = {"ports": like["ports"], "makes": ["text"], "options": dict(like.get("options", {}))}
    if isinstance(context, int) and 16 <= context < card["options"].get("context", 2048):
        card["options"]["context"] = context
    if not said.get("tokenizer.chat_template"):
        found.facts.append(("chat template", "none: it goes on writing rather than answering"))
    found.components += [c for c in like.get("components", ()) if c not in found.components]
    return card


def _papers(found: Found, said: dict[str, Any]) -> None:
    """Licence, authors, base models, data sets."""
    found.states(said.get("general.license"), "the file's own metadata, general.license")
    for key, what in (
        ("general.author", "the model, by the file's metadata"),
        ("general.organization", "the model, by the file's metadata"),
        ("general.quantized_by", "quantisation"),
    ):
        if who := clean(said.get(key)):
            found.credits.append((who, what))
    for place, kind in (("general.base_model", "base"), ("general.dataset", "data")):
        many = said.get(f"{place}.count")
        for n in range(min(many, 16) if isinstance(many, int) else 0):
            name = clean(said.get(f"{place}.{n}.name")) or clean(said.get(f"{place}.{n}.repo_url"))
            by = clean(said.get(f"{place}.{n}.organization"))
            if name:
                what = name + (f", by {by}" if by else "")
                found.component(what, kind, stated_in=f"named in the file's metadata, {place}.{n}, without a licence")


def _type(said: dict[str, Any], inside: gguf.Gguf) -> str:
    number = said.get("general.file_type")
    if number in FILE_TYPES:
        return FILE_TYPES[number]
    numbers: Counter[str] = Counter()
    for tensor in inside.tensors.values():
        numbers[tensor.type] += math.prod(tensor.shape)
    return numbers.most_common(1)[0][0] if numbers else "nothing"


def _count(numbers: int) -> str:
    for unit, size in (("billion", 10**9), ("million", 10**6), ("thousand", 10**3)):
        if numbers >= size:
            return f"{numbers / size:.3g} {unit}"
    return str(numbers)
