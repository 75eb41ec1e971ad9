"""A generator's walk through its latent space: pictures of nobody, each growing out of the last. Task "imagine".

A generator (Goodfellow and others: Generative Adversarial Networks, 2014) makes a picture out of a row of normally
distributed numbers. What is played here is the way from row to row: a closed loop, so smooth that it has no corners,

    z(p) = c0 home + sum over k of wk (ak cos 2 pi k p + bk sin 2 pi k p),    c0^2 + sum of wk^2 = 1

whose rows are all exactly as likely as any that the generator learnt with. The same seed gives the same loop on every
machine: home, ak and bk come from numpy's RandomState, whose stream is frozen, and z is rounded to 1/4096.

Any ONNX generator of one's own will do: a row of numbers in, a picture out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault, did_you_mean
from ...core.kinds import Control, Image, Size, Vector
from .. import check_onnx, store
from ..card import Card
from ..network import NetworkModel

HARMONICS = 4
"""How often the loop may turn back upon itself: more is a more eventful walk."""
_STEP = 4096


def recognise(found: wire.Summary) -> dict[str, Any] | None:
    """What a card says of this network if it makes a picture of a row of numbers; None: it does not.

    A picture that ends in a sigmoid is 0..1; any other is taken for -1..1, as tanh and StyleGAN give it.
    """
    (latent, row), (picture, sides) = (next(iter(p.items()), ("", None)) for p in (found.inputs, found.outputs))
    if len(found.inputs) != 1 or not row or not sides or found.types.get(latent) != wire.FLOAT:
        return None
    if not (len(row) == 2 or (len(row) == 4 and row[2:] == [1, 1])) or row[1] < 2:
        return None
    if len(sides) != 4 or 3 not in (sides[1], sides[3]) or min(sides[1:]) < 1:
        return None
    high, wide = sides[2:] if sides[1] == 3 else sides[1:3]
    knobs = {"position": 0.0, "wander": 1.0, "truncation": 1.0, "seed": 0.0}
    bright = "Sigmoid" in found.ops and "Tanh" not in found.ops
    return {
        "size": [wide, high], "makes": ["picture"], "ports": {**dict.fromkeys(knobs, "Control"), "latent": "Vector"},
        "constants": knobs,
        "options": {"latent": latent, "picture": picture, "range": "0..1" if bright else "-1..1"},
    }  # fmt: skip


class Imagine(NetworkModel):
    """`model(position, wander=1, truncation=1, seed=0, latent=None)`: a picture, uint8 RGB, height x width x 3.

    position    where on the loop: any number; 0 and 1 are the same place, and 0.01 is a small step
    wander      0..1: how far the loop goes from its home (0: one picture, 1: as far as it can)
    truncation  0..2: below 1 nearer to the average, paler; above 1 stranger, and sooner broken
    seed        which loop: whole numbers are loops, and what lies between is rounded
    latent      the row itself, instead of all of the above (but for truncation)

    Options of a card: `latent` and `picture` (names in the file, where it has several), `range` of the picture that
    comes out ("0..1", "-1..1" or "0..255"), `harmonics`.
    """

    kind = Image

    def __init__(self, card: Card, **how: Any) -> None:
        super().__init__(card, **how)
        self.needed = ()
        word = str(card.options.get("range", "0..1"))
        if word not in _LEVELS:
            raise ModelFault(f'{card.name}: there is no range "{word}"', hint=did_you_mean(word, _LEVELS))
        self._range = word
        self._harmonics = min(max(int(card.options.get("harmonics", HARMONICS)), 1), 64)

    def _size(self, size: Size | None) -> Size | None:
        if size and size != self.card.size:
            raise ModelFault(f"{self.card.name} paints at its own size only", hint="leave size away; resize enlarges")
        return self.card.size

    def _constant(self, port: str, value: Any) -> Any:
        return Vector.check(value) if port == "latent" else Control.check(value)

    def _open(self) -> None:
        blob = store.read(self.card, "network")
        found = check_onnx.inspect(blob, self.card.files["network"].name)
        options = self.card.options
        name = str(options.get("latent") or next(iter(found.inputs), ""))
        sides, picture = found.inputs.get(name), str(options.get("picture") or next(iter(found.outputs)))
        shape = found.outputs.get(picture)
        if len(found.inputs) != 1 or not sides or any(s < 1 for s in sides[1:]) or math.prod(sides[1:]) > 1 << 16:
            raise self._fault(f"it takes {found.inputs}", "one row of numbers: [1, N] or [1, N, 1, 1]")
        if not shape or len(shape) != 4 or 3 not in (shape[1], shape[3]) or any(side < 1 for side in shape[1:]):
            raise self._fault(f"{picture} is {shape}", "a picture is [1, 3, height, width] or [1, height, width, 3]")
        self._latent = Tensor(name, (1, *sides[1:]))
        layout = "NCHW" if shape[1] == 3 else "NHWC"
        # only 0..1 can be turned into levels inside the network
        self._picture = Tensor(picture, (1, *shape[1:]), layout if self._range == "0..1" else "")
        self._channels_first = layout == "NCHW"
        self._network = self.network("network", [self._latent], [self._picture], blob=blob)
        self._numbers = math.prod(sides[1:])
        self._paint(np.zeros(self._numbers))

    def _fault(self, why: str, hint: str) -> ModelFault:
        return ModelFault(f"{self.card.name} is no generator: {why}", now="the model was not loaded", hint=hint)

    def latent(self, position: float = 0.0, wander: float = 1.0, seed: float = 0) -> np.ndarray:
        """The row of numbers at a place of a loop: float64, before truncation."""
        self.open()
        position, wander, seed = (float(v) for v in (position, wander, seed))
        home, loop = _loop(round(seed) % (1 << 32), self._numbers, self._harmonics)
        wander = min(max(wander, 0.0), 1.0)
        turns = 2 * math.pi * (position % 1.0)
        waves = [f(turns * k) for k in range(1, self._harmonics + 1) for f in (math.cos, math.sin)]
        return math.sqrt(1 - wander * wander) * home + wander * (np.array(waves) @ loop)

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        given = values.get("latent")
        truncation = min(max(Control.check(values.get("truncation", 1.0)), 0.0), 2.0)
        if given is not None:
            row = Vector.check(given).astype(np.float64)
            if len(row) != self._numbers:
                raise ValueError(f"latent is {self._numbers} numbers, and these are {len(row)}")
        else:
            knobs = {"position": 0.0, "wander": 1.0, "seed": 0.0}
            row = self.latent(**{k: Control.check(values.get(k, default)) for k, default in knobs.items()})
        return self._paint(row * truncation)

    def _paint(self, row: np.ndarray) -> np.ndarray:
        rounded = (np.rint(row * _STEP) / _STEP).astype(np.float32)
        out = self._network.run({self._latent.name: rounded.reshape(self._latent.shape)})[self._picture.name]
        if self._picture.picture:
            return out
        out = out[0].transpose(1, 2, 0) if self._channels_first else out[0]
        factor, offset = _LEVELS[self._range]
        return np.rint(np.clip(out * np.float32(factor) + np.float32(offset), 0, 255)).astype(np.uint8, order="C")

    def proofs(self) -> list[dict[str, Any]]:
        """Places on loops, for comparing one backend with another."""
        return [{"position": n / 5, "seed": n} for n in range(5)]

    def _close(self) -> None:
        self._network = None


@lru_cache(maxsize=64)
def _loop(seed: int, numbers: int, harmonics: int) -> tuple[np.ndarray, np.ndarray]:
    """Home (numbers) and the loop's waves (2 x harmonics, numbers), slow ones the larger: they sum to variance 1."""
    dice = np.random.RandomState(seed)  # numpy's legacy generator: its stream never changes again
    home, waves = dice.standard_normal(numbers), dice.standard_normal((2 * harmonics, numbers))
    weights = np.array([1 / k for k in range(1, harmonics + 1)])
    weights /= math.sqrt(float(np.square(weights).sum()))
    return home, waves * np.repeat(weights, 2)[:, None]


_LEVELS = {"0..1": (255.0, 0.0), "-1..1": (127.5, 127.5), "0..255": (1.0, 0.0)}
