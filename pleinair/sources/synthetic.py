"""Moving test pictures that need no device, each with its number in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.codec import check_size
from ..core.errors import DeviceFault, did_you_mean
from ..core.kinds import Image, Size
from ._common import paced_at
from ._counted import Counted
from ._scenes import SCENES

SYNC = (1, 0)
NUMBER_BITS = 22
CHECK_BITS = 8
CELLS = len(SYNC) + NUMBER_BITS + CHECK_BITS
"""32 columns: two that say which way is up, the number modulo 2**22, its CRC-8."""


class Synthetic(Counted):
    """A deterministic moving picture. Paced, and recallable: picture n is a function of n, size and seed alone.

    target  the scene: "room" (a figure walks through a room), "bars" (drifting colours), "noise" (incompressible)
    size    (width, height)
    rate    pictures a second; 0: as fast as they are taken, without content time (for measuring throughput)
    seed    of the noise and of where things begin
    strip   True: along the bottom edge runs the number of the picture, for `read_number` (see `stamp_number`)
    """

    kind = Image

    def __init__(
        self, target: str = "", *, size: Size | None = (640, 480), rate: float = 30, seed: int = 0, strip: bool = True
    ) -> None:
        self.scene = target or "bars"
        if self.scene not in SCENES:
            raise DeviceFault(
                f'synthetic has no scene "{self.scene}"',
                now="the source was not opened",
                hint=did_you_mean(self.scene, SCENES),
            )
        try:
            self.size = (int(size[0]), int(size[1])) if size else (640, 480)
            check_size(*self.size)
        except (TypeError, ValueError, IndexError) as error:
            raise DeviceFault(
                f"synthetic cannot have the size {size}: {error}",
                now="the source was not opened",
                hint="size = [640, 480]",
            ) from None
        super().__init__(paced_at(rate, "synthetic", zero=True))
        self.seed = int(seed)
        self.strip = bool(strip)
        self._draw: Any = None

    def open(self) -> None:
        super().open()
        self._scene()

    def _scene(self) -> Any:
        if self._draw is None:
            self._draw = SCENES[self.scene](self.size, self.seed)
        return self._draw

    def picture(self, number: int) -> np.ndarray:
        """Picture number `number`: uint8 RGB, read-only."""
        image = self._scene()(number)
        if self.strip:
            stamp_number(image, number)
        image.setflags(write=False)
        return image

    at = picture

    def describe(self) -> dict[str, Any]:
        return {
            "source": "synthetic",
            "scene": self.scene,
            "size": list(self.size),
            "rate": self.rate,
            "seed": self.seed,
            "strip": self.strip,
        }


def stamp_number(image: np.ndarray, number: int) -> None:
    """Writes `number` (modulo 2**22) into the bottom edge of `image`, in place. Nothing if that is narrower than 64.

    The strip is a twelfth of the height: two rows of 32 cells, the lower the opposite of the upper. A bit is the sign
    of upper minus lower, so that it survives JPEG, scaling, other colours and a style's shading; the first two cells
    are 1 0, so that a picture that was inverted is read too; a CRC-8 (polynomial 0x07) says whether the rest is
    to be believed.
    """
    height, width = image.shape[:2]
    band = height // 24
    if width < 2 * CELLS or band < 2:
        return
    number %= 1 << NUMBER_BITS
    code = (number << CHECK_BITS) | _crc8(number)
    bits = np.array([*SYNC, *((code >> i) & 1 for i in reversed(range(NUMBER_BITS + CHECK_BITS)))], np.uint8)
    row = (16 + 223 * bits[(np.arange(width) * CELLS) // width])[:, None]  # not 0 and 255: they would clip and ring
    image[height - 2 * band : height - band] = row
    image[height - band :] = 255 - row


def read_number(image: np.ndarray) -> int | None:
    """The number that `stamp_number` wrote, out of a picture that was scaled, compressed or painted since; or None."""
    height, width = image.shape[:2]
    band = height // 24
    if width < 2 * CELLS or band < 2:
        return None
    grey = image[height - 2 * band :].astype(np.float32).mean(axis=2)
    margin = band // 4
    upper = grey[margin : band - margin].mean(axis=0)
    lower = grey[band + margin : 2 * band - margin].mean(axis=0)
    edges = np.arange(CELLS + 1) * width / CELLS
    inset = width / CELLS / 4
    difference = np.array(
        [
            (upper - lower)[int(np.ceil(a + inset)) : max(int(np.ceil(a + inset)) + 1, int(b - inset))].mean()
            for a, b in zip(edges[:-1], edges[1:], strict=True)
        ]
    )
    if difference[0] < difference[1]:
        difference = -difference
    bits = difference > 0
    if tuple(bits[: len(SYNC)]) != SYNC:
        return None
    code = int("".join("1" if bit else "0" for bit in bits[len(SYNC) :]), 2)
    number, check = code >> CHECK_BITS, code & 0xFF
    return number if _crc8(number) == check else None


def _crc8(number: int) -> int:
    crc = 0xFF  # not 0: a picture of one shade must not be read as number 0
    for byte in number.to_bytes(3, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x07 if crc & 0x80 else crc << 1
        crc &= 0xFF
    return crc
