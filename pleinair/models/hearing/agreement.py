"""Words that may be shown while somebody still speaks: those that do not have to be taken back.

What is heard of half a sentence ends in a guess, and the next guess is another one. Words are shown once two guesses in
a row agree on them (local agreement: Liu and others: Low-Latency Sequence-to-Sequence Speech Recognition and
Translation by Partial Hypothesis Selection, 2020; for Whisper: Macháček and others: Turning Whisper into Real-Time
Transcription System, 2023), and stay until the utterance is over. No network and no clock in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Letters of scripts that write no spaces (Thai, Lao, Burmese, Khmer, Japanese, Chinese): each counts as a word."""
_UNIT = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")

LAST, SHIFT, ALIKE = 3, 3, 0.6
"""To find where a guess goes on: of how many of the last words, how far from where they were; or else how much of what
is shown has to stand in the same place."""


class Agreement:
    """Each call gets all that is heard of an utterance so far, and gives as much of it as may be shown. It grows; only
    where two guesses agree that it was something else altogether is it taken back. Marks and capitals do not count when
    guesses are compared, and a mark is shown with the word behind it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The next utterance."""
        self.shown = ""
        self._agreed: list[str] = []
        self._before: list[str] = []  # of the guess before, what came behind them
        self._other: list[str] = []  # the guess before, where it does not fit to what is shown

    def __call__(self, words: str) -> str:
        found = spelt(words)
        keys = [key for key, _, _ in found]
        at = self._place(keys)
        if at is None:
            return self._instead(words, found)
        self._other = []
        behind = keys[at:]
        both = agreed(behind, self._before)
        self._before = behind[both:]
        if both:
            begin = found[at - 1][2] if at else found[0][1]
            self.shown += words[begin : found[at + both - 1][2]]
            self._agreed += behind[:both]
        return self.shown

    def _instead(self, words: str, found: list[tuple[str, int, int]]) -> str:
        """What is shown is not what is heard by now: it is taken back once two guesses in a row agree on that."""
        keys = [key for key, _, _ in found]
        both = agreed(keys, self._other)
        self._other = keys
        if both and both >= len(self._agreed):
            self.shown = words[found[0][1] : found[both - 1][2]]
            self._agreed, self._before, self._other = keys[:both], keys[both:], []
        return self.shown

    def _place(self, keys: list[str]) -> int | None:
        """Where in a new guess the words go on behind those that are shown. It may spell one of those otherwise by now,
        or hear one more: then the last of them are looked for near where they were."""
        count = len(self._agreed)
        if keys[:count] == self._agreed:
            return count
        for least in range(min(LAST, count), 1, -1):
            for at in sorted(range(max(least, count - SHIFT), count + SHIFT + 1), key=lambda n: abs(n - count)):
                if keys[at - least : at] == self._agreed[-least:]:
                    return at
        same = sum(a == b for a, b in zip(keys, self._agreed, strict=False))
        return count if same >= ALIKE * count and len(keys) >= count else None

    def save(self) -> dict[str, Any]:
        """What it remembers, for a tape that begins in the middle."""
        rows = {"agreed": self._agreed, "before": self._before, "other": self._other}
        return {"shown": self.shown, **{name: list(row) for name, row in rows.items()}}

    def load(self, state: Mapping[str, Any]) -> None:
        self.shown = state["shown"]
        self._agreed, self._before, self._other = (list(state[name]) for name in ("agreed", "before", "other"))


def spelt(words: str) -> list[tuple[str, int, int]]:
    """(the word without marks and capitals, where it begins, where it ends) of each; marks around it are left out."""
    found = []
    for unit in _UNIT.finditer(words):
        letters = [n for n, c in enumerate(unit[0]) if unicodedata.category(c)[0] not in "PSZC"]
        if letters:
            key = "".join(unit[0][n] for n in letters).casefold()
            found.append((key, unit.start() + letters[0], unit.start() + letters[-1] + 1))
    return found


def agreed(a: list[str], b: list[str]) -> int:
    """How many words of `a` two guesses agree on, from the beginning. One word between such as are the same in both
    ("noisiest", "noise-est") does not end that: the two words behind it tell that it is one and the same."""
    both = at = 0
    while at < min(len(a), len(b)):
        if a[at] == b[at]:
            both = at + 1
        elif len(a[at + 1 : at + 3]) < 2 or a[at + 1 : at + 3] != b[at + 1 : at + 3]:
            break
        at += 1
    return both
