"""The browser's camera: the newest picture wins, junk is counted, nothing blocks for ever."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pleinair.core.codec import decode, encode_jpeg
from pleinair.core.errors import DeviceFault
from pleinair.core.source import Raw
from pleinair.sources.browser import Browser
from pleinair.sources.synthetic import Synthetic, read_number

LONG_S = 20


def jpeg(number: int) -> Raw:
    return Raw("jpeg", encode_jpeg(Synthetic(size=(128, 96)).picture(number)))


def test_the_newest_wins_and_keeps_its_capture_time():
    browser = Browser()
    browser.open()
    for n in range(4):
        browser.deliver(jpeg(n), 1000 + n)
    capture = next(iter(browser))
    assert read_number(capture.data) == 3 and capture.machine_ns == 1003
    assert (browser.delivered, browser.gone, browser.rejected) == (4, 3, 0)
    assert np.array_equal(decode(capture.raw), capture.data)


def test_size_is_part_of_what_the_tape_stores():
    browser = Browser(size=(48, 48))
    browser.open()
    browser.deliver(jpeg(0), 0)
    capture = next(iter(browser))
    assert capture.data.shape == (48, 48, 3) and np.array_equal(decode(capture.raw), capture.data)


def test_i420_from_a_video_frame():
    browser = Browser()
    browser.open()
    browser.deliver(Raw("i420", bytes(128 * 96 * 3 // 2), {"width": 128, "height": 96, "matrix": "bt709"}), 0)
    assert next(iter(browser)).data.shape == (96, 128, 3)


def test_junk_is_left_out_counted_and_told_once():
    browser = Browser()
    faults = []
    browser.tell = faults.append
    browser.open()
    captures = iter(browser)
    done = threading.Event()
    got = []

    def run():
        got.append(next(captures))
        done.set()

    reader = threading.Thread(target=run)
    reader.start()
    for junk in (Raw("jpeg", b"junk"), Raw("i420", b"", {"width": "x"}), Raw("nonsense", b""), Raw("json", b"[1]")):
        before = browser.rejected
        browser.deliver(junk, 0)
        until = time.monotonic() + LONG_S
        while browser.rejected == before and time.monotonic() < until:
            threading.Event().wait(0.001)
    browser.deliver(jpeg(8), 0)
    assert done.wait(LONG_S) and read_number(got[0].data) == 8
    reader.join(LONG_S)
    assert browser.rejected == 4 and len(faults) == 1 and faults[0].now and faults[0].hint


def test_interrupt_ends_a_waiting_iteration_and_open_begins_again():
    browser = Browser()
    browser.open()
    waiting = threading.Thread(target=lambda: list(browser))
    waiting.start()
    browser.interrupt()
    waiting.join(LONG_S)
    assert not waiting.is_alive()
    browser.deliver(jpeg(0), 0)
    browser.open()
    browser.deliver(jpeg(1), 0)
    assert read_number(next(iter(browser)).data) == 1


def test_many_threads_may_deliver():
    browser = Browser()
    browser.open()
    raw = jpeg(0)
    senders = [threading.Thread(target=lambda: [browser.deliver(raw, 0) for _ in range(200)]) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(LONG_S)
    assert browser.delivered == 800 and browser.gone == 799


@pytest.mark.parametrize("size", [(0, 1), "x", (1, 2, 3), (10**6, 10**6)])
def test_bad_size(size):
    with pytest.raises(DeviceFault):
        Browser(size=size)
