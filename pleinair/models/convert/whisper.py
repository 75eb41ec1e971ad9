"""A Whisper checkpoint as its trainers publish it into CTranslate2's three files.

They publish model.safetensors, config.json, generation_config.json and tokenizer.json, in the layout of the library
transformers. Numbers are only renamed and laid side by side: query, key and value of an attention become one table.
Nothing of the checkpoint is run.

    [files.model]       made = "whisper"             of = ["weights", "settings"]
    [files.config]      made = "whisper_config"      of = ["words", "generation"]   (or ["words"])
    [files.vocabulary]  made = "whisper_vocabulary"  of = ["words"]

`words` is tokenizer.json; the card names the same file, with the same sha256, once more as `tokenizer`, since a file
that others are made of is not kept.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ModelFault

_TYPES = {"F32": "<f4", "F16": "<f2"}


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """(weights, settings): model.safetensors and config.json, in that order; model.bin, in float32."""
    weights, settings = files.values()
    try:
        return _model(_Tables(weights), json.loads(settings))
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _fault(error) from None


def config(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """(tokenizer[, generation]): tokenizer.json and generation_config.json; config.json of CTranslate2."""
    try:
        words = _tokens(next(iter(files.values())))
        told = json.loads(list(files.values())[1]) if len(files) > 1 else {}
        found = {
            "suppress_ids": told.get("suppress_tokens") or [],
            "suppress_ids_begin": told.get("begin_suppress_tokens") or [220, words.index("<|endoftext|>")],
            "lang_ids": [n for n, word in enumerate(words) if re.fullmatch(r"<\|[a-z]{2,3}\|>", word)],
            "alignment_heads": told.get("alignment_heads") or [],
        }
        return json.dumps(found, indent=2, sort_keys=True).encode()
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _fault(error) from None


def vocabulary(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """(tokenizer): tokenizer.json; vocabulary.json of CTranslate2, a list of words in the order of their numbers."""
    try:
        return json.dumps(_tokens(next(iter(files.values()))), ensure_ascii=False).encode()
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise _fault(error) from None


def _fault(error: Exception) -> ModelFault:
    return ModelFault(
        f"the files are no Whisper checkpoint ({type(error).__name__}: {str(error)[:120]})",
        now="nothing was put into the store",
        hint="model.safetensors, config.json and tokenizer.json of one folder",
    )


def _tokens(tokenizer: bytes) -> list[str]:
    told = json.loads(tokenizer)
    numbers = {word: int(n) for word, n in told["model"]["vocab"].items()}
    numbers |= {str(added["content"]): int(added["id"]) for added in told.get("added_tokens", [])}
    found = [""] * (max(numbers.values()) + 1)
    for word, n in numbers.items():
        found[n] = word
    if not all(found):
        raise ValueError("a word's number is missing")
    if "<|0.00|>" not in numbers:  # older files leave out the moments, every 0.02 s of 30 s
        found += [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    return found


class _Tables:
    """Named tables of a safetensors file, whose bounds `safe` has checked."""

    def __init__(self, raw: bytes) -> None:
        size = int.from_bytes(raw[:8], "little")
        self._raw, self._begin = raw, 8 + size
        self._header = json.loads(raw[8 : 8 + size])

    def __contains__(self, name: str) -> bool:
        return name in self._header

    def __getitem__(self, name: str) -> np.ndarray:
        told = self._header[name]
        begin, end = told["data_offsets"]
        raw = self._raw[self._begin + begin : self._begin + end]
        if told["dtype"] == "BF16":
            found = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        else:
            found = np.frombuffer(raw, _TYPES[told["dtype"]])
        return found.astype(np.float32).reshape(told["shape"])


def _model(tables: _Tables, told: Mapping[str, Any]) -> bytes:
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(
        int(told["encoder_layers"]), int(told["encoder_attention_heads"]), int(told["decoder_layers"]),
        int(told["decoder_attention_heads"]),
    )  # fmt: skip
    encoder, decoder = "model.encoder", "model.decoder"
    for n in (1, 2):
        _linear(getattr(spec.encoder, f"conv{n}"), tables, f"{encoder}.conv{n}")
    for part, name, crossed in ((spec.encoder, encoder, False), (spec.decoder, decoder, True)):
        part.position_encodings.encodings = tables[f"{name}.embed_positions.weight"]
        _norm(part.layer_norm, tables, f"{name}.layer_norm")
        for n, layer in enumerate(part.layer):
            place = f"{name}.layers.{n}"
            _attention(layer.self_attention, tables, f"{place}.self_attn", ("qkv",))
            _norm(layer.self_attention.layer_norm, tables, f"{place}.self_attn_layer_norm")
            if crossed:
                _attention(layer.attention, tables, f"{place}.encoder_attn", ("q", "kv"))
                _norm(layer.attention.layer_norm, tables, f"{place}.encoder_attn_layer_norm")
            _linear(layer.ffn.linear_0, tables, f"{place}.fc1")
            _linear(layer.ffn.linear_1, tables, f"{place}.fc2")
            _norm(layer.ffn.layer_norm, tables, f"{place}.final_layer_norm")
    spec.decoder.embeddings.weight = tables[f"{decoder}.embed_tokens.weight"]
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.register_vocabulary([str(n) for n in range(len(spec.decoder.embeddings.weight))])
    spec.validate()
    spec.optimize(quantization="float32")
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        return (Path(folder) / "model.bin").read_bytes()


def _linear(into: Any, tables: _Tables, name: str) -> None:
    into.weight = tables[f"{name}.weight"]
    if f"{name}.bias" in tables:
        into.bias = tables[f"{name}.bias"]


def _norm(into: Any, tables: _Tables, name: str) -> None:
    into.gamma, into.beta = tables[f"{name}.weight"], tables[f"{name}.bias"]


def _attention(into: Any, tables: _Tables, name: str, joined: tuple[str, ...]) -> None:
    for linear, parts in zip(into.linear, joined, strict=False):
        weights = [tables[f"{name}.{p}_proj.weight"] for p in parts]
        biases = [  # Whisper's keys have none
            tables[f"{name}.{p}_proj.bias"] if f"{name}.{p}_proj.bias" in tables else np.zeros(len(w), np.float32)
            for p, w in zip(parts, weights, strict=True)
        ]
        linear.weight, linear.bias = np.concatenate(weights), np.concatenate(biases)
    _linear(into.linear[-1], tables, f"{name}.out_proj")
