"""A model whose call returns an iterator: each item goes out as it comes, others have their turn between two, an
interrupt ends it, and a tape of it replays bit for bit."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pleinair import Event, Image, Piece, Text
from pleinair.core.errors import PieceFault
from pleinair.core.model import Model
from pleinair.run.cut import cut
from pleinair.run.lane import Lane
from pleinair.run.live import LiveRunner
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape

from .parts import Clip, Hand, Invert, Log, Parts, picture
from .tapes import Again


class Teller(Model):
    """Says each word with a number thrown for it, and remembers what it said. "..." is a pause."""

    ports = {"prompt": Text, "tone": Text}
    kind = Text
    uses = ("rng",)

    def __init__(self, gate: threading.Semaphore | None = None) -> None:
        self.gate = gate
        self.said: list[str] = []
        self.interrupted = 0

    def reset(self) -> None:
        self.said = []

    def __call__(self, prompt: str, tone: str = "", rng=None):
        for word in str(prompt).split():
            if self.gate is not None:
                assert self.gate.acquire(timeout=20)
            if word == "...":
                self.said.append("-")
                yield None
                continue
            said = f"{word}{tone} {rng.integers(1000)} {len(self.said)}"
            self.said.append(said)
            yield said

    def interrupt(self) -> None:
        self.interrupted += 1

    def save(self):
        return self.said

    def load(self, state) -> None:
        self.said = list(state)


def talk(interrupt: str | None = "voice") -> Piece:
    piece = Piece()
    piece.source("question")
    piece.source("voice")
    piece.source("camera")
    piece.model("answer", reads="question", interrupt=interrupt)
    piece.model("painting", reads="camera")
    piece.draw(lambda answer: answer)
    piece.draw(lambda painting: painting, name="other", screen="second")
    return piece


@pytest.fixture
def live():
    """`live(piece, parts, tape)` -> (runner, log), stopped at the end."""
    stops = []

    def start(piece, parts, tape: Path | None = None):
        log = Log()
        recorder = Recorder(tape, meta={"title": "test"}, files={"piece.py": "# none"}) if tape else None
        runner = LiveRunner(
            piece.build(parts, seed=3), observers=[log, *([recorder] if recorder else [])], lane=Lane(), strict=True
        )
        stops.append((runner, recorder))
        runner.start()
        return runner, log

    def stop():
        while stops:
            runner, recorder = stops.pop()
            runner.stop()
            if recorder:
                recorder.close()

    start.stop = stop
    yield start
    stop()


def test_each_word_of_a_model_goes_out_as_it_comes_and_nothing_is_nothing(live):
    gate = threading.Semaphore(0)
    question = Hand(Text)
    parts = Parts(question=question, voice=Hand(Event), camera=Hand(), answer=Teller(gate))
    _, log = live(talk(), parts)
    question.give("one ... two")
    gate.release()
    first = log.until("frame", "answer")[0][2]
    assert first.data.startswith("one ") and not log.of("done", "answer"), "the rest was not waited for"
    gate.release(2)
    done = log.until("done", "answer")[0]
    assert done[2:] == (2, False, None)
    words = log.frames("answer")
    assert [w.data.split()[0] for w in words] == ["one", "two"] and {w.t_ns for w in words} == {first.t_ns}


def test_between_two_words_another_model_has_its_turn(live):
    gate = threading.Semaphore(0)
    question, camera = Hand(Text), Hand(Image)
    parts = Parts(question=question, voice=Hand(Event), camera=camera, answer=Teller(gate), painting=Invert())
    _, log = live(talk(), parts)
    question.give("word " * 200)
    gate.release()
    said = len(log.until("frame", "answer"))
    for number in range(3):  # the answer holds the lane, waiting for its next word; the picture comes after one
        camera.give(picture(number))
        log.until("frame", "camera", number + 1)
        while len(log.frames("painting")) <= number:
            gate.release()
            said += 1
            log.until("frame", "answer", said)
            assert said < 200, "no picture was painted before the last word"
    assert not log.of("done", "answer")
    gate.release(200)
    assert log.until("done", "answer")[0][2:] == (200, False, None)


def test_an_interrupt_ends_a_model_also_in_a_pause_and_the_tape_proves_it(live, tmp_path):
    gate, teller = threading.Semaphore(0), None
    question, voice = Hand(Text), Hand(Event)
    teller = Teller(gate)
    parts = Parts(question=question, voice=voice, camera=Hand(), answer=teller, painting=Invert())
    _, log = live(talk(), parts, tmp_path / "tape")

    def hush(more: str, published: int, asked: int) -> None:
        gate.release()
        log.until("frame", "voice", asked)
        assert log.until("done", "answer", asked)[-1][2:] == (published, True, None), more

    question.give("one two three")
    gate.release()
    log.until("frame", "answer")
    voice.give("stop")
    log.until("frame", "voice")
    gate.release()
    count = log.until("done", "answer")[0][2]
    assert log.of("done", "answer")[0][3] is True and count in (1, 2)
    assert teller.interrupted >= 1, "a model is told, so that it need not finish its word"

    question.give("... ... four")
    log.until("fire", "answer", 2)
    voice.give("stop")
    log.until("frame", "voice", 2)
    gate.release(3)
    assert log.until("done", "answer", 2)[1][2:] == (0, True, None), "no word was said before the interrupt"

    question.give("five ... six")
    gate.release(3)
    done = log.until("done", "answer", 3)[2]
    assert done[2:] == (2, False, None)
    said = list(teller.said)
    live.stop()

    events = [e for _, e in Tape(tmp_path / "tape").events() if e.get("n") == "answer"]
    assert [e["x"] for e in events if e["e"] == "done"] == [True, True, False]
    assert sum(e["e"] == "pause" for e in events) == said.count("-") >= 2
    again = Teller()

    def make():
        parts = Parts(question=Hand(Text), voice=Hand(Event), camera=Hand(), answer=again, painting=Invert())
        return talk().build(parts)

    result = Replay(Tape(tmp_path / "tape"), Again(make)).run()
    assert result.same and result.compared and result.identical == result.frames > 2, result.first
    assert result.cancelled == 2
    assert again.said == said, "what it remembers came out the same, pauses and all"


def test_the_end_of_the_show_ends_an_answer_and_the_tape_says_so(live, tmp_path):
    class Quick(Teller):  # ends by itself when it is told, as a language model does
        def __call__(self, prompt, tone="", rng=None):
            for item in super().__call__(prompt, tone, rng):
                if self.interrupted:
                    return
                yield item

    gate, question = threading.Semaphore(0), Hand(Text)
    model = Quick(gate)
    parts = Parts(question=question, voice=Hand(Event), camera=Hand(), answer=model)
    runner, log = live(talk(), parts, tmp_path / "tape")
    question.give("one two three")
    gate.release()
    log.until("frame", "answer")
    runner.end()
    gate.release(3)
    assert log.until("done", "answer")[0][3] is True
    live.stop()

    def make():
        return talk().build(Parts(question=Hand(Text), voice=Hand(Event), camera=Hand(), answer=Quick()))

    result = Replay(Tape(tmp_path / "tape"), Again(make)).run()
    assert result.same and result.cancelled == 1, result.first


class Louder(Teller):
    def __call__(self, prompt, tone="", rng=None):
        return super().__call__(prompt, tone + "!" * ("five" in prompt), rng)


def test_a_model_that_says_something_else_is_found_out(tmp_path):
    def make(model):
        items = [(0.0, "one two"), (0.5, "five ... six")]
        parts = Parts(
            question=Clip(items=items, kind=Text), voice=Clip(items=[], kind=Event), camera=Clip(9), answer=model
        )  # fmt: skip
        return talk().build(parts, seed=3)

    recorder = Recorder(tmp_path / "t", meta={"title": "test"}, files={})
    OfflineRunner(make(Teller()), costs={"answer": 0.05}, observers=[recorder]).run()
    recorder.close()
    assert Replay(Tape(tmp_path / "t"), Again(lambda: make(Teller()))).run().same
    other = Replay(Tape(tmp_path / "t"), Again(lambda: make(Louder()))).run()
    assert not other.same and "answer frame 2" in other.first

    class Hasty(Teller):  # it does not stop to think
        def __call__(self, prompt, tone="", rng=None):
            return filter(None, super().__call__(prompt, tone, rng))

    hasty = Replay(Tape(tmp_path / "t"), Again(lambda: make(Hasty()))).run()
    assert not hasty.same and "pause" in hasty.first


def test_a_tape_may_begin_in_the_middle_of_what_a_model_remembers(tmp_path):
    def make():
        items = [(n * 0.3, f"w{n} x") for n in range(6)]
        parts = Parts(
            question=Clip(items=items, kind=Text), voice=Clip(items=[(0.62, "stop")], kind=Event), camera=Clip(9),
            answer=Teller(),
        )  # fmt: skip
        return talk().build(parts, seed=3)

    recorder = Recorder(tmp_path / "t", meta={"title": "test"}, files={})
    OfflineRunner(make(), costs={"answer": 0.05}, observers=[recorder]).run()
    recorder.close()
    cut(Tape(tmp_path / "t"), [], tmp_path / "late", Again(make), from_s=1.0)
    result = Replay(Tape(tmp_path / "late"), Again(make)).run()
    assert result.same and result.streams["answer"] >= 2, result.first


def test_offline_a_model_gives_way_after_each_word():
    items = [(0.0, "one two three four five six seven eight")]
    log = Log()
    parts = Parts(
        question=Clip(items=items, kind=Text), voice=Clip(items=[], kind=Event), camera=Clip(30), answer=Teller(),
        painting=Invert(),
    )  # fmt: skip
    OfflineRunner(talk().build(parts), costs={"answer": 0.05, "painting": 0.01}, observers=[log]).run()
    order = [e[1] for e in log.of("frame") if e[1] in ("answer", "painting")]
    until = len(order) - order[::-1].index("answer")
    assert order[:until].count("painting") >= 6, order
    waits = [f.trace[-1].waited_ns for f in log.frames("painting")]
    assert max(waits) <= 0.05e9, "no picture waits longer than one word"


def test_piece_toml_may_say_what_interrupts(write_piece):
    from pleinair import assembly

    class Own(Parts):
        def __init__(self, said, **parts):
            super().__init__(**parts)
            self.interrupt = lambda name: said if name == "answer" else None

    graph = talk(None).build(Own("voice", question=Hand(Text), voice=Hand(Event), answer=Teller()))
    assert [i.stream for i in graph.nodes["answer"].inputs if i.cancels] == ["voice"]
    assert not any(i.cancels for i in graph.nodes["painting"].inputs)
    with pytest.raises(PieceFault, match='"voise"') as caught:
        talk(None).build(Own("voise", question=Hand(Text), voice=Hand(Event), answer=Teller()))
    assert "voice" in caught.value.hint

    folder = write_piece(
        "piece.source('camera')\npiece.source('voice')\npiece.model('painting', reads='camera')\n"
        "@piece.draw\ndef draw(painting): return painting\n",
        '[source.camera]\ndevice = "synthetic"\n[source.voice]\ndevice = "synthetic"\n'
        '[model.painting]\ncard = "multistyle26"\ninterrupt = "voice"\n',
    )
    loaded = assembly.load(folder)
    assert assembly.MachineParts(loaded).interrupt("painting") == "voice"
    assert "interrupt" not in loaded.manifest.models["painting"].constants


def test_a_tape_knows_the_interrupt_that_piece_toml_named(write_piece, tmp_path):
    """The whole way: a piece on disk, recorded offline, and fired again from what the tape keeps."""
    from pleinair import assembly
    from pleinair.tapes import TapeHand, tape_files, tape_meta

    folder = write_piece(
        "piece.source('camera')\npiece.source('tick')\npiece.model('painting', reads='camera')\n"
        "@piece.draw\ndef draw(painting): return painting\n",
        '[source.camera]\ndevice = "synthetic"\nsize = [64, 48]\n[source.tick]\nrate = 5\n'
        '[model.painting]\ncard = "multistyle26"\nsize = [64, 48]\ninterrupt = "tick"\n',
    )
    loaded = assembly.load(folder)
    machine = assembly.MachineParts(loaded)
    graph = machine.finish(loaded.piece.build(machine))
    assert graph.nodes["painting"].inputs[1].cancels
    recorder = Recorder(tmp_path / "tape", meta=tape_meta(loaded), files=tape_files(loaded, graph))
    OfflineRunner(graph, observers=[recorder]).run(0.5)
    recorder.close()
    result = Replay(Tape(tmp_path / "tape"), TapeHand()).run()
    assert result.same and result.streams["painting"] > 5
