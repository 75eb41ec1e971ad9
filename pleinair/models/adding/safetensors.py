"""What a safetensors file says: its own texts (ModelSpec, kohya's training notes), and what its tensors' names tell."""

from __future__ import annotations

import math
import re
from pathlib import Path

from ..safe import safetensors
from .found import Found, clean

_LORA = re.compile(r"(lora_[AB]\b|lora_(up|down)|\.hada_w|\.lokr_w|lora_(unet|te\d?)_)")
_KINDS = {
    "a diffusion model": re.compile(r"(^|\.)(diffusion_model|unet|double_blocks\.|joint_blocks\.|down_blocks\.)"),
    "a picture and text encoder (CLIP)": re.compile(r"(text_model|vision_model)\."),
    "a text encoder (BERT)": re.compile(r"(^|\.)encoder\.layer\.0\.attention"),
    "a language model": re.compile(r"(^|\.)layers\.0\.(self_attn|attention)"),
    "an autoencoder of pictures (VAE)": re.compile(r"(^|\.)(first_stage_model|decoder\.up|post_quant_conv)"),
}


def read(file: Path) -> Found:
    """No task runs one by itself: `why` says what it is, and what to do with it. ModelFault: it is not right."""
    rows = safetensors.header(file, file.name)
    said = safetensors.metadata(file, file.name)
    found = Found("safetensors", files={"weights": file}, title=clean(said.get("modelspec.title")) or file.stem)
    found.about = clean(said.get("modelspec.description"))
    found.states(said.get("modelspec.license") or said.get("license"), "the file's own metadata")
    if who := clean(said.get("modelspec.author") or said.get("author")):
        found.credits.append((who, "named as the author in the file's metadata"))
    base = clean(
        said.get("ss_sd_model_name") or said.get("modelspec.architecture") or said.get("ss_base_model_version")
    )
    if base:
        found.component(base, "base", stated_in="named in the file's metadata, without a licence")
    found.facts.append(("numbers", f"{sum(math.prod(shape) for _, shape in rows.values()):,}".replace(",", " ")))
    if lora := [name for name in rows if _LORA.search(name)]:
        ranks = sorted({min(rows[n][1]) for n in lora if len(rows[n][1]) == 2 and re.search("lora_[ABud]", n)})
        rank = f" of rank {ranks[-1]}" if ranks else ""
        found.facts.append(("what it is", f"a LoRA adapter{rank}, {len(lora)} tables"))
        found.why = (
            f"it is a LoRA adapter{rank}{f' for {base}' if base else ''} as safetensors; chat takes adapters as GGUF "
            "(llama.cpp's convert_lora_to_gguf.py makes one), and nothing here runs diffusion models yet"
        )
        return found
    what = next((w for w, pattern in _KINDS.items() if any(map(pattern.search, rows))), "weights without a network")
    found.facts.append(("what it is", what))
    if re.search(r"-\d{5}-of-\d{5}\.safetensors$", file.name):
        found.why = "it is one piece of a large model; ask for that as GGUF, or make it: convert_hf_to_gguf.py FOLDER"
        return found
    found.why = f"it is {what}: numbers alone, without the network that they belong to; ask for it as ONNX or GGUF"
    return found
