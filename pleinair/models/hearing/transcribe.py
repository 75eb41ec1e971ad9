"""What is said, as words. Task "transcribe".

Whisper (Radford and others: Robust Speech Recognition via Large-Scale Weak Supervision, 2022) by CTranslate2. In a
piece utterances are cut by voice activity; while one is spoken its words so far come as Text that is not `final`, and
after its end once more, `final`.

Two things make it quick enough to talk with:
- Whisper pads everything to 30 s of silence, and reads that silence as dearly as speech. Here an utterance is padded to
  10 s (or its own length and 2 s): five to seven times as quick, with the same words (bench/speech.py proves it).
  Shorter windows make it say things twice. What looks wrong (a loop, unlikely words) is heard again in 30 s,
  without a hint.
- A pause of 0.2 s starts the listening; if it becomes the end (0.5 s) the words are there already.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ...core.kinds import Audio, Control, Sound, Text
from .. import store
from ..card import Card, find_card
from .listening import Listener, mono
from .utterances import STEP, Cutter, Rules, Step
from .voice_activity import INPUTS, OUTPUTS, RATE, Detector
from .words import Words

WINDOW_S, MARGIN_S, WHOLE_S = 10, 2, 30
LOOPS_ABOVE, UNLIKELY_BELOW, NOBODY_ABOVE = 2.4, -1.0, 0.6
"""Whisper's own thresholds (its transcribe.py): zlib's ratio of a text that repeats itself; mean log probability of a
token; probability of "no speech"."""
OUTDATED = {"paused": ("grew",), "resumed": ("paused",), "ended": ("grew", "paused"), "dropped": ("grew", "paused")}

_KINDS = {"model": ("ctranslate2",), "config": ("json",), "vocabulary": ("text", "json")}
"""What CTranslate2 is given, and of which format each must be."""


class Transcribe(Listener):
    """`model(sound)`: its words, as Text. In a piece: Text while somebody speaks, `final` when they have ended.

    sound     Audio of any rate
    language  "en", "de", ...; "" or "auto": found out for each utterance (models of many languages)
    words     names and rare words that are likely to come up, as a text
    english   1: translated into English (models of many languages)

    `model.transcript(sound)` gives (begin, end, Text) of each utterance. The card's options: those of `Rules`, and
    `partial_s` (1.0): how often words come while one speaks, in seconds; 0: only at pauses and at the end.
    """

    kind = Text
    rate = RATE
    candidates = (("ctranslate2", "int8"),)
    spare_cores = 1
    takes = {"sound": Audio, "language": Text, "words": Text, "english": Control}

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self._rules = Rules.of(card.options, card.name)
        self._partial_s = float(card.options.get("partial_s", 1.0))
        self._cutter = Cutter(self._rules)

    def _open(self) -> None:
        roles = {role: file.name for role, file in self.card.needed.items()}
        missing = {"model", "config", "tokenizer"} - set(roles)
        if missing:
            raise ModelFault(
                f"the card {self.card.name} names no {' and no '.join(sorted(missing))}",
                now="the model was not loaded",
                hint="a Whisper of CTranslate2 is model.bin, config.json, tokenizer.json and vocabulary.txt",
            )
        engine = {name: store.read(self.card, r, _KINDS[r]) for r, name in roles.items() if r in _KINDS}
        self._whisper = self._backend_class(engine, precision=self.precision, threads=self.threads)
        self._networks.append(self._whisper)
        self._words = Words(store.read(self.card, "tokenizer"), self._whisper, self.card.name)
        self._detector = Detector(self._voice_network())
        self._hear(np.zeros(RATE, np.float32), {}, beam=1)

    def _voice_network(self) -> Any:
        from ...plugins import find

        card = self.card if "voice_activity" in self.card.files else find_card("voice_activity")
        role = "voice_activity" if card is self.card else "network"
        network = find("backends", "onnx")(
            store.read(card, role, ("onnx",)), INPUTS, OUTPUTS, precision="f32", threads=1
        )
        self._networks.append(network)
        return network

    def _constant(self, port: str, value: Any) -> Any:
        if port in ("language", "words") and not isinstance(value, str):
            raise ModelFault(f"{self.card.name}: {port} is a text, and this is {value!r:.40}", hint=f'{port} = "..."')
        return value

    def reset(self) -> None:
        super().reset()
        self._cutter.reset()
        if hasattr(self, "_detector"):
            self._detector.reset()
        self._next_partial_s = self._partial_s
        self._at_pause: str | None = None
        self._shown = ""

    # -- a whole sound

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Text:
        said = [words for _, _, words in self._transcript(sound, values)]
        return Text(" ".join(said))

    def transcript(self, sound: Sound, **ports: Any) -> list[tuple[float, float, Text]]:
        """(begin, end, words) of each utterance, in seconds."""
        self.open()
        return self._transcript(Audio.check(sound), {**self._constants, **ports})

    def _transcript(self, sound: Sound, values: Mapping[str, Any]) -> list[tuple[float, float, Text]]:
        with self._lock:
            found = [(s.begin_s, s.end_s, self._hear(s.samples, values, beam=5)) for s in self._cuts(sound)]
        return [(begin, end, Text(words)) for begin, end, words in found if words]

    def cuts(self, sound: Sound) -> list[Step]:
        """The utterances of a whole sound: `begin_s`, `end_s`, `confidence` and `samples` (mono, 16 kHz)."""
        self.open()
        with self._lock:
            return self._cuts(Audio.check(sound))

    def _cuts(self, sound: Sound) -> list[Step]:
        samples, cutter = mono(sound, RATE), Cutter(self._rules)
        self._detector.reset()
        padded = np.concatenate([samples, np.zeros(-len(samples) % STEP, np.float32)])
        steps = [step for window, sure in self._detector(padded) for step in cutter(window, sure)]
        self._detector.reset()
        return [step for step in (*steps, *cutter.flush()) if step.what == "ended"]

    # -- as it comes

    def _stream(self, samples: np.ndarray, values: Mapping[str, Any], t: float) -> Iterator[Text | None] | None:
        tasks = self._tasks(samples)
        return self._said(tasks, dict(values)) if tasks else None

    def _tasks(self, samples: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """What there is to hear after these samples: ("grew" or "paused" or "ended" or "dropped", utterance). Decided
        at once, so that what is heard does not depend on who reads the answers, or how far."""
        tasks: list[tuple[str, np.ndarray]] = []
        for window, sure in self._detector(samples):
            for step in self._cutter(window, sure):
                if step.what == "started":
                    self._next_partial_s = self._partial_s
                elif step.what == "grew":
                    if self._partial_s > 0 and self._cutter.voiced_s >= self._next_partial_s:
                        self._next_partial_s += self._partial_s
                        tasks.append(("grew", self._cutter.samples))
                else:
                    while tasks and tasks[-1][0] in OUTDATED[step.what]:
                        tasks.pop()  # of the same chunk: only what came of it counts
                    tasks.append((step.what, step.samples))
        return tasks

    def _said(self, tasks: list[tuple[str, np.ndarray]], values: dict[str, Any]) -> Iterator[Text | None]:
        for what, samples in tasks:
            if what == "resumed":
                self._at_pause = None
                continue
            if what == "ended" and self._at_pause is not None:
                words = self._at_pause
            elif what == "dropped":
                words = ""
            else:
                encoded = self._whisper.encode(self._spectrum(samples))
                yield None  # others may have their turn
                words = self._hear(samples, values, beam=1 if what == "grew" else 5, encoded=encoded)
            self._at_pause = words if what == "paused" else None
            over = what in ("ended", "dropped")
            if (over and words) or words != self._shown:
                yield Text(words, final=over and bool(words))
            self._shown = "" if over else words

    # -- one utterance

    def _spectrum(self, samples: np.ndarray, window_s: float = 0.0) -> np.ndarray:
        window_s = window_s or min(WHOLE_S, max(WINDOW_S, int(np.ceil(len(samples) / RATE)) + MARGIN_S))
        return self._words.spectrum(samples, window_s)

    def _hear(self, samples: np.ndarray, values: Mapping[str, Any], *, beam: int, encoded: Any = None) -> str:
        """Its words; "" where there are none."""
        if encoded is None:
            encoded = self._whisper.encode(self._spectrum(samples))
        asked = {k: v for k, v in values.items() if k != "sound"}
        prompt = self._words.prompt(encoded, **asked)
        tokens, sure, nobody = self._whisper.generate(encoded, prompt, beam=beam)
        words = self._words.text(tokens)
        if beam > 1 and (sure < UNLIKELY_BELOW or loops(words)):
            encoded = self._whisper.encode(self._spectrum(samples, WHOLE_S))
            prompt = self._words.prompt(encoded, **{**asked, "words": ""})
            tokens, sure, nobody = self._whisper.generate(encoded, prompt, beam=beam)
            words = self._words.text(tokens)
        if sure < UNLIKELY_BELOW and (nobody > NOBODY_ABOVE or loops(words) or len(samples) < RATE // 2):
            return ""
        return words


def loops(words: str) -> bool:
    """Whether a text says the same again and again: it packs too well."""
    raw = words.encode()
    return len(raw) > 40 and len(raw) / len(zlib.compress(raw)) > LOOPS_ABOVE
