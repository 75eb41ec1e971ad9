"""A body: joints lie where an eye sees them; it is followed; what is hidden is called hidden."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.core.kinds import Landmarks
from pleinair.models import choose, load
from pleinair.models.seeing.pose import NAMES, refined
from pleinair.testing import check_model

from .people import BODY, ODD, TASKS, apart, bring, frames, picture, shifted


@pytest.fixture(scope="module")
def model(opened):
    return opened("pose", *TASKS, backend="openvino", threads=1)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_joints_lie_where_an_eye_sees_them(weights, backend):
    bring()
    (body,) = load("pose", backend=backend, precision="f32", threads=1)(picture("astronaut"))
    assert len(body.points) == 33
    assert apart(body, BODY, (512, 512)) < 20
    assert body.confidence > 0.9


def test_what_is_outside_of_the_picture_is_hardly_visible(model):
    (body,) = model(picture("astronaut"))
    seen = dict(zip(NAMES, body.visibility, strict=True))
    assert seen["nose"] > 0.95 and seen["left_shoulder"] > 0.95
    assert seen["left_ankle"] < 0.2 and body.left_ankle.y > 1


def test_a_body_is_followed_as_it_moves(model):
    image = picture("astronaut")
    model.reset()
    seen = [model(shifted(image, 4 * n, 0), t=n / 30) for n in range(10)]
    assert [f.number for found in seen for f in found] == [1] * 10
    assert (seen[-1].nose.x - seen[0].nose.x) * 512 == pytest.approx(36, abs=8)


def test_a_real_body_trembles_less_when_it_is_smoothed(model):
    clip = frames("finger_signs")[:20]

    def trembling(smooth: float) -> float:
        model.reset()
        points = np.array([model(f, t=n / 12, smooth=smooth)[0].points[:25, :2] for n, f in enumerate(clip)])
        return float(np.abs(np.diff(points, 2, axis=0)).mean())

    assert trembling(0.5) < 0.6 * trembling(0)


def test_where_nobody_is_nobody_is_found(model):
    for image in ODD:
        assert model(image) == Landmarks()
    assert model(np.zeros((240, 320, 3), np.uint8)) == Landmarks()


def test_a_point_moves_to_the_warmth_near_it_and_stays_where_there_is_none():
    heat = np.full((64, 64, 2), -20, np.float32)
    heat[31, 34, 0] = 20
    places = np.array([[32.5 / 64, 32.5 / 64], [0.25, 0.75]], np.float32)
    refined(places, heat)
    assert places[0] * 64 == pytest.approx([34, 31], abs=1e-3)
    assert places[1].tolist() == [0.25, 0.75]


def test_the_machine_chooses_a_backend_and_remembers(weights, tmp_path, monkeypatch):
    bring()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "store").symlink_to(folders.store_dir())
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))  # another cache, the same weights
    choice = choose.decide("pose", threads=1)
    assert choice.precision == "f32" and choice.name in ("openvino", "onnx")
    assert choice.agreement["psnr_db"] > 60
    assert choose.decide("pose", threads=1) == choice
    assert len(list((tmp_path / "home").glob("cache/backends/pose-*.json"))) == 1


def test_bf16_is_refused(weights):
    with pytest.raises(ModelFault, match='cannot run in "bf16"'):
        load("pose", precision="bf16")


def test_it_behaves_on_stage(weights):
    bring()
    given = {"image": [picture("astronaut")], "most": [1], "smooth": [0.5]}
    (found,) = check_model(lambda: load("pose", backend="openvino", threads=1), given)
    assert len(found) == 1
