"""A text, spoken. Task "speak".

Clause by clause: the first is heard while the next is made. A text that is still being written (Text that is not
`final`, each time the whole so far: a language model's) is spoken as far as its clauses are complete.

Three networks are known, named by `options.network` of the card: "kokoro" (41 voices that mix), "hibari" (one voice,
begun in a tenth of the time) and "piper" (a voice of one's own). A voice is somebody's: a card for "piper" says in
`options.consent` whose it is and that they agreed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.errors import ModelFault, did_you_mean
from ...core.kinds import Audio, Control, Size, Sound, Text
from .. import store
from ..card import Card
from ..network import NetworkModel
from . import phonemes
from .clauses import Clauses
from .hibari import Hibari
from .voices import PORTS, Kokoro, Piper, chosen

NETWORKS: dict[str, type[Kokoro] | type[Piper] | type[Hibari]] = {"kokoro": Kokoro, "piper": Piper, "hibari": Hibari}
SLOWEST, FASTEST = 0.5, 2.0
BEFORE_S, AFTER_S = 0.03, {",": 0.12, ";": 0.18, ":": 0.18, "": 0.06}
SENTENCE_S = 0.28
QUIET = 0.004
"""Below it (-48 dB) a sample is silence: what a network puts before and after its words."""


class Speak(NetworkModel):
    """`model(text)`: a Sound, mono. In a piece: Audio, clause by clause.

    text      Text
    voices    a weight for each voice of the card, or a voice's name; only proportions count. All zero: the card's own
    speed     0.5..2, 1 is the voice's own
    language  as espeak-ng names it ("en-us", "fr-fr"); "": that of the voice that counts most
    pitch     semitones, -12..12 (hibari)
    breath    0..1, 1 is a whisper (hibari)
    """

    kind = Audio
    uses = ("t",)
    candidates = (("onnx", "f32"),)

    def __init__(self, card: Card, *, size: Size | None = None, **how: Any) -> None:
        if size:
            raise ModelFault(f"{card.name} speaks, and has no size", hint="leave size away")
        network = card.options.get("network", "kokoro")
        if network not in NETWORKS:
            raise ModelFault(
                f'the card {card.name} names a network "{network}" that speak does not know',
                hint=did_you_mean(str(network), NETWORKS),
            )
        self._consent = _consent(card) if network == "piper" else ""
        card = replace(card, ports={"text": Text, **NETWORKS[network].ports})
        if network == "kokoro" and "voices" not in card.names:
            card = replace(card, names={"voices": list(card.files["voices"].of) if "voices" in card.files else []})
        self._clauses = Clauses()
        super().__init__(card, **how)
        self.needed = ("text",)

    def _open(self) -> None:
        phonemes.program()
        options = self.card.options

        def make(role: str, inputs: Any, outputs: Any) -> Any:
            return self.network(role, inputs, outputs)

        network = options.get("network", "kokoro")
        if network == "kokoro":
            self._voice: Kokoro | Piper | Hibari = Kokoro(
                make, store.read(self.card, "voices"), store.read(self.card, "vocabulary"), self.card.names["voices"]
            )  # fmt: skip
        elif network == "hibari":
            self._voice = Hibari(make, store.read(self.card, "vocabulary"), str(options.get("language", "en-us")))
        else:
            self._voice = Piper(make, store.read(self.card, "config"), float(options.get("noise", 0.0)))
            self.names = {"voices": self._voice.names}
        self._weights = chosen(options.get("voice", self._voice.names[0]), self._voice.names)
        self._say("One, two.", self._constants)

    def reset(self) -> None:
        self._clauses.reset()

    def save(self) -> dict[str, Any]:
        """How far the text is spoken that is still being written, for a tape that begins in the middle."""
        return self._clauses.save()

    def load(self, state: Mapping[str, Any]) -> None:
        self._clauses.load(state)

    def _constant(self, port: str, value: Any) -> Any:
        if port == "voices" and "voices" in self.card.names:
            return chosen(value, self.card.names["voices"])
        return value

    def _run(self, values: dict[str, Any]) -> Sound | Iterator[Sound] | None:
        text, t = Text.check(values.pop("text")), values.pop("t", None)
        if t is not None:
            clauses = list(self._clauses.take(str(text), text.final))
            return self._spoken(clauses, values) if clauses else None
        sounds = [s.samples for s in self._spoken(list(Clauses().take(str(text), True)), values)]
        return Sound(np.concatenate(sounds) if sounds else np.zeros((0, 1), np.float32), self._voice.rate)

    def _spoken(self, clauses: list[str], values: Mapping[str, Any]) -> Iterator[Sound]:
        for clause in clauses:
            samples = self._say(clause, values)
            if len(samples):
                yield Sound(samples[:, None], self._voice.rate)

    def _say(self, clause: str, values: Mapping[str, Any]) -> np.ndarray:
        weights = chosen(values.get("voices", self._weights), self._voice.names)
        weights = weights if weights.any() else self._weights
        speed = float(np.clip(Control.check(values.get("speed", 1.0)), SLOWEST, FASTEST))
        language = str(values.get("language", "")) or self._voice.language(weights)
        own = (name for name in self._voice.ports if name not in PORTS and name in values)
        knobs = {name: float(Control.check(values[name])) for name in own}
        with self._lock:
            samples = self._voice.say(clause, language, weights, speed, **knobs)
        return _trimmed(samples, clause, self._voice.rate, speed)

    def describe(self) -> dict[str, Any]:
        about = super().describe()
        about["espeak-ng"] = phonemes.version()
        return about | ({"consent": self._consent} if self._consent else {})


def _trimmed(samples: np.ndarray, clause: str, rate: int, speed: float) -> np.ndarray:
    """Without the silence before it, and with as much behind it as its last mark asks for."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not len(loud):
        return samples[:0]
    mark = clause.rstrip("\"'”’»)]")[-1:]
    after_s = SENTENCE_S if mark in ".!?…" and mark else AFTER_S.get(mark, AFTER_S[""])
    begin = max(0, int(loud[0]) - round(BEFORE_S * rate))
    end, want = int(loud[-1]) + 1, round(after_s / speed * rate)
    kept = np.array(samples[begin : min(len(samples), end + want)], np.float32)
    short = want - (len(samples) - end)
    kept = np.concatenate([kept, np.zeros(short, np.float32)]) if short > 0 else kept
    edge = min(len(kept), round(0.005 * rate))
    kept[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)  # no click
    kept[len(kept) - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
    return np.clip(kept, -1, 1)


def _consent(card: Card) -> str:
    """Whose voice it is, and that they agreed; ModelFault where the card does not say."""
    said = card.options.get("consent", "")
    if not isinstance(said, str) or len(said.strip()) < 3:
        raise ModelFault(
            f"{card.name} is somebody's voice, and its card does not say whose, or whether they agreed",
            now="the model was not loaded",
            hint='ask them, then write it into the card: [options] consent = "NAME agreed on DATE, for WHAT"',
        )
    return said.strip()
