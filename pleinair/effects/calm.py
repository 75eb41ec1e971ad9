"""Stills the flicker of painted video: what did not change in the room does not change in the painting."""

from __future__ import annotations

from typing import Any

import numpy as np

_LEAST = 16
"""The flow needs a few patches of eight pixels."""

_CUT = 26.0
"""Mean difference in levels, after following the movement, from which on it is another scene."""


class Calm:
    """`calm(image, guide)`: `image` with the last result mixed in, carried along by the movement seen in `guide`.

    A network paints each frame anew, and noise in the camera becomes strokes that come and go. Here the optical flow
    between the last guide and this one (DIS: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016;
    OpenCV's, ultrafast) carries the last result to where things are now, as in Ruder et al., "Artistic style transfer
    for videos" (2016) and Lai et al., "Learning blind video temporal consistency" (2018), without learning. It is
    trusted where the guide, carried along in the same way, looks as it does now; elsewhere, and after a cut, the new
    painting stands alone: no ghosts.

    strength   0 (as painted) .. 1: how much of the last result stays where it is trusted. A knob that changes the style
               takes 1 / (1 - strength) frames to show
    crisp      0 .. 1: sharpens what is shown (never what is carried on), since strokes that are averaged grow soft
    detail     height in pixels, more or less, at which movement is looked for; more is finer and costs more

    Image and guide are uint8 RGB of any two sizes; so is the result, of the image's size. Deterministic, whatever the
    number of threads. State: the last result and the last guide, small and grey.
    """

    def __init__(self, strength: float = 0.7, *, crisp: float = 0.5, detail: int = 240) -> None:
        self.strength = strength
        self.crisp = min(max(float(crisp), 0.0), 1.0)
        self.detail = max(16, int(detail))
        self._flow: Any = None
        self._grid: dict[tuple[int, int], np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Forgets the last picture."""
        self._last: np.ndarray | None = None
        self._seen: np.ndarray | None = None

    def save(self) -> dict[str, np.ndarray] | None:
        """What a tape that begins in the middle needs."""
        return None if self._last is None else {"last": self._last, "seen": self._seen}

    def load(self, state: dict[str, Any] | None) -> None:
        self.reset()
        if state:
            self._last, self._seen = np.asarray(state["last"], np.uint8), np.asarray(state["seen"], np.uint8)

    def __call__(self, image: np.ndarray, guide: np.ndarray | None = None, strength: float | None = None) -> np.ndarray:
        """uint8 RGB. `guide` None: the image is its own (a guide is far better). `strength`: for a knob."""
        seen = self._look(image if guide is None else guide)
        strength = self.strength if strength is None else strength
        strength = min(max(float(strength), 0.0), 1.0) if strength == strength else 0.0
        out = image
        if self._last is not None and self._last.shape == image.shape and self._seen.shape == seen.shape and strength:
            out = self._calmed(image, seen, strength)
        self._last, self._seen = out, seen
        return _sharpened(out, self.crisp * strength)

    def _look(self, guide: np.ndarray) -> np.ndarray:
        """The guide grey, small, and a little softened: noise of single pixels is no movement. Halved, since that is
        the quickest way to make it smaller, until it is about as high as `detail`."""
        import cv2

        grey = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY)
        while grey.shape[0] > 1.25 * self.detail and grey.shape[1] >= 32:
            half = grey.shape[1] // 2, grey.shape[0] // 2
            grey = cv2.resize(grey, half, interpolation=cv2.INTER_AREA)
        if min(grey.shape) < _LEAST:
            grey = cv2.resize(grey, (max(_LEAST, grey.shape[1]), max(_LEAST, grey.shape[0])))
        return cv2.GaussianBlur(grey, (3, 3), 0)

    def _calmed(self, image: np.ndarray, seen: np.ndarray, strength: float) -> np.ndarray:
        import cv2

        flow = self._flow_back(seen)
        places = self._places(seen.shape) + flow
        carried = cv2.remap(self._seen, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        apart = cv2.absdiff(seen, carried)
        if cv2.mean(apart)[0] > _CUT:
            return image
        # Trust falls from 1 at 6 levels to 0 at 24 within a small neighbourhood, and where the flow tears.
        doubt = cv2.boxFilter(cv2.dilate(apart, None), -1, (5, 5))
        trust = _ramp(doubt, 6, 24, strength)
        height, width = image.shape[:2]
        if (width, height) != (seen.shape[1], seen.shape[0]):
            flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
            flow *= np.array([width / seen.shape[1], height / seen.shape[0]], np.float32)
            trust = cv2.resize(trust, (width, height), interpolation=cv2.INTER_LINEAR)
        still = self._carried(flow, strength)
        weight = cv2.cvtColor(trust, cv2.COLOR_GRAY2RGB)
        return cv2.add(
            cv2.multiply(still, weight, scale=1 / 255), cv2.multiply(image, cv2.bitwise_not(weight), scale=1 / 255)
        )

    def _flow_back(self, seen: np.ndarray) -> np.ndarray:
        """For each pixel of now, where it was, in pixels; less than a fifth of one is stillness, so that what stands
        still is not softened by being resampled again and again."""
        import cv2

        if self._flow is None:
            self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        flow = self._flow.calc(seen, self._seen, None)
        moves = cv2.inRange(cv2.magnitude(flow[..., 0], flow[..., 1]), 0.2, float(sum(seen.shape)))
        return cv2.bitwise_and(flow, flow, mask=moves)

    def _carried(self, flow: np.ndarray, strength: float) -> np.ndarray:
        """The last result where things are now. Only what moves is resampled: bilinearly, in four channels (twice as
        quick as in three), and sharpened a little against the softening that adds up over frames, which comes as close
        as bicubic interpolation does at a fifth of its cost; so little that with `strength` it cannot build up."""
        import cv2

        still = cv2.inRange(flow, (0.0, 0.0), (0.0, 0.0))
        left, top, wide, high = cv2.boundingRect(cv2.bitwise_not(still))
        if not wide:
            return self._last
        part = slice(top, top + high), slice(left, left + wide)
        places = self._places(flow.shape)[part] + flow[part]
        last = cv2.cvtColor(self._last, cv2.COLOR_RGB2RGBA)
        found = cv2.remap(last, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = _sharpened(cv2.cvtColor(found, cv2.COLOR_RGBA2RGB), min(0.3125, 0.7 * (1 / strength - 1)))
        out = self._last.copy()
        out[part] = found
        cv2.copyTo(self._last, still, out)
        return out

    def _places(self, shape: tuple[int, ...]) -> np.ndarray:
        key = shape[:2]
        if key not in self._grid:
            if len(self._grid) > 4:
                self._grid.clear()
            rows, columns = np.mgrid[0 : key[0], 0 : key[1]].astype(np.float32)
            self._grid[key] = np.ascontiguousarray(np.dstack([columns, rows]))
        return self._grid[key]


def _ramp(levels: np.ndarray, low: int, high: int, top: float) -> np.ndarray:
    """uint8: top x 255 up to `low`, 0 from `high` on, by a table."""
    import cv2

    table = np.clip((high - np.arange(256)) / (high - low), 0, 1) * top * 255
    return cv2.LUT(levels, np.rint(table).astype(np.uint8))


def _sharpened(image: np.ndarray, amount: float) -> np.ndarray:
    """Unsharp masking over 3 x 3; the amount in 1/1024, so that products of it are exact on every machine."""
    import cv2

    amount = round(amount * 1024) / 1024
    return cv2.addWeighted(image, 1 + amount, cv2.blur(image, (3, 3)), -amount, 0) if amount else image
