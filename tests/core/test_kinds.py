"""What a stream may carry, and that nobody can write to it afterwards."""

from __future__ import annotations

import copy
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pleinair.core.codec import decode, encode
from pleinair.core.freeze import alone
from pleinair.core.kinds import (
    KINDS,
    MAX_PIXELS,
    Audio,
    Box,
    Boxes,
    Control,
    Event,
    Figure,
    Image,
    Landmarks,
    Mask,
    Point,
    Sound,
    Text,
    Vector,
    array_digest,
    json_digest,
)
from pleinair.core.source import Raw


def picture(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width * 3, dtype=np.uint64).astype(np.uint8).reshape(height, width, 3)


HAND = Figure(
    [[0.1, 0.2], [0.3, 0.4]], ["wrist", "index_tip"], 0.9,
    smile=np.float32(0.5), gaze=Point(0.1, 0.2), open=True, name="left", row=np.array([1, 2]), pair=(1.5, "x"),
)  # fmt: skip

SAMPLES = {
    Image: picture(),
    Mask: np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4),
    Audio: Sound(np.linspace(-1, 1, 10, dtype=np.float32), 48_000),
    Text: Text("grüße \ud800 \0", final=False),
    Landmarks: [HAND, Figure(np.ones((3, 3)), ["a", "b", "c"], 0.0)],
    Boxes: [Box(0, 0.1, 0.2, 0.3, "cat", 0.5), Box(1, 2, 3, 4)],
    Vector: [0.5, -1, 3e8],
    Event: {"what": "bell", "n": [1, 2.5, None, True], "in": {"x": "y"}},
    Control: 0.25,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_goes_through_the_codec_without_loss(kind):
    data = kind.check(SAMPLES[kind])
    raw = encode(kind, data)
    again = kind.check(decode(raw))
    assert kind.digest(again) == kind.digest(data)
    json.dumps(raw.note)  # it stands on the tape as JSON
    if kind is Landmarks:
        assert again.index_tip == data.index_tip and again.gaze == Point(0.1, 0.2) and again[1].names == ("a", "b", "c")
        assert again.extra == data.extra if hasattr(data, "extra") else again[0].extra == data[0].extra
    if kind is Text:
        assert again == data and again.final is False


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_empty_value_of_every_kind_is_one_of_its_own(kind):
    if kind is Event:
        assert kind.empty() is None
        return
    empty = kind.empty()
    assert kind.digest(kind.check(empty)) == kind.digest(empty)
    raw = encode(kind, empty)
    assert kind.digest(kind.check(decode(raw))) == kind.digest(empty)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_digest_tells_one_value_from_another(kind):
    others = {
        Image: picture() + 1, Mask: SAMPLES[Mask] * 0.5, Audio: Sound(SAMPLES[Audio].samples, 44_100),
        Text: Text(SAMPLES[Text], final=True), Landmarks: SAMPLES[Landmarks][:1], Boxes: SAMPLES[Boxes][:1],
        Vector: [0.5, -1, 3e7], Event: {"what": "bell"}, Control: 0.25000000000000006,
    }  # fmt: skip
    assert kind.digest(kind.check(others[kind])) != kind.digest(kind.check(SAMPLES[kind]))


# -- pictures and masks


