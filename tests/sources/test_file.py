"""The file source: plays anything, loops without a seam, says what is wrong in four parts, recalls to the bit."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from pleinair.core.errors import DeviceFault
from pleinair.sources.file import File
from pleinair.sources.synthetic import Synthetic, read_number

from .clips import make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make_clip(path)
    return path


def take(source: File, count: int) -> list:
    source.open()
    try:
        return list(islice(source, count))
    finally:
        source.close()


def numbers(captures: list) -> list[int | None]:
    return [read_number(c.data) for c in captures]


def test_pictures_come_in_order_and_look_like_what_went_in(clip):
    captures = take(File(str(clip)), 20)
    assert numbers(captures) == list(range(20))
    expected = Synthetic("bars", size=(128, 96)).picture(7)
    error = np.mean((captures[7].data.astype(float) - expected) ** 2)
    assert 10 * np.log10(255**2 / error) > 28, "colours or geometry are off"


def test_loops_without_gap_or_jump(clip):
    captures = take(File(str(clip)), 50)
    assert numbers(captures) == [n % 20 for n in range(50)]
    assert {b.t_ns - a.t_ns for a, b in zip(captures[:-1], captures[1:], strict=True)} == {40_000_000}
    assert captures[0].t_ns == 0


def test_without_loop_it_ends(clip):
    assert len(take(File(str(clip), loop=False), 99)) == 20


def test_variable_frame_rate_survives_and_the_last_frame_lasts_its_own_time(tmp_path):
    path = tmp_path / "vfr.mkv"
    stamps = [0, 100, 150, 400, 1000]
    make_clip(path, 5, pts=stamps, options={"bf": "0"})
    times = [c.t_ns // 1_000_000 for c in take(File(str(path)), 10)]
    assert times[:5] == [0, 40, 60, 160, 400]
    seam = times[5] - times[4]
    assert 20 <= seam <= 60
    assert [t - times[5] for t in times[5:]] == times[:5]


@pytest.mark.parametrize("name, codec, pix_fmt, options", [
    ("a.avi", "mjpeg", "yuvj420p", {}),
    ("a.mkv", "ffv1", "yuv444p", {}),
    ("a.gif", "gif", "rgb8", {}),
    ("a.webm", "libvpx-vp9", "yuv420p", {"crf": "20", "cpu-used": "8"}),
    ("a.ts", "libx264", "yuv420p", {"g": "5"}),
    ("a.mov", "libx264", "yuv422p10le", {"crf": "10"}),
])  # fmt: skip
def test_containers_and_codecs(tmp_path, name, codec, pix_fmt, options):
    make_clip(tmp_path / name, 12, codec=codec, pix_fmt=pix_fmt, options=options)
    assert numbers(take(File(str(tmp_path / name)), 24)) == [*range(12), *range(12)]


def test_elementary_stream_without_time_stamps_keeps_a_steady_pace(tmp_path):
    make_clip(tmp_path / "a.h264", 12, options={"bf": "0"})
    captures = take(File(str(tmp_path / "a.h264")), 20)
    steps = np.diff([c.t_ns for c in captures])
    assert (steps > 0).all() and len(set(steps.tolist())) == 1


def test_recall_gives_the_same_pixels_forward_over_loops_and_back(clip):
    live = take(File(str(clip), size=(64, 48)), 70)
    again = File(str(clip), size=(64, 48))
    for n in (0, 1, 5, 19, 20, 21, 39, 66, 69, 3, 41):
        assert np.array_equal(again.recall(live[n].raw.note), live[n].data), n
    again.close()


def test_recall_of_a_picture_that_is_not_there_is_a_fault(clip):
    with pytest.raises(DeviceFault, match="no picture number 400"):
        File(str(clip), loop=False).recall({"index": 400})


def test_pixels_do_not_depend_on_threads(clip, monkeypatch):
    def run(threads: int) -> list[bytes]:
        import pleinair.sources._clip as module

        plain = module.open_clip

        def opened(target: str):
            container = plain(target)
            stream = container.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = ("AUTO" if threads > 1 else "NONE"), threads
            return container

        monkeypatch.setattr(module, "open_clip", opened)
        cv2.setNumThreads(threads)
        try:
            return [c.data.tobytes() for c in take(File(str(clip), size=(200, 152)), 30)]
        finally:
            monkeypatch.undo()
            cv2.setNumThreads(1)

    assert run(1) == run(4)


def test_size_covers_without_squashing(clip):
    captures = take(File(str(clip), size=(96, 96)), 1)
    assert captures[0].data.shape == (96, 96, 3)
    full = take(File(str(clip)), 1)[0].data
    inner = captures[0].data[:, 1:-1]  # at the cut itself colour is interpolated from one side
    assert np.array_equal(inner, full[:, 17:111]), "the middle, pixel for pixel"


def test_contain_leaves_bars(clip):
    data = take(File(str(clip), size=(128, 128), fit="contain"), 1)[0].data
    assert not data[:16].any() and not data[-16:].any() and data[20:100].any()


def test_a_still_is_published_again_and_again(tmp_path):
    picture = Synthetic("room", size=(101, 67)).picture(3)
    cv2.imwrite(str(tmp_path / "still.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    captures = take(File(str(tmp_path / "still.png")), 4)
    assert np.array_equal(captures[0].data, picture) and captures[3].data is captures[0].data
    assert [round(c.t_ns / 1e6) for c in captures] == [0, 33, 67, 100]
    assert np.array_equal(File(str(tmp_path / "still.png")).recall({"index": 3}), picture)
    assert len(take(File(str(tmp_path / "still.png"), loop=False), 4)) == 1


def test_transparent_stills_lie_on_black(tmp_path):
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 2] = 255
    rgba[4:, :, 3] = 255
    cv2.imwrite(str(tmp_path / "a.png"), rgba)
    data = take(File(str(tmp_path / "a.png")), 1)[0].data
    assert not data[:4].any() and (data[4:] == (255, 0, 0)).all()


@pytest.mark.parametrize("turn, corner", [(90, (0, 1)), (180, (1, 1)), (270, (1, 0))])
def test_turned_by_its_metadata(tmp_path, turn, corner):
    """A telephone writes pictures as its sensor lies, and a matrix that says how to hold them."""
    marked = np.zeros((64, 96, 3), np.uint8)
    marked[:16, :16] = 255  # top left, as filmed
    cv2.imwrite(str(tmp_path / "m.png"), marked)
    flat, held = tmp_path / "flat.mp4", tmp_path / "held.mp4"
    tool = ["ffmpeg", "-v", "error", "-y"]
    try:
        subprocess.run(
            [*tool, "-loop", "1", "-i", tmp_path / "m.png", "-frames:v", "3", "-pix_fmt", "yuv420p", flat], check=True
        )
        subprocess.run([*tool, "-i", flat, "-c", "copy", "-metadata:s:v", f"rotate={360 - turn}", held], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the ffmpeg program to write a display matrix")
    probe = subprocess.run(["ffprobe", "-v", "error", "-show_streams", held], capture_output=True, text=True).stdout
    if "rotation" not in probe:
        pytest.skip("this ffmpeg writes no display matrix")
    shown = subprocess.run(
        [*tool, "-i", held, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"], capture_output=True, check=True
    ).stdout
    expected = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR)
    data = take(File(str(held)), 1)[0].data
    assert data.shape == expected.shape
    assert np.abs(data.astype(int) - expected).mean() < 3, "upright as ffmpeg's own player shows it"


def test_odd_sizes(tmp_path):
    make_clip(tmp_path / "odd.mkv", 4, size=(97, 65), codec="ffv1", options={})
    data = take(File(str(tmp_path / "odd.mkv")), 1)[0].data
    assert data.shape == (65, 97, 3) and read_number(data) == 0


@pytest.mark.parametrize("rate, step", [(10, 100), (100, 10)])
def test_rate_retimes(clip, rate, step):
    assert [c.t_ns for c in take(File(str(clip), rate=rate), 25)] == [n * step * 1_000_000 for n in range(25)]


def test_rate_zero_is_not_paced(clip):
    source = File(str(clip), rate=0)
    assert not source.paced and take(source, 3)[2].t_ns is None


# ---- bad files -----------------------------------------------------------------------------------------------------


def told(source: File) -> list:
    faults: list = []
    source.tell = faults.append
    return faults


def test_a_clip_cut_in_half_plays_what_there_is_and_says_so_once(tmp_path):
    whole = tmp_path / "whole.mp4"
    make_clip(whole, 40, size=(320, 240), scene="noise", options={"g": "10", "crf": "20"})
    half = tmp_path / "half.mp4"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = File(str(half))
    faults = told(source)
    captures = take(source, 90)
    assert len(captures) == 90
    first = numbers(captures).index(0, 1)
    assert 10 < first < 30 and numbers(captures)[:first] == list(range(first))
    assert len(faults) == 1 and "cut short" in faults[0].what and faults[0].now and faults[0].hint
    again = File(str(half))
    assert np.array_equal(again.recall({"index": 60}), captures[60].data)


@pytest.mark.parametrize("name, content, words", [
    ("none.mp4", None, "no file"),
    ("empty.mp4", b"", "empty"),
    ("text.mp4", b"this is only a text\n" * 200, "cannot be read"),
    ("junk.mp4", bytes(range(256)) * 64, "cannot be read"),
    ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "cannot be read"),
    ("concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "cannot be read"),
])  # fmt: skip
def test_bad_files_are_a_fault_in_four_parts(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceFault, match=words) as caught:
        File(str(path)).open()
    fault = caught.value
    assert fault.what and fault.where and fault.now and fault.hint
    File(str(path)).describe()


def test_no_target_a_folder_and_sound_only_are_faults(tmp_path):
    for target in ("", str(tmp_path)):
        with pytest.raises(DeviceFault):
            File(target).open()


def test_an_index_that_was_never_written_is_a_fault(tmp_path):
    whole = tmp_path / "whole.mp4"
    make_clip(whole, fast_start=False)
    (tmp_path / "half.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DeviceFault, match="cannot be read"):
        File(str(tmp_path / "half.mp4")).open()


def test_a_damaged_middle_is_left_out_and_is_the_same_each_time(tmp_path):
    whole = tmp_path / "whole.ts"
    make_clip(whole, 40, size=(320, 240), scene="noise", options={"g": "10", "crf": "20"})
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 6000] = bytes(6000)
    (tmp_path / "bad.ts").write_bytes(data)
    one, two = (take(File(str(tmp_path / "bad.ts"), loop=False), 99) for _ in range(2))
    assert len(one) > 10 and [c.data.tobytes() for c in one] == [c.data.tobytes() for c in two]
    assert all(b.t_ns > a.t_ns for a, b in zip(one[:-1], one[1:], strict=True))


def test_replaced_while_playing_is_a_fault_so_that_it_is_opened_anew(clip, tmp_path):
    path = tmp_path / "c.mp4"
    path.write_bytes(clip.read_bytes())
    source = File(str(path))
    source.open()
    captures = iter(source)
    list(islice(captures, 5))
    make_clip(path, 9)
    with pytest.raises(DeviceFault, match="changed"):
        list(islice(captures, 100))


@pytest.mark.parametrize(
    "options", [{"size": "big"}, {"size": (0, 4)}, {"size": (1, 10**6)}, {"rate": "x"}, {"rate": -1}, {"fit": "b"}]
)
def test_bad_options_are_faults(clip, options):
    with pytest.raises(DeviceFault):
        File(str(clip), **options)


# ---- costs ---------------------------------------------------------------------------------------------------------


def test_describe_names_the_clip_but_not_its_folder(clip):
    about = File(str(clip), size=(64, 48)).describe()
    assert about["clip"] == "clip.mp4" and len(about["sha256"]) == 64 and about["size"] == [64, 48]
    assert about["frames"] == 20 and about["fps"] == 25 and str(clip.parent) not in str(about)


def test_interrupt_ends_it(clip):
    source = File(str(clip))
    source.open()
    captures = iter(source)
    next(captures)
    source.interrupt()
    assert list(captures) == []


def test_naming_a_source_does_not_import_av():
    code = "import sys, pleinair.sources.file as f; f.File('a'); sys.exit('av' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
def test_memory_is_flat_over_loops(clip):
    psutil = pytest.importorskip("psutil")
    me = psutil.Process()
    source = File(str(clip))
    source.open()
    captures = iter(source)
    for _ in islice(captures, 20 * 20):
        pass
    before = me.memory_info().rss
    for _ in islice(captures, 150 * 20):
        pass
    source.close()
    assert me.memory_info().rss - before < 4 << 20


def test_a_picture_with_a_colour_profile_does_not_crash_the_collector(tmp_path):
    """PyAV 18.1 ends the process when the garbage collector meets the side data of a frame."""
    plain = cv2.imencode(".png", np.full((8, 8, 3), 200, np.uint8))[1].tobytes()
    body = b"profile\0\0" + zlib.compress(b"\0" * 128)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body + struct.pack(">I", zlib.crc32(b"iCCP" + body))
    (tmp_path / "p.png").write_bytes(plain[:33] + chunk + plain[33:])  # behind the signature and IHDR
    code = (
        "import gc, sys; from pathlib import Path; from pleinair.addresses import read_picture\n"
        "print(read_picture(Path(sys.argv[1])).shape); gc.collect()"
    )
    child = subprocess.run([sys.executable, "-c", code, tmp_path / "p.png"], capture_output=True, text=True)
    assert (child.returncode, child.stdout.strip()) == (0, "(8, 8, 3)"), child.stderr[-300:]
