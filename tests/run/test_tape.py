"""A tape replays bit-identical; altered anywhere, it says so; cut short anywhere, what is whole replays."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pleinair import Box, Control, Figure, Mask, Piece, Sound, Text, same
from pleinair.core.codec import encode, encode_jpeg
from pleinair.core.errors import Fault, TapeFault
from pleinair.core.kinds import Audio, Boxes, Event, Image, Landmarks, Vector
from pleinair.core.source import Capture, Raw, Source
from pleinair.run.cut import cut
from pleinair.run.live import LiveRunner
from pleinair.run.offline import OfflineRunner
from pleinair.run.replay import Replay
from pleinair.run.tape import Recorder, Tape, line_of

from .parts import Clip, Hand, Invert, Log, Parts, number_of, picture


class Again:
    """Replay's way to a piece that a test builds."""

    def __init__(self, make, change=None):
        self._make, self._change = make, change

    def build(self, tape, start):
        return self._make()

    def change(self, tape, graph, node, what, detail):
        if self._change:
            self._change(graph, node, what, detail)


def record(folder: Path, graph, **options) -> Recorder:
    recorder = Recorder(folder, meta={"title": "test"}, files={"piece.py": "# nothing"})
    try:
        OfflineRunner(graph, observers=[recorder], **options).run(options.pop("until", None))
    finally:
        recorder.close()
    return recorder


def replay(folder: Path, make, change=None, **options):
    return Replay(Tape(folder), Again(make, change), **options).run()


# -- a piece with a bit of everything --------------------------------------------------------------------------------


def everything():
    """Feedback, chance, a generator that is interrupted, faults, knobs, masks, several sources, two models."""
    piece = Piece()
    piece.source("camera")
    piece.source("words")
    piece.source("voice")
    piece.knob("strength", 0.5)
    piece.knobs("styles", 3, [0.1, 0.2, 0.3])
    piece.model("painting", reads="camera")
    piece.model("other", reads="painting")

    @piece.node
    def mask(camera, previous, rng, dt) -> Mask:
        noise = rng.random(camera.shape[:2], np.float32)
        return np.clip(previous * 0.5 + noise * 0.5, 0, 1)

    @piece.node(interrupt="voice")
    def spoken(words) -> Text:
        for n, word in enumerate(words.split()):
            yield f"{n} {word}"

    @piece.node
    def hands(camera) -> Landmarks:
        return [Figure([[0.1, 0.2]], ["tip"], 0.5, n=number_of(camera))]

    @piece.draw
    def draw(painting, camera: same, mask, strength, styles, spoken, hands, t):
        if number_of(camera) % 7 == 3:
            raise RuntimeError(f"number {number_of(camera)} is bad")
        return (painting * strength + camera * styles[0] + mask[..., None] * len(spoken) + t + hands.tip.x).astype(
            np.uint8
        )

    def make():
        words = [(0.05, "one two three four five"), (0.4, "six seven")]
        voice = [(0.16, {"said": ["stop", 1.5]})]
        parts = Parts(
            camera=Clip(20), words=Clip(items=words, kind=Text), voice=Clip(items=voice, kind=Event)
        )  # fmt: skip
        return piece.build(parts, seed=7)

    return make


COSTS = {"painting": 0.03, "other": 0.02, "spoken": 0.04, "draw": 0.01}
KNOBS = [(0.2, "strength", 0.9), (0.3, "styles", [0, 0, 1])]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, object]:
    """A tape of `everything`, and what makes it."""
    folder = tmp_path_factory.mktemp("tapes") / "whole"
    make = everything()
    record(folder, make(), costs=COSTS, knobs=KNOBS, strict=False)
    return folder, make


def test_a_bit_of_everything_replays_bit_identical(whole):
    folder, make = whole
    result = replay(folder, make)
    assert result.same and result.first is None and result.compared and result.cut_short is None
    assert result.identical == result.frames > 60
    assert result.faults >= 2 and result.cancelled == 1
    assert set(result.streams) == {"painting", "other", "mask", "spoken", "hands", "draw"}
    assert json.dumps(result.as_dict())


