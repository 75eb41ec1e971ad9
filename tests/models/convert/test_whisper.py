"""A Whisper checkpoint in transformers' layout, made here: converted, it computes what its numbers say."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Sound, Text
from pleinair.models import load, store
from pleinair.models.card import find_card
from pleinair.models.convert import make
from pleinair.models.fetch import fetch

D, HEADS, LAYERS, WIDE = 16, 2, 2, 32


def safetensors(tables: dict[str, np.ndarray]) -> bytes:
    header, at = {}, 0
    for name, table in tables.items():
        header[name] = {"dtype": "F32", "shape": list(table.shape), "data_offsets": [at, at + table.nbytes]}
        at += table.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(t.tobytes() for t in tables.values())


@pytest.fixture(scope="module")
def checkpoint():
    """(tables, config, tokenizer.json of tiny.en)"""
    fetch(["whisper-tiny-en"])
    tokenizer = store.read(find_card("whisper-tiny-en"), "tokenizer")
    rng = np.random.default_rng(7)

    def table(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype("<f4")

    found = {}
    for part, crossed in (("encoder", False), ("decoder", True)):
        at = f"model.{part}"
        found |= {f"{at}.embed_positions.weight": table(1500 if part == "encoder" else 448, D)}
        norms = ["layer_norm", *(f"layers.{n}.{x}_layer_norm" for n in range(LAYERS) for x in ("self_attn", "final"))]
        norms += [f"layers.{n}.encoder_attn_layer_norm" for n in range(LAYERS)] if crossed else []
        for norm in norms:
            found |= {f"{at}.{norm}.weight": 1 + table(D), f"{at}.{norm}.bias": table(D)}
        for n in range(LAYERS):
            for attention in ("self_attn", "encoder_attn") if crossed else ("self_attn",):
                for p in "qkv":
                    found[f"{at}.layers.{n}.{attention}.{p}_proj.weight"] = table(D, D)
                    if p != "k":
                        found[f"{at}.layers.{n}.{attention}.{p}_proj.bias"] = table(D)
                out = f"{at}.layers.{n}.{attention}.out_proj"
                found |= {f"{out}.weight": table(D, D), f"{out}.bias": table(D)}
            found |= {f"{at}.layers.{n}.fc1.weight": table(WIDE, D), f"{at}.layers.{n}.fc1.bias": table(WIDE)}
            found |= {f"{at}.layers.{n}.fc2.weight": table(D, WIDE), f"{at}.layers.{n}.fc2.bias": table(D)}
    found |= {"model.encoder.conv1.weight": table(D, 80, 3), "model.encoder.conv1.bias": table(D)}
    found |= {"model.encoder.conv2.weight": table(D, D, 3), "model.encoder.conv2.bias": table(D)}
    found["model.decoder.embed_tokens.weight"] = table(51_864, D)
    config = {"encoder_layers": LAYERS, "decoder_layers": LAYERS}
    config |= {"encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS}
    return found, json.dumps(config).encode(), tokenizer


def gelu(x):
    from math import erf

    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def norm(w, name, x):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)


def attention(w, name, x, y, causal=False):
    q, k, v = (linear(w, f"{name}.{p}_proj", z) for p, z in (("q", x), ("k", y), ("v", y)))
    out = []
    for head in np.split(np.arange(D), HEADS):
        score = q[:, head] @ k[:, head].T / np.sqrt(D / HEADS)
        score = np.where(np.tri(*score.shape), score, -1e9) if causal else score
        score = np.exp(score - score.max(1, keepdims=True))
        out.append(score / score.sum(1, keepdims=True) @ v[:, head])
    return linear(w, f"{name}.out_proj", np.concatenate(out, 1))


def encoded(w, mel):
    """Whisper's encoder (Radford and others, 2022), in numpy."""
    x = mel
    for n, stride in ((1, 1), (2, 2)):
        padded = np.pad(x, ((0, 0), (1, 1)))
        steps = range(0, x.shape[1], stride)
        kernel = w[f"model.encoder.conv{n}.weight"]
        x = np.stack([np.tensordot(kernel, padded[:, s : s + 3], ([1, 2], [0, 1])) for s in steps], 1)
        x = gelu(x + w[f"model.encoder.conv{n}.bias"][:, None])
    x = x.T + w["model.encoder.embed_positions.weight"][: x.shape[1]]
    for n in range(LAYERS):
        at = f"model.encoder.layers.{n}"
        y = norm(w, f"{at}.self_attn_layer_norm", x)
        x = x + attention(w, f"{at}.self_attn", y, y)
        x = x + linear(w, f"{at}.fc2", gelu(linear(w, f"{at}.fc1", norm(w, f"{at}.final_layer_norm", x))))
    return norm(w, "model.encoder.layer_norm", x)


