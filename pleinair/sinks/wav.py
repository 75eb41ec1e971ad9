"""Sound into a file: WAV or FLAC, by its name."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..core.errors import DeviceFault
from ..core.kinds import Audio, Sound
from ..core.source import Sink

LONGEST_GAP_S = 3600.0


class Wav(Sink):
    """A sound file, 16 bits. `speech.wav` is written sample by sample, and whole after every chunk; `speech.flac` when
    it is closed (lossless, half the size).

    path  where it is written; the folder must be there
    gaps  True: where nothing came for a while (content time), there is silence; False: one chunk follows the other

    Rate and channels are the first chunk's; another rate later is a DeviceFault, fewer or more channels are averaged.
    """

    def __init__(self, path: str = "", *, gaps: bool = True) -> None:
        self.path, self.gaps = str(path), bool(gaps)
        self.rate = self.channels = 0
        self.frames = 0
        self._file: IO[bytes] | None = None
        self._begin_ns = 0

    def open(self) -> None:
        if Path(self.path).suffix.lower() not in (".wav", ".flac"):
            raise self._fault("a sound is written as .wav or .flac", 'name a file: "speech.wav"')
        if not Path(self.path).parent.is_dir():
            raise self._fault(f"there is no folder {Path(self.path).parent.name} for it", "make the folder first")
        self.rate = self.channels = self.frames = 0
        self._container: Any = None

    def put(self, data: Sound, t_ns: int) -> None:
        """The next chunk; `t_ns`: content time of its first sample."""
        sound = Audio.check(data)
        if not len(sound.samples):
            return
        if not self.rate:
            self.rate, self.channels, self._begin_ns = sound.rate, sound.samples.shape[1], t_ns
            self._begin()
        if sound.rate != self.rate:
            raise self._fault(f"the sound changed from {self.rate} to {sound.rate} Hz", "one file has one rate")
        samples = sound.samples
        if samples.shape[1] != self.channels:
            samples = np.repeat(samples.mean(1, keepdims=True), self.channels, 1)
        due = round((t_ns - self._begin_ns) * self.rate / 1e9)
        missing = due - self.frames
        if self.gaps and self.rate * 0.002 < missing < self.rate * LONGEST_GAP_S:
            self._write(np.zeros((missing, self.channels), np.float32))
        self._write(samples)

    def close(self) -> None:
        """The file is whole after it. Idempotent."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
        if getattr(self, "_container", None) is not None:
            container, self._container = self._container, None
            container.mux(self._stream.encode(None))
            container.close()

    def _begin(self) -> None:
        import av

        try:
            if self.path.lower().endswith(".wav"):
                self._file = open(self.path, "wb")  # noqa: SIM115 - it lives as long as the sink
                self._header()
                return
            self._container = av.open(f"file:{self.path}", "w", format="flac", options={"fflags": "bitexact"})
            self._stream = self._container.add_stream("flac", rate=self.rate)
            self._stream.layout = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels}c")
            self._stream.format = "s16"
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise self._fault(f"the sound cannot be written: {error}", "look at the folder's rights") from None

    def _write(self, samples: np.ndarray) -> None:
        import av

        whole = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2")
        try:
            if self._file is not None:
                self._file.write(whole.tobytes())
            else:
                frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), "s16", self._stream.layout.name)
                frame.sample_rate, frame.pts = self.rate, self.frames
                self._container.mux(self._stream.encode(frame))
            self.frames += len(whole)
            if self._file is not None:
                self._header()
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise self._fault(f"the sound stopped: {error}", "is the disk full?") from None

    def _header(self) -> None:
        """RIFF/WAVE, PCM (IBM and Microsoft, 1991): the lengths so far, so that a cut leaves a file that plays."""
        block = self.channels * 2
        size = min(self.frames * block, 0xFFFF_FFFF - 36)
        head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, self.channels, self.rate,
                           self.rate * block, block, 16, b"data", size)  # fmt: skip
        self._file.seek(0)
        self._file.write(head)
        self._file.seek(0, 2)
        self._file.flush()

    def _fault(self, what: str, hint: str) -> DeviceFault:
        return DeviceFault(what, where=f"wav {self.path}", now="the piece goes on without it", hint=hint)
