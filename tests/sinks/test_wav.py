"""Sound into a file: the samples that came, at their own times, and whole even when it is cut off."""

from __future__ import annotations

import numpy as np
import pytest

from pleinair.core.errors import DeviceFault
from pleinair.core.kinds import Sound
from pleinair.sinks.wav import Wav
from pleinair.sources.sound import SoundFile
from pleinair.testing import check_sink

RATE = 8000
TONE = (0.5 * np.sin(np.arange(RATE) * 0.2)).astype(np.float32)[:, None]


def read(path) -> np.ndarray:
    return np.concatenate([c.data.samples for c in SoundFile(str(path), loop=False)])


def put(path, *chunks, **options):
    sink = Wav(str(path), **options)
    sink.open()
    for samples, t_ns in chunks:
        sink.put(Sound(samples, RATE), t_ns)
    return sink


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_what_went_in_comes_out(tmp_path, name):
    sink = put(tmp_path / name, (TONE[:3000], 0), (TONE[3000:], 0))
    sink.close()
    sink.close()
    assert np.abs(read(tmp_path / name) - TONE).max() <= 1 / 32767


def test_silence_stands_where_nothing_came(tmp_path):
    put(tmp_path / "a.wav", (TONE[:800], 5_000_000_000), (TONE[:800], 5_500_000_000)).close()
    found = read(tmp_path / "a.wav")
    assert len(found) == 4800 and not found[800:4000].any() and np.abs(found[4000:] - TONE[:800]).max() <= 1 / 32767
    put(tmp_path / "b.wav", (TONE[:800], 0), (TONE[:800], 500_000_000), gaps=False).close()
    assert len(read(tmp_path / "b.wav")) == 1600


def test_a_wav_that_was_never_closed_plays(tmp_path):
    put(tmp_path / "a.wav", (TONE, 0))
    assert np.abs(read(tmp_path / "a.wav") - TONE).max() <= 1 / 32767


def test_two_channels_stay_two_and_one_rate_one(tmp_path):
    both = np.concatenate([TONE, -TONE], 1)
    sink = put(tmp_path / "a.flac", (both, 0))
    with pytest.raises(DeviceFault, match="from 8000 to 16000 Hz"):
        sink.put(Sound(TONE, 16_000), 0)
    sink.close()
    assert np.abs(read(tmp_path / "a.flac") - both).max() <= 1 / 32767


def test_it_behaves_as_sinks_do(tmp_path):
    check_sink(lambda: Wav(str(tmp_path / "a.wav")), [Sound(TONE, RATE)])


@pytest.mark.parametrize(("name", "part"), [("a.mp3", "as .wav or .flac"), ("", "as .wav"), ("no/a.wav", "no folder")])
def test_what_cannot_be_written_is_a_sentence(tmp_path, name, part):
    with pytest.raises(DeviceFault, match=part):
        Wav(str(tmp_path / name) if name else "").open()
