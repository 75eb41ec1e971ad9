"""Network bending: a layer inside a network becomes an instrument.

Any named tensor of an ONNX network can be scaled, shifted and made noisy while it runs, or tapped out as a stream. The
graph is changed before a runtime sees it, so that it works on every backend that reads ONNX:

    bent = scale * tensor + shift + noise * (a random field)

scale and shift act on a part of the channels (half of them, chosen by a seed): a network that normalises its layers
would take back what happens to all channels alike. shift and noise are counted in each channel's own standard
deviations, measured once on a fixed picture, so that 1 means as much in every layer. The random field turns between
two fields as `drift` goes from 0 to 1: its strength stays the same and it comes back to where it began.

After T. Broad, F. F. Leymarie, M. Grierson: Network Bending: Expressive Manipulation of Deep Generative Models, 2021.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Control, Image, Kind, Vector
from . import graphs

DEFAULTS = {"scale": 1.0, "shift": 0.0, "noise": 0.0, "drift": 0.0}
_KEYS = ("layer", "channels", "grain", "seed", "role")


@dataclass(frozen=True)
class Bend:
    """One bent layer.

    name      its ports are NAME_scale, NAME_shift, NAME_noise, NAME_drift
    layer     the tensor, by its name in the file or as `models show CARD --layers` spells it
    channels  the part of the channels that scale and shift act on, 0..1, or their numbers
    grain     how large the spots of the random field are, in cells of the layer: 1 is sand, 12 are clouds
    seed      of the choice of channels and of the random field
    role      the card's file that the tensor is in
    """

    name: str
    layer: str
    channels: float | tuple[int, ...] = 0.5
    grain: int = 6
    seed: int = 1
    role: str = "network"

    @property
    def ports(self) -> dict[str, float]:
        """Port -> the value at which nothing happens."""
        return {f"{self.name}_{what}": value for what, value in DEFAULTS.items()}


@dataclass(frozen=True)
class Tap:
    """A layer as the model's output: `shape` "picture" (all its channels side by side) or "vector" (how strongly each
    channel speaks, in standard deviations)."""

    layer: str
    shape: str = "picture"
    role: str = "network"

    @property
    def kind(self) -> type[Kind]:
        return Image if self.shape == "picture" else Vector


def read_bends(table: Mapping[str, Any] | None) -> tuple[Bend, ...]:
    """`{swirl = "expand.0/Relu"}` or `{swirl = {layer = "...", channels = 0.3, seed = 2}}`, as piece.toml has it."""
    bends = []
    for name, entry in (table or {}).items():
        entry = {"layer": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, Mapping) or not isinstance(entry.get("layer"), str):
            raise ModelFault(
                f"bend: {name} names no layer",
                hint=f'bend = {{ {name} = "LAYER" }}      (pleinair models show CARD --layers)',
            )
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ModelFault(f'bend: "{name}" cannot be the name of ports', hint="letters, digits and underscore")
        for key in entry:
            if key not in _KEYS:
                raise ModelFault(f'bend: {name} has a key "{key}"', hint=did_you_mean(key, _KEYS))
        channels = entry.get("channels", 0.5)
        whole = isinstance(channels, list) and channels and all(isinstance(c, int) and c >= 0 for c in channels)
        part = isinstance(channels, (int, float)) and not isinstance(channels, bool) and 0 < channels <= 1
        if not whole and not part:
            raise ModelFault(f"bend: channels of {name} is a part of them, 0..1, or a list of their numbers")
        seed = entry.get("seed", 1)
        if not isinstance(seed, int) or seed < 0:
            raise ModelFault(f"bend: the seed of {name} is a whole number")
        grain = entry.get("grain", 6)
        if not isinstance(grain, int) or not 1 <= grain <= 256:
            raise ModelFault(f"bend: the grain of {name} is a whole number, 1 to 256")
        chosen = tuple(channels) if whole else float(channels)
        bends.append(Bend(name, entry["layer"], chosen, grain, seed, entry.get("role", "network")))
    return tuple(bends)


def read_tap(table: Mapping[str, Any] | str | None) -> Tap | None:
    """`tap = "expand.0/Relu"` or `tap = {layer = "...", as = "vector"}`."""
    if not table:
        return None
    table = {"layer": table} if isinstance(table, str) else table
    shape = table.get("as", "picture")
    odd = set(table) - {"layer", "as", "role"}
    if not isinstance(table.get("layer"), str) or odd or shape not in ("picture", "vector"):
        raise ModelFault(
            "tap names a layer, as a picture or as a vector", hint='tap = { layer = "LAYER", as = "vector" }'
        )
    return Tap(table["layer"], shape, table.get("role", "network"))


class Bending:
    """What a model's bends and its tap do to its networks. One for each model."""

    def __init__(self, bends: Sequence[Bend], tap: Tap | None) -> None:
        self.bends, self.tap = tuple(bends), tap
        self.tapped: np.ndarray | None = None
        self._values = {port: value for b in bends for port, value in b.ports.items()}
        self._layers: list[_Layer] = []
        self._met: set[str] = set()

    @property
    def ports(self) -> dict[str, float]:
        return {port: value for b in self.bends for port, value in b.ports.items()}

    def as_dict(self) -> dict[str, Any]:
        """For lock and tape: what `load` takes as `bend` and `tap`."""
        bends: dict[str, Any] = {}
        for b in self.bends:
            channels = list(b.channels) if isinstance(b.channels, tuple) else b.channels
            bends[b.name] = {"layer": b.layer, "channels": channels, "grain": b.grain, "seed": b.seed, "role": b.role}
        tap = {"layer": self.tap.layer, "as": self.tap.shape, "role": self.tap.role} if self.tap else None
        return {"bend": bends, "tap": tap}

    def take(self, values: dict[str, Any]) -> None:
        """Takes its own ports out of a call's values; those not given lie still."""
        for port, still in self.ports.items():
            self._values[port] = Control.check(values.pop(port, still))

    def network(
        self, role: str, blob: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], make: Callable[..., Backend]
    ) -> Backend:
        """The network of a role with its layers bent; as it is where none of them is in it."""
        bends = [b for b in self.bends if b.role == role]
        tap = self.tap if self.tap and self.tap.role == role else None
        if not bends and tap is None:
            return make(blob, inputs, outputs)
        self._met.add(role)
        extra: list[Tensor] = []
        graph = graphs.read(blob)
        for bend in bends:
            tensor = graphs.find(graph, bend.layer)
            sample = graphs.sample(blob, tensor, inputs)
            layer = _Layer(bend, sample)
            graphs.bend(graph, tensor, bend.name, layer.fields)
            extra += layer.tensors
            self._layers.append(layer)
        found = list(outputs)
        if tap is not None:
            tensor = graphs.find(graph, tap.layer)
            graphs.show(graph, tensor)
            found.append(Tensor(tensor, graphs.sample(blob, tensor, inputs).shape))
        inner = make(graphs.write(graph), [*inputs, *extra], found)
        return _Bent(inner, self, tuple(inputs), found[-1].name if tap else None, {t.name for t in extra})

    def check_met(self) -> None:
        """ModelFault where a bend names a role that the model never made a network of."""
        for what in (*self.bends, *([self.tap] if self.tap else [])):
            if what.role not in self._met:
                raise ModelFault(f'bend: the card has no network "{what.role}"', hint='role = "network"')

    def arrays(self, names: set[str]) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for layer in self._layers:
            if layer.tensors[0].name in names:
                found.update(layer.arrays(self._values))
        return found

    def output(self) -> np.ndarray:
        """What was tapped at the last call, as its kind."""
        if self.tapped is None or self.tap is None:
            raise ModelFault("nothing was tapped: the network did not run")
        sheet = graphs.channels_first(self.tapped)
        spread = sheet.std() or 1.0
        if self.tap.shape == "vector":
            return (np.abs(sheet).reshape(len(sheet), -1).mean(1) / spread).astype(np.float32)
        return graphs.mosaic((sheet - sheet.mean()) / spread)

    def close(self) -> None:
        self._layers, self.tapped = [], None
        self._met.clear()