def test_with_the_expected_outputs_deleted_the_same_are_computed_again(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    before = (folder / "expected.jsonl").read_text()
    (folder / "expected.jsonl").unlink()
    result = replay(folder, whole[1])
    assert not result.compared and result.same
    assert "".join(line_of(e) + "\n" for e in result.expected) == before


def test_with_the_expected_outputs_deleted_another_piece_is_still_found_out(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "expected.jsonl").unlink()

    def make():
        graph = whole[1]()
        graph.nodes["painting"].model = Dimmer()
        return graph

    result = replay(folder, make)
    assert not result.same and "seal" in result.first


class Dimmer(Invert):
    """The negative, with one weight altered by one level at one place."""

    def __call__(self, image):
        painted = super().__call__(image)
        if image[0, 0, 1] >= 11:
            painted[2, 3, 1] ^= 1
        return painted


def test_one_weight_altered_is_found_at_the_first_frame_that_differs(whole):
    def make():
        graph = whole[1]()
        graph.nodes["painting"].model = Dimmer()
        return graph

    result = replay(whole[0], make)
    assert not result.same
    fired = [e["i"][0][1] for _, e in Tape(whole[0]).events() if e["e"] == "fire" and e["n"] == "painting"]
    number = next(n for n, camera in enumerate(fired) if camera >= 11)
    assert result.first == f"painting frame {number} (t = {fired[number] / 30:.3f} s) differs"


def test_another_seed_is_found(whole):
    folder, make = whole

    class Other(Again):
        def build(self, tape, start):
            start["seed"] = 8
            return make()

    result = Replay(Tape(folder), Other(make)).run()
    assert not result.same and result.first.startswith("mask frame 0 (t = 0.000 s)")


def test_another_wiring_is_refused(whole):
    def make():
        piece = Piece()
        piece.source("camera")
        piece.draw(lambda camera: camera)
        return piece.build(Parts())

    with pytest.raises(TapeFault, match="wired otherwise"):
        replay(whole[0], make)


# -- altered ---------------------------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def attempt(folder: Path, make) -> str | None:
    """What is found wrong with a tape, as a sentence; None where nothing is."""
    try:
        result = replay(folder, make)
    except Fault as fault:
        assert fault.what and not fault.what.startswith("Traceback")
        return fault.what
    return result.first


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


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


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


# -- cut short -------------------------------------------------------------------------------------------------------


def test_a_tape_torn_at_any_byte_replays_what_is_whole(whole, tmp_path):
    """As kill -9 leaves it (no seal), and as a power cut may: each file loses an end of its own."""
    rng = random.Random(4)
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "seal.json").unlink()
    names = ["events.jsonl", "inputs.jsonl", "expected.jsonl", "inputs/camera.bin", "inputs/words.bin"]
    blobs = {name: (folder / name).read_bytes() for name in names}
    start = blobs["events.jsonl"].index(b"\n") + 1
    frames = []
    for _ in range(150):
        for name in names:
            torn = rng.random() < 0.5
            low = start if name == "events.jsonl" else 0
            tail = rng.choice([b"", b"", b"\0" * 40, b'{"e":' if name.endswith("l") else b""])
            (folder / name).write_bytes(
                blobs[name][: rng.randrange(low, len(blobs[name]))] + tail if torn else blobs[name]
            )
        result = replay(folder, whole[1])
        assert result.same, result.first
        assert result.cut_short and "never closed" in result.cut_short
        assert result.identical + result.uncompared == result.frames
        frames.append(result.frames)
    assert max(frames) > 50 and min(frames) < 10


