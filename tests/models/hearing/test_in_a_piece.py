"""A piece that says back what it hears: offline on a virtual clock, and live, recorded and proved."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import assembly
from pleinair.core.kinds import Sound
from pleinair.core.observer import Observer
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Tape
from pleinair.sinks.wav import Wav
from pleinair.sources.sound import SoundFile
from pleinair.stage.show import Show
from pleinair.tapes import TapeHand

from .conftest import needs_espeak, part, word_errors

ECHO = """
from pleinair import Piece, Text, caption
piece = Piece()
piece.source("mic")
piece.model("voice", reads="mic")
piece.model("heard", reads="mic")

@piece.node
def words(heard) -> Text:
    return heard if heard.final else None

piece.model("spoken", reads={"text": "words"})
piece.sink("speaker", reads="spoken")

@piece.draw
def draw(heard):
    return caption(heard)
"""
TOML = """
[source.mic]
device = "sound:{heard}"
loop = false
[model.voice]
card = "voice_events"
[model.heard]
card = "whisper-tiny-en"
[model.spoken]
card = "kokoro"
[sink.speaker]
device = "wav:{out}"
"""


class Kept(Observer):
    def __init__(self) -> None:
        self.seen: dict[str, list] = {}
        self.faults: list = []

    def on_frame(self, frame, raw=None) -> None:
        self.seen.setdefault(frame.stream, []).append(frame.data)

    def on_fault(self, node, fault, count) -> None:
        self.faults.append(fault)


@pytest.fixture
def echo(write_piece, tmp_path, speech):
    """The piece's folder; "it was the best of times" and silence are what it hears."""
    folder = write_piece(ECHO, TOML.format(out=tmp_path / "said.wav", heard=tmp_path / "speech.wav"))
    sink = Wav(str(tmp_path / "speech.wav"))
    sink.open()
    words = part(speech, 0.9, 2.95)
    quiet = np.zeros((round(1.2 * speech.rate), 1), np.float32)
    sink.put(Sound(np.concatenate([words.samples, quiet]), speech.rate), 0)
    sink.close()
    return folder


@needs_espeak
def test_it_says_back_what_it_hears(echo, tmp_path):
    loaded, kept = assembly.load(echo), Kept()
    assert loaded.piece.warnings() == []
    OfflineRunner(assembly.assemble(loaded, assembly.MachineParts(loaded)), observers=[kept]).run(3.2)
    assert not kept.faults
    assert [e["voice"] for e in kept.seen["voice"]] == ["started", "ended"]
    assert len(kept.seen["words"]) == 1 and word_errors(kept.seen["words"][0], "it was the best of times") <= 0.2
    partial = [w for w in kept.seen["heard"] if not w.final]
    assert partial and kept.seen["heard"][-1].final and len(kept.seen["draw"]) >= len(partial)
    said = sum(s.seconds for s in kept.seen["spoken"])
    written = list(SoundFile(str(tmp_path / "said.wav"), loop=False))
    assert 0.8 < said < 4 and sum(c.data.seconds for c in written) == pytest.approx(said, abs=0.01)


@needs_espeak
@pytest.mark.slow
def test_a_live_run_is_proved_by_its_tape(echo, tmp_path):
    kept = Kept()
    show = Show(assembly.load(echo), record=tmp_path / "tape", observers=[kept], watch=False)
    show.start()
    try:
        for _ in range(300):
            if kept.seen.get("spoken"):
                break
            show.runner.stopping.wait(0.1)
    finally:
        show.stop()
    assert kept.seen.get("spoken"), kept.faults
    result = Replay(Tape(tmp_path / "tape"), TapeHand()).run()
    assert result.same, result.first
    assert result.streams["spoken"] >= 1 and kept.seen["heard"][-1].final
