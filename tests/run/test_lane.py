"""Heavy models take turns, the oldest moment first."""

from __future__ import annotations

import threading

import pytest

from pleinair.run.lane import Dismissed, Lane


def queue_up(lane: Lane, order: list, times: list[int], owner: object = None) -> list[threading.Thread]:
    """One thread for each time, standing in the lane's queue."""
    threads = []
    for t in times:
        waiting = len(lane._queue)

        def run(t: int = t) -> None:
            try:
                with lane.turn(t, owner):
                    order.append(t)
            except Dismissed:
                order.append(("dismissed", t))

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        while len(lane._queue) == waiting:
            threading.Event().wait(0.001)
    return threads


def test_the_oldest_moment_goes_first_whoever_came_first():
    lane, order = Lane(), []
    with lane.turn(0):
        threads = queue_up(lane, order, [50, 10, 40, 10, 30])
    for thread in threads:
        thread.join(5)
    assert order == [10, 10, 30, 40, 50]


def test_an_exception_gives_the_turn_back():
    lane, order = Lane(), []
    with pytest.raises(RuntimeError), lane.turn(0):
        threads = queue_up(lane, order, [1])
        raise RuntimeError("the network failed")
    threads[0].join(5)
    assert order == [1]
    with lane.turn(2):
        order.append(2)
    assert order == [1, 2]


def test_one_at_a_time():
    lane, inside, most = Lane(), [0], [0]

    def run() -> None:
        for t in range(200):
            with lane.turn(t):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most[0] == 1 and not any(t.is_alive() for t in threads)


def test_a_dismissed_run_waits_no_more_and_a_call_that_hangs_holds_nobody_up():
    lane, order, hung = Lane(), [], threading.Event()
    mine, other = object(), object()
    holds = threading.Event()

    def hang() -> None:
        with lane.turn(0, mine):
            holds.set()
            hung.wait(20)

    stuck = threading.Thread(target=hang, daemon=True)
    stuck.start()
    assert holds.wait(5)
    threads = queue_up(lane, order, [5], mine) + queue_up(lane, order, [7], other)
    lane.dismiss(mine)
    for thread in threads:
        thread.join(5)
    assert sorted(order, key=str) == sorted([("dismissed", 5), 7], key=str)
    taken, seen = threading.Event(), []

    def long_turn() -> None:
        with lane.turn(9, other):
            taken.set()
            hung.wait(20)
            stuck.join(5)  # it comes back now, and must not give away a turn that is no longer its own
            with_lane = queue_up(lane, seen, [10], other)
            assert not seen
            threads.extend(with_lane)

    holder = threading.Thread(target=long_turn)
    holder.start()
    assert taken.wait(5)
    hung.set()
    holder.join(10)
    for thread in threads:
        thread.join(5)
    assert seen == [10]
