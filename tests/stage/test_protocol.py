"""What comes in is checked by hand, sizes before memory."""

import struct

import pytest

from pleinair.stage import protocol


def test_a_binary_message_survives_packing():
    header, payload = protocol.unpack(protocol.pack({"type": "frame", "seq": 3}, b"picture"))
    assert header == {"type": "frame", "seq": 3}
    assert bytes(payload) == b"picture"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"abc",
        struct.pack("<I", 2**32 - 1),
        struct.pack("<I", 5000) + b"{}" * 3000,
        struct.pack("<I", 100) + b"{}",
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 4) + b"\xff\xfe\xfd\xfc",
        struct.pack("<I", 3) + b"nul",
    ],
)
def test_broken_binary_messages_get_a_sentence(message):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        protocol.unpack(message)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nul",
        "[1]",
        "3",
        '"knob"',
        '{"value": NaN}',
        '{"value": Infinity}',
        '{"value": -Infinity}',
        '{"value": 1e400}',
        '{"value": -1e999}',
        '{"n": ' + "9" * 400 + "}",
        '{"a":' * 40_000,
        "[" * 70_000,
        "{" + " " * 70_000 + "}",
    ],
)
def test_what_is_not_sound_json_gets_a_sentence(text):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        protocol.parse(text)


@pytest.mark.parametrize("value", ["0.4", None, True, [], {}, float("nan"), float("inf"), 2, -1])
def test_only_finite_numbers_in_range_are_numbers(value):
    with pytest.raises(ValueError, match="strength"):
        protocol.number(value, "strength", 0, 1)


@pytest.mark.parametrize("value", ["", " a", "a\n", "x" * 65, 3, None, "\x00"])
def test_names_are_printable_and_short(value):
    with pytest.raises(ValueError, match="name"):
        protocol.word(value, "name")


def test_the_desk_is_told_how_sure_a_text_is_and_in_which_language():
    from pleinair.core.kinds import Text
    from pleinair.stage.feed import _summary

    assert _summary(Text("où?", final=False, confidence=0.5, language="fr")) == {
        "text": "où?", "final": False, "confidence": 0.5, "language": "fr",
    }  # fmt: skip
    assert _summary({"voice": "started", "confidence": 0.9}) == {"text": "started", "confidence": 0.9}
    assert _summary(Text("by hand")) == {"text": "by hand", "final": True}
