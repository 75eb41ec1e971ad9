"""The parrot, with its real models: it hears, answers, speaks, paints, and falls silent when it is spoken into."""

from __future__ import annotations

import shutil
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pleinair import assembly
from pleinair.addresses import open_source
from pleinair.core.errors import Fault
from pleinair.core.observer import Observer
from pleinair.ingredients import cards_in
from pleinair.models.fetch import fetch
from pleinair.run.offline import OfflineRunner
from pleinair.sinks.wav import Wav
from pleinair.sources.sound import QUIET

from .conftest import CHROMIUM, FLAGS, running

SHOTS = Path(__file__).parent.parent / "shots"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("espeak-ng"), reason="there is no espeak-ng here"),
]


class Seen(Observer):
    """All that is published, by stream; and whose answers were ended by an interruption."""

    def __init__(self) -> None:
        self.frames, self.cancelled, self.faults = {}, [], []

    def on_frame(self, frame, raw=None):
        self.frames.setdefault(frame.stream, []).append(frame)

    def on_done(self, node, published, cancelled, fault):
        self.cancelled += [node] * bool(cancelled)

    def on_fault(self, node: str, fault: Fault, count: int):
        self.faults.append(fault)


@pytest.fixture(scope="module")
def parrot():
    loaded = assembly.load("parrot")
    fetch([card.name for card in cards_in(loaded.manifest)])
    return loaded


def heard(loaded, seconds: float) -> Seen:
    seen = Seen()
    graph = assembly.assemble(loaded, assembly.MachineParts(loaded, sources={"mic": "sound:visitor"}))
    OfflineRunner(graph, observers=[seen]).run(seconds)
    return seen


def test_it_hears_answers_speaks_and_paints(parrot):
    """A sentence, and then time to answer: nothing ends it."""
    seen = heard(parrot, 10)
    assert not seen.faults and "answer" not in seen.cancelled
    words = str(seen.frames["question"][0].data).lower()
    assert "good morning" in words
    answer = seen.frames["answer"][-1].data
    assert answer.final and len(answer.split()) >= 2
    spoken = np.concatenate([frame.data.samples for frame in seen.frames["spoken"]])
    assert np.sqrt(np.mean(np.square(spoken))) > 0.01, "it is loud enough to be heard"
    pictures = [frame.data for frame in seen.frames["draw"]]
    assert pictures[0].shape == (720, 960, 3)
    assert abs(pictures[0][:600].astype(int) - pictures[-1][:600]).mean() > 2, "the voice moves the painting"


def test_the_one_who_stands_in_gives_time_to_answer(parrot):
    """After each question there are nine seconds of silence, and a tape finds the same chunk again."""
    source = open_source("sound:visitor")
    source.open()
    captures = list(islice(source, round(24 / 0.06)))
    loud = [np.sqrt(np.mean(np.square(c.data.samples))) > QUIET for c in captures]
    quiet = "".join("x" if one else "." for one in loud).split("x")
    pauses = [0.06 * len(run) for run in quiet if 0.06 * len(run) > 5]
    assert len(pauses) >= 1 and all(9 <= pause < 11.5 for pause in pauses), pauses
    again = open_source("sound:visitor").recall(captures[300].raw.note)
    assert np.array_equal(again.samples, captures[300].data.samples)
    assert np.all(np.diff([c.t_ns for c in captures]) == 60_000_000)


PROBE = """(() => {
  const plain = AudioNode.prototype.connect;
  window.loud = 0;
  window.hushed = 0;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (!(to instanceof AudioDestinationNode) || this instanceof AnalyserNode) return plain.call(this, to, ...rest);
    if (!this.context.probe) {
      const probe = (this.context.probe = this.context.createAnalyser()), wave = new Float32Array(probe.fftSize);
      plain.call(probe, to);
      setInterval(() => {
        probe.getFloatTimeDomainData(wave);
        window.loud += Math.sqrt(wave.reduce((sum, v) => sum + v * v, 0) / wave.length) > 0.01;
      }, 30);
    }
    return plain.call(this, this.context.probe, ...rest);
  };
  const stop = AudioBufferSourceNode.prototype.stop;
  AudioBufferSourceNode.prototype.stop = function (...when) { window.hushed++; return stop.apply(this, when); };
})()"""
"""Counts, in the page's own Web Audio, how often the speaker was loud, and how often a hush cut something off."""


@pytest.fixture
def talking(parrot, tmp_path):
    """Chromium whose microphone hears the visitor, with pauses for breath."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    path = tmp_path / "microphone.wav"
    source, wav = open_source("sound:visitor", breath_s=4, loop=False), Wav(str(path))
    source.open()
    wav.open()
    for capture in islice(source, round(40 / 0.06)):
        wav.put(capture.data, capture.t_ns)
    wav.close()
    with playwright.sync_playwright() as play:
        flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required", f"--use-file-for-fake-audio-capture={path}"]
        chrome = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chrome
        chrome.close()


@pytest.mark.browser
def test_a_page_s_microphone_is_heard_the_answer_sounds_and_is_cut_off(talking):
    """The whole way: Chromium's microphone, the models, Chromium's speaker. The visitor goes on after four seconds,
    whether the parrot has ended or not."""
    with running("parrot") as show:
        page = talking.new_page(viewport={"width": 960, "height": 720})
        page.add_init_script(PROBE)
        page.goto(show.url)

        def until(what: str, seconds: float = 100) -> None:
            deadline = time.monotonic() + seconds
            while not page.evaluate(what):
                assert time.monotonic() < deadline, what
                page.wait_for_timeout(200)

        until("loud > 5")
        until("hushed > 0")
        report = page.evaluate("fetch('/api/report').then((r) => r.json())")
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=str(SHOTS / "parrot-stage.png"))
    assert report["nodes"]["question"]["fired"] and report["nodes"]["barge"]["fired"]
    assert not [f for f in report["faults"] if "too slow" not in f["what"]]
