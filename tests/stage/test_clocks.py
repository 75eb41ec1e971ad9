"""A page's clock is mapped once, then slewed, and never set back."""

import random

from pleinair.stage.clocks import BURST, PageClock

MS = 1_000_000


def exchange(clock, at_ns, offset_ns, there_ns, back_ns):
    """One question at `at_ns` to a page whose clock is `offset_ns` behind the machine's."""
    page_ns = at_ns + there_ns - offset_ns
    clock.exchanged(at_ns, page_ns / 1e6, at_ns + there_ns + back_ns)


def test_mapping_errs_less_than_half_the_shortest_round_trip():
    dice = random.Random(7)
    for _ in range(50):
        clock, offset = PageClock(), dice.randrange(10**12)
        for n in range(24):
            exchange(clock, offset + n * 40 * MS, offset, dice.randrange(MS, 30 * MS), dice.randrange(MS, 30 * MS))
        assert clock.ready
        assert abs(clock.machine_ns(1000.0) - (offset + 1000 * MS)) <= clock.error_ns


def test_nothing_is_mapped_before_enough_exchanges():
    clock = PageClock()
    for n in range(BURST):
        assert clock.machine_ns(1.0) is None
        exchange(clock, n * MS, 0, 1000, 1000)
    assert clock.machine_ns(1.0) == 1 * MS


def test_a_drifting_clock_is_followed_slowly_and_time_never_goes_back():
    clock = PageClock()
    before = 0
    for n in range(600):
        at = n * 1000 * MS
        drift = -n * 50_000  # the page's clock runs 50 ppm fast
        exchange(clock, at, drift, MS // 2, MS // 2)
        if clock.ready:
            page_ms = (at - drift) / 1e6
            captured = clock.capture_ns(page_ms, at + 5 * MS)
            assert captured > before
            before = captured
            assert abs(clock.machine_ns(page_ms) - at) < 2 * MS


def test_a_page_that_slept_is_mapped_anew():
    clock = PageClock()
    for n in range(20):
        exchange(clock, n * 1000 * MS, 0, MS, MS)
    for n in range(20, 26):
        exchange(clock, n * 1000 * MS, 3_600_000 * MS, MS, MS)
    assert clock.jumps == 1
    assert abs(clock.offset_ns - 3_600_000 * MS) < MS


def test_captures_from_the_future_or_long_ago_are_taken_for_now():
    clock = PageClock()
    for n in range(BURST):
        exchange(clock, n * MS, 0, 1000, 1000)
    now = 50_000 * MS
    assert clock.capture_ns(50_100.0, now) == now
    assert clock.capture_ns(1.0, now) == now + 1  # and never before the one that it followed