def test_rubbish_in_the_middle_of_a_tape_is_no_power_cut(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    (folder / "seal.json").unlink()
    text = lines(folder / "events.jsonl")
    text[20] = text[20][:-5] + "\n"
    (folder / "events.jsonl").write_text("".join(text))
    with pytest.raises(TapeFault, match="line 21"):
        replay(folder, whole[1])


@pytest.mark.parametrize("lost", ["events.jsonl", "inputs.jsonl", "tape.json", "inputs/camera.bin", "piece"])
def test_a_lost_file_is_a_sentence(whole, tmp_path, lost):
    folder = shutil.copytree(whole[0], tmp_path / "t")
    path = next((folder / "piece").iterdir()) if lost == "piece" else folder / lost
    path.unlink()
    if lost == "piece":
        assert replay(folder, whole[1]).same, "this hand needs no text; that its hash is gone is the seal's to say"
    else:
        assert attempt(folder, whole[1]) is not None


def test_no_tape_is_a_sentence(tmp_path):
    for make in (lambda p: None, lambda p: p.mkdir(), lambda p: p.write_text("x")):
        shutil.rmtree(tmp_path / "t", ignore_errors=True)
        make(tmp_path / "t")
        with pytest.raises(TapeFault, match="no tape"):
            Tape(tmp_path / "t")
    (tmp_path / "t").unlink()
    (tmp_path / "t").mkdir()
    for text in ("", "[]", "{}", '{"format": "pleinair-tape", "version": 99}', "\xff", '{"format": "pleinair-tape"'):
        (tmp_path / "t" / "tape.json").write_text(text, "latin-1")
        with pytest.raises(TapeFault):
            Tape(tmp_path / "t")


KILLED = """
import sys, os, signal, threading
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.run.test_tape import everything
from tests.run.parts import Log
from pleinair.run.live import LiveRunner
from pleinair.run.tape import Recorder
make = everything()
log = Log()
recorder = Recorder(Path({folder!r}), files={{"piece.py": "# nothing"}})
runner = LiveRunner(make(), observers=[recorder, log])
runner.start()
log.until("frame", "draw", {frames})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_recording_killed_in_the_middle_replays_up_to_there(tmp_path):
    root = str(Path(__file__).parents[2])
    script = KILLED.format(root=root, folder=str(tmp_path / "t"), frames=3)
    done = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    result = replay(tmp_path / "t", everything())
    assert result.same and result.cut_short and result.streams["painting"] >= 1


# -- the disk --------------------------------------------------------------------------------------------------------


def test_a_full_disk_ends_the_recording_and_not_the_show(tmp_path):
    """The limit of a file's size stands for a full disk: the system refuses the write in the same way."""
    script = f"""
import sys, resource, signal
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
from tests.run.test_tape import everything
from tests.run.parts import Log, Clip, Parts
from pleinair import Piece
from pleinair.run.live import LiveRunner
from pleinair.run.tape import Recorder
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
log = Log()
recorder = Recorder(Path({str(tmp_path / "t")!r}), files={{"piece.py": "# nothing"}})
runner = LiveRunner(everything()(), observers=[recorder, log])
runner.start()
faults = log.until("fault", "Recorder")
before = len(log.frames("camera"))
log.until("frame", "camera", min(20, before + 5))
runner.stop()
recorder.close()
print(faults[0][2], recorder.given_up is not None, len(faults))
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the recording ended: File too large" in done.stdout and "the show goes on" in done.stdout
    assert done.stdout.strip().endswith("True 1"), "told once"
    result = replay(tmp_path / "t", everything())
    assert result.same and result.cut_short and result.frames > 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_a_sentence(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(TapeFault, match="no tape can be written"):
        Recorder(tmp_path / "closed" / "t")


def test_a_place_where_no_folder_can_be_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for where in (tmp_path / "file", tmp_path / "file" / "t"):
        with pytest.raises(TapeFault):
            Recorder(where)


def test_a_tape_is_never_written_over(whole):
    with pytest.raises(TapeFault, match="something already"):
        Recorder(whole[0])


def test_a_slow_disk_ends_the_recording_before_the_memory_is_full(tmp_path, monkeypatch):
    from pleinair.run import record as module

    monkeypatch.setattr(module, "PENDING_BYTES", 2000)
    recorder = Recorder(tmp_path / "t")
    log = Log()
    held = threading.Event()
    write = recorder._write

    def slow(*args):
        held.wait(20)
        write(*args)

    recorder._write = slow
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    runner = LiveRunner(piece.build(Parts(camera=Clip(200, rate=2000))), observers=[recorder, log])
    runner.start()
    fault = log.until("fault", "Recorder")[0][2]
    assert "too slow" in fault.what
    log.until("frame", "camera", 200)
    held.set()
    runner.stop()
    recorder.close()
    assert replay(tmp_path / "t", lambda: piece.build(Parts())).cut_short


def test_what_cannot_be_written_ends_the_recording_and_not_its_thread_in_silence(tmp_path):
    recorder = Recorder(tmp_path / "t")
    log = Log()
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    camera = Hand()
    runner = LiveRunner(piece.build(Parts(camera=camera)), observers=[recorder, log])
    runner.start()
    camera.give(Capture(picture(0), raw=Raw("jpeg", None)))  # a source that breaks its promise
    log.until("frame", "draw")
    for n in range(1, 200):
        camera.give(picture(n))
        log.until("frame", "camera", n + 1)
        if log.of("fault"):
            break
    assert "Recorder" in [e[1] for e in log.of("fault")]
    runner.stop()
    recorder.close()
    assert not (tmp_path / "t" / "seal.json").exists(), "a tape that has a hole is not sealed as whole"


# -- inputs of every kind, as they arrived ---------------------------------------------------------------------------


def i420(image: np.ndarray) -> Raw:
    height, width = image.shape[:2]
    planes = [image[..., 1].tobytes(), *(bytes([128]) * (((width + 1) // 2) * ((height + 1) // 2)) for _ in "uv")]
    return Raw("i420", b"".join(planes), {"width": width, "height": height, "matrix": "bt709"})


class Arrives(Source):
    """A device whose pictures arrive encoded; what is published is what the codec makes of them."""

    paced = True

    def __init__(self, raws):
        from pleinair.core.codec import decode

        self._captures = [Capture(decode(raw), t_ns=n * 33_000_000, raw=raw) for n, raw in enumerate(raws)]

    def __iter__(self):
        yield from self._captures


@pytest.mark.parametrize("codec", ["jpeg", "i420", "qoi", "nv12", "rgbx"])
def test_what_arrived_encoded_is_kept_as_it_arrived_and_proved(tmp_path, codec):
    pictures = [np.random.default_rng(n).integers(0, 256, (16, 24, 3), np.uint8) for n in range(6)]
    make_raw = {
        "jpeg": lambda p: Raw("jpeg", encode_jpeg(p)), "i420": i420, "qoi": lambda p: encode(Image, p),
        "nv12": lambda p: Raw("nv12", i420(p).blob, {"width": 24, "height": 16}),
        "rgbx": lambda p: Raw("rgbx", np.dstack([p, p[..., :1]]).tobytes(), {"width": 24, "height": 16}),
    }[codec]  # fmt: skip
    raws = [make_raw(p) for p in pictures]
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera, previous: camera // 2 + previous // 2)
    record(tmp_path / "t", piece.build(Parts(camera=Arrives(raws))))
    assert (tmp_path / "t" / "inputs" / "camera.bin").read_bytes() == b"".join(r.blob for r in raws)
    result = replay(tmp_path / "t", lambda: piece.build(Parts()))
    assert result.same and result.frames == 6


@pytest.mark.parametrize("kind, items", [
    (Audio, [Sound(np.linspace(-1, 1, 64, dtype=np.float32), 8000), Sound(np.zeros((32, 2), np.float32), 44_100)]),
    (Text, [Text("hör", final=False), Text("hört")]),
    (Landmarks, [[], [Figure([[0.1, 0.2, 0.3]], ["tip"], 0.5, smile=0.25)]]),
    (Boxes, [[Box(0, 0, 0.5, 0.5, "cat", 0.75)], []]),
    (Vector, [[1, 2], [0.1, 3e-9]]),
    (Event, [{"a": [1, (2,), None]}, "bell"]),
    (Control, [0.1, 1 / 3]),
    (Mask, [np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)] * 2),
    (Image, [picture(1), picture(2)]),
])  # fmt: skip
def test_inputs_of_every_kind_are_kept_and_proved(tmp_path, kind, items):
    piece = Piece()
    piece.source("a")
    piece.source("b")

    @piece.draw
    def draw(a, b) -> Event:
        return [repr(a), repr(b), a.final if kind is Text else [repr(f.points) for f in a] if kind is Landmarks else 0]

    def make():
        a = Clip(items=[(n / 10, item) for n, item in enumerate(items)], kind=kind)
        b = Clip(items=[(n / 10 + 0.01, item) for n, item in enumerate(reversed(items))], kind=kind)
        return piece.build(Parts(a=a, b=b))

    log = Log()
    recorder = Recorder(tmp_path / "t")
    OfflineRunner(make(), observers=[recorder, log]).run()
    recorder.close()
    result = replay(tmp_path / "t", make)
    assert result.same and result.frames == len(log.frames("draw")) >= 1


def test_pictures_of_a_device_and_of_a_page_arrive_encoded_in_a_live_run_and_are_proved(tmp_path):
    from pleinair.core.codec import decode

    raws = [
        Raw("jpeg", encode_jpeg(np.random.default_rng(n).integers(0, 256, (16, 24, 3), np.uint8))) for n in range(8)
    ]
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera, previous, dt: camera // 2 + previous // 2 + np.uint8(dt > 0))
    camera, log, recorder = Hand(), Log(), Recorder(tmp_path / "t")
    runner = LiveRunner(piece.build(Parts(camera=camera)), observers=[recorder, log], strict=True)
    runner.start()
    for n, raw in enumerate(raws):
        if n % 2:
            camera.give(Capture(decode(raw), machine_ns=time.monotonic_ns(), raw=raw))
        else:
            runner.push("camera", decode(raw), machine_ns=time.monotonic_ns(), raw=raw)
            runner._streams["camera"]._muted_until_ns = 0  # the device is not silenced here
        log.until("done", "draw", n + 1)
    runner.stop()
    recorder.close()
    assert (tmp_path / "t" / "inputs" / "camera.bin").read_bytes() == b"".join(r.blob for r in raws)
    result = replay(tmp_path / "t", lambda: piece.build(Parts(camera=Hand())))
    assert result.same and result.frames == 8


# -- cutting ---------------------------------------------------------------------------------------------------------


def faces():
    """A camera that must not be on the tape, and streams made of it."""
    piece = Piece()
    piece.source("camera")
    piece.source("tick")
    piece.knob("glow", 0.5)

    @piece.node
    def hands(camera) -> Landmarks:
        return [Figure([[number_of(camera) / 100, 0.5]], ["tip"], 1)]

    @piece.node
    def shadow(camera) -> Mask:
        return (camera[..., 0] > 3).astype(np.float32)

    piece.model("painting", reads="camera")

    @piece.draw(size=(8, 6))
    def light(tick, hands, previous, glow, rng) -> Mask:
        return np.clip(previous * 0.9 + hands.tip.x * glow + rng.random((6, 8), np.float32) * 0.1, 0, 1).astype(
            np.float32
        )

    @piece.draw(screen="left")
    def ghost(camera, hands):
        return camera

    @piece.draw(screen="right")
    def echo(ghost):
        return ghost

    @piece.node
    def free(tick) -> Control:
        return tick * 2

    @piece.draw(screen="wall")
    def painted(painting, shadow, glow):
        return (painting * shadow[..., None] * glow).astype(np.uint8)

    def make():
        secret = [(n / 30, np.random.default_rng(n).integers(0, 256, (6, 8, 3), np.uint8)) for n in range(30)]
        for n, (_, image) in enumerate(secret):
            image[0, 0] = 0, n, 7
        ticks = Clip(items=[(n / 20 + 0.001, n / 20) for n in range(20)], kind=Control)
        return piece.build(Parts(camera=Clip(items=secret), tick=ticks), seed=3)

    return make


@pytest.mark.parametrize("streams, unproved", [
    (["hands"], {"camera", "shadow", "painting", "ghost", "echo", "painted"}),
    (["hands", "shadow"], {"camera", "painting", "ghost", "echo", "painted"}),
    (["hands", "shadow", "painting"], {"camera", "ghost", "echo"}),
    (["light"], {"camera", "tick", "hands", "shadow", "painting", "ghost", "echo", "free", "painted"}),
    (["camera"], set()),
    (["glow"], set()),
    (["ghost", "painted", "hands"], {"camera", "shadow", "painting"}),
])  # fmt: skip
def test_a_tape_can_be_cut_at_any_stream(tmp_path, streams, unproved):
    make = faces()
    record(tmp_path / "t", make(), costs={"painting": 0.05})
    result, gone = cut(Tape(tmp_path / "t"), streams, tmp_path / "cut", Again(make))
    assert result.same and set(gone) == unproved
    again = replay(tmp_path / "cut", make)
    assert again.same and again.compared and set(again.unproved) == unproved and again.cut_short is None
    proved = set(make().nodes) - unproved - set(streams) - {"camera", "tick", "glow"}
    assert set(again.streams) == proved
    for name in proved:
        assert again.streams[name] == result.streams[name]


def test_no_byte_of_the_camera_is_in_the_cut_tape(tmp_path):
    make = faces()
    graph = make()
    pictures = [data for _, data in graph.nodes["camera"].source.items]
    record(tmp_path / "t", graph)
    cut(Tape(tmp_path / "t"), ["hands"], tmp_path / "cut", Again(make))
    kept = b"".join(p.read_bytes() for p in (tmp_path / "cut").rglob("*") if p.is_file())
    whole = b"".join(p.read_bytes() for p in (tmp_path / "t").rglob("*") if p.is_file())
    for image in pictures:
        blob, digest = encode(Image, image).blob, Image.digest(image)
        assert blob in whole and digest.encode() in whole
        assert blob not in kept and image.tobytes() not in kept and digest.encode() not in kept
    assert not (tmp_path / "cut" / "inputs" / "camera.bin").exists()


def test_a_cut_tape_is_sealed_and_an_altered_byte_of_it_is_found(tmp_path):
    make = faces()
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), ["hands", "shadow"], tmp_path / "cut", Again(make))
    for name in ("inputs/hands.bin", "inputs/shadow.bin", "inputs.jsonl", "events.jsonl", "expected.jsonl"):
        path = tmp_path / "cut" / name
        blob = path.read_bytes()
        for at in (len(blob) // 3, len(blob) // 2, len(blob) - 2):
            path.write_bytes(blob[:at] + bytes([blob[at] ^ 4]) + blob[at + 1 :])
            assert attempt(tmp_path / "cut", make) is not None, name
        path.write_bytes(blob)


def test_a_cut_tape_can_be_cut_again(tmp_path):
    make = faces()
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), ["hands", "shadow", "painting"], tmp_path / "one", Again(make))
    _, gone = cut(Tape(tmp_path / "one"), ["light"], tmp_path / "two", Again(make))
    again = replay(tmp_path / "two", make)
    assert again.same and "light" not in again.streams


def test_a_stream_that_does_not_exist_cannot_be_cut_at(tmp_path, whole):
    with pytest.raises(TapeFault, match="no stream") as caught:
        cut(Tape(whole[0]), ["hand"], tmp_path / "cut", Again(whole[1]))
    assert "hands" in caught.value.hint


# -- from the middle -------------------------------------------------------------------------------------------------


class Memory:
    """A node with a state of its own that nothing else shows."""

    def __init__(self):
        self.seen, self.canvas = 0, np.zeros((6, 8), np.float32)

    def reset(self):
        self.seen, self.canvas = 0, np.zeros((6, 8), np.float32)

    def __call__(self, camera):
        self.seen += 1
        self.canvas = (self.canvas * np.float32(0.9) + camera[..., 1] / np.float32(2560)).astype(np.float32)
        return np.clip(self.canvas + self.seen / 1000, 0, 1)

    def save(self):
        return {"seen": self.seen, "canvas": self.canvas, "more": [np.int64(1), None, "x", (1.5, True)]}

    def load(self, state):
        assert state["more"] == [1, None, "x", [1.5, True]]
        self.seen, self.canvas = state["seen"], state["canvas"].copy()


def remembers(memory=Memory):
    def make():
        piece = Piece()
        piece.source("camera")
        piece.source("words")
        piece.knob("k", 0.1)
        piece.node(memory(), name="memory", kind=Mask)
        piece.model("painting", reads="camera")

        @piece.node
        def spoken(words, previous) -> Text:
            for n in range(8):
                yield f"{previous}{n}"

        @piece.draw
        def draw(painting, camera: same, memory, previous, dt, t, k, rng, spoken):
            return (
                painting * k + memory[..., None] * 99 + previous // 2 + rng.integers(9) + dt * 100 + len(spoken)
            ).astype(np.uint8)

        words = Clip(items=[(0.1, "a"), (0.9, "b")], kind=Text)
        return piece.build(Parts(camera=Clip(60), words=words), seed=5)

    return make


@pytest.mark.parametrize("from_s", [0.05, 0.31, 0.5, 1.0, 1.37, 1.9])
def test_a_tape_can_begin_in_the_middle_of_a_run(tmp_path, from_s):
    make = remembers()
    record(tmp_path / "t", make(), costs={"painting": 0.05, "spoken": 0.12, "draw": 0.02}, knobs=[(0.3, "k", 0.7)])
    result, gone = cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=from_s)
    assert result.same and not gone
    again = replay(tmp_path / "cut", make)
    assert again.same, again.first
    whole_draws = result.streams["draw"]
    assert 0 < again.streams["draw"] < whole_draws
    events = [e for _, e in Tape(tmp_path / "cut").events()]
    assert all(e["t"] >= from_s * 1e9 - 300e6 for e in events if e["e"] in ("in", "emit") and e["s"] == "camera")


def test_what_a_function_remembers_in_an_object_beside_it_is_kept_too(tmp_path):
    def make():
        memory = Memory()
        piece = Piece()
        piece.source("camera")

        @piece.draw
        def draw(camera) -> Mask:
            return memory(camera)

        return piece.build(Parts(camera=Clip(40)))

    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=0.5)
    result = replay(tmp_path / "cut", make)
    assert result.same and result.streams["draw"] == 25


def test_a_node_that_cannot_say_what_it_remembers_is_found_out_by_the_proof(tmp_path):
    class Forgets(Memory):
        save = load = None

    make = remembers(Forgets)
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=1.0)
    result = replay(tmp_path / "cut", make)
    assert not result.same and result.first.startswith("memory frame")


def test_a_state_that_a_tape_cannot_keep_is_refused(tmp_path):
    class Odd(Memory):
        def save(self):
            return {"file": open(os.devnull)}

    make = remembers(Odd)
    record(tmp_path / "t", make())
    with pytest.raises(TapeFault, match="cannot keep"):
        cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=1.0)


def test_a_tape_that_ends_before_cannot_begin_there(tmp_path, whole):
    with pytest.raises(TapeFault, match="ends before"):
        cut(Tape(whole[0]), [], tmp_path / "cut", Again(whole[1]), from_s=100)


def test_a_cut_in_the_middle_and_at_a_stream(tmp_path):
    make = faces()
    record(tmp_path / "t", make(), costs={"painting": 0.05, "light": 0.04})
    _, gone = cut(Tape(tmp_path / "t"), ["hands"], tmp_path / "cut", Again(make), from_s=0.4)
    again = replay(tmp_path / "cut", make)
    assert again.same and set(again.unproved) == set(gone) and again.streams["light"] > 3
    assert not (tmp_path / "cut" / "inputs" / "camera.bin").exists()


# -- memory, changes, backing off ------------------------------------------------------------------------------------


def test_a_replay_holds_a_handful_of_frames_however_long_the_tape_is(tmp_path):
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads="camera")
    piece.draw(lambda painting, camera, previous: painting // 2 + previous // 2)
    make = lambda: piece.build(Parts(camera=Clip(600)))  # noqa: E731
    record(tmp_path / "t", make(), costs={"painting": 0.05})
    most = []
    played = Replay(Tape(tmp_path / "t"), Again(make), after=lambda *a: most.append(len(played.frames)))
    assert played.run().same
    assert max(most) <= 8


def test_changes_are_made_again_in_their_place(tmp_path):
    class Times(Invert):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def __call__(self, image):
            return image * self.factor

    def make():
        piece = Piece()
        piece.source("camera")
        piece.model("painting", reads="camera")
        piece.draw(lambda painting: painting)
        return piece.build(Parts(camera=make.camera, painting=Times(1)))

    make.camera = Hand()
    log, recorder = Log(), Recorder(tmp_path / "t")
    runner = LiveRunner(make(), observers=[recorder, log], strict=True)
    runner.start()
    for n in range(12):
        if n % 4 == 2:
            fresh = Times(n)
            node = runner.graph.nodes["painting"]
            done = runner.change("painting", "swap", {"factor": n}, lambda: node.swap(fresh).close())  # noqa: B023
            assert done.wait(5)
        make.camera.give(picture(n))
        log.until("frame", "draw", n + 1)
    runner.stop()
    recorder.close()

    def change(graph, node, what, detail):
        graph.nodes[node].swap(Times(detail["factor"]))

    result = replay(tmp_path / "t", make, change)
    assert result.same and result.changes == 3 and result.frames == 24
    assert not replay(tmp_path / "t", make).same, "without the change it differs"


def test_the_pauses_after_a_fault_come_from_the_tape(tmp_path):
    """In the live run a failing node was left alone for a second; the replay fires exactly what was fired."""
    piece = Piece()
    piece.source("camera")

    @piece.draw
    def draw(camera):
        if number_of(camera) == 2:
            raise RuntimeError(f"at {object()}")
        return camera

    camera, log, recorder = Hand(), Log(), Recorder(tmp_path / "t")
    runner = LiveRunner(piece.build(Parts(camera=camera)), observers=[recorder, log])
    runner.start()
    for n in range(3):
        camera.give(picture(n))
        log.until("done", "draw", n + 1)
    for n in range(3, 9):
        camera.give(picture(n))
    log.until("frame", "camera", 9)
    runner.stop()
    recorder.close()
    result = replay(tmp_path / "t", lambda: piece.build(Parts()))
    assert result.same and result.faults == 1 and result.streams["draw"] == 2, "0x... in a sentence is no difference"


def test_a_fault_that_does_not_come_again_is_a_difference(tmp_path):
    def make(fails=True):
        piece = Piece()
        piece.source("camera")

        @piece.draw
        def draw(camera):
            if fails and number_of(camera) == 5:
                raise RuntimeError("only then")
            return camera

        return piece.build(Parts(camera=Clip(10)))

    record(tmp_path / "t", make(), strict=False)
    assert replay(tmp_path / "t", make).same
    result = replay(tmp_path / "t", lambda: make(False))
    assert not result.same and "only then" in result.first


def test_a_model_that_was_never_there_and_never_fired_is_not_needed(tmp_path):
    class Gone(Invert):
        def open(self):
            raise Fault("the weights are gone")

    piece = Piece()
    piece.source("camera")
    piece.source("other")
    piece.model("painting", reads="other")
    piece.draw(lambda camera: camera)
    make = lambda model: piece.build(Parts(camera=Clip(5), other=Clip(0), painting=model))  # noqa: E731
    record(tmp_path / "t", make(Invert()))
    assert replay(tmp_path / "t", lambda: make(Gone())).same


def test_limits_of_this_process_are_as_they_were():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
