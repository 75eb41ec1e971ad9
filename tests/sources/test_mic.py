"""A page's microphone: every chunk in order, junk counted and told once, nothing blocks for ever."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np

from pleinair.core.codec import decode
from pleinair.core.kinds import Audio
from pleinair.core.source import Raw
from pleinair.sources.mic import Mic, Silence


def chunk(level: int, channels: int = 1) -> Raw:
    samples = np.full((960, channels), level, "<i2")
    return Raw("pcm16", samples.tobytes(), {"rate": 48_000, "channels": channels})


def test_every_chunk_comes_in_order_with_its_capture_time():
    source = Mic()
    source.open()
    for n in range(4):
        source.deliver(chunk(1000 * n, 2), 20_000_000 * n)
    captures = list(islice(source, 4))
    assert [c.machine_ns for c in captures] == [0, 20_000_000, 40_000_000, 60_000_000]
    assert [round(float(c.data.samples[0, 1]) * 32768) for c in captures] == [0, 1000, 2000, 3000]
    assert captures[1].data.rate == 48_000 and captures[1].data.samples.shape == (960, 2)
    assert Audio.digest(Audio.check(decode(captures[3].raw))) == Audio.digest(captures[3].data), "a tape brings it back"


def test_who_does_not_listen_loses_the_oldest_and_it_is_counted():
    source = Mic()
    source.open()
    for n in range(Mic.holds + 3):
        source.deliver(chunk(n), n)
    assert source.gone == 3 and next(iter(source)).machine_ns == 3


def test_junk_is_left_out_counted_and_told_once():
    source, faults = Mic(), []
    source.tell = faults.append
    source.open()
    for junk in (Raw("pcm16", b"odd", {"rate": 48_000, "channels": 1}), Raw("pcm16", b"", None), Raw("jpeg", b"")):
        source.deliver(junk, 0)
    source.deliver(chunk(77), 5)
    assert next(iter(source)).machine_ns == 5
    assert source.rejected == 3 and len(faults) == 1 and faults[0].now and faults[0].hint


def test_interrupt_ends_a_waiting_iteration():
    source = Mic()
    source.open()
    waiting = threading.Thread(target=lambda: list(source))
    waiting.start()
    source.interrupt()
    waiting.join(20)
    assert not waiting.is_alive()


def test_silence_is_paced_and_can_be_recalled():
    silence = Silence()
    silence.open()
    first, second = islice(silence, 2)
    assert (first.t_ns, second.t_ns) == (0, 20_000_000) and not second.data.samples.any()
    assert Audio.digest(silence.recall(second.raw.note)) == Audio.digest(second.data)
