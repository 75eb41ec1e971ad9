"""What a file of weights says about its own origin, whatever its name and its tag say: metadata, tensor names, shapes.

Only headers are read, nothing is loaded and nothing executed. The fingerprints are of FLUX.1 [dev], whose licence
refuses exhibition and sale: its transformer has 19 double and 38 single blocks of width 3072 and, unlike FLUX.1
[schnell], an embedding of the guidance it was distilled with (`guidance_in`; in diffusers' naming
`time_text_embed.guidance_embedder`). Source of names and shapes: black-forest-labs/flux, src/flux/model.py and util.py;
diffusers, transformer_flux.py. What leaves none of these traces is not found: that is why unknown is refused too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from .headers import MAX_STRING, Seen, read

FLUX_DEV = "LicenseRef-pleinair-flux-1-dev-1.1.1"


@dataclass(frozen=True)
class Trace:
    """A finding. `licence`: what it means, "" where it only raises a question. `why`: a sentence."""

    licence: str
    why: str


_FLUX_WORDS = re.compile(
    r"f[\s._-]?l[\s._-]?u[\s._-]?x[\s._-]*1?[\s._-]*(pro|kontext|krea|fill|depth|canny|redux)?[\s._\W-]*dev(?![a-z])"
    r"|black[\s_-]*forest[\s_-]*labs.{0,40}dev|flux[\s._-]*1?[\s._-]*(kontext|krea|fill|redux)(?![a-z])"
    r"|flux[\s._-]*1[\s._-]*(depth|canny)(?![a-z])|flux[\s._-]*1?[\s._-]*d(?![a-z0-9])"
    r"|flux.{0,24}non[\s_-]*commercial|flux[\s._-]*2[\s._-]*(dev|klein[\s._-]*9b)",
    re.IGNORECASE,
)
_GUIDANCE = re.compile(r"guidance_in[._]|guidance_embed", re.IGNORECASE)
_DOUBLE = re.compile(
    r"double_blocks[._]\d+[._](img|txt)_(attn|mlp|mod)|transformer_blocks[._]\d+[._](attn[._]add_[qkv]_proj|ff_context|norm1_context)",
    re.IGNORECASE,
)
_SINGLE = re.compile(
    r"single_blocks[._]\d+[._](linear[12]|modulation|norm)|single_transformer_blocks[._]\d+[._](proj_mlp|proj_out|attn)",
    re.IGNORECASE,
)
_WIDE = {(3072, 9216), (3072, 21504), (3072, 15360), (3072, 12288)}
"""Shapes, sorted, of the blocks' big matrices: qkv, linear1, linear2 (or proj_out), the MLP."""
_GUIDE = (256, 3072)
"""The time embedding's first matrix; [dev] has a second one of it for the guidance."""
_PAPER = re.compile(r"\.(md|txt|json|ya?ml|toml|rst|html?)$|^(licen[cs]e|copying|notice|readme)[^.]*$", re.IGNORECASE)
_LOW_RANK = re.compile(r"lora[._]?(a|b|up|down|unet|te)|\.hada_|\.lokr_|lycoris", re.IGNORECASE)


def traces(path: Path) -> list[Trace]:
    """What a file of weights, or a folder of them with its papers, betrays."""
    if path.is_dir():
        return [t for child in sorted(path.rglob("*"))[:2000] if child.is_file() for t in traces(child)]
    found = words_of(f"its name is {path.name}", path.name)
    if _PAPER.search(path.name) and path.stat().st_size < MAX_STRING:
        return found + _paper(path)
    seen = read(path)
    for key, text in seen.said.items():
        found += words_of(f"its metadata say {key} = {text[:80]!r}", f"{key} {text}")
    return found + shaped(seen)


def shaped(seen: Seen) -> list[Trace]:
    """What tensor names and shapes betray."""
    names = list(seen.tensors)
    if {"redux_up.weight", "redux_down.weight"} <= set(names):
        return [Trace(FLUX_DEV, "it is FLUX.1 Redux [dev] (redux_up, redux_down)")]
    guided = [n for n in names if _GUIDANCE.search(n)]
    double, single = sum(bool(_DOUBLE.search(n)) for n in names), sum(bool(_SINGLE.search(n)) for n in names)
    shapes = [tuple(sorted(side for side in s if side != 1)) for s in seen.tensors.values()]
    wide, guides = sum(s in _WIDE for s in shapes), shapes.count(_GUIDE)
    flux = (double and single) or wide >= 8
    if guided and (flux or double or single):
        return [Trace(FLUX_DEV, f'it has the guidance embedding that only FLUX.1 [dev] has ("{guided[0]}")')]
    if wide >= 8 and guides >= 2:
        return [
            Trace(
                FLUX_DEV,
                f"its tensors have the shapes of FLUX.1 [dev]: {wide} of its blocks, {guides} embeddings of 256 x 3072",
            )
        ]
    low = [n for n in names if _LOW_RANK.search(n)]
    if low and (double or single):
        return [
            Trace(
                FLUX_DEV,
                f'it is an adapter for FLUX.1 ("{low[0][:60]}"), and nothing in it says that it was not made on [dev]',
            )
        ]
    if flux:
        return [
            Trace(
                "",
                "it has the shape of FLUX.1 without the guidance of [dev]: [schnell], or a merge that hides its origin",
            )
        ]
    return []


def declared(path: Path) -> dict[str, str]:
    """Licences that a file's own metadata name: key -> text (GGUF's `general.license`, a safetensors header's)."""
    said = read(path).said if path.is_file() else {}
    return {
        key: text
        for key, text in said.items()
        if re.search(r"licen[cs]e([._-](name|link|url|id))?$", key, re.IGNORECASE) and text.strip()
    }


_LOOK_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0501\u0475\u04cf\u03bf\u03c7\u03c5\u03bd\u03b1\u03b5\u03b9\u03c1\u0261\u0131\u217c\u03f2",
    "aeopcyxisdvloxuvaeipgilc",
)
"""Letters of other scripts that look like Latin ones, in lower case."""


def folded(text: str) -> str:
    """A text as a person sees it: without accents and what is invisible, look-alikes as what they look like."""
    plain = unicodedata.normalize("NFKD", text).lower().translate(_LOOK_ALIKE)
    return "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf", "Cc"))


def words_of(where: str, text: str) -> list[Trace]:
    """Whether a text names FLUX.1 [dev]."""
    if hit := _FLUX_WORDS.search(folded(text)):
        return [Trace(FLUX_DEV, f"{where}: that is FLUX.1 [dev] ({hit[0].strip()!r})")]
    return []


def _paper(path: Path) -> list[Trace]:
    """A text that lies beside the weights: a licence, a card, a configuration."""
    from .texts import match

    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return []
    matched = match(text)
    if any("flux" in licence for licence in matched.ids) or (matched.how == "changed" and "flux" in matched.key):
        return [Trace(FLUX_DEV, f"{path.name} beside it is the licence of FLUX.1 [dev]")]
    if re.search(r'"guidance_embeds"\s*:\s*true', text) and "flux" in text.lower():
        return [Trace(FLUX_DEV, f'{path.name} beside it says "guidance_embeds": true, which is FLUX.1 [dev]')]
    return words_of(f"{path.name} beside it says so", text)
