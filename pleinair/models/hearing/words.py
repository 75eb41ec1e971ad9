"""Whisper's side of words: the spectrum that it hears, the prompt that it goes on from, its tokens as text.

Spectrum and tokens are faster-whisper's (Systran, MIT); its model code is not used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends.onnx import runtime as quiet_onnx
from ...core.errors import ModelFault, did_you_mean

FRAMES_PER_S = 100
LONGEST_HINT = 200
"""Tokens of a hint; Whisper reads 223 at most."""
SURE_OF_LANGUAGE = 0.5
"""Below it the language that was spoken before is likelier than the one that it believes to hear now."""


class Words:
    """A model's tokenizer and spectrum.

    tokenizer  the bytes of its tokenizer.json
    whisper    a backend of `ctranslate2`, open
    """

    def __init__(self, tokenizer: bytes, whisper: Any, card: str) -> None:
        quiet_onnx()  # faster-whisper imports it, and its telemetry is switched off first
        try:
            from faster_whisper.feature_extractor import FeatureExtractor
            from faster_whisper.tokenizer import Tokenizer
            from tokenizers import Tokenizer as Fast
        except ImportError as error:
            raise ModelFault(
                f"{card} cannot be loaded: {error}",
                now="the model was not loaded",
                hint='pip install "pleinair[hearing]"',
            ) from None
        try:
            self._tokens: Any = Fast.from_buffer(tokenizer)
        except Exception as error:  # the library raises Exception itself
            raise ModelFault(f"{card}: its tokenizer cannot be read: {str(error)[:120]}") from None
        self._whisper, self._card = whisper, card
        self._make = Tokenizer
        self._spectrum: Any = FeatureExtractor(feature_size=whisper.mels)
        self._known: dict[tuple[str, bool], Any] = {}

    def spectrum(self, samples: np.ndarray, window_s: float) -> np.ndarray:
        """Log-mel spectrum, float32 (mels, 100 x window_s): the sound, and silence behind it."""
        found = self._spectrum(samples)[:, : int(window_s * FRAMES_PER_S)]
        return np.pad(found, ((0, 0), (0, int(window_s * FRAMES_PER_S) - found.shape[1])))

    def prompt(self, language: str, words: str = "", english: float = 0.0) -> list[int]:
        """What it goes on from: the hint, the language that is spoken, the task."""
        known = self._of(language, float(english) >= 0.5)
        hint = known.encode(_sentence(words))[:LONGEST_HINT] if str(words).strip() else []
        return [*([known.sot_prev, *hint] if hint else []), *known.sot_sequence, known.no_timestamps]

    def text(self, tokens: list[int]) -> str:
        """The words of an answer; "" where it holds marks only ("...")."""
        words = self._of("en", False).decode(tokens).strip()
        return words if any(c.isalnum() for c in words) else ""

    def language(self, encoded: Any, asked: str = "", likely: str = "") -> str:
        """Two letters: the language that is asked for, else the one that it hears, else, where it is not sure of that,
        the likely one."""
        asked = str(asked).strip().lower()
        if asked not in ("", "auto"):
            return self._known_language(asked)
        if not self._whisper.multilingual:
            return "en"
        found, sure = self._whisper.languages(encoded)[0]
        return likely if likely and sure < SURE_OF_LANGUAGE else found

    def _known_language(self, asked: str) -> str:
        if not self._whisper.multilingual and asked != "en":
            raise ValueError(f'{self._card} hears English only, and language is "{asked}"')
        if self._tokens.token_to_id(f"<|{asked}|>") is None:
            known = [t[2:-2] for t in self._tokens.get_vocab() if t.startswith("<|") and 4 < len(t) <= 7]
            raise ValueError(f'{self._card} knows no language "{asked}": {did_you_mean(asked, known)}')
        return asked

    def _of(self, language: str, english: bool) -> Any:
        key = (language, english)
        if key not in self._known:
            task = "translate" if english else "transcribe"
            self._known[key] = self._make(self._tokens, self._whisper.multilingual, task=task, language=language)
        return self._known[key]


def _sentence(words: str) -> str:
    """With an end: without one Whisper may take what it hears for the rest of the sentence."""
    words = " " + str(words).strip()
    return words if words[-1] in ".!?…" else words + "."
