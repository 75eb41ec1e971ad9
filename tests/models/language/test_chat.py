"""The chat task: what it answers, how it streams, what it remembers, and that a tape of it is proved."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import pleinair
from pleinair import Event, Piece, Text
from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.card import card_from, find_card
from pleinair.models.fetch import fetch
from pleinair.run.cut import cut
from pleinair.run.lane import Lane
from pleinair.run.live import LiveRunner
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape
from tests.run.parts import Clip, Hand, Log, Parts
from tests.run.tapes import Again

from . import tiny

HOW = {"temperature": 3.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "max_tokens": 12}


@pytest.fixture
def own(tmp_path, home) -> Callable[..., pleinair.core.model.Model]:
    """`own(**constants)`: a chat with a tiny Llama of its own store; `options`, `adapters` for its card."""
    made = []

    def make(options=None, adapters: int = 0, **constants):
        paths = {"model": tiny.model(tmp_path / "m.gguf", "llama", template=tiny.CHATML)}
        for n in range(adapters):
            paths[f"adapter_{n}"] = tiny.adapter(tmp_path / f"a{n}.gguf", seed=n)
        files = {}
        for role, path in paths.items():
            sha256, count = store.adopt(path)
            files[role] = {"name": path.name, "from": [], "sha256": sha256, "bytes": count}
        card = card_from({"name": "own", "task": "chat", "files": files, "options": options or {}})
        made.append(pleinair.load(card, **{**HOW, **constants}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def real(weights):
    fetch(["chat"])
    model = pleinair.load("chat", max_tokens=24)
    model.open()
    yield model
    model.close()


# -- the real one ------------------------------------------------------------------------------------------------------


def test_it_answers_in_english_and_the_same_question_has_the_same_answer(real):
    answer = real("Tell me about the sea.")
    assert isinstance(answer, Text) and answer.final
    words = answer.lower().split()
    assert len(words) > 8 and {"sea", "ocean", "water", "the"} & set(words)
    assert answer == real("Tell me about the sea.") != real("Tell me about the sea.", seed=1)


def test_it_streams_growing_text_and_the_last_is_final(real):
    items = list(real.stream("Say something about rain."))
    texts = [t for t in items if t is not None]
    assert items[0] is None, "the prompt is read in steps"
    assert len(texts) > 10 and [t.final for t in texts] == [False] * (len(texts) - 1) + [True]
    assert all(b.startswith(a) for a, b in zip(texts[:-2], texts[1:-1], strict=True))
    assert texts[-1] == texts[-2].strip() == real("Say something about rain.")


def test_how_little_it_hesitated(real):
    sober = real("What is two plus two?", temperature=0)
    wild = real("What is two plus two?", temperature=3, top_k=0, top_p=1, min_p=0)
    forced = real("What is two plus two?", grammar='root ::= "xylophone"')
    assert sober.confidence > 0.2 > 0.05 > wild.confidence >= 0 and forced.confidence < 0.05
    assert sober.language == "" and all(0 <= t.confidence <= 1 for t in real.stream("Hello") if t is not None)


def test_it_follows_a_schema_and_a_grammar(real):
    schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}, "n": {"type": "integer"}}}
    found = json.loads(real("A colour and a number.", schema={**schema, "required": ["colour", "n"]}))
    assert found["colour"] in ("red", "blue") and isinstance(found["n"], int)
    assert real("Is water wet?", grammar='root ::= "yes" | "no"') in ("yes", "no")


def test_its_threads_leave_a_core_and_its_papers_are_in_order(real):
    from pleinair.backends.base import default_threads

    about = real.describe()
    assert about["backend"]["name"] == "gguf" and about["backend"]["threads"] == max(1, default_threads() - 1)
    card = find_card("chat")
    assert card.weights.id == "Apache-2.0" and card.makes == ("text",)


def test_stopping_takes_no_longer_than_a_step(real):
    """The bench gives milliseconds; here: that a long answer ends at once, in its middle."""
    stream = real.stream("Tell me a very long story.", max_tokens=2000)
    for _ in range(6):
        next(stream)
    threading.Timer(0, real.interrupt).start()
    rest = list(stream)
    assert len(rest) < 200 and not any(t is not None and t.final for t in rest)


# -- a tiny one --------------------------------------------------------------------------------------------------------


def test_what_is_no_question_gets_no_answer(own):
    model = own()
    assert model("") is None and model("  \n") is None
    assert model(Text("still speak", final=False)) is None
    assert list(model.stream("")) == []
    assert model("abc")
    with pytest.raises(ValueError, match="the prompt is a text"):
        model(3)


def test_it_remembers_as_much_as_it_is_told_to_and_reset_forgets(own):
    model, other = own(memory=2), own(memory=0)
    first = model("abc", temperature=0)
    assert first == other("abc", temperature=0)
    assert model("def", temperature=0) != other("def", temperature=0), "what was said before counts"
    model("ghi")
    model("jkl")
    assert [row[0] for row in model.save()["said"]] == ["def", "ghi", "jkl"], "two before the last, and the last"
    model.reset()
    assert model("abc", temperature=0) == first


def test_what_does_not_fit_the_context_is_forgotten_from_the_oldest_on(own):
    model = own(memory=100, max_tokens=8)
    for n in range(12):
        assert isinstance(model("word " * 8 + str(n)), Text)
    said = [row[0] for row in model.save()["said"]]
    assert said[-1].endswith("11") and 1 <= len(said) < 12
    with pytest.raises(ModelFault, match="255 tokens"):
        model("too long " * 100)
    assert isinstance(model("abc"), Text)


def test_an_interrupted_answer_is_remembered_as_far_as_it_came(own):
    model = own(memory=3, max_tokens=60)
    stream = model.stream("abc")
    said = [next(stream) for _ in range(8)]
    model.interrupt()
    assert list(stream) == []
    assert model.save()["said"] == [["abc", next(t for t in reversed(said) if t is not None)]]


def test_a_card_may_name_texts_that_end_an_answer(own):
    letters = "root ::= [a-c]{30}"
    whole = own()("abc", grammar=letters, max_tokens=40)
    assert len(whole) == 30
    stop = whole[10:12]
    assert own(options={"stop": [stop]})("abc", grammar=letters, max_tokens=40) == whole[: whole.find(stop)]


def test_adapters_of_the_card_are_mixed_by_their_strengths(own):
    plain = own()("abc", temperature=0)
    model = own(adapters=2)
    whole = model("abc", temperature=0)
    assert model("abc", temperature=0, adapters=[0, 0]) == plain
    assert model("abc", temperature=0, adapters=[1, 1]) == whole
    assert len({model("abc", temperature=0, adapters=a) for a in ([0, 0], [1, 0], [0, 1], [3, 3])}) >= 3


@pytest.mark.parametrize(
    ("constants", "why"),
    [
        ({"temperature": 9}, "temperature is 0 to 5"),
        ({"seed": -1}, "seed"),
        ({"system": 3}, "system is a text"),
        ({"schema": "{"}, "no JSON"),
        ({"schema": [1]}, "table"),
        ({"temprature": 1}, 'no port "temprature"'),
    ],
)
def test_a_constant_that_cannot_be_is_said_before_anything_is_loaded(constants, why, own):
    with pytest.raises(ModelFault, match=why):
        own(**constants)


def test_a_file_with_a_flipped_byte_is_not_given_to_the_runtime(own):
    model = own()
    place = store.path(model.card, "model")
    blob = bytearray(place.read_bytes())
    blob[-100] ^= 1
    place.chmod(0o644)
    place.write_bytes(blob)
    assert hashlib.sha256(blob).hexdigest() != model.card.files["model"].sha256
    with pytest.raises(ModelFault, match="not the one that the card means"):
        model.open()


# -- in a piece --------------------------------------------------------------------------------------------------------


def conversation() -> Piece:
    piece = Piece()
    piece.source("question")
    piece.source("voice")
    piece.model("answer", reads="question", interrupt="voice")
    piece.draw(lambda answer: answer)
    return piece


def replayed(folder: Path, model):
    def make():
        return conversation().build(Parts(question=Hand(Text), voice=Hand(Event), answer=model))

    return Replay(Tape(folder), Again(make)).run()


def test_a_live_conversation_with_interrupts_is_proved_by_its_tape(own, tmp_path):
    how = {"memory": 4, "max_tokens": 100, "grammar": "root ::= [a-z ]{90}"}
    question, voice, log = Hand(Text), Hand(Event), Log()
    model = own(**how)
    recorder = Recorder(tmp_path / "tape", meta={"title": "test"}, files={})
    graph = conversation().build(Parts(question=question, voice=voice, answer=model), seed=5)
    runner = LiveRunner(graph, observers=[log, recorder], lane=Lane(), strict=True)
    runner.start()
    asked = 0
    try:
        while asked < 4 or (asked < 60 and sum(e[3] for e in log.of("done", "answer")) < 3):
            asked += 1
            question.give(f"who are you {asked % 3}")
            if asked % 4:
                log.until("fire", "answer", asked)
                voice.give(asked)
            log.until("done", "answer", asked)
    finally:
        runner.stop()
        recorder.close()
    cancelled = sum(e[3] for e in log.of("done", "answer"))
    assert cancelled >= 1
    result = replayed(tmp_path / "tape", own(**how))
    assert result.same and result.compared and result.identical == result.frames > 10, result.first
    assert result.cancelled == cancelled
    assert not replayed(tmp_path / "tape", own(**how, system="be someone else")).same


def test_a_tape_that_begins_in_the_middle_of_a_conversation_is_proved_too(own, tmp_path):
    items = [(n * 1.0, text) for n, text in enumerate(["abc", "def ghi", "jkl", "mno pqr", "stu"])]
    voices = [(1.35, "stop"), (3.25, "stop")]

    def make():
        parts = Parts(
            question=Clip(items=items, kind=Text), voice=Clip(items=voices, kind=Event), answer=own(memory=3)
        )  # fmt: skip
        return conversation().build(parts, seed=5)

    recorder = Recorder(tmp_path / "t", meta={"title": "test"}, files={})
    OfflineRunner(make(), costs={"answer": 0.05}, observers=[recorder]).run()
    recorder.close()
    assert Replay(Tape(tmp_path / "t"), Again(make)).run().cancelled == 2
    cut(Tape(tmp_path / "t"), [], tmp_path / "late", Again(make), from_s=2.5)
    result = Replay(Tape(tmp_path / "late"), Again(make)).run()
    assert result.same and result.streams["answer"] > 10, result.first
