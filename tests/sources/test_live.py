"""Cameras and streams. There is no camera on a test machine: real MJPEG and MPEG-TS streams stand in for the device."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from pleinair.core.codec import decode, encode_jpeg
from pleinair.core.errors import DeviceFault
from pleinair.core.source import Capture, Raw
from pleinair.sources import webcam
from pleinair.sources._av import open_input
from pleinair.sources._live import Live, machine_time
from pleinair.sources.rtsp import Lateness, Rtsp, shown
from pleinair.sources.synthetic import Synthetic, read_number
from pleinair.sources.webcam import Webcam

from .clips import make_clip

LONG_S = 20


class Stand(Webcam):
    """The webcam with a container of our own in the device's place; everything after the opening is the real thing."""

    def __init__(self, *containers, **options) -> None:
        super().__init__(**options)
        self.containers = list(containers)

    def _open_container(self):
        if not self.containers:
            raise self._fault("there is no camera on this computer", "plug it in")
        return self.containers.pop(0)


class Pipe:
    """A container of packets that the test hands over one by one, as a camera does."""

    def __init__(self, pieces, then=None) -> None:
        self.streams = self
        self.video = [self]
        self.codec_context = self
        self.name = "mjpeg"
        self.closed = threading.Event()
        self.pieces, self.then = pieces, then

    def demux(self, stream):
        for piece in self.pieces:
            yield Packet(piece)
        if self.then is not None:
            self.then(self)

    def close(self):
        self.closed.set()


class Packet(bytes):
    pts = None
    time_base = None

    @property
    def size(self) -> int:
        return len(self)


def jpegs(*numbers: int, size=(128, 96)) -> list[bytes]:
    source = Synthetic("bars", size=size)
    return [encode_jpeg(source.picture(n)) for n in numbers]


def gone(pipe):
    raise OSError(19, "No such device")


def silent(pipe):
    pipe.closed.wait(0.5)  # ends by itself, so that no thread outlives the test for long


def test_a_real_mjpeg_stream_gives_its_packets_as_they_came(tmp_path):
    make_clip(tmp_path / "camera.avi", 12, codec="mjpeg", pix_fmt="yuvj420p", options={"qscale": "3"})
    with av.open(str(tmp_path / "camera.avi")) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    camera = Stand(av.open(str(tmp_path / "camera.avi")))
    items = list(camera._items(camera._open_container()))
    assert [item for item, _ in items] == packets
    for item, machine_ns in items:
        capture = camera._capture(item, machine_ns)
        assert capture.raw.codec == "jpeg" and np.array_equal(decode(capture.raw), capture.data)
    assert read_number(capture.data) == 11 and camera.describe()["size"] == [128, 96]


def test_raw_pixels_of_a_camera_without_jpeg(tmp_path):
    make_clip(tmp_path / "camera.nut", 3, codec="rawvideo", pix_fmt="yuyv422", options={})
    camera = Stand(av.open(str(tmp_path / "camera.nut")))
    captures = [camera._capture(*item) for item in camera._items(camera._open_container())]
    assert [read_number(c.data) for c in captures] == [0, 1, 2] and captures[0].raw is None
    assert camera.describe()["format"] == "yuyv422"


def test_only_the_newest_is_kept_and_the_rest_counted():
    read = threading.Event()
    camera = Stand(Pipe(jpegs(0, 1, 2, 3), then=lambda pipe: (read.set(), pipe.closed.wait(0.5))))
    camera.open()
    assert read.wait(LONG_S)
    capture = next(iter(camera))
    assert read_number(capture.data) == 3 and camera.replaced == 3
    camera.close()


def test_unplugged_is_a_fault_and_plugged_in_again_it_goes_on():
    camera = Stand(Pipe(jpegs(0), then=gone), Pipe(jpegs(7), then=silent))
    camera.open()
    captures = iter(camera)
    assert read_number(next(captures).data) == 0
    with pytest.raises(DeviceFault, match="No such device") as caught:
        next(captures)
    assert caught.value.where and caught.value.now and caught.value.hint
    camera.close()
    camera.open()
    assert read_number(next(iter(camera)).data) == 7
    camera.close()
    with pytest.raises(DeviceFault, match="no camera"):
        camera.open()


def test_frozen_is_a_fault():
    camera = Stand(Pipe(jpegs(0), then=silent))
    camera.patience_s = 0.05
    camera.open()
    captures = iter(camera)
    next(captures)
    with pytest.raises(DeviceFault, match="froze"):
        next(captures)
    camera.close()


