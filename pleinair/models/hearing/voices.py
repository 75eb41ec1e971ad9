"""The networks that make a voice out of phonemes: Kokoro, and any voice in Piper's format."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backends.base import Backend, Tensor
from ...core.errors import ModelFault, did_you_mean
from ...core.kinds import Control, Kind, Text, Vector
from .phonemes import TIE, phonemes

Make = Callable[[str, Sequence[Tensor], Sequence[Tensor]], Backend]
"""(role, inputs, outputs) -> a compiled network."""
PORTS: Mapping[str, type[Kind]] = {"voices": Vector, "speed": Control, "language": Text}
"""What a network of several voices can be told beside the text."""


class Kokoro:
    """Kokoro-82M (hexgrad; after StyleTTS 2, Li and others, 2023): tokens, a row of 256 numbers that is the voice, and
    a speed to samples at 24 kHz. A voice is 510 such rows, one for each number of tokens, and rows of several voices
    mix: half of one and half of another is a voice too.

    vocabulary  its config.json: phoneme -> token, under "vocab"
    voices      a safetensors file: name -> (510, 256)
    """

    rate = 24_000
    ports: Mapping[str, type[Kind]] = PORTS
    longest = 480
    """Tokens at once; it reads 510."""

    def __init__(self, make: Make, voices: bytes, vocabulary: bytes, names: Sequence[str]) -> None:
        self._tokens = tokens(vocabulary)
        self._voices = _tables(voices)
        self.names = list(names)
        for name in self.names:
            if name not in self._voices:
                raise ModelFault(f'the file of voices has no "{name}"', hint=did_you_mean(name, self._voices))
        self._network = make(
            "network",
            [Tensor("tokens", (1, -1), dtype="int64"), Tensor("style", (1, 256)), Tensor("speed", (1,))],
            [Tensor("audio", (-1,))],
        )

    def language(self, weights: np.ndarray) -> str:
        """Of the voice that counts most, as espeak-ng names it: the first letter of its name says it."""
        name = self.names[int(np.argmax(weights))]
        return LANGUAGES.get(name[:1], "en-us")

    def style(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The mixed voice's row for so many tokens: float32 (1, 256)."""
        total = float(weights.sum())
        mixed = np.zeros(256, np.float64)
        for name, weight in zip(self.names, weights, strict=True):
            if weight:
                mixed += self._voices[name][min(count, 509)] * (float(weight) / total)
        return mixed.astype(np.float32)[None]

    def say(self, text: str, language: str, weights: np.ndarray, speed: float) -> np.ndarray:
        """float32 samples at 24 kHz; empty where there is nothing to say."""
        spelt = spell(phonemes(text, language), language)
        tokens = [self._tokens[sign] for sign in spelt if sign in self._tokens][: self.longest]
        if not tokens:
            return np.zeros(0, np.float32)
        found = self._network.run({
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": self.style(weights, len(tokens)),
            "speed": np.array([speed], np.float32),
        })  # fmt: skip
        return found["audio"].reshape(-1)


LANGUAGES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""First letter of a Kokoro voice's name -> language."""

_JOINED = {
    "a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "ɔ^ɪ": "Y", "o^ʊ": "O", "ə^ʊ": "Q", "t^ʃ": "ʧ", "d^ʒ": "ʤ", "t^s": "ʦ",
    "d^z": "ʣ",
}  # fmt: skip
_ENGLISH = {"ə^l": "ᵊl", "ɚ": "əɹ", "ɝ": "ɜɹ", "ɐ": "ə", "ʔ": "t", "r": "ɹ", "x": "k", "ç": "k", "ɬ": "l", "ʲ": ""}
_AMERICAN = {"ɪ^ə": "iə", "ɜː": "ɜɹ", "ɜɹɹ": "ɜɹ", "ː": "", "ɾ": "T", "o": "ɔ"}
_BRITISH = {"e^ə": "ɛː", "i^ə": "ɪə", "ɪ^ə": "ɪə"}


def spell(spoken: list[tuple[str, str]], language: str) -> str:
    """espeak-ng's phonemes as Kokoro learnt them: one capital letter for each diphthong of English, its own signs for
    affricates (the alphabet that Kokoro's `misaki` documents)."""
    whole = " ".join(sounds + mark for sounds, mark in spoken)
    rules = dict(_JOINED)
    if language.startswith("en"):
        rules |= _ENGLISH | (_AMERICAN if language == "en-us" else _BRITISH)
    for sound, sign in rules.items():
        whole = whole.replace(sound, sign)
    if language.startswith("en"):
        whole = re.sub("(\\S)\u0329", r"ᵊ\1", whole)  # a consonant that is a syllable: the n of button
    return whole.replace(TIE, "")


