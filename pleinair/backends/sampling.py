"""Which token comes next: our own arithmetic and our own chance, the same for every version of the runtime."""

from __future__ import annotations

import collections
import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ModelFault
from . import llama_c

PENALISED = 64
"""How many of the last tokens `repeat` looks back on."""
UNLIKELY = 30.0
"""What is so much less likely than the likeliest (e^-30) is never thrown, at a temperature of 1."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is thrown.

    temperature  0: always the likeliest; 1: as the model learnt it
    min_p        only those at least this times as likely as the likeliest; 0: all
    top_k        of them only the k likeliest; 0: all
    top_p        of them only the likeliest that together have this share; 1: all
    repeat       > 1 makes what was said lately less likely; 1: off. A grammar has to say its brackets again, so there
                 it does nothing
    seed         of the dice, 0..2**32-2
    grammar      GBNF; "": none
    schema       a JSON schema; None: none
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat: float = 1.0
    seed: int = 0
    grammar: str = ""
    schema: Mapping[str, Any] | None = None

    @property
    def rules(self) -> str:
        """The grammar, or the schema's; "" for none. ModelFault for a schema that is not understood."""
        if self.schema is None:
            return self.grammar
        from .schema import to_grammar

        try:
            return to_grammar(self.schema)
        except ValueError as error:
            raise ModelFault(f"this JSON schema cannot be followed: {error}", now="nothing was said") from None


class Grammar:
    """GBNF, followed by llama.cpp. ModelFault where it cannot be read."""

    _row = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])

    def __init__(self, library: Any, vocabulary: int, text: str) -> None:
        self._c = library
        self._grammar = library.llama_sampler_init_grammar(vocabulary, text.encode(), b"root")
        if not self._grammar:
            why = llama_c.last_words()
            raise ModelFault(
                f"the grammar cannot be read: {why}" if why else "the grammar cannot be read",
                now="nothing was said",
                hint='GBNF: root ::= "yes" | "no"',
            )

    def allows(self, token: int) -> bool:
        one = np.array([(token, 1.0, 0.0)], self._row)
        self._apply(one)
        return not np.isneginf(one["logit"][0])

    def allowed(self, logits: np.ndarray) -> np.ndarray:
        """A copy, -inf where it says no."""
        rows = np.zeros(len(logits), self._row)
        rows["id"], rows["logit"] = np.arange(len(logits)), logits
        self._apply(rows)
        return rows["logit"].copy()

    def _apply(self, rows: np.ndarray) -> None:
        array = llama_c.TokenArray(rows.ctypes.data, len(rows), -1, False)
        self._c.llama_sampler_apply(self._grammar, ctypes.byref(array))

    def accept(self, token: int) -> None:
        self._c.llama_sampler_accept(self._grammar, token)

    def close(self) -> None:
        if self._grammar:
            self._c.llama_sampler_free(self._grammar)
        self._grammar = None


class Dice:
    """`throw(logits)`: a token. `read`: the tokens before it, which count as said lately. `sure`: log probability that
    the model itself gave to the last one, before anything was left out, forbidden or made hotter."""

    sure: float = 0.0

    def __init__(self, how: Sampling, read: Sequence[int] = (), grammar: Grammar | None = None) -> None:
        self._how, self._grammar = how, grammar
        self._chance = np.random.Generator(np.random.PCG64(how.seed))
        self._last: collections.deque[int] = collections.deque(read[-PENALISED:], PENALISED)

    def throw(self, logits: np.ndarray) -> int:
        """logits float32 [words]."""
        if self._grammar is None:
            token = self._pick(self._penalised(logits))
        else:  # it is asked about all tokens only where it refuses the one: that costs as much as the network
            token = self._pick(logits)
            if not self._grammar.allows(token):
                token = self._pick(self._grammar.allowed(logits))
            self._grammar.accept(token)
        self._last.append(token)
        best = logits.max()
        self.sure = float(logits[token] - best - np.log(np.exp(logits - best).sum()))
        return token

    def _penalised(self, logits: np.ndarray) -> np.ndarray:
        """Keskar and others: CTRL, 2019: logits of what was there lately are divided, or multiplied where negative."""
        if self._how.repeat == 1 or not self._last:
            return logits
        logits, last = logits.copy(), np.fromiter(set(self._last), np.int64)
        seen = logits[last]
        logits[last] = np.where(seen > 0, seen / np.float32(self._how.repeat), seen * np.float32(self._how.repeat))
        return logits

    def _pick(self, logits: np.ndarray) -> int:
        """min_p, top_k, top_p, temperature, in this order, and a throw."""
        how, best = self._how, int(logits.argmax())
        if how.temperature <= 0:
            return best
        reach = -np.log(how.min_p) if how.min_p > 0 else UNLIKELY * max(1.0, how.temperature)
        left = np.flatnonzero(logits >= logits[best] - np.float32(reach))
        left = left[np.argsort(-logits[left], kind="stable")]
        left = left[: how.top_k] if how.top_k > 0 else left
        likely = logits[left].astype(np.float64) - float(logits[best])
        if how.top_p < 1:
            share = np.cumsum(np.exp(likely))
            count = int(np.searchsorted(share, how.top_p * share[-1])) + 1
            left, likely = left[:count], likely[:count]
        heap = np.cumsum(np.exp(likely / how.temperature))
        return int(left[min(int(np.searchsorted(heap, self._chance.random() * heap[-1], "right")), len(left) - 1)])

    def close(self) -> None:
        if self._grammar is not None:
            self._grammar.close()
