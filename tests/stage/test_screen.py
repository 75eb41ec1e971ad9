"""One encoding for however many look, none for nobody; the piece's thread pays microseconds; any size can be shown."""

import time
from statistics import median
from types import SimpleNamespace

import numpy as np
import pytest

from pleinair.core.codec import decode
from pleinair.core.frame import Frame
from pleinair.core.source import Raw
from pleinair.stage.screen import LONGEST, Encoder, Screen, to_jpeg

from .fakes import barcode, until


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (7680, 4320), (1920, 1080), (319, 241)])
def test_any_size_is_shown_and_the_long_side_is_bounded(size):
    width, height = size
    jpeg, shown = to_jpeg(np.full((height, width, 3), 90, np.uint8))
    assert max(shown) <= LONGEST
    assert min(shown) >= 1
    assert shown == size or max(size) > LONGEST
    picture = decode(Raw("jpeg", jpeg))
    assert picture.shape == (shown[1], shown[0], 3)
    assert abs(picture.astype(int) - 90).max() <= 3


def test_a_mask_is_shown_as_grey():
    picture = decode(Raw("jpeg", to_jpeg(np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64))[0]))
    assert picture[0, 0].max() < 12
    assert picture[-1, -1].min() > 243


def test_a_small_painting_keeps_its_colours():
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    picture = decode(Raw("jpeg", to_jpeg(noise)[0])).astype(float)
    assert 10 * np.log10(255**2 / np.mean((picture - noise) ** 2)) >= 32


class Watcher:
    """The least that a screen knows of a viewer."""

    credit, last = True, None

    def __init__(self):
        self.got = []

    def show(self, packet):
        self.last = packet.frame
        self.got.append(packet.frame.seq)


def screened():
    delivered = []
    encoder = Encoder(lambda screen, packet: (delivered.append(packet), screen.deliver(packet)), lambda: 0)
    screen = Screen("main", "draw", encoder.wake)
    encoder.start()
    return SimpleNamespace(screen=screen, encoder=encoder, delivered=delivered)


def test_nothing_is_encoded_while_nobody_looks():
    it = screened()
    for seq in range(50):
        it.screen.offer(Frame(barcode(seq, (320, 240)), "draw", seq, seq))
    it.encoder.stop()
    assert not it.delivered


def test_a_picture_is_encoded_once_however_many_look():
    it = screened()
    watchers = [Watcher() for _ in range(20)]
    for watcher in watchers:
        it.screen.add(watcher)
    it.screen.offer(Frame(barcode(0, (320, 240)), "draw", 0, 0))
    until(lambda: all(w.got == [0] for w in watchers))
    it.encoder.stop()
    assert len(it.delivered) == 1


def test_a_viewer_without_credit_gets_the_newest_when_it_has_one_again():
    it = screened()
    slow, quick = Watcher(), Watcher()
    it.screen.add(slow)
    it.screen.add(quick)
    for seq in range(10):
        it.screen.offer(Frame(barcode(seq, (32, 32)), "draw", seq, seq))
        until(lambda seq=seq: quick.got and quick.got[-1] == seq)
        it.screen.fed(quick)
    assert slow.got == [0]
    it.screen.fed(slow)
    assert slow.got == [0, 9]
    it.encoder.stop()
    assert len(it.delivered) == 10


def test_a_frame_costs_the_piece_microseconds(stage):
    stage.stage.screens["main"].hungry = 1  # somebody waits: the dearest case
    picture, costs = barcode(1, (640, 480)), []
    for seq in range(3000):
        frame = Frame(picture, "draw", seq, seq)
        began = time.perf_counter_ns()
        stage.stage.on_frame(frame)
        costs.append(time.perf_counter_ns() - began)
    stage.stage.screens["main"].hungry = 0
    assert median(costs) < 30_000


def test_what_is_no_picture_leaves_the_last_one_on_the_screen():
    it = screened()
    watcher = Watcher()
    it.screen.add(watcher)
    it.screen.offer(Frame("words", "draw", 0, 0))
    it.screen.offer(Frame(barcode(1, (32, 32)), "draw", 1, 1))
    until(lambda: watcher.got == [1])
    it.encoder.stop()
