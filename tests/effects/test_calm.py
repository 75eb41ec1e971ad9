"""Calm: less flicker, no ghosts, nothing left of a scene that is gone; the same bits every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pleinair.effects.calm import Calm
from pleinair.sources.synthetic import Synthetic


def walk(count: int, size=(320, 240), scene="room") -> list[np.ndarray]:
    source = Synthetic(scene, size=size, strip=False)
    return [source.picture(n) for n in range(count)]


def flickering(guides: list[np.ndarray], levels: float = 14) -> list[np.ndarray]:
    """Paintings of the guides with strokes that come and go, as a network's do."""
    rng = np.random.default_rng(4)
    out = []
    for guide in guides:
        strokes = rng.normal(0, 1, (guide.shape[0] // 4, guide.shape[1] // 4, 3)).astype(np.float32)
        strokes = cv2.resize(strokes, guide.shape[1::-1], interpolation=cv2.INTER_CUBIC) * levels
        out.append(np.clip(guide + strokes, 0, 255).astype(np.uint8))
    return out


def flicker(pictures: list[np.ndarray], guides: list[np.ndarray]) -> float:
    """Mean difference between neighbours in time along the movement of the (clean) guides, where that is known."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(g, cv2.COLOR_RGB2GRAY) for g in guides]
    rows, columns = np.mgrid[0 : grey[0].shape[0], 0 : grey[0].shape[1]].astype(np.float32)
    sums = []
    for n in range(4, len(pictures)):
        flow = finder.calc(grey[n], grey[n - 1], None)
        x, y = columns + flow[..., 0], rows + flow[..., 1]
        known = cv2.absdiff(cv2.remap(grey[n - 1], x, y, cv2.INTER_LINEAR), grey[n]) < 8
        before = cv2.remap(pictures[n - 1], x, y, cv2.INTER_LINEAR).astype(int)
        sums.append(np.abs(before - pictures[n])[known].mean())
    return float(np.mean(sums))


def run(calm: Calm, pictures, guides) -> list[np.ndarray]:
    calm.reset()
    return [calm(p, g) for p, g in zip(pictures, guides, strict=True)]


def test_flicker_falls_to_less_than_half():
    guides = walk(24)
    paintings = flickering(guides)
    calmed = run(Calm(), paintings, guides)
    assert flicker(calmed, guides) < 0.5 * flicker(paintings, guides)
    plain = run(Calm(crisp=0), paintings, guides)
    assert flicker(plain, guides) < 0.4 * flicker(paintings, guides)


def test_no_ghosts_where_something_moved_away():
    """A bright disc jumps: where it was, the next painting stands alone."""
    back = np.random.default_rng(1).integers(60, 120, (240, 320, 3)).astype(np.uint8)
    back = cv2.GaussianBlur(back, (9, 9), 0)
    guides = []
    for n in range(6):
        guide = back.copy()
        cv2.circle(guide, (60 + 200 * (n >= 5), 120), 30, (240, 240, 240), -1)
        guides.append(guide)
    calm = Calm(0.8, crisp=0)
    out = run(calm, guides, guides)[-1]
    gone = out[100:140, 40:80].astype(int)
    assert np.abs(gone - guides[-1][100:140, 40:80]).mean() < 4


def test_a_moving_thing_is_carried_along_and_not_smeared():
    texture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (300, 500, 3)).astype(np.uint8), (5, 5), 0)
    guides = [np.ascontiguousarray(texture[20:260, 3 * n : 3 * n + 320]) for n in range(20)]
    out = run(Calm(0.8, crisp=0), guides, guides)[-1]
    inner = slice(30, -30), slice(30, -30)
    assert np.abs(out[inner].astype(int) - guides[-1][inner]).mean() < 5
    smeared = np.mean([g.astype(float) for g in guides[-4:]], 0)
    assert np.abs(out[inner] - smeared[inner]).mean() > 2 * np.abs(out[inner].astype(int) - guides[-1][inner]).mean()


def test_a_cut_leaves_nothing_of_the_old_scene():
    one, two = walk(3), walk(3, scene="bars")
    out = run(Calm(0.9, crisp=0), one + two, one + two)
    assert np.array_equal(out[3], two[0])


def test_a_still_room_converges_and_is_not_softened():
    guide = walk(1)[0]
    out = run(Calm(0.7, crisp=0), [guide] * 30, [guide] * 30)
    assert np.array_equal(out[-1], guide)


def test_a_change_of_style_shows_within_a_few_frames():
    guide = walk(1)[0]
    calm = Calm(0.7, crisp=0)
    run(calm, [guide] * 5, [guide] * 5)
    out = [calm(255 - guide, guide) for _ in range(14)][-1]
    assert np.abs(out.astype(int) - (255 - guide)).mean() < 4


def test_strength_zero_is_as_painted():
    guides = walk(4)
    paintings = flickering(guides)
    assert all(np.array_equal(a, b) for a, b in zip(run(Calm(0), paintings, guides), paintings, strict=True))
    calm = Calm()
    assert all(np.array_equal(calm(p, g, strength=float("nan")), p) for p, g in zip(paintings, guides, strict=True))


def test_inputs_are_never_changed_and_may_be_read_only():
    guides = walk(5)
    paintings = flickering(guides)
    kept = [p.copy() for p in paintings]
    for p in paintings:
        p.setflags(write=False)
    run(Calm(), paintings, guides)
    assert all(np.array_equal(a, b) for a, b in zip(paintings, kept, strict=True))


@pytest.mark.parametrize("threads", [2, 4])
def test_the_same_bits_with_any_number_of_threads(threads):
    guides = walk(10, (640, 480))
    paintings = [cv2.resize(p, (320, 240)) for p in flickering(guides)]
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = run(Calm(), paintings, guides)
        cv2.setNumThreads(threads)
        assert all(np.array_equal(a, b) for a, b in zip(one, run(Calm(), paintings, guides), strict=True))
    finally:
        cv2.setNumThreads(before)


def test_saved_in_the_middle_it_goes_on_the_same():
    guides = walk(12)
    paintings = flickering(guides)
    whole = Calm()
    for n in range(6):
        whole(paintings[n], guides[n])
    state = whole.save()
    other = Calm()
    other.load(state)
    for n in range(6, 12):
        assert np.array_equal(whole(paintings[n], guides[n]), other(paintings[n], guides[n]))
    fresh = Calm()
    assert fresh.save() is None
    fresh.load(None)


@pytest.mark.parametrize(
    "image, guide", [((1, 1), (1, 1)), ((1, 300), (5, 3)), ((40, 30), (1, 600)), ((33, 17), (640, 480))]
)
def test_any_sizes_and_a_size_that_changes(image, guide):
    calm = Calm()
    for n in range(3):
        a = np.full((image[1], image[0], 3), 50 * n, np.uint8)
        assert calm(a, np.full((guide[1], guide[0], 3), 40, np.uint8)).shape == a.shape
    other = np.zeros((20, 20, 3), np.uint8)
    assert np.array_equal(calm(other, other), other)
