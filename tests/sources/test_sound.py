"""A sound file as a source: its own samples, its own pace, no seam in the loop, the same chunks out of a tape."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from pleinair.addresses import open_source
from pleinair.core.errors import DeviceFault
from pleinair.core.kinds import Sound
from pleinair.sinks.wav import Wav
from pleinair.sources.sound import SoundFile
from pleinair.testing import check_source

RATE = 8000


@pytest.fixture
def ramp(tmp_path):
    """1.03 s of a ramp in two channels, 8 kHz, 16 bits."""
    whole = np.arange(8240, dtype="<i2")
    path = tmp_path / "ramp.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(np.stack([whole, -whole], 1).tobytes())
    return path


def test_it_behaves_as_sources_do(ramp):
    captures = check_source(lambda: SoundFile(str(ramp)), count=60)
    assert captures[0].data.rate == RATE and captures[0].data.samples.shape == (160, 2)
    assert [c.t_ns for c in captures[:3]] == [0, 20_000_000, 40_000_000]


def test_once_through_it_is_the_file_to_the_sample(ramp):
    captures = list(SoundFile(str(ramp), loop=False, chunk_ms=50))
    whole = np.concatenate([c.data.samples for c in captures])
    assert whole.shape == (8240, 2) and len(captures[-1].data.samples) == 240
    assert np.array_equal(np.rint(whole[:, 0] * 32768), np.arange(8240))
    assert np.array_equal(whole[:, 0], -whole[:, 1])


def test_a_loop_has_no_seam_and_time_goes_on(ramp):
    source = SoundFile(str(ramp), chunk_ms=30)
    captures = [c for c, _ in zip(source, range(100), strict=False)]
    whole = np.rint(np.concatenate([c.data.samples[:, 0] for c in captures]) * 32768)
    assert np.array_equal(whole, np.arange(len(whole)) % 8240)
    assert [c.t_ns for c in captures] == [n * 30_000_000 for n in range(100)]


def test_a_tape_brings_back_the_same_chunks_in_any_order(ramp):
    source = SoundFile(str(ramp))
    captures = [c for c, _ in zip(source, range(70), strict=False)]
    for index in (3, 60, 5):
        again = source.recall({"index": index})
        assert np.array_equal(again.samples, captures[index].data.samples)


@pytest.mark.parametrize(
    ("target", "part"), [("", "no file to play"), ("nowhere.wav", "there is no file nowhere.wav"), (".", "is a folder")]
)
def test_what_cannot_play_is_a_sentence(target, part):
    with pytest.raises(DeviceFault, match=part):
        SoundFile(target).open()


def test_a_text_and_a_silent_film_are_refused(tmp_path, clip_without_sound):
    (tmp_path / "list.wav").write_text("file http://example.org/a.wav")
    with pytest.raises(DeviceFault, match="cannot be read as sound"):
        SoundFile(str(tmp_path / "list.wav")).open()
    with pytest.raises(DeviceFault, match="holds no sound"):
        SoundFile(str(clip_without_sound)).open()


@pytest.fixture
def clip_without_sound(tmp_path):
    from pleinair.sinks.film import Film

    film = Film(str(tmp_path / "silent.mp4"))
    film.open()
    film.put(np.zeros((32, 32, 3), np.uint8), 0)
    film.close()
    return tmp_path / "silent.mp4"


def test_the_address_names_a_file_beside_the_piece(ramp):
    source = open_source("sound:ramp.wav", ramp.parent, chunk_ms=10)
    source.open()
    assert next(iter(source)).data.samples.shape == (80, 2)
    assert source.describe()["clip"] == "ramp.wav" and source.describe()["rate"] == RATE


def test_a_sound_that_breathes_waits_where_it_pauses(tmp_path):
    """Loud, a pause, loud: after each pause there is so much silence more, and a tape finds each chunk again."""
    tone = (0.5 * np.sin(np.arange(RATE // 2) * 0.3)).astype(np.float32)[:, None]
    wav = Wav(str(tmp_path / "talk.wav"), gaps=False)
    wav.open()
    for samples in (tone, np.zeros((RATE // 2, 1), np.float32), tone):
        wav.put(Sound(samples, RATE), 0)
    wav.close()
    source = SoundFile(str(tmp_path / "talk.wav"), loop=False, breath_s=2)
    captures = list(source)
    assert sum(c.data.seconds for c in captures) == pytest.approx(1.5 + 2)
    loud = [bool(c.data.samples.any()) for c in captures]
    assert loud == [True] * 25 + [False] * 125 + [True] * 25
    assert np.array_equal(source.recall(captures[160].raw.note).samples, captures[160].data.samples)
    assert source.describe()["breath_s"] == 2
    with pytest.raises(DeviceFault, match="breath_s"):
        SoundFile("talk.wav", breath_s=-1)
