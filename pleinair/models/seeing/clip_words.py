"""Words as CLIP's text network takes them: byte-pair encoding, written from its description.

Byte-pair encoding (Sennrich, Haddow, Birch, 2016) over bytes (Radford and others: GPT-2, 2019) with an end-of-word
mark (CLIP, 2021): a text is made lower case and cut into words, numbers and signs; each piece's bytes become letters of
an alphabet of 256; then the two neighbours whose pair was learnt earliest are joined, again and again.

Two kinds of files are read: a `tokenizer.json`, or a `vocab.json` with a `merges.txt`. They hold lists; nothing in them
is run, and what else a tokenizer.json may ask for (other models, other cutting) is refused, not guessed at.
"""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from typing import Any

from ...core.errors import ModelFault

MAX_BYTES = 64 << 20
START, END, MARK = "<|startoftext|>", "<|endoftext|>", "</w>"
_CONTRACTIONS = ("'re", "'ve", "'ll", "'s", "'t", "'m", "'d")


class ClipWords:
    """`words("a dog")` -> the numbers of its pieces, with start and end.

    vocabulary  piece -> number
    merges      pairs, the one learnt first in front
    """

    def __init__(self, vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> None:
        if START not in vocabulary or END not in vocabulary:
            raise _fault(f"it has no {START} and {END}")
        self.vocabulary = vocabulary
        self._order = {pair: n for n, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._pieces = lru_cache(maxsize=4096)(self._joined)

    def __call__(self, text: str, most: int = 77) -> list[int]:
        """Numbers with start and end, `most` of them at most: what is longer is cut, and ends with the end."""
        numbers = [self.vocabulary[START]]
        for piece in cut(text):
            numbers += self._pieces(piece)
        return [*numbers[: most - 1], self.vocabulary[END]]

    def _joined(self, piece: str) -> tuple[int, ...]:
        if piece in (START, END):
            return (self.vocabulary[piece],)
        parts = [self._letters[byte] for byte in piece.encode()]
        parts[-1] += MARK
        while len(parts) > 1:
            first = min(zip(parts, parts[1:], strict=False), key=lambda pair: self._order.get(pair, len(self._order)))
            if first not in self._order:
                break
            joined, n = [], 0
            while n < len(parts):
                if tuple(parts[n : n + 2]) == first:
                    joined.append(parts[n] + parts[n + 1])
                    n += 2
                else:
                    joined.append(parts[n])
                    n += 1
            parts = joined
        unknown = self.vocabulary[END]
        return tuple(self.vocabulary.get(part, unknown) for part in parts)


def read_words(files: dict[str, bytes]) -> ClipWords:
    """Out of the roles `words` (tokenizer.json), or `vocab` and `merges`. ModelFault: they are not what they say."""
    try:
        if "words" in files:
            return _from_tokenizer(_json(files["words"]))
        merges = [tuple(line.split(" ")) for line in files["merges"].decode().splitlines() if line]
        if merges and merges[0][0].startswith("#version"):
            merges = merges[1:]
        return _checked(_json(files["vocab"]), merges)
    except KeyError as error:
        raise _fault(f"it has no {error}") from None
    except UnicodeDecodeError:
        raise _fault("it is no text") from None


def _json(blob: bytes) -> Any:
    if len(blob) > MAX_BYTES:
        raise _fault(f"it has {len(blob)} bytes")
    try:
        return json.loads(blob.decode())
    except (ValueError, RecursionError):
        raise _fault("it is no JSON") from None


def _from_tokenizer(table: Any) -> ClipWords:
    model = table.get("model") if isinstance(table, dict) else None
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE" or model.get("end_of_word_suffix") != MARK:
        raise _fault('it is no byte-pair encoding with "</w>", which CLIP uses')
    vocabulary = model["vocab"]
    if not isinstance(vocabulary, dict):
        raise _fault("its vocabulary is no table")
    for added in table.get("added_tokens") or []:
        if isinstance(added, dict) and isinstance(added.get("content"), str):
            vocabulary.setdefault(added["content"], added.get("id"))
    pairs = model["merges"]
    return _checked(vocabulary, [tuple(p.split(" ")) if isinstance(p, str) else tuple(p) for p in pairs])


def _checked(vocabulary: Any, merges: list[Any]) -> ClipWords:
    if not isinstance(vocabulary, dict) or not all(type(n) is int and 0 <= n < 1 << 24 for n in vocabulary.values()):
        raise _fault("its vocabulary is no table of whole numbers")
    if not all(len(pair) == 2 and all(isinstance(part, str) and part for part in pair) for pair in merges):
        raise _fault("its merges are no pairs")
    return ClipWords(vocabulary, merges)


def _fault(why: str) -> ModelFault:
    return ModelFault(
        f"the words of the text network cannot be read: {why}",
        now="the model was not loaded",
        hint="files.words is CLIP's tokenizer.json; or files.vocab its vocab.json and files.merges its merges.txt",
    )


def cut(text: str) -> list[str]:
    """Lower case; words, single digits, and rows of other signs, as CLIP cuts them; its two marks stay whole."""
    text = " ".join(unicodedata.normalize("NFC", text).split()).lower()
    pieces: list[str] = []
    at = 0
    while at < len(text):
        mark = next((m for m in (START, END, *_CONTRACTIONS) if text.startswith(m, at)), "")
        end = at + len(mark)
        if not mark and not text[at].isspace():
            kind, end = _kind(text[at]), at + 1
            while kind != "N" and end < len(text) and _kind(text[end]) == kind:
                end += 1
        if end > at:
            pieces.append(text[at:end])
        at = max(end, at + 1)
    return pieces


def _kind(letter: str) -> str:
    """L: a letter, N: a digit, space, or other."""
    kind = unicodedata.category(letter)[0]
    return kind if kind in "LN" else "space" if letter.isspace() else "other"


@lru_cache(maxsize=1)
def _byte_letters() -> list[str]:
    """The 256 letters that stand for bytes: themselves where they can be seen, else letters from U+0100 on (GPT-2)."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in seen else chr(next(hidden)) for byte in range(256)]
