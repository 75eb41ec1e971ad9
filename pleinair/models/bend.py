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

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends.base import Backend, Tensor
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Control, Image, Kind, Vector
from . import graphs
from .bent_layer import DEFAULTS, BentLayer
from .card import Card

_KEYS = ("layer", "channels", "grain", "seed", "role")


@dataclass(frozen=True)
class Bend:
    """One bent layer.

    name      its ports are NAME_scale, NAME_shift, NAME_noise, NAME_drift
    layer     the tensor, by its name in the file or as `models show CARD --layers` spells it
    channels  the part of the channels that scale and shift act on, 0..1, or their numbers
    grain     how large the spots of the random field are, in cells of the layer: 1 is sand, 12 are clouds
    seed      of the choice of channels and of the random field
    role      the card's file that the tensor is in; "": whichever of them has it
    """

    name: str
    layer: str
    channels: float | tuple[int, ...] = 0.5
    grain: int = 6
    seed: int = 1
    role: str = ""

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
    role: str = ""

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
        bends.append(Bend(name, entry["layer"], chosen, grain, seed, entry.get("role", "")))
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
    return Tap(table["layer"], shape, table.get("role", ""))


_CLOSED = {"gguf": "a GGUF file, which llama.cpp runs", "ctranslate2": "CTranslate2's own form"}


def check_bendable(card: Card) -> None:
    """ModelFault, with the reason, where a card has no network whose layers can be reached."""
    from .. import plugins
    from . import choose
    from .network import NetworkModel

    if card.task == "clip":
        raise ModelFault(f"{card.name} is a clip: it has no layers", hint="pleinair models list")
    runs_on = [name for name, _ in choose.candidates(card)]
    if {"onnx", "openvino"}.intersection(runs_on) and issubclass(plugins.find("tasks", card.task), NetworkModel):
        return
    forms = [_CLOSED[name] for name in runs_on if name in _CLOSED]
    why = f"its network is in {forms[0]}, and nobody can reach into it" if forms else "it has no network"
    raise ModelFault(
        f"{card.name} cannot be bent: {why}",
        now="the model was not loaded",
        hint="networks in ONNX files can be: pleinair models show CARD --layers",
    )


class Bending:
    """What a model's bends and its tap do to its networks. One for each model."""

    def __init__(self, bends: Sequence[Bend], tap: Tap | None) -> None:
        self.bends, self.tap = tuple(bends), tap
        self.tapped: np.ndarray | None = None
        self._values = {port: value for b in bends for port, value in b.ports.items()}
        self._layers: list[BentLayer] = []
        self._shape: tuple[int, ...] = ()
        self._seen: dict[str, list[str]] = {}
        self._met: dict[str, str] = {}

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
        """Takes its own ports out of a call's values; those not given lie still. Nothing has been tapped yet."""
        self.tapped = None
        for port, still in self.ports.items():
            self._values[port] = Control.check(values.pop(port, still))

    def network(
        self, role: str, blob: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], make: Callable[..., Backend]
    ) -> Backend:
        """The network of a role with its layers bent; as it is where none of them is in it."""
        graph = graphs.read(blob)
        self._seen[role] = graphs.names(graph)
        bends = [b for b in self.bends if self._is_in(graph, role, b.role, b.layer, b.name)]
        tap = self.tap if self.tap and self._is_in(graph, role, self.tap.role, self.tap.layer, "tap") else None
        if not bends and tap is None:
            return make(blob, inputs, outputs)
        extra: list[Tensor] = []
        for bend in bends:
            tensor = graphs.find(graph, bend.layer)
            sample = graphs.sample(blob, tensor, inputs)
            layer = BentLayer(bend, sample, graphs.free_sides(blob, tensor, inputs, sample.shape))
            graphs.bend(graph, tensor, bend.name, layer.fields, layer.axis)
            extra += layer.tensors
            self._layers.append(layer)
        found = list(outputs)
        if tap is not None:
            tensor = graphs.find(graph, tap.layer)
            graphs.show(graph, tensor)
            self._shape = graphs.sample(blob, tensor, inputs).shape
            found.append(Tensor(tensor, self._shape))
        inner = make(graphs.write(graph), [*inputs, *extra], found)
        return _Bent(inner, self, tuple(inputs), found[-1].name if tap else None, {t.name for t in extra})

    def _is_in(self, graph: Any, role: str, wanted: str, layer: str, name: str) -> bool:
        """Whether this is the network that is meant. ModelFault: it is, by its role, and has no such layer; or another
        could be meant as well."""
        if wanted == role:
            graphs.find(graph, layer)
        elif wanted or not graphs.has(graph, layer):
            return False
        if other := self._met.get(name):
            raise ModelFault(
                f'bend: the networks "{other}" and "{role}" of the card both have a layer "{layer}"',
                now="the model was not loaded",
                hint=" or ".join(f'{{ layer = "{layer}", role = "{one}" }}' for one in (other, role)),
            )
        self._met[name] = role
        return True

    def check_met(self) -> None:
        """ModelFault where a bend's layer is in none of the model's networks."""
        roles = " or ".join(f'role = "{role}"' for role in self._seen)
        wanted: list[tuple[Bend | Tap, str]] = [(bend, bend.name) for bend in self.bends]
        for what, name in wanted + ([(self.tap, "tap")] if self.tap else []):
            if name in self._met:
                continue
            if what.role:
                raise ModelFault(f'bend: the card has no network "{what.role}"', hint=roles)
            raise graphs.no_layer(what.layer, [n for names in self._seen.values() for n in names])

    def arrays(self, names: set[str]) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for layer in self._layers:
            if layer.tensors[0].name in names:
                found.update(layer.arrays(self._values))
        return found

    def output(self) -> np.ndarray:
        """What was tapped at this call, as its kind; zeros where its network had nothing to look at."""
        if self.tap is None:
            raise ModelFault("nothing is tapped")
        tapped = np.zeros(self._shape, np.float32) if self.tapped is None else self.tapped
        sheet = graphs.channels_first(tapped)
        spread = sheet.std() or 1.0
        if self.tap.shape == "vector":
            return (np.abs(sheet).reshape(len(sheet), -1).mean(1) / spread).astype(np.float32)
        return graphs.mosaic((sheet - sheet.mean()) / spread)

    def close(self) -> None:
        self._layers, self.tapped = [], None
        self._seen.clear()
        self._met.clear()


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
        if self._tapped is not None and self._bending.tapped is None:  # of several in one picture the first, the surest
            self._bending.tapped = found[self._tapped]
        return found