def test_a_camera_that_never_gives_a_picture_is_a_fault():
    camera = Stand(Pipe([], then=silent))
    camera.opening_s = 0.05
    with pytest.raises(DeviceFault, match="gives no picture"):
        camera.open()


def test_another_size_in_the_middle_is_simply_another_size():
    step = threading.Semaphore(0)

    class Slow(Pipe):
        def demux(self, stream):
            for piece in self.pieces:
                yield Packet(piece)
                step.acquire(timeout=LONG_S)

    camera = Stand(Slow([*jpegs(0), *jpegs(1, size=(64, 48))]))
    camera.open()
    captures = iter(camera)
    assert next(captures).data.shape == (96, 128, 3)
    step.release()
    assert next(captures).data.shape == (48, 64, 3)
    step.release()
    camera.close()


def test_a_broken_jpeg_is_left_out_counted_and_told_once():
    good = jpegs(5)[0]
    handed = threading.Semaphore(0)

    class Slow(Pipe):
        def demux(self, stream):
            for piece in (good[: len(good) // 2], b"junk", good):
                yield Packet(piece)
                handed.acquire(timeout=LONG_S)

    camera = Stand(Slow([]))
    faults = []
    camera.tell = lambda fault: (faults.append(fault), handed.release())
    plain = camera._capture

    def capture(item, machine_ns):
        try:
            return plain(item, machine_ns)
        except ValueError:
            if faults:
                handed.release()  # the second one is told of no more
            raise

    camera._capture = capture
    camera.open()
    assert read_number(next(iter(camera)).data) == 5
    assert camera.rejected == 2 and len(faults) == 1
    handed.release()
    camera.close()


def test_interrupt_wakes_a_reader_that_waits_for_the_device():
    camera = Stand(Pipe(jpegs(0), then=silent))
    camera.open()
    captures = iter(camera)
    next(captures)
    waiting = threading.Thread(target=lambda: list(captures))
    waiting.start()
    camera.interrupt()
    waiting.join(LONG_S)
    assert not waiting.is_alive()
    camera.close()


def test_no_thread_is_left():
    before = threading.active_count()
    for _ in range(20):
        camera = Stand(Pipe(jpegs(0), then=lambda pipe: None))
        camera.open()
        camera.close()
    assert threading.active_count() == before


def test_kernel_time_is_taken_only_where_it_can_be_true():
    now = time.monotonic_ns()
    assert machine_time(now - 20_000_000) == now - 20_000_000
    for wrong in (None, now + 10**9, now - 10**12, time.time_ns()):
        assert abs(machine_time(wrong) - time.monotonic_ns()) < 10**9


def test_what_a_subclass_must_give():
    class Bare(Live):
        pass

    with pytest.raises(NotImplementedError):
        Bare()._capture(b"", 0)
    assert isinstance(Capture(1, raw=Raw("json", b"1")), Capture)


# ---- names ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def devices(tmp_path, monkeypatch) -> Path:
    """A /dev and a /sys with two cameras, of which each has a second node for its metadata."""
    dev, sys_ = tmp_path / "dev", tmp_path / "sys"
    (dev / "v4l" / "by-id").mkdir(parents=True)
    names = ("Eye: Integrated", "Eye: Integrated", "Logi C920", "Logi C920")
    for n, (name, index) in enumerate(zip(names, "0101", strict=True)):
        (dev / f"video{n}").touch()
        (sys_ / f"video{n}").mkdir(parents=True)
        (sys_ / f"video{n}" / "name").write_text(name + "\n")
        (sys_ / f"video{n}" / "index").write_text(index)
    (dev / "v4l" / "by-id" / "usb-046d_C920-video-index0").symlink_to("../../video2")
    monkeypatch.setattr(webcam, "_DEV", dev)
    monkeypatch.setattr(webcam, "_SYS", sys_)
    monkeypatch.setattr(webcam.sys, "platform", "linux")
    return dev


def test_cameras_have_names_that_stay(devices):
    cameras = webcam.list_cameras()
    assert [c["label"] for c in cameras] == ["Eye: Integrated", "Logi C920"]
    assert cameras[1]["name"] == "usb-046d_C920-video-index0"


@pytest.mark.parametrize("target, node", [
    ("", "video0"), ("c920", "video2"), ("usb-046d_C920-video-index0", "video2"), ("Logi C920", "video2"),
    ("2", "video2"),
])  # fmt: skip
def test_a_camera_is_found_by_name_label_or_number(devices, target, node):
    assert Path(Webcam(target)._device()).name == node


def test_a_camera_that_moved_to_another_number_is_found_again(devices):
    camera = Webcam("c920")
    link = devices / "v4l" / "by-id" / "usb-046d_C920-video-index0"
    link.unlink()
    link.symlink_to("../../video0")
    assert Path(camera._device()).name in ("video0", "video2")


def test_a_misspelt_camera_is_a_fault_with_the_names_there_are(devices):
    with pytest.raises(DeviceFault, match="no camera is called") as caught:
        Webcam("C290 Pro")._device()
    assert "C920" in caught.value.hint


def test_no_camera_at_all_says_what_else_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(webcam, "_SYS", tmp_path)
    monkeypatch.setattr(webcam, "_DEV", tmp_path)
    monkeypatch.setattr(webcam.sys, "platform", "linux")
    with pytest.raises(DeviceFault, match="no camera on this computer") as caught:
        Webcam().open()
    assert "file:" in caught.value.hint and "browser" in caught.value.hint
    with pytest.raises(DeviceFault):
        Webcam(str(tmp_path / "video9")).open()


@pytest.mark.parametrize("options", [{"size": (0, 1)}, {"size": "x"}, {"rate": 0}, {"rate": "fast"}])
def test_bad_wishes_are_faults(options):
    with pytest.raises(DeviceFault):
        Webcam(**options)


# ---- streams -------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def send():
    """Starts a sender; it is gone after the test."""
    running: list[subprocess.Popen] = []

    def start(url: str, form: str, count: int) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.sources.send", url, form, str(count)]
        running.append(subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_stream_over_tcp_comes_in_order_and_its_end_is_a_fault(send):
    port = free_port()
    sender = send(f"tcp://127.0.0.1:{port}?listen=1", "mpegts", 80)
    stream = Rtsp(f"tcp://127.0.0.1:{port}", size=(64, 48))
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        try:
            stream.open()
            break
        except DeviceFault:
            assert sender.poll() is None
            threading.Event().wait(0.05)
    seen = []
    with pytest.raises(DeviceFault, match="stopped"):
        for capture in stream:
            seen.append(read_number(capture.data))
            assert capture.data.shape == (48, 64, 3) and abs(time.monotonic_ns() - capture.machine_ns) < 2e9
    stream.close()
    known = [n for n in seen if n is not None]
    assert len(known) > 10 and known == sorted(set(known)) and known[-1] == 79


def test_rtsp_itself(send):
    """FFmpeg's RTSP demuxer, asked to listen, and a real push over RTSP interleaved in TCP."""
    url = f"rtsp://127.0.0.1:{free_port()}/live"
    stream = Rtsp(url)
    stream._options = {"rtsp_flags": "listen", "listen_timeout": "10"}
    send(url, "rtsp", 200)
    try:
        stream.open()
        seen = [read_number(c.data) for c in itertools.islice(stream, 20)]
    finally:
        stream.close()
    known = [n for n in seen if n is not None]
    assert len(known) >= 10 and known == sorted(set(known))


def test_nobody_there_is_a_fault_at_once():
    stream = Rtsp(f"tcp://someone:secret@127.0.0.1:{free_port()}")
    begun = time.monotonic()
    with pytest.raises(DeviceFault) as caught:
        stream.open()
    assert time.monotonic() - begun < 5
    assert "secret" not in str(caught.value) and "secret" not in str(stream.describe())


@pytest.mark.parametrize("target", ["", "file:///etc/passwd", "concat:a|b", "/dev/video0", "gopher://x"])
def test_only_addresses_of_streams(target):
    with pytest.raises(DeviceFault, match="no address"):
        Rtsp(target)


def test_a_password_is_shown_nowhere():
    assert shown("rtsp://me:pw@cam/1?a=b@c") == "rtsp://cam/1?a=b@c"


def test_lateness_is_measured_although_clocks_drift():
    late = Lateness()
    for n in range(100_000):  # a camera whose clock is 100 parts in a million slow
        now = n * 33_333_333
        assert late.of(int(now * (1 - 1e-4)), now) < 50_000_000
    assert late.of(int(now * (1 - 1e-4)), now + 2_000_000_000) > 1_900_000_000
    assert late.of(0, now + 10**12) == 0, "a clock that was set anew begins again"


def test_open_input_takes_a_demuxers_options(tmp_path):
    make_clip(tmp_path / "a.mkv", 2)
    with open_input(str(tmp_path / "a.mkv"), probesize=100_000, timeout_s=5) as container:
        assert container.streams.video
