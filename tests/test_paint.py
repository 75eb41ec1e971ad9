"""Paint: saturates, takes any sizes, never changes what it is given, and says in a sentence what it cannot mean."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pleinair import paint
from pleinair.core.kinds import Image, Mask, Point, Text

SIDES = st.sampled_from([1, 2, 3, 7, 16, 33, 64])
SEEDS = st.integers(0, 10)


def some(width: int, height: int, seed: int = 0) -> np.ndarray:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image.setflags(write=False)
    return image


def some_mask(width: int, height: int, seed: int = 0) -> np.ndarray:
    m = np.random.default_rng(seed).random((height, width), np.float32)
    m.setflags(write=False)
    return m


TWO = [
    paint.add,
    paint.subtract,
    paint.multiply,
    paint.screen,
    paint.difference,
    paint.lighten,
    paint.darken,
    paint.blend,
]
RNG = np.random.default_rng(0)
ONE = {
    "grade": lambda x: paint.grade(x, 0.1, 1.2, 1.3, -0.4),
    "light": lambda x: paint.light(x, 1.2, 0.5),
    "blur": lambda x: paint.blur(x, 0.1),
    "grey": paint.grey,
    "invert": paint.invert,
    "vignette": paint.vignette,
    "grain": lambda x: paint.grain(x, RNG),
    "flip": paint.flip,
    "mask": lambda x: paint.mask(x, some_mask(5, 9)),
    "line": lambda x: paint.line(x, (0, 0), (1, 1), "red", 0.1),
    "circle": lambda x: paint.circle(x, Point(0.2, 0.9), 0.3, 200, 0.05),
    "text": lambda x: paint.text(x, "où? a longer line of words", (0.5, 0.5)),
    "caption": lambda x: paint.caption(x, "hello there"),
}


@pytest.mark.parametrize("function", TWO, ids=lambda f: f.__name__)
@given(SIDES, SIDES, SIDES, SIDES, SEEDS)
@settings(max_examples=25, deadline=None)
def test_two_pictures_of_any_sizes_give_the_first_ones(function, w, h, w2, h2, seed):
    a, b = some(w, h, seed), some(w2, h2, seed + 1)
    kept = a.copy(), b.copy()
    out = function(a, b)
    assert Image.check(out).shape == a.shape
    assert np.array_equal(a, kept[0]) and np.array_equal(b, kept[1])


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (640, 480), (1, 10_000), (10_000, 1)])
def test_one_picture_of_any_size(name, size):
    a = some(*size)
    kept = a.copy()
    assert Image.check(ONE[name](a)).shape == a.shape
    assert np.array_equal(a, kept)


@pytest.mark.slow
def test_8k():
    a, b = some(7680, 4320), some(64, 36, 1)
    assert paint.blend(a, b, some_mask(16, 9)).shape == a.shape
    assert paint.grade(paint.screen(a, b), 0.1).shape == a.shape


def test_arithmetic_saturates():
    white, black = np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2, 3), np.uint8)
    assert (paint.add(white, white) == 255).all() and (paint.subtract(black, white) == 0).all()
    assert (paint.multiply(white, white) == 255).all() and (paint.screen(black, black) == 0).all()
    assert (paint.grade(white, brightness=1, contrast=4) == 255).all() and (paint.light(white, 4) == 255).all()


@given(SIDES, SIDES, SEEDS, st.floats(-2, 3))
@settings(deadline=None)
def test_blend_runs_from_one_to_the_other(w, h, seed, amount):
    a, b = some(w, h, seed), some(w, h, seed + 1)
    assert np.array_equal(paint.blend(a, b, 0), a) and np.array_equal(paint.blend(a, b, 1), b)
    out = paint.blend(a, b, amount).astype(int)
    assert (out >= np.minimum(a, b)).all() and (out <= np.maximum(a, b)).all()
    exact = a + (b.astype(float) - a) * np.clip(amount, 0, 1)
    assert np.abs(out - exact).max() <= 0.76  # half a level, and a weight that is rounded to 1/1024


def test_blend_by_a_mask_is_exact_at_its_ends_and_changes_nothing_between_equals():
    a, b = some(64, 64), some(64, 64, 1)
    m = some_mask(64, 64).copy()
    m[:20], m[20:40] = 0, 1
    out = paint.blend(a, b, m)
    assert np.array_equal(out[:20], a[:20]) and np.array_equal(out[20:40], b[20:40])
    assert np.array_equal(paint.blend(a, a, m), a)
    exact = a + (b.astype(float) - a) * m[..., None]
    assert np.abs(out - exact).max() <= 1.6
    assert np.array_equal(paint.over(a, b, m), out)
    for other in (m.astype(np.float64), m > 0.5, (m * 255).astype(np.uint8), m[..., None]):
        assert paint.blend(a, b, other).shape == a.shape


def test_masks_out_of_range_and_nan_are_clipped():
    a, b = np.zeros((1, 4, 3), np.uint8), np.full((1, 4, 3), 255, np.uint8)
    m = np.array([[-1, 2, np.nan, 0.5]], np.float32)
    assert paint.blend(a, b, m)[0, :, 0].tolist() == [0, 255, 0, 128]


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_no_bit(threads):
    a, b, m = some(641, 479), some(320, 240, 1), some_mask(320, 240)

    def everything() -> list[np.ndarray]:
        out = [f(a, b) for f in TWO] + [paint.blend(a, b, m), paint.mask(a, m)]
        return out + [f(a) for name, f in ONE.items() if name != "grain"]

    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = everything()
        cv2.setNumThreads(threads)
        assert all(np.array_equal(x, y) for x, y in zip(one, everything(), strict=True))
    finally:
        cv2.setNumThreads(before)


def test_picture_out_of_numbers():
    assert paint.picture(np.array([[0.0, 0.5, 1.0, 2.0, np.nan, -1]]))[0, :, 0].tolist() == [0, 128, 255, 255, 0, 0]
    assert paint.picture(np.zeros((3, 4, 5), np.float32)).shape == (4, 5, 3)
    assert paint.picture(np.zeros((1, 3, 4, 5), np.float32)).shape == (4, 5, 3)
    assert paint.picture(np.zeros((4, 5, 1), np.uint8)).shape == (4, 5, 3)
    assert paint.picture(np.zeros((3, 3, 3), np.uint8)).shape == (3, 3, 3)
    for wrong in (np.zeros((4, 5, 2)), np.zeros((4, 5, 3), np.int64), np.zeros(4), 3, np.zeros((0, 4, 3))):
        with pytest.raises(ValueError, match="a picture is"):
            paint.picture(wrong)


def test_a_mask_is_taken_for_a_grey_picture():
    assert (paint.add(some(4, 4), np.ones((2, 2), np.float32)) == 255).all()


@pytest.mark.parametrize("call", [
    lambda a: paint.blend(a, a, float("nan")),
    lambda a: paint.blend(a, a, "half"),
    lambda a: paint.blend(a.astype(np.float32), a),
    lambda a: paint.blend(a[..., :2], a),
    lambda a: paint.blend(None, a),
    lambda a: paint.blend(a, a, np.zeros((2, 2, 2), np.float32)),
    lambda a: paint.blend(a, a, np.zeros((2, 2), complex)),
    lambda a: paint.add(a, "nocolour"),
    lambda a: paint.add(a, (1, 2)),
    lambda a: paint.line(a, (float("nan"), 0), (1, 1)),
    lambda a: paint.fit(a, (0, 4)),
    lambda a: paint.fit(a, (4, 4), "squeeze"),
    lambda a: paint.flip(a, "sideways"),
    lambda a: paint.text(a, "x", align="top"),
    lambda a: paint.stamp(a, (0, 0)),
    lambda a: paint.tile([]),
    lambda a: paint.fit(a, (10**6, 10**6)),
])  # fmt: skip
def test_what_cannot_be_meant_is_a_sentence(call):
    with pytest.raises(ValueError) as caught:
        call(some(4, 4))
    assert len(str(caught.value)) > 8


def test_stamp_is_round_soft_bounded_and_heals():
    m = Mask.empty((200, 100))
    out = paint.stamp(m, Point(0.5, 0.5), 0.8, radius=0.2)
    assert not m.any() and Mask.check(out).shape == (100, 200)
    assert out.max() == pytest.approx(0.8, abs=0.01) and np.unravel_index(out.argmax(), out.shape) in {
        (49, 99),
        (50, 100),
        (49, 100),
        (50, 99),
    }
    rows, columns = np.nonzero(out)
    assert abs((rows.max() - rows.min()) - (columns.max() - columns.min())) <= 1, "round, though the picture is wide"
    for _ in range(100):
        out = paint.stamp(out, (0.5, 0.5), 1)
    assert out.max() <= 1
    Mask.check(paint.stamp(out * (1 - 0.1 * 0.03), (0.2, 0.2), 0.3))


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-1, 3), st.floats(0, 2))
@settings(deadline=None)
def test_stamp_anywhere(x, y, strength, radius):
    Mask.check(paint.stamp(np.zeros((9, 17), np.float32), (x, y), strength, radius))


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e6))
@settings(deadline=None, max_examples=50)
def test_marks_anywhere(x, y, size):
    a = some(40, 30)
    for out in (
        paint.line(a, (x, y), (y, x), "ink", size),
        paint.circle(a, (x, y), size),
        paint.text(a, "hm", (x, y), size),
    ):
        assert out.shape == a.shape


def test_colours():
    assert paint.given.colour_of("#ff8800") == (255, 136, 0) and paint.given.colour_of("f80") == (255, 136, 0)
    assert paint.given.colour_of(12) == (12, 12, 12) and paint.given.colour_of((300, -4, 7.6)) == (255, 0, 8)
    assert paint.given.colour_of("White") == (255, 255, 255)


def test_fit_crop_flip_tile():
    a = some(8, 4)
    assert np.array_equal(paint.fit(a, (4, 4)), a[:, 2:6])
    contained = paint.fit(a, (8, 8), "contain")
    assert np.array_equal(contained[2:6], a) and not contained[:2].any()
    assert paint.resize(a, (3, 9)).shape == (9, 3, 3) and paint.resize(some_mask(8, 4), (3, 9)).shape == (9, 3)
    assert np.array_equal(paint.flip(a), a[:, ::-1]) and np.array_equal(paint.flip(a, "both"), a[::-1, ::-1])
    assert np.array_equal(paint.crop(a, 0.5, 0, 1, 1), a[:, 4:]) and paint.crop(a, 1, 1, 1, 1).shape == (1, 1, 3)
    tiled = paint.tile([a, a, some(3, 3)])
    assert tiled.shape == (8, 16, 3) and np.array_equal(tiled[:4, 8:], a) and not tiled[4:, 8:].any()


def test_words_are_drawn_wrapped_and_in_many_scripts():
    board = np.zeros((240, 320, 3), np.uint8)
    short, long = paint.text(board, "Où est l’atelier?"), paint.text(board, "many words " * 12)
    assert short.any() and np.ptp(np.nonzero(long)[0]) > 2 * np.ptp(np.nonzero(short)[0])
    assert np.ptp(np.nonzero(long)[1]) < 320
    for words in ("Привет", "日本語", "Größe", "x" * 500, "a\nb\n\nc", "", "   ", "\x00\x07", "🙂"):
        assert paint.text(board, words).shape == board.shape
    left, right = (paint.text(board, "word", (x, 0.5), align=how) for x, how in ((0, "left"), (1, "right")))
    assert np.nonzero(left)[1].max() < 160 < np.nonzero(right)[1].min()


def test_caption_alone_and_on_a_picture():
    alone = paint.caption(Text("so that is what you say"))
    assert alone.shape == (480, 640, 3) and alone.max() == 255
    faint = paint.caption(Text("so that is", final=False))
    assert faint.max() < 200
    assert paint.caption("", size=(64, 48)).shape == (48, 64, 3)
    a = np.full((240, 320, 3), 255, np.uint8)
    on = paint.caption(a, "words on white")
    assert (on[:150] == 255).all() and on[-10:].mean() < 120
    assert np.array_equal(paint.caption(a, " "), a)


def test_grain_is_the_rngs_own():
    a = np.full((48, 64, 3), 128, np.uint8)
    one, two = (paint.grain(a, np.random.default_rng(5), 0.2) for _ in range(2))
    assert np.array_equal(one, two) and one.std() > 3 and abs(one.mean() - 128) < 1.5
    assert (one[..., 0] == one[..., 1]).all()


def test_grade_as_it_is_changes_nothing():
    a = some(64, 64)
    assert np.array_equal(paint.grade(a), a)
    warm = paint.grade(np.full((2, 2, 3), 128, np.uint8), warmth=1)[0, 0]
    assert warm[0] > 128 > warm[2]
    assert np.ptp(paint.grade(a, saturation=0).astype(int), axis=2).max() <= 1


def test_everything_named_is_there_and_cv2_waits_until_it_is_used():
    assert all(callable(getattr(paint, name)) for name in paint.__all__)
    code = "import sys, pleinair.paint; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
