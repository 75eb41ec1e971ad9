"""A model at the other end of a network: a real connection, the delay that was asked for, and a true age."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pleinair import Piece, same
from pleinair.cloud import Network, Slower, move_away
from pleinair.core.clock import WallClock
from pleinair.core.kinds import Control, Image
from pleinair.core.model import Model
from pleinair.measure import Repeated
from pleinair.run.live import LiveRunner
from pleinair.run.stats import Stats

RUN_S = 1.5
COMPUTE_S = 0.04


class Turned(Model):
    """Turns a picture around and takes its time, without using the processor: a loaded machine changes little."""

    ports = {"image": Image, "light": Control}
    size = (64, 48)

    def __call__(self, image, light=1.0):
        time.sleep(COMPUTE_S)
        return (image[::-1, ::-1] * light).astype(np.uint8)


class Parts:
    def source(self, name):
        return Repeated((64, 48))

    def model(self, name):
        return Turned(), {}

    def interrupt(self, name): ...

    def sink(self, name): ...


def piece() -> tuple[Piece, list]:
    piece, pairs = Piece(), []
    piece.source("camera")
    piece.knob("light", 1.0)
    piece.model("painting", reads={"image": "camera", "light": "light"})

    @piece.draw
    def draw(painting, camera: same):
        pairs.append((painting, camera))
        return painting

    return piece, pairs


def run(network: Network | None, window: int = 1) -> tuple[dict, list]:
    declared, pairs = piece()
    graph, clock = declared.build(Parts()), WallClock()
    if network is not None:
        graph = move_away(graph, "painting", network, window, clock)
    stats = Stats()
    with LiveRunner(graph, clock=clock, strict=True, observers=[stats]) as runner:
        runner.wait(RUN_S)
        report = stats.report()
    return report, pairs


@pytest.fixture(scope="module")
def runs():
    return {"here": run(None), "serial": run(Network(100), 1), "pipelined": run(Network(100), 4)}


def test_one_after_the_other_pays_the_round_trip_with_every_picture(runs):
    here, serial = runs["here"][0], runs["serial"][0]
    assert here["fps"] > 12
    assert serial["fps"] < 1 / (0.1 + COMPUTE_S) + 1
    assert serial["age_ms"]["p50"] >= 100 + COMPUTE_S * 1e3


def test_a_full_connection_keeps_the_rate_and_not_the_age(runs):
    here, pipelined = runs["here"][0], runs["pipelined"][0]
    assert pipelined["fps"] > 0.6 * here["fps"], "the first pictures are on their way for a while"
    assert pipelined["fps"] > 1.5 * runs["serial"][0]["fps"]
    assert pipelined["age_ms"]["p50"] >= here["age_ms"]["p50"] + 80


@pytest.mark.parametrize("way", ["serial", "pipelined"])
def test_what_comes_back_belongs_to_the_moment_it_was_sent_at(runs, way):
    pairs = runs[way][1]
    assert len(pairs) >= 3
    for painting, camera in pairs:
        apart = np.abs(painting[::-1, ::-1].astype(int) - camera)
        assert apart.mean() < 12, "JPEG twice, and no other picture"


def test_nothing_is_left_running(runs):
    import threading

    time.sleep(0.1)
    assert [t.name for t in threading.enumerate() if t.name.startswith("pleinair")] == []


def test_slower_is_the_model_and_a_wait():
    model = Slower(Turned(), 30)
    began = time.perf_counter()
    assert model(np.zeros((48, 64, 3), np.uint8)).shape == (48, 64, 3)
    assert time.perf_counter() - began >= COMPUTE_S + 0.03
    assert model.size == (64, 48) and list(model.ports) == ["image", "light"]
