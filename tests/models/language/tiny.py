"""Language models of a few kilobytes, made by hand: each architecture's tensors and names, a vocabulary of bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

WIDE, HEADS, LAYERS, INNER = 32, 4, 2, 48
CONTEXT = 256
CHATML = "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>'}}{% endfor %}"


def _text(value: str) -> bytes:
    blob = value.encode()
    return struct.pack("<Q", len(blob)) + blob


def _value(value: Any) -> bytes:
    """Type and value, as GGUF writes them."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    kind, code = {str: (8, None), float: (6, "f"), int: (5, "i")}[type(value[0])]
    body = b"".join(_text(v) if code is None else struct.pack("<" + code, v) for v in value)
    return struct.pack("<IIQ", 9, kind, len(value)) + body


def write(path: Path, about: dict[str, Any], tensors: dict[str, np.ndarray]) -> Path:
    """A GGUF file, version 3, of float32 tensors (numpy's shape; GGUF counts the sides from the other end)."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(about))
    head += b"".join(_text(key) + _value(value) for key, value in about.items())
    body = b""
    for name, array in tensors.items():
        head += _text(name) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *reversed(array.shape)) + struct.pack("<IQ", 0, len(body))
        blob = array.astype("<f4").tobytes()
        body += blob + bytes(-len(blob) % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + body)
    return path


def vocabulary() -> dict[str, Any]:
    """Unknown, begin, end, every byte, and a few words."""
    words = ["▁", *"abcdefghijklmnopqrstuvwxyz", "yes", "no", ".", "!"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256)), *words]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * 259 + [-float(n) for n in range(len(words))],
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * len(words),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }


def model(path: Path, architecture: str, *, seed: int = 0, template: str = "") -> Path:
    """A model of that architecture ("llama", "gemma", "qwen2", "bloom") with weights thrown at random."""
    rng = np.random.default_rng(seed)
    words = vocabulary()
    count = len(words["tokenizer.ggml.tokens"])
    a = architecture
    about: dict[str, Any] = {
        "general.architecture": a,
        "general.name": f"tiny {a}",
        f"{a}.context_length": CONTEXT,
        f"{a}.embedding_length": WIDE,
        f"{a}.block_count": LAYERS,
        f"{a}.feed_forward_length": INNER,
        f"{a}.attention.head_count": HEADS,
        f"{a}.attention.head_count_kv": HEADS,
        f"{a}.attention.layer_norm_epsilon": 1e-5,
        f"{a}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{a}.attention.key_length": WIDE // HEADS,
        f"{a}.attention.value_length": WIDE // HEADS,
        f"{a}.rope.dimension_count": WIDE // HEADS,
        **words,
    }
    if template:
        about["tokenizer.chat_template"] = template
    tensors: dict[str, np.ndarray] = {}

    def matrix(name: str, out: int, into: int, bias: bool = False) -> None:
        tensors[f"{name}.weight"] = rng.normal(0, 0.3, (out, into))
        if bias:
            tensors[f"{name}.bias"] = rng.normal(0, 0.1, out)

    def norm(name: str, bias: bool = False) -> None:
        tensors[f"{name}.weight"] = np.ones(WIDE)
        if bias:
            tensors[f"{name}.bias"] = rng.normal(0, 0.1, WIDE)

    bloom = a == "bloom"
    tensors["token_embd.weight"] = rng.normal(0, 0.3, (count, WIDE))
    if bloom:
        norm("token_embd_norm", True)
    norm("output_norm", bloom)
    if a != "gemma":
        tensors["output.weight"] = rng.normal(0, 0.1, (count, WIDE))
    for n in range(LAYERS):
        norm(f"blk.{n}.attn_norm", bloom)
        if bloom:
            matrix(f"blk.{n}.attn_qkv", 3 * WIDE, WIDE, True)
        else:
            for part in "qkv":
                matrix(f"blk.{n}.attn_{part}", WIDE, WIDE, a == "qwen2")
            matrix(f"blk.{n}.ffn_gate", INNER, WIDE)
        matrix(f"blk.{n}.attn_output", WIDE, WIDE, bloom)
        norm(f"blk.{n}.ffn_norm", bloom)
        matrix(f"blk.{n}.ffn_up", INNER, WIDE, bloom)
        matrix(f"blk.{n}.ffn_down", WIDE, INNER, bloom)
    return write(path, about, tensors)


def adapter(path: Path, *, seed: int = 1, wide: int = WIDE) -> Path:
    """A LoRA adapter for the tiny Llama, on its first layer's queries and what goes down."""
    rng = np.random.default_rng(seed)
    about = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
    }
    tensors = {}
    for name, out, into in (("blk.0.attn_q", wide, wide), ("blk.1.ffn_down", wide, INNER)):
        tensors[f"{name}.weight.lora_a"] = rng.normal(0, 0.5, (4, into))
        tensors[f"{name}.weight.lora_b"] = rng.normal(0, 0.5, (out, 4))
    return write(path, about, tensors)
