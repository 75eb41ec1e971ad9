"""Bundles of MediaPipe Tasks, laid out as MediaPipe lays them: made of the networks in its own package."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pleinair import folders
from pleinair.core.errors import ModelFault
from pleinair.models import load, safe, store
from pleinair.models.adding import add, look, restored
from pleinair.models.card import find_card
from pleinair.models.fetch import fetch
from pleinair.models.seeing.face_points import IRISES, PLACE

from ..safe import making
from ..seeing.people import FACE, apart, picture

TASKS = {"hands": ("palm", "hand"), "pose": ("person", "body"), "faces": ("near", "mesh", "iris")}


def bundle(files: dict[str, bytes], front: bytes | None = None) -> bytes:
    """Stored, and every file's bytes at a multiple of four: NULs lie before its header. `front`: other bytes there."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, blob in files.items():
            gap = b"\0" * (-(archive.start_dir + 30 + len(name)) % 4)
            if front is not None and not archive.start_dir:
                gap = front
            out.seek(archive.start_dir)
            out.write(gap)
            archive.start_dir += len(gap)
            archive.writestr(name, blob)
    return out.getvalue()


@pytest.fixture
def bundled(tflites, tmp_path):
    """`bundled("x.task", "palm", "hand")`: a bundle of these, under names that say nothing; `more`: other files."""

    def make(name: str, *roles: str, more: dict[str, bytes] | None = None, front: bytes | None = None) -> Path:
        files = {f"{n}net.tflite": tflites[f"{role}_tflite"] for n, role in enumerate(roles)}
        path = tmp_path / name
        path.write_bytes(bundle(files | (more or {}), front))
        return path

    return make


@pytest.mark.parametrize("task", TASKS)
def test_a_bundle_is_the_task_that_its_networks_are_made_for(bundled, home, task):
    file = bundled("mine.task", *reversed(TASKS[task]))
    assert file.read_bytes()[:4] != b"PK\3\4"  # as the real ones
    found = look(file)
    assert list(found.cards) == [task] and found.format == "MediaPipe bundle"
    card, _ = add(file, "mine", "", "", folders.cards_dir(), found=found)
    ours = find_card(task)
    assert {r: f.sha256 for r, f in card.needed.items()} == {r: ours.needed[r].sha256 for r in TASKS[task]}
    assert (card.task, card.senses, card.ports) == (task, ours.senses, ours.ports)
    assert card.weights.id == "Apache-2.0" and f"the card {task}" in card.weights.stated_in
    assert ("not seen" in dict(found.facts)) == (task == "faces")
    store.discard(card.needed[TASKS[task][0]].sha256)
    assert restored(look(file)).name == "mine" and not store.missing(card)


def test_it_sees_what_the_shelf_sees(bundled, tmp_path):
    file, card_folder = bundled("mine.task", "near", "mesh", "iris"), tmp_path / "cards"
    fetch(["faces"])
    _, path = add(file, "mine", "", "", card_folder)
    (mine,) = load(path, backend="onnx", precision="f32", threads=1)(picture("astronaut"))
    assert apart(mine, FACE, (512, 512)) < 6
    (ours,) = load("faces", backend="onnx", precision="f32", threads=1)(picture("astronaut"))
    assert np.array_equal(mine.points, ours.points) and mine.gaze == ours.gaze


def test_what_nothing_here_runs_is_left_out_and_named(bundled, tflites, tmp_path, home):
    inner = bundle({"d.tflite": tflites["palm_tflite"], "l.tflite": tflites["hand_tflite"]})
    signs = bundle({"signs.tflite": making.tflite(1)})
    (tmp_path / "gestures.task").write_bytes(bundle({"hand_landmarker.task": inner, "recognizer.task": signs}))
    found = look(tmp_path / "gestures.task")
    assert list(found.cards) == ["hands"] and set(found.made) == {"palm", "hand"}
    assert "left out" in dict(found.facts)["signs.tflite"]
    card, _ = add(tmp_path / "gestures.task", "gestures", "", "", folders.cards_dir(), found=found)
    assert set(card.needed) == {"palm", "hand"} and card.title == "gestures"


def test_a_bundle_for_two_tasks_becomes_the_one_that_is_wanted(bundled, home):
    file = bundled("holistic.task", "palm", "person", "hand", "body")
    found = look(file)
    assert set(found.cards) == {"hands", "pose"}
    card, _ = add(file, "body", "pose", "Apache-2.0", folders.cards_dir(), found=found)
    assert card.task == "pose" and set(card.needed) == {"person", "body"}
    assert {blob.name for blob in store.blobs()} == {f.sha256 for f in card.needed.values()}
    assert restored(look(file)).name == "body"


