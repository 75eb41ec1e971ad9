"""A tape that was altered anywhere says so, at the first frame that differs."""

from __future__ import annotations

import json
import random
import shutil

import pytest

from pleinair.run.tape import line_of

from .tapes import attempt, lines


@pytest.mark.parametrize("name", [
    "events.jsonl", "inputs.jsonl", "expected.jsonl", "inputs/camera.bin", "inputs/words.bin", "tape.json", "seal.json",
    "piece",
])  # fmt: skip
def test_one_altered_byte_anywhere_is_found_and_never_ends_in_a_traceback(whole, tmp_path, name):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    path = next((folder / name).iterdir()) if name == "piece" else folder / name
    blob = path.read_bytes()
    rng = random.Random(name)
    places = rng.sample(range(len(blob)), min(120, len(blob)))
    missed = []
    for at in [0, len(blob) - 1, *places]:
        altered = bytearray(blob)
        altered[at] ^= rng.randrange(1, 256)
        path.write_bytes(altered)
        if attempt(folder, whole[1]) is None:
            missed.append((at, blob[max(0, at - 30) : at + 30], bytes(altered[max(0, at - 30) : at + 30])))
    assert not missed, missed[:3]
    path.write_bytes(blob)
    assert attempt(folder, whole[1]) is None


@pytest.mark.parametrize("what", ["start", "in", "fire", "emit", "done", "fault", "stop"])
@pytest.mark.parametrize("how", ["removed", "twice", "swapped"])
def test_an_event_removed_doubled_or_moved_is_found(whole, tmp_path, what, how):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    events = lines(folder / "events.jsonl")
    places = [i for i, line in enumerate(events) if json.loads(line)["e"] == what]
    assert places
    for at in {places[0], places[len(places) // 2], places[-1]}:
        changed = list(events)
        if how == "removed":
            del changed[at]
        elif how == "twice":
            changed.insert(at, changed[at])
        else:
            other = at - 1 if at else 1
            changed[at], changed[other] = changed[other], changed[at]
        (folder / "events.jsonl").write_text("".join(changed))
        assert attempt(folder, whole[1]) is not None, events[at]


@pytest.mark.parametrize("what, field", [
    ("start", "seed"), ("start", "nodes"), ("start", "files"), ("start", "parts"), ("in", "s"), ("in", "q"),
    ("in", "t"),
    ("in", "sha"), ("in", "w"), ("fire", "n"), ("fire", "i"), ("fire", "h"), ("emit", "s"), ("emit", "q"),
    ("emit", "t"),
    ("done", "n"), ("done", "c"), ("done", "x"), ("done", "f"), ("fault", "n"), ("fault", "what"), ("fault", "c"),
])  # fmt: skip
@pytest.mark.parametrize(
    "value", [None, -1, 10**9, "camera", [], {}, True, [["camera", 0]], 1.5, [[1, 2, 3]]], ids=repr
)
def test_any_field_of_any_event_with_another_value_is_found(whole, tmp_path, what, field, value):
    folder = tmp_path / "t"
    folder.mkdir()
    for p in whole[0].iterdir():
        (folder / p.name).symlink_to(p)
    events = lines(whole[0] / "events.jsonl")
    at = [i for i, line in enumerate(events) if json.loads(line)["e"] == what][-1]
    event = json.loads(events[at])
    if event[field] == value and type(event[field]) is type(value):
        pytest.skip("that is what it was")
    events[at] = line_of(event | {field: value}) + "\n"
    (folder / "events.jsonl").unlink()
    (folder / "events.jsonl").write_text("".join(events))
    assert attempt(folder, whole[1]) is not None


def test_where_the_first_difference_is_is_said(whole, tmp_path):
    """An input that is read: the input itself is named. A knob: its frame. An event that moves no pixel: the frame
    after it."""
    folder = shutil.copytree(whole[0], tmp_path / "t")
    blob = (folder / "inputs" / "camera.bin").read_bytes()
    (folder / "inputs" / "camera.bin").write_bytes(blob[:-30] + bytes([blob[-30] ^ 1]) + blob[-29:])
    assert attempt(folder, whole[1]) == "camera frame 19 (t = 0.633 s): the recorded input was altered"
    (folder / "inputs" / "camera.bin").write_bytes(blob)
    text = (folder / "inputs.jsonl").read_text()
    (folder / "inputs.jsonl").write_text(text.replace('"v":0.9', '"v":0.8'))
    assert attempt(folder, whole[1]).startswith("strength frame 1 (t = 0.200 s)")
    (folder / "inputs.jsonl").write_text(text)
    text = (folder / "events.jsonl").read_text()
    (folder / "events.jsonl").write_text(text.replace("number 3 is bad", "number 4 is bad", 1))
    assert attempt(folder, whole[1]).startswith(
        "draw at t = 0.100 s stopped (draw stopped: RuntimeError: number 3 is bad)"
    )
