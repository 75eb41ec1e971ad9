"""An answer in words, as it comes to mind. Task "chat".

Any chat model in a GGUF file (Llama, Gemma, Mistral, Qwen, BLOOM ...), on llama.cpp; LoRA adapters beside it. There is
no filter: what the model says is what comes.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ...core.kinds import Control, Event, Kind, Text, Vector
from ..card import Card
from ..network import NetworkModel
from . import weights

PORTS: dict[str, type[Kind]] = {
    "prompt": Text,
    "system": Text,
    "temperature": Control,
    "top_k": Control,
    "top_p": Control,
    "min_p": Control,
    "repeat": Control,
    "seed": Control,
    "max_tokens": Control,
    "memory": Control,
    "schema": Event,
    "grammar": Text,
    "adapters": Vector,
}
RANGES = {
    "temperature": (0.0, 5.0),
    "top_k": (0.0, 1e6),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repeat": (0.1, 10.0),
    "seed": (0.0, 2**32 - 2),
    "max_tokens": (1.0, 1e6),
    "memory": (0.0, 1e6),
}


class Chat(NetworkModel):
    """`model("Why is the sky blue?")`: the answer, as one Text. In a piece: the answer so far, again with each word, as
    Text that is not `final`; at its end once more, `final`. A prompt that is not final, or empty, gets no answer.

    prompt       what is said to it
    system       who it is, and how it is to answer
    temperature  0: always the likeliest word; 0.8; above 1.5 the words come loose
    top_k, top_p, min_p   what is left out of the throw before (backends.sampling)
    repeat       above 1 (1.1, 1.3): it repeats itself less
    seed         of the dice. Left out in a piece, every answer has its own, out of the piece's seed and the frame; left
                 out in a bare call it is 0, so that the same question has the same answer
    max_tokens   after so many tokens (3 of them are about 2 English words) it stops in mid-sentence
    memory       how many exchanges before it remembers; 0: each prompt by itself
    schema       a JSON schema (a dict, or its text) that the answer follows: `json.loads(answer)` then works if the
                 answer was not cut short
    grammar      GBNF that the answer follows: `root ::= "yes" | "no"`
    adapters     one strength for each LoRA adapter of the card (files `adapter`, `adapter_2` ...), 1 as it was made

    The Text's `confidence` is the mean probability (geometric) that the model itself gave the tokens so far, before a
    grammar, a temperature or what was left out had their say: how little it hesitated, not whether it is true. Its
    `language` is not known.

    The card's options: `context` (2048): tokens at once, all of prompt, memory and answer; `template`: name of the chat
    template where the file's own is not known ("chatml", "llama3", "gemma" ...); `stop`: texts that end an answer.
    """

    kind = Text
    candidates = (("gguf", "stored"),)
    spare_cores = 1
    uses = ("rng",)

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self.precision = "stored"
        self.ports = {**(card.ports or {"prompt": Text}), **PORTS}
        self._order, self.needed = tuple(self.ports), tuple(self.ports)[:1]
        self._engine: Any = None
        self._said: list[list[str]] = []

    # -- a card's numbers ----------------------------------------------------------------------------------------------

    def _name_known(self, port: str) -> None:
        if port not in PORTS:
            super()._name_known(port)

    def _constant(self, port: str, value: Any) -> Any:
        if port in RANGES:
            low, high = RANGES[port]
            number = Control.check(value)
            if not low <= number <= high:
                raise ModelFault(f"{port} is {low:g} to {high:g}, and this is {number:g}")
            return number
        if port == "schema":
            return _schema(value)
        if port == "adapters":
            return Vector.check(value)
        if not isinstance(value, str):
            raise ModelFault(f"{port} is a text, and this is {value!r:.40}")
        return value

    # -- running -------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        from ...backends.gguf import Gguf

        roles = sorted(role for role in self.card.files if role.startswith("adapter"))
        self._engine = Gguf(
            weights.path(self.card, "model"),
            threads=self.threads,
            context=int(self.card.options.get("context", 2048)),
            adapters=[weights.path(self.card, role) for role in roles],
        )

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self._engine = None

    def reset(self) -> None:
        """Forgets the conversation, and reads the system prompt, so that the first answer need not wait for it."""
        self._said = []
        if self._engine is not None:
            self._engine.forget()
            system = str(self._constants.get("system", ""))
            tokens = self._tokens([*([("system", system)] if system else []), ("user", "")])
            for _ in self._engine.stream(tokens, self._sampling({}), 2):
                pass  # two tokens, since the first ones cost more than the others

    def stream(self, *args: Any, **ports: Any) -> Iterator[Text | None]:
        """The answer as it comes, in a bare call: `for text in model.stream("Hello"): ...`. None: still reading."""
        return super().__call__(*args, **ports) or iter(())

    def __call__(self, *args: Any, **ports: Any) -> Any:
        items = super().__call__(*args, **ports)
        if items is None or "rng" in ports:
            return items
        answer = Text("")
        for item in items:
            answer = answer if item is None else item
        return Text(str(answer), confidence=answer.confidence)

    def _run(self, values: dict[str, Any]) -> Iterator[Text | None] | None:
        prompt = values["prompt"]
        if not isinstance(prompt, str):
            raise ValueError(f"the prompt is a text, and this is {prompt!r:.40}")
        if not prompt.strip() or not getattr(prompt, "final", True):
            return None
        checked = {p: self._constant(p, v) for p, v in values.items() if p not in ("prompt", "rng")}
        if "seed" not in checked and values.get("rng") is not None:
            checked["seed"] = int(values["rng"].integers(2**32 - 1))
        with self._lock:
            if "adapters" in checked:
                self._engine.set_adapters(checked["adapters"])
            most = int(checked.get("max_tokens", 256))
            tokens = self._remembering(str(prompt), str(checked.get("system", "")), int(checked.get("memory", 0)), most)
            pieces = self._engine.stream(tokens, self._sampling(checked), most)
            row = [str(prompt), ""]
            self._said.append(row)  # now, and not with the first word: a replay does the same in the same place
        return self._texts(pieces, row)

    def _texts(self, pieces: Iterator[bytes | None], row: list[str]) -> Iterator[Text | None]:
        """The answer so far, with each piece. `row`: where it is remembered."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        stops = [str(s) for s in self.card.options.get("stop", [])]
        whole = shown = ""
        sure: float | None = None
        for piece in pieces:
            whole += decode(piece) if piece else ""
            sure = self._sure()
            at = min((found for s in stops if (found := whole.find(s)) >= 0), default=-1)
            text = (whole if at < 0 else whole[:at]).lstrip()
            if at >= 0:
                whole = text
                break
            if text == shown:
                yield None
                continue
            row[1] = shown = text
            yield Text(text, final=False, confidence=sure)
        if self._engine is not None and not self._engine.interrupted:  # else it said what was published, and no more
            row[1] = whole.strip()
            yield Text(row[1], confidence=sure if row[1] else None)

    def _sure(self) -> float | None:
        sure = None if self._engine is None else self._engine.sure
        return None if sure is None else round(min(1.0, math.exp(sure)), 4)

    def interrupt(self) -> None:
        engine = self._engine
        if engine is not None:
            engine.interrupt()

    def _tokens(self, messages: list[tuple[str, str]]) -> list[int]:
        return self._engine.tokens(self._engine.chat(messages, str(self.card.options.get("template", ""))))

    def _remembering(self, prompt: str, system: str, memory: int, most: int) -> list[int]:
        """The prompt after what was said before it, as much as there is room for."""
        self._said = self._said[-memory:] if memory else []
        while True:
            messages = [("system", system)] if system else []
            for question, answer in self._said:
                messages += [("user", question), ("assistant", answer)]
            tokens = self._tokens([*messages, ("user", prompt)])
            if not self._said or len(tokens) + min(most, self._engine.context // 2) <= self._engine.context:
                return tokens
            del self._said[0]

    @staticmethod
    def _sampling(values: Mapping[str, Any]) -> Any:
        from ...backends.sampling import Sampling

        known = ("temperature", "top_k", "top_p", "min_p", "repeat", "seed", "grammar", "schema")
        whole = ("top_k", "seed")
        return Sampling(**{k: int(values[k]) if k in whole else values[k] for k in known if k in values})

    # -- for a tape, and for choosing ----------------------------------------------------------------------------------

    def save(self) -> dict[str, Any] | None:
        """What was said, and in which batches it was read: the same batches give the same bits."""
        if self._engine is None:
            return None
        batches = self._engine.save()
        return {
            "said": [list(row) for row in self._said],
            "lengths": np.array([len(b) for b in batches], np.int32),
            "read": np.array([t for b in batches for t in b], np.int32),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self._said = [list(row) for row in state["said"]]
        ends = np.cumsum(state["lengths"])[:-1] if len(state["lengths"]) else []
        self._engine.load([b.tolist() for b in np.split(state["read"], ends) if len(b)])

    def probe(self) -> list[np.ndarray]:
        self.open()
        self._engine.forget()
        pieces = self._engine.stream(self._tokens([("user", "Hello")]), self._sampling({"temperature": 0.0}), 8)
        return [np.frombuffer(b"".join(filter(None, pieces)), np.uint8)]


def _schema(value: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise ModelFault(f"the schema is no JSON: {error}") from None
    if not isinstance(found, Mapping):
        raise ModelFault('a JSON schema is a table: {"type": "object", ...}')
    return found
