"""What is said, as words. Task "transcribe".

Whisper (Radford and others: Robust Speech Recognition via Large-Scale Weak Supervision, 2022) by CTranslate2. In a
piece utterances are cut by voice activity; while one is spoken its words so far come as Text that is not `final` (those
on which two guesses agreed: `agreement.py`), and after its end once more, `final`.

Two things make it quick enough to talk with:
- Whisper pads everything to 30 s of silence, and reads that silence as dearly as speech. Here an utterance is padded to
  10 s (or its own length and 2 s): five to seven times as quick, with the same words (bench/speech.py proves it).
  Shorter windows make it say things twice. What looks wrong (a loop, a sentence twice, unlikely words) is heard
  again in 30 s, without a hint; what stays unlikely is nothing (`doubt.py`).
- A pause of 0.2 s starts the listening; if it becomes the end (0.5 s) the words are there already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ...core.kinds import Audio, Control, Sound, Text
from .. import store
from ..card import Card, find_card
from ..safe import ct2, ct2_whisper
from .agreement import Agreement
from .doubt import Guess
from .listening import Listener, mono
from .utterances import STEP, Cutter, Rules, Step
from .voice_activity import INPUTS, OUTPUTS, RATE, Detector
from .words import Words

WINDOW_S, MARGIN_S, WHOLE_S = 10, 2, 30
MOST_TOKENS, FIRST_TOKENS, TOKENS_PER_S = 224, 16, 24
"""Whisper's own bound of an answer; and how many are waited for while one speaks: more are a loop."""
OUTDATED = {"paused": ("grew",), "resumed": ("paused",), "ended": ("grew", "paused"), "dropped": ("grew", "paused")}

_KINDS = {"model": ("ctranslate2",), "config": ("json",), "vocabulary": ("text", "json")}
"""What CTranslate2 is given, and of which format each must be."""


