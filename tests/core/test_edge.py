"""Skipped is not lost; looked at is not taken."""

from __future__ import annotations

import threading

import pytest

from pleinair.core.clock import VirtualClock, WallClock
from pleinair.core.edge import Every, Latest, Same
from pleinair.core.errors import Fault
from pleinair.core.frame import Frame, Span
from pleinair.core.observer import Observer, Observers


def frame(seq: int, t_ns: int | None = None, stream: str = "camera") -> Frame:
    return Frame(seq, stream, seq, seq * 10 if t_ns is None else t_ns)


def test_latest_keeps_the_newest_and_says_which_was_skipped():
    edge = Latest()
    assert edge.put(frame(0)) is None
    assert edge.put(frame(1)).seq == 0 and edge.skipped == 1
    assert edge.take().seq == 1 and edge.take() is None
    assert edge.put(frame(2)) is None, "the one before had been taken: nothing was skipped"


def test_latest_is_looked_at_again_and_again():
    edge = Latest()
    assert edge.look() is None and edge.waiting is None
    edge.put(frame(0))
    assert edge.look().seq == 0 and edge.waiting.seq == 0
    edge.take()
    assert edge.look().seq == 0 and edge.waiting is None


def test_every_gives_all_in_order_and_loses_the_oldest_when_full():
    edge = Every(3)
    gone = [edge.put(frame(i)) for i in range(5)]
    assert [g.seq if g else None for g in gone] == [None, None, None, 0, 1] and edge.lost == 2
    assert [edge.take().seq for _ in range(3)] == [2, 3, 4] and edge.take() is None
    assert edge.look().seq == 4, "the last one taken can still be looked at"


def test_same_finds_the_frame_of_a_moment_and_knows_when_it_will_not_come():
    edge = Same(4)
    for i in range(6):
        edge.put(frame(i))
    assert edge.at(30).seq == 3 and edge.at(0) is None, "older than its history"
    assert edge.passed(45) and not edge.passed(50) and not edge.passed(60)
    edge.forget_before(40)
    assert edge.at(30) is None and edge.at(40).seq == 4
    edge.forget_before(1000)
    assert edge.look().seq == 5, "the newest stays, to be looked at"


def test_same_gives_the_newest_of_several_of_one_moment():
    edge = Same()
    edge.put(frame(0, 5))
    edge.put(frame(1, 5))
    assert edge.at(5).seq == 1


# -- frames


def test_a_frame_finds_what_it_was_made_of():
    camera = frame(3)
    mask = Frame(0, "mask", 0, 30, camera)
    draw = Frame(0, "draw", 0, 30, mask)
    assert draw.ancestor("camera") is camera and draw.ancestor("draw") is draw and draw.ancestor("mic") is None


def test_a_frame_is_given_to_a_node_without_measured_time():
    traced = Frame(1, "mask", 0, 30, frame(3), (Span("mask", 1, 2, 3),))
    bare = traced.bare()
    assert bare.trace == () and bare.parent is None and (bare.data, bare.seq, bare.t) == (1, 0, 3e-8)
    assert frame(1).bare() == frame(1)


def test_a_frame_cannot_be_changed():
    with pytest.raises(AttributeError):
        frame(0).seq = 5


# -- clocks


def test_a_virtual_clock_goes_where_it_is_told_and_never_back():
    clock, stop = VirtualClock(), threading.Event()
    assert not clock.wait_until(10**18, stop) and clock.now_ns() == 10**18
    clock.advance_to(5)
    assert clock.now_ns() == 10**18
    clock.start()
    assert clock.now_ns() == 0
    stop.set()
    assert clock.wait_until(5, stop)


def test_the_wall_clock_counts_from_its_start_and_waits_until():
    clock, stop = WallClock(), threading.Event()
    clock.start()
    assert not clock.wait_until(2_000_000, stop) and clock.now_ns() >= 2_000_000
    threading.Timer(0.01, stop.set).start()
    assert clock.wait_until(60_000_000_000, stop), "a stop ends the waiting"
    assert clock.now_ns() < 30_000_000_000


# -- observers


class Counts(Observer):
    def __init__(self) -> None:
        self.frames, self.faults = [], []

    def on_frame(self, frame, raw=None):
        self.frames.append(frame)

    def on_fault(self, node, fault, count):
        self.faults.append((node, fault, count))


class Breaks(Observer):
    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error or RuntimeError("broken watch"), 0

    def on_frame(self, frame, raw=None):
        self.calls += 1
        raise self.error


def test_an_observer_that_fails_is_switched_off_reported_once_and_the_others_go_on():
    counts, breaks = Counts(), Breaks()
    observers = Observers([breaks, counts])
    for i in range(3):
        observers.on_frame(frame(i))
    assert breaks.calls == 1 and len(counts.frames) == 3
    ((who, fault, count),) = counts.faults
    assert who == "Breaks" and "broken watch" in fault.what and "without it" in fault.now and count == 1
    assert observers.failed == [fault]


def test_an_observers_own_fault_is_told_in_its_own_words():
    fault = Fault("the recording ended", now="the show goes on")
    counts = Counts()
    Observers([Breaks(fault), counts]).on_frame(frame(0))
    assert counts.faults[0][1] is fault


def test_an_observer_that_fails_while_it_hears_of_a_failure_ends_nothing():
    class Worse(Breaks):
        def on_fault(self, node, fault, count):
            raise RuntimeError("this too")

    counts = Counts()
    observers = Observers([Worse(), Worse(), counts])
    observers.on_frame(frame(0))
    assert len(counts.frames) == 1 and len(observers.failed) == 2
    assert list(observers) == [counts]


def test_only_what_an_observer_overrides_is_called():
    observers = Observers([Counts()])
    assert observers.on_skip.__name__ == "_silent" and observers.on_frame.__name__ != "_silent"
    assert Observers().on_frame.__name__ == "_silent"


def test_a_silenced_choir_hears_nothing():
    counts = Counts()
    observers = Observers([counts])
    observers.silence()
    observers.on_frame(frame(0))
    assert not counts.frames


def test_many_threads_may_meet_a_failing_observer_at_once_and_it_is_reported_once():
    barrier, counts = threading.Barrier(8), Counts()

    class Meets(Observer):
        def on_frame(self, frame, raw=None):
            barrier.wait(5)
            raise RuntimeError("all at once")

    observers = Observers([Meets(), counts])
    threads = [threading.Thread(target=observers.on_frame, args=(frame(i),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(counts.faults) == 1 and len(observers.failed) == 1
