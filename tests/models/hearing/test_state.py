"""What listens goes on where another one was, to the bit: a tape may begin in the middle of a word."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import assembly
from pleinair.core.kinds import Sound
from pleinair.models import load
from pleinair.models.hearing.listening import Listener, Mono
from pleinair.run.cut import cut
from pleinair.run.offline import OfflineRunner
from pleinair.run.record import Recorder
from pleinair.run.replay import Replay
from pleinair.run.state import _pack, _unpack
from pleinair.run.tape import Tape
from pleinair.sinks.wav import Wav
from pleinair.tapes import TapeHand, tape_files, tape_meta

from .conftest import chunks, part, tone

RATES = [8000, 11_025, 22_050, 44_100, 48_000, 44_101, 192_000]


class Files(dict):
    """A tape's folder, as far as states need it."""

    def keep(self, name: str, blob: bytes) -> str:
        self[f"{len(self)}.npy"] = blob
        return str(len(self) - 1)

    def blob(self, name: str) -> bytes:
        return self[name]


def through_a_tape(state):
    files = Files()
    return _unpack(_pack(state, files, "it"), files)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("to", [16_000, 22_050, 48_000])
def test_a_resampler_goes_on_where_another_was(rate, to):
    rng = np.random.default_rng(rate)
    samples = rng.normal(0, 0.1, (rate // 2, 1)).astype(np.float32)
    cuts = sorted(int(n) for n in rng.integers(1, len(samples), 9))
    parts = [Sound(p, rate) for p in np.split(samples, cuts) if len(p)]
    for at in range(1, len(parts)):
        one, other = Mono(to), Mono(to)
        for sound in parts[:at]:
            one(sound)
        other.load(through_a_tape(one.save()))
        for sound in parts[at:]:
            assert np.array_equal(one(sound), other(sound))
        assert np.array_equal(one.flush(), other.flush())


@pytest.fixture(scope="module")
def sung(speech):
    """Two seconds of speech, and one of silence, with strings beside them, at 44.1 kHz: every task finds something."""
    words = np.concatenate([Mono(44_100)(part(speech, 0.9, 2.95)), np.zeros(44_100, np.float32)])
    strings = np.concatenate([tone(hz, 0.5) for hz in (220, 277, 330, 220, 196, 247)])
    count = min(len(words), len(strings))
    return Sound((words[:count] + 0.2 * strings[:count])[:, None], 44_100)


def given(model, chunk, t):
    found = model(chunk, t=t)
    items = [] if found is None else list(found) if hasattr(found, "__next__") else [found]
    return [model.kind.digest(model.kind.check(item)) for item in items if item is not None]


@pytest.mark.parametrize("card", ["voice_activity", "voice_events", "pitch", "notes", "denoise", "whisper-tiny-en"])
def test_a_model_goes_on_where_another_was(card, sung):
    one, other = load(card), load(card)
    one.open()
    assert one.save() is None  # nothing heard yet
    row, said = list(chunks(sung, 0.11)), 0
    middle = {len(row) // 4, len(row) // 2, 3 * len(row) // 4}
    for n, (chunk, t) in enumerate(row):
        if n in middle:
            other.load(through_a_tape(one.save()))
        was = given(one, chunk, t)
        if n >= min(middle):
            assert was == given(other, chunk, t), t
            said += len(was)
    assert said
    other.load(None)
    assert other.save() is None
    one.close()
    other.close()


PIECE = """
from pleinair import Piece, caption
piece = Piece()
piece.source("mic")
for name in ("voice", "pitch", "heard"):
    piece.model(name, reads="mic")

@piece.draw
def draw(heard):
    return caption(heard)
"""
TOML = """
[source.mic]
device = "sound:{heard}"
loop = false
chunk_ms = 90
[model.voice]
card = "voice_activity"
[model.pitch]
card = "pitch"
[model.heard]
card = "whisper-tiny-en"
"""


def test_a_tape_that_begins_in_the_middle_of_a_word_is_proved(write_piece, tmp_path, speech, monkeypatch):
    sink = Wav(str(tmp_path / "speech.wav"))
    sink.open()
    sink.put(part(speech, 0.9, 3.2), 0)
    sink.close()
    loaded = assembly.load(write_piece(PIECE, TOML.format(heard=tmp_path / "speech.wav")))
    graph = assembly.assemble(loaded, assembly.MachineParts(loaded))
    recorder = Recorder(tmp_path / "tape", meta=tape_meta(loaded), files=tape_files(loaded, graph))
    OfflineRunner(graph, observers=[recorder]).run(2.3)
    recorder.close()
    result, gone = cut(Tape(tmp_path / "tape"), [], tmp_path / "cut", TapeHand(), from_s=1.234)
    assert result.same and not gone
    again = Replay(Tape(tmp_path / "cut"), TapeHand()).run()
    assert again.same, again.first
    assert again.streams["heard"] and 0 < again.streams["voice"] < result.streams["voice"]
    monkeypatch.setattr(Listener, "load", lambda self, state: None)  # without what they remembered it is another run
    assert not Replay(Tape(tmp_path / "cut"), TapeHand()).run().same
