"""Any video or still picture as a source, at its own pace, looping without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..core.codec import check_size
from ..core.errors import DeviceFault
from ..core.kinds import Image, Size
from ..core.source import Capture, Raw, Source
from ._av import FITS
from ._clip import NOW, Walk, open_clip
from ._common import Tells, paced_at, sha256_of


class File(Tells, Source):
    """A clip or a still picture. Paced: frame n of a loop is due when its own time stamp says.

    target  the file
    size    (width, height) to bring it to; None: as it is
    loop    True: after the last frame has lasted its own time the first follows, without a gap; `t` goes on
    rate    None: its own pace (a still: 30 a second). A number: each picture once, that many a second (faster or
            slower than it was filmed). 0: not paced, as fast as they are taken, without content time
    fit     where the proportions of `size` differ: "cover" cuts off, "contain" leaves bars, "stretch" squashes

    A tape stores the number of the picture and, in `describe()`, the clip's sha256. Time stamps that are missing or run
    backwards are repaired by the frame's duration. Damaged frames are left out, always the same ones: one thread
    decodes, since concealment by several depends on chance (above full HD several are needed to keep up).
    """

    kind = Image

    def __init__(
        self,
        target: str = "",
        *,
        size: Size | None = None,
        loop: bool = True,
        rate: float | None = None,
        fit: str = "cover",
    ) -> None:
        self.target = str(target)
        self.loop = bool(loop)
        self.rate = None if rate is None else paced_at(rate, "file", zero=True)
        self.paced = self.rate != 0
        if fit not in FITS:
            raise DeviceFault(f'file does not know fit "{fit}"', now=NOW, hint=f"there is: {', '.join(FITS)}")
        self.fit = fit
        try:
            self.size = None if size is None else (int(size[0]), int(size[1]))
            if self.size:
                check_size(*self.size)
        except (TypeError, ValueError, IndexError) as error:
            raise DeviceFault(f"file cannot have the size {size}: {error}", now=NOW, hint="size = [640, 480]") from None
        self._stopped = False
        self._first: Walk | None = None
        self._recalled: Walk | None = None

    def open(self) -> None:
        """Reads the header and decodes the first picture, so that it is there when the clock starts."""
        self._stopped = False
        self._first = Walk(self)
        self._first.step()

    def __iter__(self) -> Iterator[Capture]:
        walk, self._first = self._first or Walk(self), None
        try:
            if walk.index < 0:
                walk.step()
            while not self._stopped:
                t_ns = None if self.rate == 0 else walk.t_ns if not self.rate else round(walk.index * 1e9 / self.rate)
                yield Capture(walk.picture(), t_ns=t_ns, raw=Raw("recall", b"", {"index": walk.index}))
                if self._stopped or not walk.step():
                    return
        finally:
            walk.close()

    def recall(self, note: dict[str, Any]) -> np.ndarray:
        """Picture number `index`, counted through all loops. Forward is cheap; backward starts again."""
        index = int(note["index"])
        if self._recalled is None or self._recalled.index > index:
            self._close_recalled()
            self._recalled = Walk(self)
        walk = self._recalled
        while walk.index < index:
            if not walk.step(towards=index):
                raise DeviceFault(
                    f"{Path(self.target).name} has no picture number {index}",
                    where=f"file {self.target}",
                    now="the replay stops here",
                    hint="the clip is not the one that was recorded: compare its sha256 with the tape's",
                )
        return walk.picture()

    def interrupt(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._stopped = True
        if self._first:
            self._first.close()
            self._first = None
        self._close_recalled()

    def _close_recalled(self) -> None:
        if self._recalled:
            self._recalled.close()
            self._recalled = None

    def describe(self) -> dict[str, Any]:
        """The clip's name (never its folder), sha256, size and rate as its header says; JSON."""
        about: dict[str, Any] = {"source": "file", "clip": Path(self.target).name}
        try:
            about["sha256"] = sha256_of(self.target)
            with open_clip(self.target) as container:
                stream = container.streams.video[0]
                about["fps"] = round(float(stream.average_rate or 0), 3)
                about["size"] = list(self.size or (stream.width, stream.height))
                if stream.frames:
                    about["frames"] = stream.frames
        except (OSError, DeviceFault):
            pass  # what is wrong with it is said by open()
        return about
