"""Depth, with tiny networks made here: near is 1 whatever the network calls it, and the range follows slowly."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Mask
from pleinair.models import load
from pleinair.models.convert.writing import Writer
from pleinair.testing import check_model

from .tiny import card_of

PORTS = '\n[ports]\nimage = "Image"\nsteady = "Control"\n'


def brightness(sides=("height", "width"), channel=True, last=False, factor=1.0, name="depth") -> bytes:
    """A "depth" network: the mean of the three colours of each pixel, times a factor. Layouts as the families export
    them: [1, h, w] (MiDaS, Depth Anything) or [1, 1, h, w] (DPT); `last`: it takes and gives [1, h, w, c]."""
    w = Writer("brightness")
    image = w.unique("image")
    w.unique(name)
    x = w.add("ReduceMean", [image], axes=[3 if last else 1], keepdims=int(channel))
    w.name_output(w.add("Mul", [x, w.constant(np.float32(factor))]), name)
    picture = [1, *sides, 3] if last else [1, 3, *sides]
    one = [1] * channel
    depths = [1, "a", "b", *one] if last else [1, *one, "a", "b"]
    return w.save({"image": ("float32", picture)}, {name: ("float32", depths)})


def ramp(low=0, high=255, width=64) -> np.ndarray:
    """Brighter to the right."""
    row = np.linspace(low, high, width).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (48, width, 3)))


@pytest.mark.parametrize("layout", [{}, {"channel": False}, {"last": True}, {"last": True, "channel": False}])
def test_what_is_nearest_is_1_in_every_layout(tmp_path, home, layout):
    card = card_of(tmp_path, "depth", {"network": brightness(**layout)}, 'range = "0..1"', (64, 48), PORTS)
    mask = Mask.check(load(card, backend="onnx")(ramp()))
    assert mask.shape == (48, 64)
    assert mask[:, -1].min() == 1 and mask[:, 0].max() == 0
    assert np.all(np.diff(mask[10]) >= 0) and mask[10, 32] == pytest.approx(0.5, abs=0.03)


def test_a_network_that_gives_metres_is_turned_round(tmp_path, home):
    options = 'range = "0..1"\nnearer = "smaller"\ntrim = 0'
    card = card_of(tmp_path, "depth", {"network": brightness(factor=10)}, options, (64, 48), PORTS)
    metres = ramp(25, 255)
    mask = load(card, backend="onnx")(metres)
    assert mask[:, 0].min() == 1 and mask[:, -1].max() == 0
    inverse = 1 / metres[5, :, 0].astype(float)  # twice as far is half as near
    wanted = (inverse - inverse.min()) / (inverse.max() - inverse.min())
    assert mask[5] == pytest.approx(wanted, abs=0.03)


def test_the_range_follows_slowly_so_that_one_hand_does_not_move_the_room(tmp_path, home):
    card = card_of(tmp_path, "depth", {"network": brightness()}, 'range = "0..1"\ntrim = 0', (64, 48), PORTS)
    model = load(card, backend="onnx", steady=0.9)
    wall = model(ramp(0, 100))[20, 32]
    near = ramp(0, 100)
    near[:, 60:] = 250
    after = model(near)[20, 32]
    assert wall == pytest.approx(0.5, abs=0.03) and abs(after - wall) < 0.08
    for _ in range(60):
        model(near)
    assert model(near)[20, 32] == pytest.approx(0.2, abs=0.03)
    assert model(near, steady=0)[20, 32] == pytest.approx(0.2, abs=0.02)


def test_a_cut_begins_anew_and_the_state_can_be_kept(tmp_path, home):
    card = card_of(tmp_path, "depth", {"network": brightness()}, 'range = "0..1"', (64, 48), PORTS)
    one, two = load(card, backend="onnx"), load(card, backend="onnx")
    one(ramp(0, 50))
    two.open()
    two.load(one.save())
    assert np.array_equal(one(ramp(0, 90)), two(ramp(0, 90)))
    cut = one(ramp(200, 255))
    assert cut[:, 0].max() == 0 and cut[:, -1].min() == 1
    two.reset()
    assert two.save() is None


def test_a_wall_is_no_noise(tmp_path, home):
    card = card_of(tmp_path, "depth", {"network": brightness()}, "", (64, 48), PORTS)
    assert not load(card, backend="onnx")(np.full((48, 64, 3), 77, np.uint8)).any()


def test_sides_follow_the_file_and_the_rules_of_the_family(tmp_path, home):
    fixed = card_of(tmp_path, "depth", {"network": brightness((32, 64))}, rest=PORTS)
    assert load(fixed, backend="onnx")(ramp()).shape == (32, 64)
    with pytest.raises(ModelFault, match="64 x 32 only"):
        load(fixed, size=(128, 64), backend="onnx").open()
    free = card_of(tmp_path, "depth", {"network": brightness()}, "multiple = 14", rest=PORTS)
    assert load(free, backend="onnx")(ramp()).shape == (378, 518)
    with pytest.raises(ModelFault, match="multiples of 14") as fault:
        load(free, size=(320, 240), backend="onnx")
    assert fault.value.hint == "size = [322, 238]"


def test_it_behaves_on_stage(tmp_path, home):
    card = card_of(tmp_path, "depth", {"network": brightness()}, size=(64, 48), rest=PORTS)
    check_model(lambda: load(card, backend="onnx", threads=1), {"image": [ramp(), ramp(30, 90)], "steady": [0.0]})


def test_what_does_not_fit_is_said_with_a_sentence(tmp_path, home):
    from .tiny import average_colour

    with pytest.raises(ModelFault, match="no map of depths"):
        load(card_of(tmp_path, "depth", {"network": average_colour((64, 48))}, rest=PORTS), backend="onnx").open()
    with pytest.raises(ModelFault, match='"larger" or "smaller"'):
        load(card_of(tmp_path, "depth", {"network": brightness()}, 'nearer = "maybe"', rest=PORTS), backend="onnx")
