"""The codec: exact, the same on every machine, and ValueError for whatever is not what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pleinair.core import codec
from pleinair.core.codec import BT601, BT709, cover, decode, encode, encode_jpeg, rgb_from_yuv
from pleinair.core.kinds import Audio, Event, Image, Mask, Sound, Text, Vector
from pleinair.core.source import Raw


def whole_numbers(yuv: np.ndarray, matrix: tuple[float, float], full: bool) -> np.ndarray:
    """The sum that `rgb_from_yuv` promises, in whole numbers: coefficients in 1/1024, rounded half up."""
    q = np.rint(codec._yuv_matrix(*matrix, full) * 1024).astype(int)
    return np.clip((yuv.reshape(-1, 3).astype(int) @ q[:, :3].T + q[:, 3] + 512) >> 10, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("matrix", [BT601, BT709])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("size", [(64, 48), (1, 1), (7, 5), (63, 3)])
def test_yuv_is_fixed_point_arithmetic(matrix, full, size):
    yuv = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    rgb = rgb_from_yuv(*(np.ascontiguousarray(yuv[..., i]) for i in range(3)), matrix=matrix, full=full)
    assert np.array_equal(rgb.reshape(-1, 3), whole_numbers(yuv, matrix, full))


@pytest.mark.parametrize("note, y, expected", [
    ({}, 16, 0), ({}, 235, 255), ({"full": True}, 0, 0), ({"full": True}, 255, 255), ({"full": True}, 77, 77),
])  # fmt: skip
def test_range_black_is_black_and_white_is_white(note, y, expected):
    blob = bytes([y] * 16 + [128] * 8)
    assert (decode(Raw("i420", blob, {"width": 4, "height": 4, **note})) == expected).all()


@pytest.mark.parametrize(
    "matrix, red", [("bt601", (81, 90, 240)), ("bt709", (63, 102, 240)), ("smpte170m", (81, 90, 240))]
)
def test_matrix_red_is_red(matrix, red):
    """Pure red at limited range, from the recommendations' own tables."""
    y, u, v = red
    for name, blob in (("i420", [y] * 16 + [u] * 4 + [v] * 4), ("nv12", [y] * 16 + [u, v] * 4)):
        rgb = decode(Raw(name, bytes(blob), {"width": 4, "height": 4, "matrix": matrix}))
        assert np.abs(rgb.astype(int) - (255, 0, 0)).max() <= 2


def test_odd_sides_have_chroma_rounded_up():
    rgb = decode(Raw("i420", bytes([128] * (5 * 3) + [128] * (3 * 2 * 2)), {"width": 5, "height": 3}))
    assert rgb.shape == (3, 5, 3)


def test_packed_pixels():
    note = {"width": 1, "height": 1}
    assert decode(Raw("rgbx", bytes([1, 2, 3, 0]), note)).tolist() == [[[1, 2, 3]]]
    assert decode(Raw("bgrx", bytes([1, 2, 3, 0]), note)).tolist() == [[[3, 2, 1]]]


def test_what_is_encoded_comes_back():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decode(encode(Image, image)), image)
    for kind, value in ((Mask, rng.random((3, 4), np.float32)), (Vector, np.arange(4, dtype=np.float32))):
        assert np.array_equal(decode(encode(kind, value)), value)
    sound = decode(encode(Audio, Sound(np.zeros((4, 1), np.float32), 16_000)))
    assert sound.rate == 16_000 and sound.samples.shape == (4, 1)
    text = decode(encode(Text, Text("où?", final=False)))
    assert text == "où?" and not text.final
    assert decode(encode(Event, {"a": [1]})) == {"a": [1]}


def test_note_size_covers():
    image = np.zeros((48, 96, 3), np.uint8)
    image[:, 24:72] = 255
    raw = Raw("jpeg", encode_jpeg(image, 95), {"size": [24, 24]})
    assert decode(raw).shape == (24, 24, 3) and decode(raw)[:, 1:-1].min() > 200


@given(st.sampled_from(sorted(codec._DECODERS)), st.binary(max_size=200), st.dictionaries(
    st.sampled_from(["width", "height", "size", "full", "matrix", "rate"]),
    st.one_of(st.integers(-5, 10**9), st.text(max_size=3), st.none(), st.lists(st.integers(-1, 10**6), max_size=3)),
))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_junk_is_a_value_error_and_nothing_else(name, blob, note):
    try:
        decode(Raw(name, blob, note))
    except ValueError as error:
        assert str(error)


def test_a_bomb_is_refused_before_memory_is_taken():
    header = b"qoif" + (16_384).to_bytes(4, "big") * 2 + b"\x03\x00" + bytes(16)
    with pytest.raises(ValueError, match="8K"):
        decode(Raw("qoi", header))
    with pytest.raises(ValueError):
        decode(Raw("i420", b"", {"width": 10**9, "height": 10**9}))
    with pytest.raises(ValueError, match="no decoder"):
        decode(Raw("zip", b""))


def test_cut_jpeg_is_a_value_error():
    blob = encode_jpeg(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(ValueError):
        decode(Raw("jpeg", blob[: len(blob) // 2]))


def test_cover_keeps_the_middle():
    image = np.arange(12, dtype=np.uint8).reshape(1, 12, 1).repeat(4, 0).repeat(3, 2)
    assert cover(image, (4, 4))[0, :, 0].tolist() == [4, 5, 6, 7]
    assert cover(np.zeros((4, 6), np.float32), (2, 2)).shape == (2, 2)