def next_word(w, sound, tokens):
    """The decoder's likeliest word after these."""
    x = w["model.decoder.embed_tokens.weight"][tokens] + w["model.decoder.embed_positions.weight"][: len(tokens)]
    for n in range(LAYERS):
        at = f"model.decoder.layers.{n}"
        y = norm(w, f"{at}.self_attn_layer_norm", x)
        x = x + attention(w, f"{at}.self_attn", y, y, causal=True)
        x = x + attention(w, f"{at}.encoder_attn", norm(w, f"{at}.encoder_attn_layer_norm", x), sound)
        x = x + linear(w, f"{at}.fc2", gelu(linear(w, f"{at}.fc1", norm(w, f"{at}.final_layer_norm", x))))
    return int(np.argmax(norm(w, "model.decoder.layer_norm", x[-1:]) @ w["model.decoder.embed_tokens.weight"].T))


@pytest.fixture(scope="module")
def converted(checkpoint):
    tables, config, tokenizer = checkpoint
    return {
        "model.bin": make("whisper", {"weights": safetensors(tables), "settings": config}, {}),
        "config.json": make("whisper_config", {"tokenizer": tokenizer}, {}),
        "vocabulary.json": make("whisper_vocabulary", {"tokenizer": tokenizer}, {}),
    }


def test_it_computes_what_its_numbers_say(checkpoint, converted):
    from pleinair.backends.ctranslate2 import CTranslate2

    tables = checkpoint[0]
    backend = CTranslate2(converted, precision="f32", threads=1)
    mel = np.random.default_rng(1).normal(0, 1, (80, 60)).astype(np.float32)
    sound = backend.encode(mel)
    truth = encoded(tables, mel)
    assert np.abs(np.array(sound)[0] - truth).max() < 1e-3
    prompt = [50_257, 50_362]  # the beginning, and no moments
    words, _, _ = backend.generate(sound, prompt, beam=1, longest=1)
    assert words == [next_word(tables, truth, prompt)]


def test_the_same_checkpoint_is_the_same_file(checkpoint, converted):
    tables, config, _ = checkpoint
    assert make("whisper", {"weights": safetensors(tables), "settings": config}, {}) == converted["model.bin"]


def test_a_checkpoint_of_ones_own_loads_by_file(checkpoint, converted, tmp_path, monkeypatch):
    vad = store.read(find_card("whisper-tiny-en"), "voice_activity")
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))
    files = ""
    blobs = {**converted, "tokenizer.json": checkpoint[2], "vad.onnx": vad}
    roles = {"model.bin": "model", "config.json": "config", "vocabulary.json": "vocabulary"}
    roles |= {"tokenizer.json": "tokenizer", "vad.onnx": "voice_activity"}
    for name, blob in blobs.items():
        (tmp_path / name).write_bytes(blob)
        sha = hashlib.sha256(blob).hexdigest()
        files += f'[files.{roles[name]}]\nname = "{name}"\nfrom = "file:{name}"\n'
        files += f'sha256 = "{sha}"\nbytes = {len(blob)}\n'
    (tmp_path / "card.toml").write_text(f'name = "mine"\ntask = "transcribe"\n{files}')
    model = load(tmp_path)
    assert isinstance(model(Sound(np.zeros((16_000, 1), np.float32), 16_000)), Text)
    assert model.describe()["card"] == "mine"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("whisper", {"weights": bytes(8), "settings": b"{}"}),
        ("whisper", {"weights": safetensors({"a": np.zeros(3, "<f4")}), "settings": b'{"encoder_layers": 1}'}),
        ("whisper_config", {"tokenizer": b"{}"}),
        ("whisper_vocabulary", {"tokenizer": b"[]"}),
    ],
)
def test_another_file_is_a_sentence(name, files):
    with pytest.raises(ModelFault, match="the files are no Whisper checkpoint"):
        make(name, files, {})
