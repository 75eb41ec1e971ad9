"""Cards: the built-in ones are complete, and a wrong one says which key and what was meant."""

from __future__ import annotations

import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Image, Vector
from pleinair.models import load
from pleinair.models.card import all_cards, find_card, known_names


def test_built_in_cards_carry_their_papers():
    assert {"multistyle26", "anystyle", "bigbuckbunny"} <= set(known_names())
    for card in all_cards():
        assert card.title and card.upstream and card.weights.stated_in, card.name
        assert card.weights.id, card.name
        for file in card.files.values():
            assert (file.sources or file.parts or file.made) and len(file.sha256) == 64 and file.bytes > 0


def test_a_licence_that_is_not_known_is_called_unknown():
    assert find_card("carphone").weights.id == "unknown"
    assert find_card("bigbuckbunny").weights.id == "CC-BY-3.0"
    assert any("Blender" in c.who for c in find_card("bigbuckbunny").credits)


def test_ports_are_in_order_and_the_26_places_have_names():
    card = find_card("multistyle26")
    assert list(card.ports.items()) == [("image", Image), ("style_weights", Vector)]
    assert len(card.names["style_weights"]) == 26


def test_a_misspelt_card_is_answered_with_a_suggestion():
    with pytest.raises(ModelFault) as fault:
        find_card("multistyle62")
    assert fault.value.hint == 'did you mean "multistyle26"?'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('tsak = "stylise"', 'did you mean "task"?'),
        ('task = "stylise"\n[files.network]\nsha265 = "x"', 'did you mean "sha256"?'),
        ('task = "stylise"\n[files.network]\nsha256 = "abc"', "not a sha256"),
        ('task = "stylise"', "names no files"),
        ("task = [", "not TOML"),
        ('task = 3\n[files.a]\nsha256="' + "0" * 64 + '"\nbytes=1', "text in quotes"),
        ('[files.a]\nsha256="' + "0" * 64 + '"\nbytes=1\nfrom=["http:x"]', "is no source"),
        ('[files.a]\nsha256="' + "0" * 64 + '"\nbytes=1\n[ports]\nimage="Imgae"', 'did you mean "Image"?'),
        ('size=[0, 3]\n[files.a]\nsha256="' + "0" * 64 + '"\nbytes=1', "width, height"),
    ],
)
def test_a_wrong_card_is_a_sentence(tmp_path, text, part):
    (tmp_path / "card.toml").write_text(text)
    with pytest.raises(ModelFault) as fault:
        find_card(tmp_path)
    assert part in str(fault.value)


def test_a_card_that_is_not_there(tmp_path):
    with pytest.raises(ModelFault, match="no card at"):
        find_card(tmp_path / "nothing.toml")


def test_a_task_is_no_card_and_is_answered_with_its_cards():
    with pytest.raises(ModelFault, match="it is what 2 cards do") as told:
        find_card("transcribe")
    assert "whisper-base or whisper-tiny-en" in told.value.hint
    with pytest.raises(ModelFault, match="no package carries") as told:
        find_card("depth")
    assert "models add" in told.value.hint


def test_what_runs_on_one_backend_only_refuses_others_and_a_clip_says_how_it_is_played(weights):
    with pytest.raises(ModelFault, match="does not run on onnx") as told:
        load("flow", backend="onnx")
    assert "opencv" in told.value.hint
    with pytest.raises(ModelFault, match="is a clip") as told:
        load("visitor")
    assert '"sound:visitor"' in told.value.hint
