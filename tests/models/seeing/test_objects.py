"""objects: real things in real pictures, every layout of boxes with a known answer, and numbers that stay."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.backends import wire
from pleinair.core.errors import ModelFault
from pleinair.models import clip_path, load
from pleinair.models.convert.writing import Writer
from pleinair.models.seeing.coco import LABELS
from pleinair.models.seeing.layouts import LAYOUTS
from pleinair.models.seeing.objects import recognise
from pleinair.testing import check_model

from .tiny import card_of

SIZE = (96, 64)
"""Of the tiny networks' picture: width, height."""
MIDDLE, EXTENT = (60.0, 24.0), (30.0, 16.0)
"""Of the one thing that they see, in its pixels; its label is number 2 of 4, and they are sure of it by 0.9."""
CORNERS = (45.0, 16.0, 75.0, 32.0)


@pytest.fixture(scope="module")
def model(opened):
    return opened("objects", backend="openvino", precision="f32")


@pytest.fixture(scope="module")
def bikes(weights) -> list[np.ndarray]:
    """Twelve pictures of a street, one after the other."""
    import av

    with av.open(str(clip_path("bikes"))) as container:
        frames = container.decode(video=0)
        return [frame.to_ndarray(format="rgb24") for n, frame in enumerate(frames) if 140 <= n < 152]


# -- NanoDet -----------------------------------------------------------------------------------------------------------


def test_a_person_is_found_where_she_is(model, portrait):
    (found,) = model(portrait)
    assert found.label == "person" and found.confidence > 0.6 and found.number == 0
    assert found.x < 0.08 and 0.6 < found.x + found.w < 0.8  # the rocket to her right is not hers
    assert found.y < 0.08 and found.y + found.h > 0.95


def test_a_wide_picture_is_not_squeezed(model, portrait):
    """The same person beside an empty room is found at the same place."""
    room = np.full((512, 1024, 3), 150, np.uint8)
    room[:, 256:768] = portrait
    alone, beside = model(portrait)[0], model(room, sure=0.4)[0]
    assert beside.label == "person"
    edges = [(256 + 512 * v) / 1024 for v in (alone.x, alone.x + alone.w)]
    assert [beside.x, beside.x + beside.w] == pytest.approx(edges, abs=0.04)


def test_sure_and_most_are_kept(model, bikes):
    many = model(bikes[0], sure=0.2)
    assert len(many) > 4 and min(b.confidence for b in many) >= 0.2
    assert [b.confidence for b in many] == sorted((b.confidence for b in many), reverse=True)
    assert model(bikes[0], sure=0.2, most=2) == many[:2]
    assert len(model(bikes[0], sure=0.99)) == 0


def test_numbers_stay_with_their_things(model, bikes):
    model.reset()
    seen = [model(frame, t=n / 25) for n, frame in enumerate(bikes)]
    cars = [sorted(b.number for b in boxes if b.label == "car")[:1] for boxes in seen]
    assert cars == [cars[0]] * len(seen) and cars[0]
    by_number = {}
    for boxes in seen:
        for box in boxes:
            by_number.setdefault(box.number, set()).add(box.label)
    assert 0 not in by_number and all(len(labels) == 1 for labels in by_number.values())


def test_a_tape_that_begins_in_the_middle_goes_on_with_the_same_numbers(model, bikes):
    model.reset()
    for n, frame in enumerate(bikes[:6]):
        model(frame, t=n / 25)
    state = model.save()
    whole = [model(frame, t=n / 25) for n, frame in enumerate(bikes[6:], 6)]
    model.reset()
    model.load(state)
    assert [model(frame, t=n / 25) for n, frame in enumerate(bikes[6:], 6)] == whole


def test_backends_agree(model, portrait):
    found = [m(portrait)[0] for m in (model, load("objects", backend="onnx"))]
    one, two = ((b.x, b.y, b.w, b.h, b.confidence) for b in found)
    assert one == pytest.approx(two, abs=1e-4)


def test_it_behaves_on_stage(model, portrait, bikes):
    given = {"image": [portrait, bikes[0]], "sure": [0.4], "most": [20.0]}
    check_model(lambda: load("objects", backend="openvino", precision="f32"), given)


