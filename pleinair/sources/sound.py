"""A sound file, or the sound of a clip, as a source: small chunks at their own pace, looping without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import DeviceFault
from ..core.kinds import Audio, Sound
from ..core.source import Capture, Raw, Source
from ._av import open_file, reason
from ._common import sha256_of

QUIET, PAUSE_S = 0.01, 0.3
"""Below so much (-40 dB), for so many seconds, a sound pauses."""
_NOW = "the source stays silent; the rest of the piece runs"
_FORMATS = (
    "wav,w64,flac,ogg,mp3,aac,aiff,au,caf,ac3,eac3,amr,wv,ape,tta,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,"
    "mpeg,flv,asf,mxf,nut"
)
"""FFmpeg's demuxers that may be used: none of a playlist, of a list of other files, or of a device."""


class SoundFile(Source):
    """A sound file as chunks of Audio. Paced: a chunk is due when its first sample is.

    target    the file: anything that FFmpeg reads, also a film of which only the sound is wanted
    loop      True: the first sample follows the last, without a gap; content time goes on
    chunk_ms  length of a chunk, 5..1000. Short ones reach the ear and the model sooner, and cost more to hand on
    breath_s  0..60: where the sound pauses for a moment (quieter than -40 dB for 0.3 s), it pauses for so many seconds
              more: a reading becomes one side of a conversation

    Channels and rate are the file's own. A tape stores the number of the chunk and, in `describe()`, the file's sha256.
    """

    kind = Audio
    paced = True

    def __init__(self, target: str = "", *, loop: bool = True, chunk_ms: float = 20, breath_s: float = 0) -> None:
        self.target, self.loop = str(target), bool(loop)
        if isinstance(chunk_ms, bool) or not isinstance(chunk_ms, (int, float)) or not 5 <= chunk_ms <= 1000:
            raise DeviceFault(f"sound cannot have chunk_ms = {chunk_ms!r:.20}", now=_NOW, hint="chunk_ms is 5..1000")
        if isinstance(breath_s, bool) or not isinstance(breath_s, (int, float)) or not 0 <= breath_s <= 60:
            raise DeviceFault(f"sound cannot have breath_s = {breath_s!r:.20}", now=_NOW, hint="breath_s is 0..60")
        self.chunk_ms, self.breath_s = float(chunk_ms), float(breath_s)
        self._stopped = False
        self._recalled: tuple[Iterator[Sound], int, Sound] | None = None

    def open(self) -> None:
        """Reads the header; DeviceFault where there is no sound to play."""
        self._stopped = False
        _open(self.target).close()

    def __iter__(self) -> Iterator[Capture]:
        place = 0
        for number, sound in enumerate(self._breathing()):
            if self._stopped:
                return
            t_ns = place * 1_000_000_000 // sound.rate
            yield Capture(sound, t_ns=t_ns, raw=Raw("recall", b"", {"index": number}))
            place += len(sound.samples)

    def recall(self, note: dict[str, Any]) -> Sound:
        """Chunk number `index`, counted through all loops. Forward is cheap; backward starts again."""
        index = int(note["index"])
        if self._recalled is None or self._recalled[1] > index:
            chunks = self._breathing()
            self._recalled = (chunks, 0, self._next(chunks))
        chunks, at, sound = self._recalled
        while at < index:
            sound, at = self._next(chunks), at + 1
        self._recalled = (chunks, at, sound)
        return sound

    def _next(self, chunks: Iterator[Sound]) -> Sound:
        for sound in chunks:
            return sound
        raise DeviceFault(
            f"{Path(self.target).name} is shorter than what was recorded",
            where=f"sound {self.target}",
            now="the replay stops here",
            hint="the file is not the one that was recorded: compare its sha256 with the tape's",
        )

    def interrupt(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._stopped = True
        self._recalled = None

    def describe(self) -> dict[str, Any]:
        """The file's name (never its folder), sha256, rate and channels; JSON."""
        about: dict[str, Any] = {"source": "sound", "clip": Path(self.target).name, "chunk_ms": self.chunk_ms}
        about |= {"breath_s": self.breath_s} if self.breath_s else {}
        try:
            about["sha256"] = sha256_of(self.target)
            with _open(self.target) as container:
                stream = container.streams.audio[0]
                about["rate"], about["channels"] = stream.rate, stream.channels
        except (OSError, DeviceFault):
            pass  # what is wrong with it is said by open()
        return about

    def _breathing(self) -> Iterator[Sound]:
        """The chunks, with silence where the sound pauses, if it is to breathe."""
        if not self.breath_s:
            yield from self._chunks()
            return
        spoke, quiet_s = False, 0.0
        for sound in self._chunks():
            yield sound
            loud = float(np.sqrt(np.mean(np.square(sound.samples)))) > QUIET
            spoke, quiet_s = spoke or loud, 0.0 if loud else quiet_s + sound.seconds
            if spoke and quiet_s >= PAUSE_S:
                silence = Audio.check(Sound(np.zeros_like(sound.samples), sound.rate))
                for _ in range(round(self.breath_s / sound.seconds)):
                    yield silence
                spoke = False

    def _chunks(self) -> Iterator[Sound]:
        """Chunks of equal length through all loops; without a loop the last one is what is left."""
        left: list[np.ndarray] = []
        held = rate = size = 0
        while True:
            count = 0
            for samples, rate in self._pass():
                size = size or max(1, round(rate * self.chunk_ms / 1000))
                count += len(samples)
                left.append(samples)
                held += len(samples)
                if held < size:
                    continue
                whole = np.concatenate(left)
                for at in range(0, held - size + 1, size):
                    yield Audio.check(Sound(whole[at : at + size], rate))
                rest = held - held % size
                left, held = [whole[rest:]], held % size
            if not count:
                raise DeviceFault(
                    f"{Path(self.target).name} holds no sound that can be decoded",
                    where=f"sound {self.target}", now=_NOW, hint="copy it again, or choose another file",
                )  # fmt: skip
            if not self.loop:
                break
        if held:
            yield Audio.check(Sound(np.concatenate(left), rate))

    def _pass(self) -> Iterator[tuple[np.ndarray, int]]:
        """(float32 samples (frames, channels), rate) from the first to the last."""
        import av

        with _open(self.target) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler("flt", stream.layout, stream.rate)  # only to floats, interleaved
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets)
                    frames = packet.decode()
                except (StopIteration, av.error.EOFError):
                    return
                except av.error.FFmpegError:
                    continue  # a damaged packet is left out, always the same one
                for frame in frames:
                    for out in resampler.resample(frame):
                        yield out.to_ndarray().reshape(-1, stream.channels), stream.rate


def _open(target: str) -> Any:
    """An av container with a sound stream; DeviceFault."""
    import av

    path = Path(target)
    name = path.name or target

    def fault(what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=f"sound {target}", now=_NOW, hint=hint)

    if not target:
        raise fault("sound has no file to play", "name one: --source mic=sound:speech.wav")
    if path.is_dir():
        raise fault(f"{name} is a folder, not a sound", "name one file in it")
    if not path.is_file():
        raise fault(f"there is no file {name}", "look at its spelling and folder")
    try:
        container = open_file(path, _FORMATS)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise fault(f"{name} cannot be read as sound: {reason(error)}", "wav, flac, mp3, ogg are read") from None
    if not container.streams.audio:
        container.close()
        raise fault(f"{name} holds no sound", "choose a file with sound in it")
    return container
