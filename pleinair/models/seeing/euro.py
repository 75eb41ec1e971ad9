"""The 1 euro filter: still where a thing rests, quick where it moves.

Casiez, Roussel, Vogel: "1 EUR Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems",
CHI 2012. A low-pass filter whose cut-off rises with the speed: at rest it takes the trembling away, in a movement it
does not lag. As in MediaPipe, speed is measured in sizes of the figure per second, so that the same setting suits a
hand near the camera and one far off.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

REST_HZ = 0.5
"""Cut-off at rest, in Hz, at smooth 0.5."""
BETA = 20.0
"""Hz of cut-off for each figure's size a second, at smooth 0.5."""
SPEED_HZ = 1.0
"""Cut-off of the speed itself, in Hz: the paper's."""
MOST = 0.98


class OneEuro:
    """`filter(values, t, size, smooth)`: the values, smoothed. State: the last values, the last result, the speed.

    Time is content time in seconds: the result depends on the frames alone, not on when they were computed.
    """

    def __init__(self) -> None:
        self.t = 0.0
        self.raw: np.ndarray | None = None
        self.result: np.ndarray | None = None
        self.speed: np.ndarray | None = None

    def __call__(self, values: np.ndarray, t: float, size: float, smooth: float) -> np.ndarray:
        """values   an array of any shape, the same at each call
        size     of the figure, in the unit of the values
        smooth   0 (as it came) .. 1 (as heavy as can be)
        """
        values = np.asarray(values, np.float64)
        dt = t - self.t
        if self.raw is None or dt <= 0 or self.raw.shape != values.shape:
            if self.raw is None or self.raw.shape != values.shape:
                self.result, self.speed = values, np.zeros_like(values)
                self.raw, self.t = values, t
            return np.asarray(self.result)
        now = (values - self.raw) / (max(size, 1e-9) * dt)
        self.speed = self.speed + _alpha(SPEED_HZ, dt) * (now - self.speed)
        self.raw, self.t = values, t
        if smooth <= 0:
            self.result = values
        else:
            less = (1 - min(smooth, MOST)) / min(smooth, MOST)  # 1 at 0.5, towards 0 at 1
            cutoff = less * (REST_HZ + BETA * np.abs(self.speed))
            self.result = self.result + _alpha(cutoff, dt) * (values - self.result)
        return np.asarray(self.result)

    def save(self) -> dict[str, Any] | None:
        if self.raw is None:
            return None
        return {"t": self.t, "raw": self.raw, "result": np.asarray(self.result), "speed": np.asarray(self.speed)}

    def load(self, state: dict[str, Any] | None) -> None:
        self.raw = self.result = self.speed = None
        if state:
            self.t = float(state["t"])
            self.raw, self.result, self.speed = (np.asarray(state[k], np.float64) for k in ("raw", "result", "speed"))


def _alpha(cutoff: Any, dt: float) -> Any:
    """How much of a new value is taken, for a cut-off in Hz and a time step in seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * dt))
