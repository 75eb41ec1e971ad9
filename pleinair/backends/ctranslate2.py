"""CTranslate2: Whisper on the CPU, its weights in int8 (rounded once more from the file's float16, row by row).

Files are handed over as bytes that were checked before, never as a folder: what is read is what was hashed. Its own
threads, no more than it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import ModelFault
from .base import closed
from .compiled import Compiled, first_line, not_there

PRECISIONS = {"int8": "int8", "f32": "float32"}


def runtime() -> Any:
    """The `ctranslate2` module. ModelFault where it is not installed."""
    try:
        import ctranslate2
    except ImportError as error:
        raise not_there("ctranslate2", error, 'pip install "pleinair[hearing]"') from None
    return ctranslate2


class CTranslate2(Compiled):
    """A Whisper of CTranslate2's own format: sound's spectrum in, tokens out.

    files      name -> bytes: "model.bin", "config.json", and "vocabulary.txt" or "vocabulary.json"
    precision  "int8" or "f32"

    Safe from several threads (they take turns); the GIL is released while it runs.
    """

    name = "ctranslate2"
    package, missing = "ctranslate2", 'pip install "pleinair[hearing]" brings it'
    knows, advice = tuple(PRECISIONS), 'precision = "int8" or "f32"'

    def __init__(self, files: Mapping[str, bytes], *, precision: str, threads: int) -> None:
        super().__init__((), (), precision=precision, threads=threads)
        engine = runtime()
        try:
            self._model: Any = engine.models.Whisper(
                "card", device="cpu", compute_type=PRECISIONS[precision], intra_threads=self.threads,
                inter_threads=1, files=dict(files),
            )  # fmt: skip
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelFault(
                f"CTranslate2 does not take this model: {first_line(error)}",
                now="the model was not loaded",
                hint="is it a Whisper in CTranslate2's format? ct2-transformers-converter makes one",
            ) from None

    @property
    def mels(self) -> int:
        """Bands of the spectrum that it wants: 80, or 128 from Whisper large-v3 on."""
        return self._open().n_mels

    @property
    def multilingual(self) -> bool:
        return self._open().is_multilingual

    def encode(self, spectrum: np.ndarray) -> Any:
        """float32 (mels, 2 x positions), at most 3000 wide, to what `generate` and `language` read; the runtime's own
        array."""
        from_numpy = runtime().StorageView.from_array
        with self._lock:
            return self._open().encode(from_numpy(np.ascontiguousarray(spectrum[None], np.float32)))

    def generate(self, encoded: Any, prompt: Sequence[int], *, beam: int, longest: int = 224) -> tuple[
        list[int], float, float
    ]:  # fmt: skip
        """(tokens, mean log probability of a token, probability that nobody speaks). The likeliest words: no chance."""
        with self._lock:
            found = self._open().generate(
                encoded, [list(prompt)], beam_size=beam, max_length=len(prompt) + longest, return_scores=True,
                return_no_speech_prob=True,
            )[0]  # fmt: skip
        return found.sequences_ids[0], float(found.scores[0]), float(found.no_speech_prob)

    def languages(self, encoded: Any) -> list[tuple[str, float]]:
        """(two letters, probability), the likeliest first."""
        with self._lock:
            return [(token[2:-2], float(sure)) for token, sure in self._open().detect_language(encoded)[0]]

    def _open(self) -> Any:
        if self._model is None:
            raise closed()
        return self._model

    def close(self) -> None:
        with self._lock:
            self._model = None