class _Layer:
    """The extra inputs of one bent tensor, and their values."""

    def __init__(self, bend: Bend, sample: np.ndarray) -> None:
        if sample.dtype != np.float32 or sample.ndim < 2:
            raise ModelFault(
                f"bend: {bend.layer} is not a layer of float32 numbers", hint="pleinair models show CARD --layers"
            )
        self.bend = bend
        axis = graphs.channel_axis(sample.shape)
        count = sample.shape[axis]
        self.std = np.moveaxis(sample, axis, 0).reshape(count, -1).std(1)  # a row of one picture's numbers has none
        self.std = np.where(self.std > 1e-6, self.std, float(sample.std()) or 1.0).astype(np.float32)
        chosen = bend.channels
        rng = np.random.default_rng(bend.seed)
        if not isinstance(chosen, tuple):
            chosen = tuple(int(c) for c in rng.permutation(count)[: max(1, round(chosen * count))])
        if max(chosen) >= count:
            raise ModelFault(f"bend: {bend.layer} has {count} channels, and {max(chosen)} was asked for")
        self._mask = np.zeros(count, np.float32)
        self._mask[list(chosen)] = 1
        shape = tuple(count if a == axis else 1 for a in range(sample.ndim))
        spread = self.std.reshape(shape)
        self.fields = [(_clouds(rng, sample.shape, axis, bend.grain) * spread).astype(np.float32) for _ in range(2)]
        one = (1,) * sample.ndim
        self.tensors = [
            Tensor(f"bend.{bend.name}.{what}", shape if what in ("mul", "add") else one)
            for what in ("mul", "add", "first", "second")
        ]

    def arrays(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        scale, shift, noise, drift = (float(values[f"{self.bend.name}_{what}"]) for what in DEFAULTS)
        turn = 2 * math.pi * drift
        mul = 1 + (scale - 1) * self._mask
        add = shift * self.std * self._mask
        figures = (mul, add, np.float32([noise * math.cos(turn)]), np.float32([noise * math.sin(turn)]))
        return {t.name: np.asarray(v, np.float32).reshape(t.shape) for t, v in zip(self.tensors, figures, strict=True)}


def _clouds(rng: np.random.Generator, shape: tuple[int, ...], axis: int, grain: int) -> np.ndarray:
    """A random field of standard deviation 1 whose spots are about `grain` cells large; plain noise for a row."""
    if len(shape) != 4 or grain == 1:
        return rng.standard_normal(shape)
    import cv2

    height, width = (side for place, side in enumerate(shape[1:], 1) if place != axis)
    small = rng.standard_normal((shape[axis], -(-height // grain) + 1, -(-width // grain) + 1))
    sheets = np.stack([cv2.resize(s, (width, height), interpolation=cv2.INTER_CUBIC) for s in small])
    sheets /= sheets.std((1, 2), keepdims=True)
    return np.moveaxis(sheets, 0, axis - 1)[None]


class _Bent:
    """A backend with the bends' inputs filled in. To the task it looks like the plain one."""

    def __init__(
        self, inner: Backend, bending: Bending, inputs: tuple[Tensor, ...], tapped: str | None, extra: set[str]
    ) -> None:
        self._inner, self._bending, self._tapped, self._extra = inner, bending, tapped, extra
        self.inputs = inputs
        self.name, self.version, self.precision = inner.name, inner.version, inner.precision
        self.threads, self.isa = inner.threads, inner.isa
        self.describe, self.close = inner.describe, inner.close

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._inner.run({**arrays, **self._bending.arrays(self._extra)})
        if self._tapped is not None:
            self._bending.tapped = found[self._tapped]
        return found
