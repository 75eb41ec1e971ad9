"""Sinks: a film that is whole, at its own times, and the same file twice."""

from __future__ import annotations

import av
import numpy as np
import pytest

from pleinair.core.errors import DeviceFault
from pleinair.sinks.film import Film
from pleinair.sinks.null import Null
from pleinair.sources.file import File
from pleinair.sources.synthetic import Synthetic, read_number

MS = 1_000_000


def shoot(path, times, size=(128, 96), **options):
    source = Synthetic("room", size=size)
    film = Film(str(path), **options)
    film.open()
    for n, t in enumerate(times):
        film.put(source.picture(n), t)
    film.close()
    film.close()
    return film


def seen(path):
    source = File(str(path), loop=False)
    source.open()
    return [(read_number(c.data), round(c.t_ns / MS)) for c in source]


def test_each_picture_at_its_own_time(tmp_path):
    times = [500 * MS, 540 * MS, 700 * MS, 1500 * MS]
    shoot(tmp_path / "a.mp4", times)
    assert seen(tmp_path / "a.mp4") == [(0, 0), (1, 40), (2, 200), (3, 1000)]


def test_a_steady_rate_repeats_and_leaves_out(tmp_path):
    shoot(tmp_path / "a.mp4", [0, 33 * MS, 67 * MS, 70 * MS, 300 * MS], fps=30)
    found = seen(tmp_path / "a.mp4")
    assert [n for n, _ in found] == [0, 1, 3, 3, 3, 3, 3, 3, 3, 4]
    assert found[-1][1] == 300


def test_colours_come_back(tmp_path):
    shoot(tmp_path / "a.mp4", [0, 40 * MS], size=(320, 240), crf=8)
    source = File(str(tmp_path / "a.mp4"))
    source.open()
    shown = next(iter(source)).data.astype(float)
    source.close()
    wanted = Synthetic("room", size=(320, 240)).picture(0)
    assert np.abs(shown.mean((0, 1)) - wanted.mean((0, 1))).max() < 1.5, "matrix or range differ between film and file"
    assert 10 * np.log10(255**2 / np.mean((shown - wanted) ** 2)) > 32


def test_the_same_pictures_give_the_same_file(tmp_path):
    for name in "ab":
        shoot(tmp_path / f"{name}.mp4", [n * 33 * MS for n in range(40)])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_odd_and_other_sizes(tmp_path):
    film = Film(str(tmp_path / "a.mp4"))
    film.open()
    for n, size in enumerate([(97, 65), (10, 200), (640, 480), (1, 1)]):
        film.put(np.zeros((size[1], size[0], 3), np.uint8), n * 40 * MS)
    film.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (98, 66, 4)


def test_times_that_stand_still_do_not_break_it(tmp_path):
    shoot(tmp_path / "a.mp4", [0, 0, 0, 40 * MS])
    assert [n for n, _ in seen(tmp_path / "a.mp4")] == [0, 1, 2, 3]


def test_nothing_put_writes_nothing(tmp_path):
    shoot(tmp_path / "a.mp4", [])
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("options", [{"path": ""}, {"path": "no/such/folder/a.mp4"}])
def test_no_place_to_write_is_a_fault(options):
    with pytest.raises(DeviceFault) as caught:
        Film(**options).open()
    assert caught.value.now and caught.value.hint


@pytest.mark.parametrize("options", [{"fps": -1}, {"fps": "x"}, {"size": 3}])
def test_bad_options(options):
    with pytest.raises(DeviceFault):
        Film("a.mp4", **options)


def test_null_counts():
    null = Null()
    null.open()
    null.put("anything", 7)
    assert null.count == 1 and null.last_t_ns == 7