def tokens(vocabulary: bytes) -> dict[str, int]:
    """Phoneme -> token, out of JSON: {"a": 43, ...}, by itself or under "vocab"."""
    try:
        found = json.loads(vocabulary)
        found = found.get("vocab", found)
        return {str(sign): int(token) for sign, token in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelFault("the vocabulary names no tokens", hint='{"a": 43, ...}, by itself or under "vocab"') from None


def _tables(raw: bytes) -> dict[str, np.ndarray]:
    """Out of a safetensors file, whose bounds `safe` has checked."""
    size = int.from_bytes(raw[:8], "little")
    try:
        header = json.loads(raw[8 : 8 + size])
        found = {}
        for name, told in header.items():
            if name != "__metadata__":
                begin, end = told["data_offsets"]
                found[name] = np.frombuffer(raw[8 + size + begin : 8 + size + end], "<f4").reshape(told["shape"])
                if told["dtype"] != "F32" or found[name].shape != (510, 256):
                    raise ValueError(name)
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFault(f"the file of voices cannot be used: {error!r:.80}") from None


class Piper:
    """A voice in Piper's format (VITS, Kim and others, 2021): an ONNX file and its .json.

    Its chance (noise) is off, so that the same text is the same sound: `noise` brings it back, 0..1 of what the voice's
    own settings say.
    """

    ports: Mapping[str, type[Kind]] = PORTS

    def __init__(self, make: Make, config: bytes, noise: float) -> None:
        try:
            told = json.loads(config)
            self.rate = int(told["audio"]["sample_rate"])
            self._ids = {str(k): [int(i) for i in v] for k, v in told["phoneme_id_map"].items()}
            self._spoken = str(told["espeak"]["voice"]) if told.get("phoneme_type", "espeak") == "espeak" else ""
            scales = told.get("inference", {})
            self._length = float(scales.get("length_scale", 1.0))
            self._noise = noise * float(scales.get("noise_scale", 0.667)), noise * float(scales.get("noise_w", 0.8))
            speakers = int(told.get("num_speakers", 1))
            names = {int(v): str(k) for k, v in told.get("speaker_id_map", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFault(
                f"the voice's settings cannot be used: {error!r:.80}",
                now="the model was not loaded",
                hint="a Piper voice is two files: voice.onnx and voice.onnx.json",
            ) from None
        self.names = [names.get(n, f"speaker {n}") for n in range(speakers)] if speakers > 1 else ["voice"]
        self._many = speakers > 1
        inputs = [Tensor("input", (1, -1), dtype="int64"), Tensor("input_lengths", (1,), dtype="int64")]
        inputs += [Tensor("scales", (3,)), *([Tensor("sid", (1,), dtype="int64")] if self._many else [])]
        self._network = make("network", inputs, [Tensor("output", (-1, -1, -1, -1))])

    def language(self, weights: np.ndarray) -> str:
        return self._spoken

    def say(self, text: str, language: str, weights: np.ndarray, speed: float) -> np.ndarray:
        """float32 samples at `rate`. Of several speakers the one with the most weight: they do not mix."""
        spelt = text
        if self._spoken:
            spelt = " ".join(sounds + mark for sounds, mark in phonemes(text, language, tie=False))
        known = [self._ids[sign] for sign in unicodedata.normalize("NFD", spelt) if sign in self._ids]
        if not known:
            return np.zeros(0, np.float32)
        pad = self._ids.get("_", [0])
        ids = [*self._ids.get("^", [1]), *pad]
        for each in known:
            ids += [*each, *pad]
        ids += self._ids.get("$", [2])
        values = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([self._noise[0], self._length / speed, self._noise[1]], np.float32),
        }
        if self._many:
            values["sid"] = np.array([int(np.argmax(weights))], np.int64)
        return self._network.run(values)["output"].reshape(-1)


def chosen(value: Any, names: Sequence[str]) -> np.ndarray:
    """Weights of voices out of a name ("af_heart"), or one number for each; ValueError with a sentence."""
    if isinstance(value, str):
        if value not in names:
            raise ValueError(f'there is no voice "{value}": {did_you_mean(value, names)}')
        return np.eye(len(names), dtype=np.float32)[list(names).index(value)]
    weights = np.array(value, np.float32).reshape(-1)
    if len(weights) != len(names):
        raise ValueError(f"voices are {len(names)} numbers, one a voice, and these are {len(weights)}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("a voice's weight is 0 or more")
    return weights
