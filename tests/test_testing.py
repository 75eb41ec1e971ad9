"""The checks for plug-in authors: the built-ins pass them, and each thing that would go wrong on stage is found."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from pleinair import load
from pleinair.core.kinds import Control, Image, Mask, Vector
from pleinair.core.model import Model
from pleinair.core.source import Capture, Raw, Sink, Source
from pleinair.sinks.null import Null
from pleinair.sources.synthetic import Synthetic
from pleinair.sources.tick import Tick
from pleinair.testing import check_model, check_sink, check_source


@pytest.mark.parametrize(
    "make", [lambda: Synthetic("room", size=(32, 24)), lambda: Synthetic("noise", size=(32, 24)), Tick]
)
def test_built_in_sources_pass(make):
    assert len(check_source(make)) == 10


def test_a_real_clip_passes(weights):
    from pleinair.addresses import open_source

    check_source(lambda: open_source("clip:carphone", size=(64, 48)), count=5)


def test_a_real_model_passes(weights):
    outputs = check_model(lambda: load("multistyle26", size=(64, 48), backend="onnx", precision="f32"))
    assert len(outputs) == 3 and outputs[0].shape == (48, 64, 3)


def test_a_built_in_sink_passes():
    check_sink(lambda: Null(), [np.zeros((4, 4, 3), np.uint8)])


class Good(Source):
    def __init__(self) -> None:
        self.ended = threading.Event()

    def open(self) -> None:
        self.ended.clear()

    def __iter__(self) -> Iterator[Capture]:
        for n in range(10**6):
            if self.ended.is_set():
                return
            yield self.capture(n)

    def capture(self, n: int) -> Capture:
        return Capture(np.full((4, 4, 3), n % 256, np.uint8), machine_ns=n)

    def interrupt(self) -> None:
        self.ended.set()


def test_a_good_source_passes():
    check_source(Good)


def _reuses() -> type[Source]:
    canvas = np.zeros((4, 4, 3), np.uint8)

    class Reuses(Good):
        def capture(self, n):
            canvas[:] = n % 256
            return Capture(canvas)

    return Reuses


class GoesBack(Good):
    def capture(self, n):
        return Capture(super().capture(n).data, machine_ns=-n)


class WrongKind(Good):
    def capture(self, n):
        return Capture(np.zeros((4, 4), np.uint8))


class PacedWithoutTime(Good):
    paced = True


class OddRaw(Good):
    def capture(self, n):
        raw = Raw("rgbx", bytes(64), {"width": 4, "height": 4})
        return Capture(np.full((4, 4, 3), 1, np.uint8), raw=raw)


class CannotRecall(Good):
    def capture(self, n):
        return Capture(np.full((4, 4, 3), n, np.uint8), raw=Raw("recall", b"", {"n": n}))

    def recall(self, note):
        return np.full((4, 4, 3), note["n"] + 1, np.uint8)


class NeverInterrupted(Good):
    def interrupt(self) -> None: ...


class Empty(Good):
    def __iter__(self):
        return iter(())


class Silent(Good):
    def __iter__(self):
        self.ended.wait(30)
        return iter(())


class NotJson(Good):
    def describe(self):
        return {"device": object()}


@pytest.mark.parametrize("make, says", [
    (_reuses(), "written over"), (GoesBack, "never goes back"), (WrongKind, "does not carry"),
    (PacedWithoutTime, "when each"),
    (OddRaw, "brings back the same"), (CannotRecall, "brings back the same"), (NeverInterrupted, "interrupt"),
    (Empty, "at least one"), (Silent, "0 of 10 captures"), (NotJson, "JSON"), (object, "is a pleinair"),
])  # fmt: skip
def test_what_would_go_wrong_with_a_source_is_said(make, says):
    with pytest.raises(AssertionError, match=says):
        check_source(make, seconds=0.5)


class Plain(Model):
    def __call__(self, image):
        return 255 - image


class WritesOver(Plain):
    canvas = np.zeros((48, 64, 3), np.uint8)

    def __call__(self, image):
        np.subtract(255, image, out=self.canvas)
        view = self.canvas[:]
        view.setflags(write=False)
        return view


class WritesItsInput(Plain):
    def __call__(self, image):
        image.setflags(write=True)
        image[0] = 0
        return image.copy()


class Dice(Plain):
    def __call__(self, image):
        return np.random.default_rng().integers(0, 256, image.shape, np.uint8)


class Remembers(Plain):
    def __init__(self):
        self.n = 0

    def __call__(self, image):
        self.n += 1
        return image // self.n


class Floats(Plain):
    def __call__(self, image):
        return image / 255


class ByInstance(Plain):
    made = 0

    def __init__(self):
        ByInstance.made += 1
        self.number = ByInstance.made

    def __call__(self, image):
        return image // self.number


@pytest.mark.parametrize("make, says", [
    (WritesItsInput, "leaves its input"), (Dice, "same inputs"), (Remembers, "same inputs"), (Floats, "does not carry"),
    (ByInstance, "fresh one"), (object, "is a pleinair"),
])  # fmt: skip
def test_what_would_go_wrong_with_a_model_is_said(make, says):
    with pytest.raises(AssertionError, match=says):
        check_model(make)


def test_a_model_that_lends_its_canvas_is_harmless_since_the_runner_copies_it():
    check_model(WritesOver)


def test_a_model_of_other_ports_is_given_what_its_author_says():
    class Mixes(Model):
        ports = {"mask": Mask, "weights": Vector, "level": Control}
        kind = Mask

        def __call__(self, mask, weights, level):
            return np.clip(mask * float(weights.sum()) * level, 0, 1)

    assert len(check_model(Mixes, {"weights": [[0.5, 0.5], [0, 1]], "level": [0.5]})) == 3


def test_what_would_go_wrong_with_a_sink_is_said():
    class Writes(Sink):
        def put(self, data, t_ns):
            data.setflags(write=True)
            data[0] = 9

    with pytest.raises(AssertionError, match="leaves what it is given"):
        check_sink(Writes, [np.zeros((4, 4, 3), np.uint8)])
    with pytest.raises(AssertionError, match="is a pleinair"):
        check_sink(object, [])
    assert Image is not None
