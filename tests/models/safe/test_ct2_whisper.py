"""A Whisper's tables fit one another, and the vocabulary and settings beside it: else its runtime ends the process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.safe import check, ct2_whisper

from . import making


def converted(folder: Path, quantised: str, width: int = 16) -> bytes:
    """A small Whisper as CTranslate2's own converter writes it."""
    from ctranslate2.specs import WhisperSpec

    rng = np.random.default_rng(0)
    spec = WhisperSpec(1, 2, 1, 2)

    def some(*sides: int) -> np.ndarray:
        return rng.standard_normal(sides).astype(np.float32)

    def linear(into, *sides: int) -> None:
        into.weight, into.bias = some(*sides), some(sides[0])

    def norm(into) -> None:
        into.gamma, into.beta = some(width), some(width)

    linear(spec.encoder.conv1, width, 80, 3)
    linear(spec.encoder.conv2, width, width, 3)
    for part, rows in ((spec.encoder, 1500), (spec.decoder, 448)):
        part.position_encodings.encodings = some(rows, width)
        norm(part.layer_norm)
        for layer in part.layer:
            both = [(layer.self_attention, (3, 1))]
            both += [(layer.attention, (1, 2, 1))] if part is spec.decoder else []
            for attention, times in both:
                for n, count in enumerate(times):
                    linear(attention.linear[n], count * width, width)
                norm(attention.layer_norm)
            linear(layer.ffn.linear_0, 32, width)
            linear(layer.ffn.linear_1, width, 32)
            norm(layer.ffn.layer_norm)
    spec.decoder.embeddings.weight = some(40, width)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.register_vocabulary([str(n) for n in range(40)])
    spec.validate()
    spec.optimize(quantization=quantised)
    spec.save(str(folder))
    return (folder / "model.bin").read_bytes()


@pytest.mark.parametrize("quantised", [None, "float32", "float16", "int8", "int16", "int8_float16", "int8_float32"])
def test_whatever_the_converter_writes_is_let_in(tmp_path, quantised):
    assert check(converted(tmp_path, quantised), "model.bin").summary.words == 40


def test_what_is_no_whisper_is_not_held_to_its_shapes():
    assert check(making.whisper(), "model.bin").summary.words == 20
    blob = making.whisper(**{"encoder.num_heads": b"\0\0"})
    with pytest.raises(ModelFault, match="cannot have 0 heads"):
        check(blob, "model.bin")
    assert check(blob.replace(b"WhisperSpec", b"AnotherSpec"), "model.bin").summary.words == 0


GOOD = {"vocabulary.txt": b"a\n" * 20, "config.json": b'{"suppress_ids": [1, 19], "lang_ids": []}'}


@pytest.mark.parametrize(
    ("file", "blob", "why"),
    [
        ("vocabulary.txt", b"a\n" * 21, "has 21 words"),
        ("vocabulary.txt", b"a\n" * 20 + b"b", "has 21 words"),
        ("vocabulary.json", json.dumps(["a"] * 30).encode(), "has 30 words"),
        ("config.json", b'{"suppress_ids": [99999999]}', "suppress_ids"),
        ("config.json", b'{"suppress_ids_begin": [-2]}', "suppress_ids_begin"),
        ("config.json", b'{"lang_ids": [1.5]}', "lang_ids"),
        ("config.json", b'{"lang_ids": "x"}', "lang_ids"),
    ],
)
def test_what_lies_beside_it_names_only_words_that_it_knows(file, blob, why):
    ct2_whisper.beside(20, GOOD, "mine")
    with pytest.raises(ModelFault, match=why):
        ct2_whisper.beside(20, {**GOOD, file: blob}, "mine")