@pytest.mark.parametrize(
    ("roles", "more", "why", "deed"),
    [
        (("hand", "iris"), {}, "that finds hands; it has 0net.tflite (1x224x224x3 ->", "--like hands --role hand"),
        (("near", "mesh"), {}, "without the network that tells where the irises are", "--like faces --role near"),
        (("palm", "hand", "hand"), {}, "both could be the one that tells 21 points", "leave one"),
        (("palm", "hand"), {"broken.tflite": making.tflite(1)[:-9]}, "broken.tflite cannot be used", ""),
        (("iris",), {"own.tflite": making.tflite(1)}, "two metres away and the one that tells", "--role iris"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(bundled, home, roles, more, why, deed):
    with pytest.raises(ModelFault) as caught:
        look(bundled("mine.task", *roles, more=more))
    assert why in caught.value.what and deed in caught.value.hint, (caught.value.what, caught.value.hint)
    assert "mine.task" in caught.value.what or "broken" in why


def test_a_bundle_does_not_stand_in_for_one_file(bundled, home):
    with pytest.raises(ModelFault, match="several files belong together"):
        add(bundled("mine.task", "palm", "hand"), "mine", "", "", folders.cards_dir(), like="hands", role="hand")
    assert not list(home.rglob("*.toml"))


@pytest.mark.parametrize("front", [b"\0" * 4, b"\0X", b"MZ", b"\0\0\0\0\0"])
def test_nothing_but_three_nuls_may_lie_in_front(bundled, front):
    with pytest.raises(ModelFault):
        look(bundled("mine.task", "palm", "hand", front=front))


def test_a_bundle_is_no_model_by_itself(bundled):
    with pytest.raises(ModelFault):
        safe.check(bundled("mine.task", "palm", "hand"))


def face_with_irises(tell: np.ndarray) -> bytes:
    """A network with the ports of MediaPipe's 478 points that always tells these: (478, 3) pixels of 256."""
    from onnx import helper, numpy_helper

    value = helper.make_tensor_value_info
    outputs = {"Identity": tell.reshape(1, 1, 1, -1), "Identity_1": np.full((1, 1, 1, 1), 9), "Identity_2": [[0]]}
    nodes = [helper.make_node("ReduceMean", ["input_12"], ["one"], keepdims=0)]
    nodes.append(helper.make_node("Mul", ["one", "zero"], ["none"]))
    nodes += [helper.make_node("Add", [f"{name}_is", "none"], [name]) for name in outputs]
    held = [numpy_helper.from_array(np.asarray(v, np.float32), f"{n}_is") for n, v in outputs.items()]
    held.append(numpy_helper.from_array(np.float32(0), "zero"))
    ports = [value(n, 1, np.shape(v)) for n, v in outputs.items()]
    graph = helper.make_graph(nodes, "g", [value("input_12", 1, (1, 256, 256, 3))], ports, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_a_mesh_with_the_irises_tells_the_gaze_without_another_network(tmp_path, weights):
    fetch(["faces"])
    rng = np.random.default_rng(4)
    tell = np.stack([rng.uniform(90, 160, 478), rng.uniform(90, 160, 478), np.zeros(478)], 1)
    for name, x in (
        ("right_eye_outer", 80),
        ("right_eye_inner", 120),
        ("left_eye_inner", 136),
        ("left_eye_outer", 176),
    ):
        tell[PLACE[name], :2] = x, 100
    tell[IRISES[0], :2], tell[IRISES[1], :2] = (110, 100), (166, 100)  # half the way to the right
    near = find_card("faces").files["near"]
    (tmp_path / "mesh.onnx").write_bytes(face_with_irises(tell))
    (tmp_path / "near.onnx").write_bytes(store.path_of(near.sha256).read_bytes())
    sha, size = store.hash_of(tmp_path / "mesh.onnx"), (tmp_path / "mesh.onnx").stat().st_size
    (tmp_path / "card.toml").write_text(
        'name = "mine"\ntask = "faces"\n[ports]\nimage = "Image"\nmost = "Control"\ngaze = "Control"\n'
        f'[files.near]\nname = "near.onnx"\nfrom = ["file:near.onnx"]\nsha256 = "{near.sha256}"\nbytes = {near.bytes}\n'
        f'[files.mesh]\nname = "mesh.onnx"\nfrom = ["file:mesh.onnx"]\nsha256 = "{sha}"\nbytes = {size}\n'
    )
    fetch([str(tmp_path)])
    model = load(tmp_path, backend="onnx", precision="f32", threads=1)
    (face,) = model(picture("astronaut"))
    assert len(face.points) == 478 and face.gaze.x == pytest.approx(0.5, abs=0.02)
    assert face.right_iris.x < face.left_iris.x and face.point_477 is not None
    (resting,) = model(picture("astronaut"), gaze=0)
    assert (resting.gaze.x, resting.gaze.y) == (0, 0)
    model.close()
    store.discard(sha)