# -- layouts -----------------------------------------------------------------------------------------------------------


def grid(strides=(8, 16, 32), each=1) -> int:
    return each * sum((SIZE[0] // s) * (SIZE[1] // s) for s in strides)


def rows(count: int, columns: int) -> np.ndarray:
    return np.zeros((1, count, columns), np.float32)


def tables() -> dict[str, dict[str, np.ndarray]]:
    """The outputs of one network for each layout, seeing the one thing and a fainter double of it."""
    scale = np.array([*SIZE, *SIZE], np.float32)
    box = np.array([*MIDDLE, *EXTENT], np.float32)
    made: dict[str, dict[str, np.ndarray]] = {}

    v5 = rows(grid(each=3), 9)
    v5[0, 7] = [*box, 0.95, 0, 0, 0.9 / 0.95, 0.1]
    v5[0, 8] = [*(box + 1), 0.8, 0, 0, 0.8, 0.1]
    v5[0, 9] = [*box, 0.01, 1, 1, 1, 1]  # a likely label of no thing
    made["yolov5"] = {"output": v5}

    v8 = rows(grid(), 8)
    v8[0, 7], v8[0, 8] = [*box, 0, 0, 0.9, 0.1], [*(box + 1), 0, 0, 0.8, 0.1]
    made["yolov8"] = {"output0": v8.transpose(0, 2, 1).copy()}

    x = rows(grid(), 9)
    cell = 96 + 2 * 6 + 3  # row 2, column 3 of the grid of 16 pixels a cell, after 12 x 8 cells of 8
    place = (np.array(MIDDLE) - [3 * 16, 2 * 16]) / 16
    x[0, cell] = [*place, *np.log(np.array(EXTENT) / 16), 0.95, 0, 0, 0.9 / 0.95, 0]
    made["yolox"] = {"output": x}

    detr = rows(300, 8)
    detr[0, 5] = [*(box / scale), 0, 0, 0.9, 0.1]
    made["rtdetr"] = {"output0": detr}
    logits = np.full((1, 300, 4), -9, np.float32)
    logits[0, 5, 2] = np.log(0.9 / 0.1)
    made["rtdetr two outputs"] = {"logits": logits, "pred_boxes": detr[..., :4].copy()}
    labels, boxes, scores = np.zeros((1, 300), np.int64), rows(300, 4), np.zeros((1, 300), np.float32)
    labels[0, 5], boxes[0, 5], scores[0, 5] = 2, CORNERS, 0.9
    made["rtdetr three outputs"] = {"labels": labels, "boxes": boxes, "scores": scores}

    end = rows(300, 6)
    end[0, 5] = [*CORNERS, 0.9, 2]
    made["end-to-end"] = {"output0": end}

    nano = {}
    for stride in (8, 16, 32):
        count = (SIZE[0] // stride) * (SIZE[1] // stride)
        nano[f"labels{stride}"], nano[f"sides{stride}"] = rows(count, 4), rows(count, 44)
    cell = 1 * 6 + 3  # of 16 pixels: its middle is (56, 24)
    nano["labels16"][0, cell, 2] = 0.9
    for side, far in enumerate((56 - 45, 24 - 16, 75 - 56, 32 - 24)):
        low = int(far // 16)
        part = far / 16 - low
        bins = np.full(11, -60, np.float32)  # between two bins: as much of each as makes the mean
        bins[low], bins[low + 1] = np.log(max(1 - part, 1e-9)), np.log(max(part, 1e-9))
        nano["sides16"][0, cell, side * 11 : side * 11 + 11] = bins
    made["nanodet"] = nano
    return made


def network(outputs: dict[str, np.ndarray], *open_sides: str) -> bytes:
    """A network that gives these tables where the picture is bright at the box's middle, and nothing otherwise.

    open_sides  those that the file leaves open: "picture", and of the outputs "0", "1", "2"
    """
    w = Writer("detector")
    image = w.unique("images")
    sides = ["batch", 3, "height", "width"] if "picture" in open_sides else [1, 3, SIZE[1], SIZE[0]]
    ports, inputs = {}, {"images": ("float32", sides)}
    for name in outputs:
        w.unique(name)
    y, x = int(MIDDLE[1]), int(MIDDLE[0])
    pixel = w.add("Slice", [image, w.ints([0, y, x]), w.ints([1, y + 1, x + 1]), w.ints([1, 2, 3])])
    bright = w.add("Greater", [w.add("Reshape", [pixel, w.ints([])]), w.constant(np.float32(0.7))])
    sure = {"labels", "scores", "logits"}
    for name, table in outputs.items():
        kind = str(table.dtype)
        empty = np.zeros_like(table) - (9 if name in sure and kind == "float32" and "logits" in outputs else 0)
        both = w.constant(table, f"{name}/seen"), w.constant(empty.astype(kind), f"{name}/not")
        w.name_output(w.add("Where", [bright, *both]), name)
        ports[name] = (kind, [f"side{n}" if str(n) in open_sides else side for n, side in enumerate(table.shape)])
    return w.save(inputs, ports)


@pytest.mark.parametrize("name", tables())
def test_each_layout_is_recognised_and_read(tmp_path, name):
    blob = network(tables()[name])
    about = recognise(wire.summary(blob))
    layout = name.split()[0]
    assert about is not None and about["options"]["layout"] == layout and about["size"] == list(SIZE)
    labels = 'labels = ["sun", "moon", "star", "tree"]'
    for options in (labels, f'{labels}\nlayout = "{layout}"'):
        card = card_of(tmp_path, "objects", {"network": blob}, options)
        detector = load(card, backend="onnx")
        seen = detector(np.full((2 * SIZE[1], 2 * SIZE[0], 3), 200, np.uint8))
        assert [b.label for b in seen] == ["star"]
        assert seen[0].confidence == pytest.approx(0.9, abs=1e-3)
        x0, y0, x1, y1 = (c / s for c, s in zip(CORNERS, SIZE * 2, strict=True))
        assert [seen[0].x, seen[0].y, seen[0].w, seen[0].h] == pytest.approx([x0, y0, x1 - x0, y1 - y0], abs=2e-3)
        assert len(detector(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))) == 0
        detector.close()


@pytest.mark.parametrize(("name", "side"), [("yolov8", "2"), ("yolov5", "1"), ("yolox", "1")])
def test_a_network_of_open_sizes_is_read_at_the_size_that_it_learnt_at(tmp_path, name, side):
    """As Ultralytics' dynamic exports are: sizes stand in the metadata, or nowhere."""
    import onnx

    model = onnx.load_from_string(network(tables()[name], "picture", "0", side))
    about = recognise(wire.summary(model.SerializeToString()))
    assert "size" not in about and about["options"].get("layout", "") in ("", name)
    model.metadata_props.add(key="imgsz", value=str([SIZE[1], SIZE[0]]))
    card = card_of(tmp_path, "objects", {"network": model.SerializeToString()})
    detector = load(card, backend="onnx")
    (seen,) = detector(np.full((SIZE[1], SIZE[0], 3), 200, np.uint8))
    assert detector.size == SIZE and seen.label == "2"
    assert detector._network.inputs[0].bgr == (name == "yolox") and len(detector._networks) == 1
    assert [seen.x * SIZE[0], seen.y * SIZE[1]] == pytest.approx(CORNERS[:2], abs=0.1)


def test_boxes_are_told_in_the_pictures_own_measure(tmp_path):
    """A square picture lies in the middle of the wide network: what it sees is told in parts of the square."""
    card = card_of(tmp_path, "objects", {"network": network(tables()["yolov8"])})
    (seen,) = load(card, backend="onnx")(np.full((100, 100, 3), 200, np.uint8))
    left = (SIZE[0] - SIZE[1]) / 2  # grey on each side
    assert seen.x == pytest.approx((CORNERS[0] - left) / SIZE[1], abs=1e-3)
    assert seen.w == pytest.approx(EXTENT[0] / SIZE[1], abs=1e-3)
    assert (seen.y, seen.h) == pytest.approx((CORNERS[1] / SIZE[1], EXTENT[1] / SIZE[1]), abs=1e-3)


def test_a_label_without_a_name_is_its_number(tmp_path):
    card = card_of(tmp_path, "objects", {"network": network(tables()["yolov8"])}, "labels = []")
    assert load(card, backend="onnx")(np.full((64, 96, 3), 200, np.uint8))[0].label == "2"


@pytest.mark.parametrize(
    ("names", "label"),
    [("{0: 'sun', 1: 'moon', 2: 'star', 3: 'tree'}", "star"), ("['a', 'b', 'c', 'd']", "c"), ("{0: 'sun'", "2"),
     ("__import__('os').abort()", "2"), ("[" * 5000, "2"), ("{1: 'x'}", "2")],
)  # fmt: skip
def test_labels_are_the_files_own_where_it_names_them(tmp_path, names, label):
    import onnx

    model = onnx.load_from_string(network(tables()["yolov8"]))
    model.metadata_props.add(key="names", value=names)
    card = card_of(tmp_path, "objects", {"network": model.SerializeToString()})
    assert load(card, backend="onnx")(np.full((64, 96, 3), 200, np.uint8))[0].label == label


def test_models_add_makes_a_card_of_a_detector(tmp_path, weights, home):
    from pleinair.models.adding import add

    file = tmp_path / "garden.onnx"
    file.write_bytes(network(tables()["yolov8"]))
    card, _ = add(file, "garden", "", "MIT", home / "cards")
    assert card.task == "objects" and card.weights.id == "MIT" and card.options["layout"] == "yolov8"
    assert [b.label for b in load("garden", backend="onnx")(np.full((64, 96, 3), 200, np.uint8))] == ["2"]


def test_masks_beside_the_boxes_are_left_alone(tmp_path):
    """YOLO's segmenters give 32 numbers more for each box, and a table of masks."""
    table = tables()["yolov8"]["output0"]
    more = np.concatenate([table, np.ones((1, 32, table.shape[2]), np.float32)], 1)
    blob = network({"output0": more, "output1": np.zeros((1, 32, 16, 24), np.float32)})
    about = recognise(wire.summary(blob))
    assert about["options"] == {"layout": "yolov8", "labels": "file", "classes": 4}
    card = card_of(tmp_path, "objects", {"network": blob}, 'layout = "yolov8"\nclasses = 4\nlabels = "coco"')
    assert [b.label for b in load(card, backend="onnx")(np.full((64, 96, 3), 200, np.uint8))] == [LABELS[2]]


@pytest.mark.parametrize(
    "outputs",
    [
        {"out": np.zeros((1, 1000), np.float32)},
        {"out": np.zeros((1, 3, 64, 96), np.float32)},
        {"out": np.zeros((1, 4, 17), np.float32)},
        {"out": np.zeros((1, 197, 768), np.float32)},  # a transformer's words for a picture
        {"a": np.zeros((1, 9, 4), np.float32), "b": np.zeros((1, 8, 4), np.float32)},
    ],
)
def test_what_is_no_detector_is_not_recognised(tmp_path, outputs):
    blob = network(outputs)
    assert recognise(wire.summary(blob)) is None
    with pytest.raises(ModelFault, match="not known here") as caught:
        load(card_of(tmp_path, "objects", {"network": blob}), backend="onnx").open()
    assert all(layout in caught.value.hint for layout in LAYOUTS)


def test_a_layout_that_there_is_not_is_named_with_a_suggestion(tmp_path):
    card = card_of(tmp_path, "objects", {"network": network(tables()["yolov8"])}, 'layout = "yolo8"')
    with pytest.raises(ModelFault) as caught:
        load(card, backend="onnx")
    assert "yolov8" in caught.value.hint


def test_another_size_than_the_networks_own_is_refused(tmp_path):
    card = card_of(tmp_path, "objects", {"network": network(tables()["yolov8"])})
    with pytest.raises(ModelFault, match="96 x 64 only"):
        load(card, backend="onnx", size=(128, 128)).open()
