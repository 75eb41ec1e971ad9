"""Paints a picture in a style, or in a mixture of styles. Task "stylise".

Two networks are known, named by `options.network` of the card:

mixture      one network, N styles, weights that sum to 1 (Dumoulin, Shlens, Kudlur: A Learned Representation for
             Artistic Style, 2017). Ports image, style_weights.
any-picture  a style is 100 numbers read off any picture (Ghiasi and others: Exploring the structure of a real-time,
             arbitrary neural artistic stylization network, 2017). Ports image, style, strength.

A picture of another size is resized to the working size before (area average where it shrinks), and what comes back
has the working size: stretched both ways, it lies over the picture that it was made of.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import plugins
from ..backends import wire
from ..backends.base import Backend, Tensor, default_threads, isa
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Image, Kind, Size
from ..core.model import Model
from . import check_onnx, store
from .anystyle import AnyPicture
from .card import Card
from .fit import fitted
from .mixture import Mixture
from .painter import Painter

MAX_SIDE = 4096


class Stylise(Model):
    """A painter. `model(image, style_weights=...)` or `model(image, style=..., strength=...)`.

    image          uint8 RGB, height x width x 3
    style_weights  one number >= 0 for each style, of any sum: only their proportions count. All zero: nobody paints,
                   and the picture comes back as it is (at the working size)
    style          a picture, or the 100 numbers that `style_of` reads off one; without it the picture's own style
    strength       0..1: from the picture's own style to the given one; anything below 1 reads the style of every
                   frame anew (about 7 ms)

    A port that is not given takes the constant, and an empty vector counts as not given. ValueError, with a sentence,
    for what a port cannot take. Calls from several threads take turns.

    size       working size (width, height), multiples of 4; None: the card's
    backend    a name in `pleinair.backends`; precision "f32" or "bf16"; threads: None = all that may be used
    constants  values for ports that no stream feeds
    """

    kind = Image

    def __init__(
        self,
        card: Card,
        *,
        size: Size | None = None,
        backend: str,
        precision: str,
        threads: int | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        self.card = card
        self.ports: dict[str, type[Kind]] = dict(card.ports) or {"image": Image}
        self.names = card.names
        self.size: Size = _checked_size(card, size or card.size or (320, 240))
        self.precision = precision
        self.threads = threads or default_threads()
        self._backend_name = backend
        self._backend_class = plugins.find("backends", backend)
        kind = card.options.get("network", "mixture")
        if kind not in _PAINTERS:
            raise ModelFault(
                f'the card {card.name} names a network "{kind}" that stylise does not know',
                hint=did_you_mean(str(kind), _PAINTERS),
            )
        self._painter: Painter = _PAINTERS[kind](card, self.size)
        self._order = tuple(self.ports)
        self._known = frozenset(self.ports)
        self._constants: dict[str, Any] = {}
        for port, value in {**card.constants, **(constants or {})}.items():
            self._name_known(port)
            if not _silent(value):
                self._constants[port] = self._painter.check(port, value)
        self._backends: list[Backend] = []
        self._lock = threading.RLock()

    def open(self) -> None:
        """Reads and checks the weights, compiles them at the working size and runs them once. Idempotent."""
        with self._lock:
            if self._backends:
                return
            try:
                self._painter.open(self._make)
                grey = np.full((self.size[1], self.size[0], 3), 128, np.uint8)
                self._painter.paint(grey, self._constants)
            except BaseException:
                self.close()
                raise

    def __call__(self, *args: Any, **ports: Any) -> np.ndarray:
        """The painting: uint8, working height x width x 3, an array of the caller's own."""
        if not self._backends:
            self.open()
        if len(args) > len(self._order):
            raise TypeError(f"{self.card.name} has {len(self._order)} ports ({', '.join(self._order)})")
        values = dict(self._constants)
        for port, value in (*zip(self._order, args, strict=False), *ports.items()):
            if port not in self._known:
                self._name_known(port)
            if value is not None and not _silent(value):
                values[port] = value
        if "image" not in values:
            raise TypeError(f"{self.card.name} needs a picture: model(image)")
        return self._painter.paint(fitted(values.pop("image"), self.size), values)

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        """The 100 numbers of a picture's style (any-picture networks): float32, made for mixing with others."""
        if not self._backends:
            self.open()
        return self._painter.style_of(picture)

    def proofs(self) -> list[dict[str, Any]]:
        """Port values that show what this model does, for comparing one backend with another."""
        return self._painter.proofs()

    def close(self) -> None:
        with self._lock:
            for backend in self._backends:
                backend.close()
            self._backends = []
            self._painter.close()

    def describe(self) -> dict[str, Any]:
        about: dict[str, Any] = {
            "card": self.card.name,
            "sha256": self.card.sha256,
            "files": {role: file.sha256 for role, file in self.card.files.items()},
            "size": list(self.size),
            "backend": {
                "name": self._backend_name,
                "version": self._backend_class.version_installed(),
                "precision": self.precision,
                "threads": self.threads,
                "isa": isa(),
            },
        }
        return about

    def _make(self, role: str, inputs: list[Tensor], outputs: list[Tensor], precision: str | None = None) -> Backend:
        blob = store.read(self.card, role)
        name = self.card.files[role].name
        found = check_onnx.inspect(blob, name)
        free = {"": lambda s: s, "NCHW": lambda s: (1, 3, None, None), "NHWC": lambda s: (1, None, None, 3)}
        check_onnx.expect(
            found,
            name,
            {t.name: free[t.picture](t.shape) for t in inputs},
            {t.name: tuple(None if n == 0 else s for n, s in enumerate(free[t.picture](t.shape))) for t in outputs},
        )
        if self.card.options.get("rounding") is False:
            blob = wire.without_rounding(blob)
        backend = self._backend_class(
            blob, inputs, outputs, precision=precision or self.precision, threads=self.threads
        )
        self._backends.append(backend)
        return backend

    def _name_known(self, port: str) -> None:
        if port not in self._known:
            raise ModelFault(f'{self.card.name} has no port "{port}"', hint=did_you_mean(port, self.ports))


_PAINTERS: dict[str, type[Painter]] = {"mixture": Mixture, "any-picture": AnyPicture}


def _silent(value: Any) -> bool:
    """An empty row of numbers: a stream of knobs that has not spoken yet."""
    return isinstance(value, (np.ndarray, list, tuple)) and len(value) == 0 and np.ndim(value) == 1


def _checked_size(card: Card, size: Any) -> Size:
    multiple = int(card.options.get("multiple", 4))
    try:
        width, height = (int(s) for s in size)
        whole = (width, height) == tuple(size)
    except (TypeError, ValueError):
        raise ModelFault(f"{card.name}: size is [width, height] in pixels, and this is {size!r:.40}") from None
    if not whole or min(width, height) < 32 or max(width, height) > MAX_SIDE or width % multiple or height % multiple:
        near = [min(MAX_SIDE, max(32, round(s / multiple) * multiple)) for s in (width, height)]
        raise ModelFault(
            f"{card.name} cannot work at {size[0]} x {size[1]}: its sides are multiples of {multiple}, "
            f"from 32 to {MAX_SIDE}",
            now="the model was not loaded",
            hint=f"size = [{near[0]}, {near[1]}]",
        )
    return width, height