@pytest.mark.parametrize(
    "data, says",
    [
        (np.zeros((4, 4), np.uint8), "height x width x 3"),
        (np.zeros((4, 4, 4), np.uint8), "height x width x 3"),
        (np.zeros((0, 4, 3), np.uint8), "4 x 0"),
        (np.zeros((1, 16_385, 3), np.uint8), "16385 x 1"),
        (np.full((2, 2, 3), np.nan, np.float32), "NaN"),
        (np.full((2, 2, 3), np.inf), "NaN or infinity"),
        (np.full((2, 2, 3), 0.5), "picture(x)"),
        ([[1, 2, 3]], "a list"),
        ("picture", "a str"),
        (np.zeros((2, 2, 3), np.int64), "int64"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(data, says):
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")):
        Image.check(data)


@pytest.mark.parametrize("shape", [(1, 1, 3), (10_000, 1, 3), (1, 10_000, 3), (4320, 7680, 3)], ids=str)
def test_pictures_from_one_pixel_to_8k_are_carried_and_brought_back(shape):
    data = Image.check(np.zeros(shape, np.uint8))
    assert decode(encode(Image, data)).shape == shape


def test_more_than_8k_is_refused_before_a_tape_could_not_bring_it_back():
    side = math.isqrt(MAX_PIXELS) + 1
    with pytest.raises(ValueError, match="8K"):
        Image.check(np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (side, side, 3)))


@pytest.mark.parametrize(
    "data, says",
    [
        (np.full((2, 2), np.nan), "NaN"),
        (np.full((2, 2), 1.5), "0..1"),
        (np.full((2, 2), -0.1), "0..1"),
        (np.full((2, 2), 1e300), "0..1"),
        (np.zeros((2, 2), np.uint8), "uint8"),
        (np.zeros((2, 2, 1)), "height x width"),
        (np.zeros((0, 2)), "2 x 0"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_mask_is_refused_with_a_sentence(data, says):
    with pytest.raises(ValueError, match=says):
        Mask.check(data)


def test_a_mask_a_hair_outside_its_range_is_rounded_into_it():
    mask = Mask.check(np.array([[-1e-8, 1 + 1e-7]]))
    assert mask.dtype == np.float32 and mask.min() == 0 and mask.max() == 1


def test_masks_of_truth_values_halves_and_doubles_become_float32():
    for dtype in (bool, np.float16, np.float64, ">f4"):
        assert Mask.check(np.ones((2, 2), dtype)).dtype == np.dtype(np.float32)


def test_the_digest_of_a_view_is_that_of_its_copy():
    base = picture(8, 8)
    for view in (base[::2], base[:, ::-1], base.transpose(1, 0, 2), base[2:5, 1:3]):
        assert array_digest(view) == array_digest(view.copy())


# -- nobody writes to a frame


def test_a_published_picture_is_read_only():
    data = Image.check(picture())
    with pytest.raises(ValueError, match="read-only"):
        data[0] = 0


@pytest.mark.parametrize("kind, make", [(Image, picture), (Mask, lambda: np.zeros((4, 6), np.float32))])
def test_a_view_of_something_writable_is_copied(kind, make):
    canvas = make()
    before = kind.digest(kind.check(canvas.copy()))
    data = kind.check(canvas[:])
    canvas[...] = 1
    assert kind.digest(data) == before


def test_a_read_only_view_of_something_writable_is_copied_too():
    canvas = picture()
    view = canvas[:]
    view.setflags(write=False)
    data = Image.check(view)
    canvas[...] = 0
    assert data.any()


def test_a_read_only_view_of_bytes_that_someone_may_change_is_copied():
    buffer = bytearray(12)
    view = np.frombuffer(buffer, np.uint8).reshape(2, 2, 3)
    view.setflags(write=False)
    data = Image.check(view)
    buffer[0] = 255
    assert data[0, 0, 0] == 0


def test_what_nobody_can_write_to_is_not_copied():
    image = Image.check(picture())
    assert Image.check(image) is image
    part = image[1:3]
    assert Image.check(part) is part
    fixed = np.frombuffer(bytes(12), np.uint8).reshape(2, 2, 3)
    assert Image.check(fixed) is fixed


def test_alone_leaves_what_was_made_for_the_caller_and_copies_what_was_kept():
    kept = picture()
    also = [kept]  # its maker's own reference
    assert alone(kept) is not kept
    del also
    mine = picture().copy()
    assert alone(mine) is mine
    view = mine[:2]
    assert alone(view) is not view


def test_subclasses_of_arrays_become_plain_arrays():
    assert type(Image.check(np.ma.masked_array(picture()))) is np.ndarray


def test_an_event_is_private_read_only_and_as_json_brings_it_back():
    mine = {"notes": [1, (2, 3)], 4: "four"}
    event = Event.check(mine)
    mine["notes"].append(9)
    assert event == {"notes": [1, [2, 3]], "4": "four"}
    for write in (
        lambda: event.update(x=1), lambda: event["notes"].append(1), lambda: event.__setitem__("a", 1),
        lambda: event["notes"].sort(), lambda: event.pop("4"), lambda: event["notes"].__iadd__([1]),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="copy"):
            write()
    mine = copy.deepcopy(event)
    mine["notes"].append(5)
    assert len(event["notes"]) == 2
    assert json.loads(json.dumps(event)) == event


@pytest.mark.parametrize("data", [{1, 2}, object(), math.nan, {"x": math.inf}, b"bytes"], ids=repr)
def test_what_json_cannot_hold_is_no_event(data):
    with pytest.raises(ValueError, match="JSON"):
        Event.check(data)


def test_an_event_without_end_is_refused():
    loop: list = []
    loop.append(loop)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for data in (loop, deep):
        with pytest.raises(ValueError, match="JSON"):
            Event.check(data)


# -- numbers


@pytest.mark.parametrize(
    "data", ["0.5", None, math.nan, math.inf, 1e400, 10**400, [0.5], 1j, np.complex64(1), np.array(0.5), {}], ids=repr
)
def test_what_is_no_finite_number_is_no_control(data):
    with pytest.raises(ValueError, match="finite number"):
        Control.check(data)


@pytest.mark.parametrize("data", [True, 1, 0.5, np.float32(0.5), np.int64(3), np.bool_(True)])
def test_numbers_of_all_sorts_become_a_float(data):
    assert type(Control.check(data)) is float


@pytest.mark.parametrize(
    "data",
    ["abc", ["0.5"], [None], [[1, 2]], [1, [2]], [math.nan], [1e400], [10**400], [1e39], {"a": 1}, [1j]],
    ids=repr,
)
def test_what_is_no_row_of_numbers_is_no_vector(data):
    with pytest.raises(ValueError, match="vector"):
        Vector.check(data)


def test_a_vector_is_made_of_lists_and_is_its_own():
    row = [1, 2.5, True]
    vector = Vector.check(row)
    assert vector.dtype == np.float32 and vector.tolist() == [1, 2.5, 1]
    array = np.zeros(3, np.float32)
    vector = Vector.check(array)
    array[:] = 1
    assert not vector.any()
    assert len(Vector.check([])) == 0


# -- sound, text, figures, boxes


@pytest.mark.parametrize(
    "data",
    [
        Sound(np.zeros(4, np.int16), 48_000), Sound(np.zeros((4, 2, 1), np.float32), 48_000),
        Sound(np.zeros(4, np.float32), "48000"), Sound(np.zeros(4, np.float32), 10), Sound([math.nan], 48_000),
        Sound(np.zeros(4, np.float32), math.nan), np.zeros(4), None, Sound(None, 48_000), Sound("abc", 48_000),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_sound_is_refused_with_a_sentence(data):
    with pytest.raises(ValueError, match="sound|samples"):
        Audio.check(data)


def test_sound_saturates_and_has_channels():
    sound = Audio.check(Sound(np.array([2.0, -3.0]), 44_100))
    assert sound.samples.tolist() == [[1.0], [-1.0]] and sound.samples.dtype == np.float32
    assert Audio.check(Sound([0.5], 8000)).seconds == pytest.approx(1 / 8000)


def test_text_keeps_whether_it_may_still_change():
    assert Text.check(Text("he", final=False)).final is False
    assert Text.check("hello").final is True
    with pytest.raises(ValueError, match="str"):
        Text.check(b"bytes")


def test_text_keeps_how_sure_it_is_and_its_language():
    heard = Text.check(Text("où?", final=False, confidence=np.float32(0.5), language="fr"))
    assert type(heard.confidence) is float and heard.confidence == 0.5 and heard.language == "fr" and not heard.final
    again = decode(encode(Text, heard))
    assert repr(again) == repr(heard) == "Text('où?', final=False, confidence=0.5, language='fr')"
    assert copy.deepcopy(heard).language == pickle.loads(pickle.dumps(heard)).language
    bare = Text.check("hello")
    assert bare.confidence is None and bare.language == "" and repr(bare) == "Text('hello')"
    assert encode(Text, bare).note == {"final": True}  # what is not known is not said


def test_the_digest_of_a_text_holds_all_of_it_and_that_of_a_plain_one_is_what_it_was():
    plain = Text("hello")
    assert Text.digest(plain) == json_digest(["hello", True])
    kinds = [plain, *(Text("hello", **k) for k in ({"confidence": 0.5}, {"confidence": 0.0}, {"language": "en"}))]
    assert len({Text.digest(t) for t in kinds}) == 4


@pytest.mark.parametrize("sure", [1.01, -0.1, math.nan, math.inf, "0.5", True, 10**400, [0.5]], ids=repr)
def test_a_confidence_that_is_none_is_refused_with_a_sentence(sure):
    with pytest.raises(ValueError, match="confidence is 0..1"):
        Text.check(Text("hello", confidence=sure))
    with pytest.raises(ValueError, match="language is a name"):
        Text.check(Text("hello", language=3))


def test_a_text_off_a_tape_of_before_has_neither():
    old = decode(Raw("text", b"hello", {"final": False}))
    assert (str(old), old.final, old.confidence, old.language) == ("hello", False, None, "")
    for note in ({"confidence": 7}, {"confidence": "much"}, {"language": ["en"]}):
        with pytest.raises(ValueError):
            decode(Raw("text", b"hello", note))


def test_with_nobody_there_every_part_is_the_middle_at_confidence_0():
    nobody = Landmarks()
    assert nobody.index_tip == Point(0.5, 0.5) and nobody.confidence == 0 and not nobody


def test_parts_are_attributes_and_a_misspelt_one_says_what_was_meant():
    hands = Landmarks.check(HAND)
    assert hands.wrist.x == pytest.approx(0.1) and hands.confidence == 0.9 and hands.smile == 0.5
    with pytest.raises(AttributeError, match='did you mean "index_tip"'):
        hands.index_tp  # noqa: B018


def test_a_figures_points_are_its_own():
    points = np.zeros((1, 2), np.float32)
    figure = Figure(points, ["nose"], 1)
    points[:] = 9
    assert figure.nose.x == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Figure([[0, 0]], ["a", "b"], 1), lambda: Figure([[0, 0]], ["a"], 1, odd=object()),
        lambda: Figure([[0, 0]], ["a"], 1, odd=math.nan), lambda: Landmarks.check([Figure([[math.nan, 0]], ["a"], 1)]),
        lambda: Landmarks.check([Figure([[0, 0]], ["a"], 1.5)]), lambda: Landmarks.check(5),
        lambda: Landmarks.check(["hand"]), lambda: Boxes.check([1]), lambda: Boxes.check([Box(math.nan, 0, 0, 0)]),
        lambda: Boxes.check([Box(0, 0, 1, 1, 5)]), lambda: Boxes.check([Box(0, 0, 1, 1, "x", 2)]),
        lambda: Boxes.check([Box("a", 0, 1, 1)]), lambda: Boxes.check("boxes"),
    ],
)  # fmt: skip
def test_odd_figures_and_boxes_are_refused(make):
    with pytest.raises(ValueError):
        make()


def test_numbers_of_numpy_in_a_box_become_plain_ones():
    (box,) = Boxes.check([Box(*np.float32([0.5, 0.5, 0.25, 0.25]), "cat", np.float32(0.5))])
    assert all(type(v) is float for v in (box.x, box.w, box.confidence))


_atoms = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.integers()


@given(st.recursive(_atoms,
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12))  # fmt: skip
def test_any_json_is_an_event_and_comes_back_from_the_codec(value):
    event = Event.check(value)
    assert event == value
    assert Event.digest(decode(encode(Event, event))) == Event.digest(event)


@given(st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.binary(), st.lists(st.floats())))
def test_check_takes_a_value_or_says_in_a_sentence_why_not(value):
    for kind in KINDS.values():
        try:
            kind.check(value)
        except ValueError as error:
            assert len(str(error)) > 10