class Transcribe(Listener):
    """`model(sound)`: its words, as Text. In a piece: Text while somebody speaks, `final` when they have ended.

    sound     Audio of any rate
    language  "en", "de", ...; "" or "auto": found out for each utterance (models of many languages)
    words     names and rare words that are likely to come up, as a text
    english   1: translated into English (models of many languages)

    The Text's `confidence` is the geometric mean of the probabilities that Whisper gave its tokens (exp of its
    avg_logprob), of all that was heard of the utterance so far: how clearly it heard, not whether it is right. Its
    `language` is that of the words: the one asked for, or found out; where Whisper is not sure, that of the utterance
    before. Of a whole sound: the mean over its utterances by length, and the language that was spoken longest.

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
        self._agreement = Agreement()

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
        known = ct2.check(memoryview(engine[roles["model"]])).words
        ct2_whisper.beside(known, engine, self.card.name)
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
        self._agreement.reset()
        self._at_pause: Guess | None = None
        self._shown = self._speaks = ""

    def _kept(self) -> dict[str, Any]:
        pause = self._at_pause
        return {
            "detector": self._detector.save(), "cutter": self._cutter.save(), "agreement": self._agreement.save(),
            "next_partial_s": self._next_partial_s, "shown": self._shown, "speaks": self._speaks,
            "at_pause": None if pause is None else asdict(pause),
        }  # fmt: skip

    def _keep(self, state: Mapping[str, Any]) -> None:
        self._detector.load(state["detector"])
        self._cutter.load(state["cutter"])
        self._agreement.load(state["agreement"])
        self._next_partial_s, self._shown, self._speaks = (state[k] for k in ("next_partial_s", "shown", "speaks"))
        self._at_pause = None if state["at_pause"] is None else Guess(**state["at_pause"])

    # -- a whole sound

    def _whole(self, sound: Sound, values: Mapping[str, Any]) -> Text:
        said = self._transcript(sound, values)
        if not said:
            return Text("")
        lengths = [end - begin for begin, end, _ in said]
        spoken: dict[str, float] = {}
        for length, (_, _, words) in zip(lengths, said, strict=True):
            spoken[words.language] = spoken.get(words.language, 0.0) + length
        sure = np.average([words.confidence for _, _, words in said], weights=lengths)
        most = max(spoken, key=spoken.__getitem__)
        return Text(" ".join(words for _, _, words in said), confidence=round(float(sure), 4), language=most)

    def transcript(self, sound: Sound, **ports: Any) -> list[tuple[float, float, Text]]:
        """(begin, end, words) of each utterance, in seconds."""
        self.open()
        return self._transcript(Audio.check(sound), {**self._constants, **ports})

    def _transcript(self, sound: Sound, values: Mapping[str, Any]) -> list[tuple[float, float, Text]]:
        found, speaks = [], ""
        with self._lock:
            for cut in self._cuts(sound):
                guess = self._guess(cut.samples, values, beam=5, likely=speaks)
                if not guess.nothing:
                    speaks = guess.speaks
                    found.append((cut.begin_s, cut.end_s, _text(guess, guess.words)))
        return found

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
            guess = None
            if what == "ended" and self._at_pause is not None:
                guess = self._at_pause
            elif what != "dropped":
                encoded = self._whisper.encode(self._spectrum(samples))
                yield None  # others may have their turn
                beam = 1 if what == "grew" else 5
                guess = self._guess(samples, values, beam=beam, encoded=encoded, likely=self._speaks)
            self._at_pause = guess if what == "paused" else None
            guess = None if guess is None or guess.nothing else guess
            self._speaks = guess.speaks if guess else self._speaks
            if what in ("ended", "dropped"):
                if guess or self._shown:
                    yield _text(guess, guess.words if guess else "", final=guess is not None)
                self._shown = ""
                self._agreement.reset()
            elif guess and (shown := self._agreement(guess.words)) != self._shown:
                yield _text(guess, shown, final=False)
                self._shown = shown

    # -- one utterance

    def _spectrum(self, samples: np.ndarray, window_s: float = 0.0) -> np.ndarray:
        window_s = window_s or min(WHOLE_S, max(WINDOW_S, int(np.ceil(len(samples) / RATE)) + MARGIN_S))
        return self._words.spectrum(samples, window_s)

    def _hear(self, samples: np.ndarray, values: Mapping[str, Any], *, beam: int) -> str:
        """Its words; "" where there are none."""
        guess = self._guess(samples, values, beam=beam)
        return "" if guess.nothing else guess.words

    def _guess(
        self, samples: np.ndarray, values: Mapping[str, Any], *, beam: int, encoded: Any = None, likely: str = ""
    ) -> Guess:
        """The words, a doubtful answer's after a second look. `likely`: the language, where it is not sure."""
        asked = {k: v for k, v in values.items() if k != "sound"}
        guess = self._look(samples, asked, beam, likely, encoded)
        if beam > 1 and guess.doubtful:
            whole = self._whisper.encode(self._spectrum(samples, WHOLE_S))
            guess = self._look(samples, {**asked, "words": ""}, beam, likely, whole)
        return guess

    def _look(self, samples: np.ndarray, asked: dict[str, Any], beam: int, likely: str, encoded: Any = None) -> Guess:
        encoded = self._whisper.encode(self._spectrum(samples)) if encoded is None else encoded
        seconds, english = len(samples) / RATE, float(asked.get("english", 0.0))
        speaks = self._words.language(encoded, asked.get("language", ""), likely)
        prompt = self._words.prompt(speaks, asked.get("words", ""), english)
        most = MOST_TOKENS if beam > 1 else min(MOST_TOKENS, FIRST_TOKENS + round(TOKENS_PER_S * seconds))
        tokens, sure, nobody = self._whisper.generate(encoded, prompt, beam=beam, longest=most)
        sure *= len(tokens) / (len(tokens) + 1)  # the end counts, too
        words = self._words.text(tokens)
        return Guess(words, sure, nobody, len(tokens), seconds, speaks, "en" if english >= 0.5 else speaks)


def _text(guess: Guess | None, words: str, *, final: bool = True) -> Text:
    known = {"confidence": guess.confidence, "language": guess.language} if guess and words else {}
    return Text(words, final=final, **known)
