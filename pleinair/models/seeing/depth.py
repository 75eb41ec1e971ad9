"""How near each place of a picture is. Task "depth": for a network of one's own, since no package carries one.

Depth Anything (Yang and others, 2024), MiDaS and DPT (Ranftl and others, 2019, 2021) and what came after are all of one
kind: a picture in, one number for each pixel out, larger where things are nearer, in no unit and on a scale of each
picture's own. So the numbers are stretched to 0..1 between the far and the near end of what is seen, and both ends
follow slowly: else a hand before the lens makes the whole room jump. Networks that give metres are turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault
from ...core.kinds import Control, Mask, Size
from .. import check_onnx, store
from ..card import Card
from ..fit import fitted
from ..network import NetworkModel
from ._pictures import fixed_size, picture_input

MAX_SIDE = 4096
TRIM = 2.0
"""Per cent of the pixels at each end that may lie beyond it: single wild numbers stretch nothing."""


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it tells depths (size, ports, options); None: it does not, or does not say.

    A map [1, height, width] is taken for depths; [1, 1, height, width], which could be a mask, where it is named so.
    """
    size, (output, sides) = fixed_size(found), next(iter(found.outputs.items()))
    pictures = [s for s in found.inputs.values() if s and len(s) == 4 and 3 in (s[1], s[3])]
    if len(found.inputs) != 1 or not pictures or not sides:
        return None
    if not (len(sides) == 3 or (len(sides) == 4 and sides[1] == 1 and "depth" in output.lower())):
        return None
    if size and min(sides[-2:]) > 0 and (sides[-1], sides[-2]) != size:
        return None
    patches = bool({"LayerNormalization", "Erf"} & set(found.ops))  # a transformer of 14 x 14: Depth Anything
    options: dict[str, Any] = {"range": "imagenet", "nearer": "larger", "output": output}
    if size is None:
        options["multiple"] = 14 if patches else 32
    ports = {"image": "Image", "steady": "Control"}
    wanted = size or ((518, 392) if patches else (512, 384))
    return {"size": list(wanted), "ports": ports, "constants": {"steady": 0.9}, "options": options}


class Depth(NetworkModel):
    """`model(image, steady=0.9)`: a Mask, 1 where things are nearest, 0 where they are farthest, at the working size.

    image   uint8 RGB, any size; stretched to the working size
    steady  0..1: how slowly the far and the near end follow the picture. 0: each picture by itself; 0.9: in ten
            pictures, mostly. What has nothing in common with the last range (a cut) begins anew

    Options of a card: `range` of what goes in ("imagenet" unless it says otherwise; see `_pictures.picture_input`),
    `multiple` that both sides must be of (14 for Depth Anything, 32 for MiDaS; 1), `nearer = "smaller"` for a network
    that gives metres, `output` (its name, where there are several), `trim` in per cent.
    """

    kind = Mask

    def __init__(self, card: Card, **how: Any) -> None:
        self._multiple = max(1, int(card.options.get("multiple", 1)))
        super().__init__(card, **how)
        nearer = card.options.get("nearer", "larger")
        if nearer not in ("larger", "smaller"):
            raise ModelFault(f'{card.name}: options.nearer is "larger" or "smaller", and this is {nearer!r:.40}')
        self._metres = nearer == "smaller"
        self._trim = min(max(float(card.options.get("trim", TRIM)), 0.0), 40.0)
        self._range: tuple[float, float] | None = None

    def _size(self, size: Size | None) -> Size | None:
        """None: what the file says, which is read when it is opened."""
        size = size or self.card.size
        if size and (any(side % self._multiple for side in size) or not 16 <= min(size) <= max(size) <= MAX_SIDE):
            near = [max(self._multiple, round(side / self._multiple) * self._multiple) for side in size]
            raise ModelFault(
                f"{self.card.name} cannot work at {size[0]} x {size[1]}: its sides are multiples of {self._multiple}",
                now="the model was not loaded",
                hint=f"size = [{near[0]}, {near[1]}]",
            )
        return (int(size[0]), int(size[1])) if size else None

    def _constant(self, port: str, value: Any) -> Any:
        return Control.check(value) if port == "steady" else value

    def reset(self) -> None:
        """Forgets the range."""
        self._range = None

    def save(self) -> dict[str, float] | None:
        """What a tape that begins in the middle needs."""
        return None if self._range is None else {"far": self._range[0], "near": self._range[1]}

    def load(self, state: dict[str, float] | None) -> None:
        self._range = (float(state["far"]), float(state["near"])) if state else None

    def _open(self) -> None:
        blob = store.read(self.card, "network")
        found = check_onnx.inspect(blob, self.card.files["network"].name)
        fixed = fixed_size(found, str(self.card.options.get("input", "")))
        if self.size is None:
            self.size = fixed or tuple(round(side / self._multiple) * self._multiple for side in (512, 384))
        if fixed and fixed != self.size:
            raise ModelFault(
                f"{self.card.name} works at {fixed[0]} x {fixed[1]} only: that is how its file was written",
                now="the model was not loaded",
                hint=f"size = [{fixed[0]}, {fixed[1]}], or export it with free sides",
            )
        self._input = picture_input(self.card, found, self.size, "imagenet")
        name = str(self.card.options.get("output") or next(iter(found.outputs)))
        sides = found.outputs.get(name)
        if not sides or len(sides) not in (3, 4):
            raise ModelFault(
                f"{self.card.name}: {name} is no map of depths", hint=f"options.output: {', '.join(found.outputs)}"
            )
        self._output = Tensor(name, tuple(-1 if n and side < 1 else max(side, 1) for n, side in enumerate(sides)))
        self._network = self.network("network", [self._input], [self._output], blob=blob)
        self._nearness(np.full((*self._input.height_width, 3), 128, np.uint8))

    def _nearness(self, picture: np.ndarray) -> np.ndarray:
        """float32, height x width, larger where things are nearer."""
        found = self._network.run({self._input.name: picture})[self._output.name]
        found = found.reshape([side for side in found.shape if side != 1] or [1])
        if found.ndim != 2:
            raise ValueError(f"{self.card.name} gave {found.shape}, which is no map of depths")
        if self._metres:
            found = 1 / np.maximum(found, np.float32(1e-3))
        return np.nan_to_num(found, posinf=0.0, neginf=0.0)

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        steady = min(max(Control.check(values.get("steady", 0.9)), 0.0), 0.999)
        near = self._nearness(fitted(values["image"], self.size))
        some = near[::4, ::4] if near.size > 1 << 14 else near
        low, high = (float(v) for v in np.percentile(some, (self._trim, 100 - self._trim)))
        with self._lock:
            last = self._range
            if last is not None and low <= last[1] and high >= last[0]:
                low, high = (new + steady * (old - new) for new, old in zip((low, high), last, strict=True))
            self._range = (low, high)
        if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
            return np.zeros(near.shape, np.float32)  # a wall: nothing is nearer than anything
        return np.clip((near - np.float32(low)) / np.float32(high - low), 0, 1)

    def _close(self) -> None:
        self._network = None
