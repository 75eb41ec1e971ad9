"""Whether Whisper heard what it says. It was made to find words, and finds some in applause, too."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass

LOOPS_ABOVE, UNLIKELY_BELOW, NOBODY_ABOVE = 2.4, -1.0, 0.6
"""Whisper's own thresholds (its transcribe.py): zlib's ratio of a text that repeats itself; mean log probability of a
token; probability of "no speech"."""
HALF = -0.7
"""Where it is likely that nobody speaks, words are believed from a probability of 0.5 on. Whisper's own -1.0 lets the
"you" of bare silence pass."""
NOTHING_BELOW = -1.9
"""Mean log probability (0.15) below which it is noise: of clear speech it is -0.2, of speech in as loud noise -0.7."""
CHANT_ABOVE = -0.5
"""Who really says the same again and again is heard at least so surely."""
FASTEST = 15
"""Tokens of a loop in a second that somebody can say; Whisper's own loops have thirty."""
SHORT_S = 0.5
_AGAIN = re.compile(r"(\w.{1,60}?)(?:[\W_]*\1){2,}", re.DOTALL)
AGAIN_SHARE = 0.6
_TWICE = re.compile(r"[\W_]*(\w.{7,}?)[\W_]+\1[\W_]*", re.DOTALL)


@dataclass(frozen=True)
class Guess:
    """What it believes to have heard.

    sure      mean log probability of a token, its end among them: Whisper's avg_logprob
    nobody    probability that nobody speaks
    tokens    how many
    seconds   of sound
    speaks    the language that is spoken
    language  that of the words (where they are translated, another one)
    """

    words: str
    sure: float
    nobody: float
    tokens: int
    seconds: float
    speaks: str
    language: str

    @property
    def confidence(self) -> float:
        """0..1: the geometric mean of the tokens' probabilities."""
        return round(min(1.0, math.exp(self.sure)), 4)

    @property
    def doubtful(self) -> bool:
        """Better heard again, otherwise."""
        again = loops(self.words) or (self.sure < CHANT_ABOVE and repeats(self.words))
        return again or twice(self.words) or self.sure < UNLIKELY_BELOW

    @property
    def nothing(self) -> bool:
        """There are no words in it."""
        if not self.words or self.sure < NOTHING_BELOW:
            return True
        if loops(self.words) or repeats(self.words):
            return self.sure < CHANT_ABOVE or self.tokens > FASTEST * self.seconds
        if self.nobody > NOBODY_ABOVE:
            return self.sure < HALF
        return self.sure < UNLIKELY_BELOW and self.seconds < SHORT_S


def loops(words: str) -> bool:
    """Whether a text says the same again and again: it packs too well."""
    raw = words.encode()
    return len(raw) > 40 and len(raw) / len(zlib.compress(raw)) > LOOPS_ABOVE


def repeats(words: str) -> bool:
    """Whether more than half of it is the same three times in a row, or more often."""
    again = max((len(found[0]) for found in _AGAIN.finditer(words.casefold())), default=0)
    return again > AGAIN_SHARE * len(words)


def twice(words: str) -> bool:
    """Whether it is the same sentence two times, and nothing else: what a hint to Whisper's words, and a window shorter
    than the 30 s that it was taught with, make of one that was said once. Surely, too; so it is heard again."""
    return _TWICE.fullmatch(words.casefold()) is not None
