"""What tasks share that read a text as a vector: its tokens, the network, and the vectors known by heart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends.base import Tensor
from ...core.errors import ModelFault
from .. import store
from ..card import Card
from ..network import NetworkModel

KNOWN = 256
"""How many vectors of texts that come again (labels) are kept."""


class Encoder(NetworkModel):
    """Files of the card: `network`, an ONNX encoder with `ids` and `mask` [texts, words] and `vector` [texts, wide]
    (convert.bert makes one); `tokenizer`, a tokenizer.json or a WordPiece vocab.txt. Options: `words` (256), so many
    tokens are read, the rest is left; `lower_case` (true), for a vocab.txt."""

    candidates = (("openvino", "f32"), ("onnx", "f32"))

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self._tokenizer: Any = None
        self._encoder: Any = None
        self._known: dict[str, np.ndarray] = {}

    def _open(self) -> None:
        rows = (-1, -1)
        inputs = [Tensor("ids", rows, dtype="int64"), Tensor("mask", rows, dtype="int64")]
        self._encoder = self.network("network", inputs, [Tensor("vector", rows)])
        self._tokenizer = tokenizer_of(self.card)
        self.vector("warm")

    def _close(self) -> None:
        self._tokenizer = self._encoder = None
        self._known = {}

    def vector(self, text: str) -> np.ndarray:
        """float32, one dimension."""
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        return self._encoder.run({"ids": ids, "mask": np.ones_like(ids)})["vector"][0]

    def known(self, text: str) -> np.ndarray:
        """The same, of a text that comes again and again."""
        if text not in self._known:
            while len(self._known) >= KNOWN:
                del self._known[next(iter(self._known))]
            self._known[text] = self.vector(text)
        return self._known[text]

    def probe(self) -> list[np.ndarray]:
        self.open()
        return [self.vector(text) for text in ("The sea is calm tonight.", "brighter", "one two three " * 20)]


def tokenizer_of(card: Card) -> Any:
    """The tokenizer in the card's file `tokenizer`. ModelFault where it is none, or the package is not here."""
    try:
        import tokenizers
    except ImportError:
        raise ModelFault(
            "texts are read by the package tokenizers, which is not installed",
            now="the model was not loaded",
            hint='pip install "pleinair[language]"',
        ) from None
    text = store.read(card, "tokenizer").decode("utf-8", "replace")
    try:
        if card.files["tokenizer"].name.endswith(".txt"):
            words = {word: n for n, word in enumerate(text.splitlines())}
            lower = bool(card.options.get("lower_case", True))
            found = tokenizers.BertWordPieceTokenizer(words, lowercase=lower)
        else:
            found = tokenizers.Tokenizer.from_str(text)
        found.no_padding()
        found.enable_truncation(int(card.options.get("words", 256)))
    except Exception as error:  # whatever its reader says of it
        raise ModelFault(
            f"{card.name} cannot be loaded: {card.files['tokenizer'].name} is no tokenizer ({str(error)[:120]})",
            now="the model was not loaded",
        ) from None
    return found
