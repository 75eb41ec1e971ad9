"""A recording: the disk under it, and inputs of every kind as they arrived."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pleinair import Box, Control, Figure, Mask, Piece, Sound, Text
from pleinair.core.codec import encode, encode_jpeg
from pleinair.core.errors import TapeFault
from pleinair.core.kinds import Audio, Boxes, Event, Image, Landmarks, Vector
from pleinair.core.source import Capture, Raw, Source
from pleinair.run.live import LiveRunner
from pleinair.run.offline import OfflineRunner
from pleinair.run.tape import Recorder

from .parts import Clip, Hand, Log, Parts, picture
from .tapes import everything, record, replay


def test_a_full_disk_ends_the_recording_and_not_the_show(tmp_path):
    """The limit of a file's size stands for a full disk: the system refuses the write in the same way."""
    script = f"""
import sys, resource, signal
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
from tests.run.tapes import everything
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


def test_limits_of_this_process_are_as_they_were():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
