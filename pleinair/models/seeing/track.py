"""Finding figures once and following them: what faces, hands and bodies have in common.

A detector looks at the whole picture, small; where it sees something a second network looks closely and says where the
points are, and those points say where to look in the next frame. The detector rests while all that may be followed are
followed (as in MediaPipe's graphs). Nobody is followed whom the second network no longer sees, and the detector looks
again in that same frame, so that a figure that jumps is not missing for a frame.

Without a time each picture stands alone: nothing is followed and nothing smoothed. With `t`, content time in seconds
(a piece gives it), figures are followed from frame to frame, keep their place in the list and their `number`, and are
smoothed by the 1 euro filter. What comes out depends on the frames and their times alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.figure import Figure
from ...core.kinds import Landmarks
from ..fit import checked
from ..network import NetworkModel, fixed_inputs
from .anchors import overlap
from .crops import Crop
from .euro import OneEuro

LOOK_EVERY_S = 0.25
"""While some are followed, and more may come, the detector looks at every so many seconds."""
IDLE_AFTER_S, IDLE_EVERY_S = 2.0, 0.1
"""When nobody has been there for so long the detector looks at ten frames a second only: an empty room costs a third of
the energy, and who enters is seen a tenth of a second later at the worst."""
FORGET_S = 1.0
"""A gap in the frames after which nobody is where he was."""
SAME = 0.5
"""Two crops that share more than this part of their union are of one figure."""
MOST = 16
_TICK = 1e-3


@dataclass
class Sight:
    """What the second network saw in a crop.

    points      float32 (n, 3): 0..1 of the picture, z in the same scale as x, towards the viewer; not smoothed
    confidence  0..1
    crop        where to look in the next frame
    extra       what the task reads off besides
    """

    points: np.ndarray
    confidence: float
    crop: Crop
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Track:
    number: int
    crop: Crop
    calm: OneEuro = field(default_factory=OneEuro)


class Follower(NetworkModel):
    """Base of the tasks that follow figures. A subclass says `point_names`, `_find`, `_look` and `_figure`.

    Ports besides the picture: `most` (how many at most, 1..16) and `smooth` (0..1).
    """

    kind = Landmarks
    uses = ("t",)
    candidates = (("openvino", "f32"), ("onnx", "f32"))
    """Not bf16: measured on photographs it moves a body's joints by 1-9 % of the body, and a face's points by 0.2 %."""
    point_names: tuple[str, ...] = ()
    _t: float | None = None

    def _find(self, image: np.ndarray) -> Iterable[Crop]:
        """Where to look closely, the surest first."""
        raise NotImplementedError

    def _look(self, image: np.ndarray, crop: Crop) -> Sight | None:
        """What is there; None: nobody."""
        raise NotImplementedError

    def _figure(self, image: np.ndarray, points: np.ndarray, sight: Sight, values: dict[str, Any]) -> Figure:
        """The figure as it is published. `points` are smoothed, those of `sight` are not."""
        return Figure(points, self.point_names, sight.confidence, box=box_of(points), **sight.extra)

    def probe(self) -> list[np.ndarray]:
        """One row for each network: its tables of numbers, without the single scores, which for a picture without
        anybody are too near 0 to be compared."""
        self.open()
        if self._fixed is None:
            self._fixed = [fixed_inputs(network.inputs) for network in self._networks]
        outputs = (n.run(inputs).values() for n, inputs in zip(self._networks, self._fixed, strict=True))
        return [np.concatenate([v.reshape(-1) for v in out if v.size > 1]) for out in outputs]

    # -- shared --------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forgets whom it followed."""
        self._tracks: list[_Track] = []
        self._next = 1
        self._t = None
        self._looked: float | None = None
        self._there = 0.0
        self._size_seen: list[int] = []

    def save(self) -> dict[str, Any] | None:
        """Whom it follows, for a tape that begins in the middle."""
        if self._t is None:
            return None
        tracks = [{"number": k.number, "crop": k.crop.as_list(), "calm": k.calm.save()} for k in self._tracks]
        now = {"t": self._t, "looked": self._looked, "there": self._there, "next": self._next, "size": self._size_seen}
        return {**now, "tracks": tracks}

    def load(self, state: dict[str, Any] | None) -> None:
        self.reset()
        if not state:
            return
        self._t, self._looked, self._next = state["t"], state["looked"], state["next"]
        self._there = state["there"]
        self._size_seen = list(state["size"])
        for kept in state["tracks"]:
            track = _Track(kept["number"], Crop(*kept["crop"]))
            track.calm.load(kept["calm"])
            self._tracks.append(track)

    def _run(self, values: dict[str, Any]) -> Landmarks:
        image = checked(values["image"])
        image = image if image.flags.c_contiguous else np.ascontiguousarray(image)
        most = int(min(max(number(values, "most", 1.0), 0), MOST))
        with self._lock:
            if "t" in values:
                return self._follow(image, float(values["t"]), most, values)
            numbered = enumerate(self._search(image, most, []), 1)
            return Landmarks(self._made(image, sight.points, sight, number, values) for number, sight in numbered)

    def _follow(self, image: np.ndarray, t: float, most: int, values: dict[str, Any]) -> Landmarks:
        size = [image.shape[1], image.shape[0]]
        if self._t is not None and not (0 <= t - self._t <= FORGET_S and size == self._size_seen):
            self.reset()
        self._t, self._size_seen = t, size
        seen: list[tuple[_Track, Sight]] = []
        for track in self._tracks[:most]:
            sight = self._look(image, track.crop)
            if sight is not None and not self._among(sight.crop, [s.crop for _, s in seen]):
                seen.append((track, sight))
        lost = len(seen) < len(self._tracks)
        if self._looked is None or seen:
            self._there = t
        pause = LOOK_EVERY_S if seen else IDLE_EVERY_S if t - self._there > IDLE_AFTER_S else 0.0
        due = self._looked is None or t - self._looked >= pause - _TICK
        if len(seen) < most and (lost or due):
            self._looked = t
            for sight in self._search(image, most - len(seen), [s.crop for _, s in seen]):
                seen.append((_Track(self._next, sight.crop), sight))
                self._next += 1
        self._tracks = [track for track, _ in seen]
        smooth = min(max(number(values, "smooth", 0.5), 0.0), 1.0)
        figures = []
        for track, sight in seen:
            track.crop = sight.crop
            points = track.calm(sight.points, t, _size(sight.points), smooth).astype(np.float32)
            figures.append(self._made(image, points, sight, track.number, values))
        return Landmarks(figures)

    def _search(self, image: np.ndarray, most: int, known: list[Crop]) -> list[Sight]:
        """At most so many figures that are not among the known, the surest first."""
        found: list[Sight] = []
        for crop in self._find(image) if most else ():
            if not crop.good or self._among(crop, known):
                continue
            sight = self._look(image, crop)
            if sight is None or self._among(sight.crop, [*known, *(s.crop for s in found)]):
                continue
            found.append(sight)
            if len(found) == most:
                break
        return found

    def _among(self, crop: Crop, others: list[Crop]) -> bool:
        """Whether one of the others is of the same figure."""
        return bool(others) and bool((overlap(np.array([o.box for o in others]), crop.box) > SAME).any())

    def _made(self, image: np.ndarray, points: np.ndarray, sight: Sight, number: int, values: dict[str, Any]) -> Figure:
        figure = self._figure(image, points, sight, values)
        figure.extra["number"] = number
        return figure


def box_of(points: np.ndarray) -> tuple[float, ...]:
    """x, y, w, h of what holds the points."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return tuple(float(v) for v in (*low, *(high - low)))


def _size(points: np.ndarray) -> float:
    """Of a figure, in the unit of its points: the mean of width and height."""
    return float(np.ptp(points[:, :2], axis=0).mean())


def number(values: dict[str, Any], port: str, default: float) -> float:
    """A knob as a finite number. ValueError."""
    value = values.get(port, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"{port} is a number, and this is {value!r:.40}")
    return number
