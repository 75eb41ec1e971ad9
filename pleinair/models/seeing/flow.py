"""What moves, where to, and how much: optical flow between this picture and the last one. Task "flow". No weights.

DIS (Kroeger and others: Fast Optical Flow using Dense Inverse Search, ECCV 2016), OpenCV's. A field of two numbers for
each pixel has no kind of its own, and a piece seldom wants it bare. A card says what it publishes (`options.gives`):

movement  Landmarks with one Figure: how much moves, where to, whether it turns or spreads, and the field itself on a
          coarse grid, for arrows, for wind, for a knob
mask      a Mask: 1 where something moves quickly, 0 where all is still, to paint with

The state is the last picture, small and grey: what comes out follows from the pictures that came in and from nothing
else. A model sees no clock: all speeds are per picture that it was shown. Where pictures were skipped they are larger.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...backends.base import isa, package_version
from ...core.errors import ModelFault, did_you_mean
from ...core.figure import Figure
from ...core.kinds import Control, Image, Landmarks, Mask, Size
from ...core.model import Model
from ..card import Card
from ..fit import checked

COLUMNS, ROWS = 16, 12
"""Of the coarse grid in `field`."""
FULL = 0.02
"""Picture heights per picture at which the mask is 1: half a metre per second for a person who fills the picture."""
STILL_PX = 0.2
"""Less is stillness: noise in the camera."""
CUT = 26.0
"""Mean difference in levels, after following the movement, from which on it is another scene."""
_QUALITY = {"ultrafast": 0, "fast": 1, "medium": 2}


class Flow(Model):
    """`model(image, gain=1, steady=0)`: Landmarks of one Figure, or a Mask (see above).

    image   uint8 RGB; the state begins anew where its size changes
    gain    >= 0: how easily something counts as moving
    steady  0..1: how much of the movement that all have in common (a camera that pans or shakes) is taken away

    The Figure has the points `middle` (of what moves) and `towards` (where it will be in ten pictures), and the parts
    energy      0..1: mean of the mask
    speed       mean speed of what moves, in picture heights per picture
    direction   of it, in degrees: 0 to the right, 90 up, anticlockwise
    dx, dy      the same as a step in places 0..1: dx to the right, dy down
    spread      > 0: things grow or come nearer; 0.01 is a hundredth of their size per picture
    turn        radians per picture, anticlockwise
    field       rows x columns x (dx, dy) as one row of numbers; `columns` and `rows` say how many
    confidence  1 where the movement explains the new picture wholly, 0 at the first picture and after a cut

    The Mask has the size at which movement was looked for (`options.detail` pixels high, more or less).
    """

    kind = Landmarks
    candidates = (("opencv", "f32"),)  # nothing to choose, nothing to measure

    def __init__(
        self, card: Card, *, size: Size | None = None, backend: str = "opencv", precision: str = "f32",
        threads: int | None = None, constants: Mapping[str, Any] | None = None, bend: Any = None, tap: Any = None,
    ) -> None:  # fmt: skip
        if size:
            raise ModelFault(f"{card.name} has no working size", hint="options.detail of its card")
        if bend or tap:
            raise ModelFault(f"{card.name} has no layers to bend or to tap")
        self.card, self.names, self.precision = card, card.names, "f32"
        self.ports = dict(card.ports) or {"image": Image, "gain": Control, "steady": Control}
        given = str(card.options.get("gives", "movement"))
        quality = str(card.options.get("quality", "fast"))
        for word, known in ((given, _GIVES), (quality, _QUALITY)):
            if word not in known:
                raise ModelFault(f'{card.name}: flow knows no "{word}"', hint=did_you_mean(word, known))
        self.kind, self._tell = _GIVES[given]
        self._quality, self._detail = _QUALITY[quality], max(16, int(card.options.get("detail", 240)))
        self._constants: dict[str, float] = {}
        for port, value in {**card.constants, **(constants or {})}.items():
            self._constants[self._known(port)] = Control.check(value)
        self._lock = threading.Lock()
        self._dis: Any = None
        self._places = np.zeros((0, 0, 2), np.float32)
        self.reset()

    def _known(self, port: str) -> str:
        if port not in self.ports:
            raise ModelFault(f'{self.card.name} has no port "{port}"', hint=did_you_mean(port, self.ports))
        return port

    def open(self) -> None:
        import cv2

        with self._lock:
            if self._dis is None:
                self._dis = cv2.DISOpticalFlow_create(self._quality)

    def close(self) -> None:
        with self._lock:
            self._dis = None
            self._seen = None

    def reset(self) -> None:
        """Forgets the last picture."""
        self._seen: np.ndarray | None = None

    def save(self) -> dict[str, np.ndarray] | None:
        """What a tape that begins in the middle needs."""
        return None if self._seen is None else {"seen": self._seen}

    def load(self, state: dict[str, Any] | None) -> None:
        self._seen = np.asarray(state["seen"], np.uint8) if state else None

    def __call__(self, *args: Any, **ports: Any) -> Any:
        self.open()
        values = {**self._constants, **dict(zip(self.ports, args, strict=False))}
        values |= {self._known(p): v for p, v in ports.items() if v is not None}
        if "image" not in values:
            raise TypeError(f"{self.card.name} needs image (Image)")
        gain = max(0.0, Control.check(values.get("gain", 1.0)))
        steady = min(max(Control.check(values.get("steady", 0.0)), 0.0), 1.0)
        with self._lock:
            seen = self._look(checked(values["image"]))
            moved, confidence = self._moved(seen)
            self._seen = seen
        if steady:
            moved -= np.float32(steady) * np.median(moved[::4, ::4].reshape(-1, 2), axis=0).astype(np.float32)
        return self._tell(moved, confidence, gain)

    def _look(self, image: np.ndarray) -> np.ndarray:
        """Grey, about `detail` high, a little softened: noise of single pixels is no movement."""
        import cv2

        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        while grey.shape[0] > 1.25 * self._detail and grey.shape[1] >= 32:  # halving is the quickest way
            grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
        if min(grey.shape) < 16:  # the flow needs a few patches of eight pixels
            grey = cv2.resize(grey, (max(16, grey.shape[1]), max(16, grey.shape[0])))
        return cv2.GaussianBlur(grey, (3, 3), 0)

    def _moved(self, seen: np.ndarray) -> tuple[np.ndarray, float]:
        """Each pixel's step since the last picture, (height, width, 2) in pixels, and how much of the new picture it
        explains."""
        import cv2

        if self._seen is None or self._seen.shape != seen.shape:
            return np.zeros((*seen.shape, 2), np.float32), 0.0
        if self._places.shape[:2] != seen.shape:
            rows, columns = np.indices(seen.shape, np.float32)
            self._places = cv2.merge([columns, rows])
        back = self._dis.calc(seen, self._seen, None)
        places = self._places + back
        carried = cv2.remap(self._seen, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        apart = cv2.mean(cv2.absdiff(seen, carried))[0]
        if apart > CUT:
            return np.zeros_like(back), 0.0
        return np.negative(back, out=back), 1 - apart / CUT

    def describe(self) -> dict[str, Any]:
        version = package_version("opencv-python-headless") or package_version("opencv-python")
        backend = {"name": "opencv", "version": version, "precision": "f32", "threads": 1, "isa": isa()}
        return {"card": self.card.name, "sha256": self.card.sha256, "files": {}, "backend": backend}


def mask_of(moved: np.ndarray, gain: float) -> np.ndarray:
    """0..1, height x width, in steps of 1/65535: how quickly each place moves. Softened as whole numbers: OpenCV's
    blur of floats rounds otherwise where another thread is in OpenCV too, and a replay would differ."""
    import cv2

    length = cv2.magnitude(moved[..., 0], moved[..., 1])
    length *= length >= np.float32(STILL_PX)
    length *= np.float32(65535 * gain / (FULL * moved.shape[0]))
    np.minimum(length, np.float32(65535), out=length)
    levels = np.rint(length, out=length).astype(np.uint16)
    return cv2.GaussianBlur(levels, (5, 5), 0) * np.float32(1 / 65535)


def _mask(moved: np.ndarray, confidence: float, gain: float) -> np.ndarray:
    return mask_of(moved, gain)


def _movement(moved: np.ndarray, confidence: float, gain: float) -> Landmarks:
    height, width = moved.shape[:2]
    aspect = width / height
    mask = mask_of(moved, gain)
    step, middle, spread, turn = _summed_up(_cells(mask, 4), _cells(moved * (mask / height)[..., None], 4), aspect)
    to_places = np.array([1 / aspect, 1.0])
    place, places = middle * to_places, step * to_places
    field = _cells(moved, 1) / np.array([width, height])
    figure = Figure(
        [place, place + 10 * places], ("middle", "towards"), _short(confidence),
        energy=_short(mask.mean(dtype=np.float64)), speed=_short(np.hypot(*step)),
        direction=_short(np.degrees(np.arctan2(-step[1], step[0])) % 360), dx=_short(places[0]), dy=_short(places[1]),
        spread=_short(spread), turn=_short(turn),
        columns=COLUMNS, rows=ROWS, field=tuple(_short(v) for v in field.reshape(-1)),
    )  # fmt: skip
    return Landmarks([figure])


def _cells(plane: np.ndarray, times: int) -> np.ndarray:
    """Means over the coarse grid, or over one so many times as fine."""
    import cv2

    return cv2.resize(plane, (times * COLUMNS, times * ROWS), interpolation=cv2.INTER_AREA).astype(np.float64)


def _summed_up(weight: np.ndarray, flow: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray, float, float]:
    """What moves as one: its step and its middle (both in picture heights), and of the weighted fit
    `flow = step + A (place - middle)` the part of A that grows and the part that turns.

    weight  (rows, columns); flow  (rows, columns, 2), weighted already
    """
    rows, columns = weight.shape
    y, x = np.mgrid[0:rows, 0:columns]
    places = np.stack([(x + 0.5) / columns * aspect, (y + 0.5) / rows], -1).reshape(-1, 2)
    weight, flow = weight.reshape(-1), flow.reshape(-1, 2)
    total = float(weight.sum())
    if total < 1e-6:
        return np.zeros(2), np.array([aspect / 2, 0.5]), 0.0, 0.0
    middle, step = weight @ places / total, flow.sum(0) / total
    from_middle = places - middle
    spans = (weight[:, None] * from_middle).T @ from_middle / total
    ways = (flow - weight[:, None] * step).T @ from_middle / total
    # what moves as a small spot has no shape to grow or to turn: both then stay near 0
    slope = ways @ np.linalg.inv(spans + 1e-3 * np.eye(2))
    return step, middle, float(slope[0, 0] + slope[1, 1]) / 2, float(slope[0, 1] - slope[1, 0]) / 2


def _short(value: Any) -> float:
    """Six digits: enough for a place, and no machine's last bit."""
    return round(float(value), 6)


_GIVES = {"movement": (Landmarks, _movement), "mask": (Mask, _mask)}
