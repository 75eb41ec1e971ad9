"""What tasks have in common: a card, its networks on any backend, ports with constants, a proof for choosing.

A task of networks is a subclass with `_open` (makes its networks with `self.network(...)`, once) and `_run` (port
values in, data of its kind out). Everything else (missing ports, misspelt ones, locks, closing, what the lock says)
is here.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import plugins
from ..backends import wire
from ..backends.base import Backend, Tensor, default_threads, isa
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Control, Image, Kind, Size
from ..core.model import Model
from . import check_onnx, safe, store
from .bend import Bending, read_bends, read_tap
from .card import Card


class NetworkModel(Model):
    """Base of all tasks. `model(image, strength=...)`; calls from several threads take turns.

    needed      ports that must be given (the others have defaults); by default the first
    candidates  (backend, precision) that this task may run on, the reference among them; None: those of `choose`
    spare_cores how many cores it leaves to others where nobody says how many threads it may use

    ModelFault: weights that are missing or others', a port that there is not, a size that cannot be. ValueError, with a
    sentence, for data that a port cannot take.
    """

    kind: type[Kind] = Image
    candidates: tuple[tuple[str, str], ...] | None = None
    spare_cores: int = 0

    def __init__(
        self,
        card: Card,
        *,
        size: Size | None = None,
        backend: str,
        precision: str,
        threads: int | None = None,
        constants: Mapping[str, Any] | None = None,
        bend: Mapping[str, Any] | None = None,
        tap: Mapping[str, Any] | str | None = None,
    ) -> None:
        self.card = card
        self.ports: dict[str, type[Kind]] = dict(card.ports) or {"image": Image}
        self._bending: Bending | None = None
        if bend or tap:
            self._bending = Bending(read_bends(bend), read_tap(tap))
            self.ports |= dict.fromkeys(self._bending.ports, Control)
            self.kind = self._bending.tap.kind if self._bending.tap else self.kind
        self.needed: tuple[str, ...] = tuple(self.ports)[:1]
        self.names = card.names
        self.size = self._size(size)
        self.precision = precision
        self.threads = threads or max(1, default_threads() - self.spare_cores)
        self._backend_name = backend
        self._backend_class = plugins.find("backends", backend)
        self._order = tuple(self.ports)
        self._networks: list[Backend] = []
        self._fixed: list[dict[str, np.ndarray]] | None = None
        self._lock = threading.RLock()
        self._is_open = False
        self._constants: dict[str, Any] = {}
        for port, value in {**card.constants, **(constants or {})}.items():
            self._name_known(port)
            if not silent(value):
                self._constants[port] = self._constant(port, value)

    # -- for a task to say ---------------------------------------------------------------------------------------------

    def _size(self, size: Size | None) -> Size | None:
        """The working size, checked; None for a task that has none of its own."""
        if size and not self.card.size:
            raise ModelFault(f"{self.card.name} works at the size of what it is given", hint="leave size away")
        return size or self.card.size

    def _constant(self, port: str, value: Any) -> Any:
        """A constant, checked, in the form in which `_run` takes it."""
        return value

    def _open(self) -> None:
        """Makes the networks and runs once."""
        raise NotImplementedError

    def _run(self, values: dict[str, Any]) -> Any:
        """One call. `values` holds every port that is given or constant, and at least the needed ones."""
        raise NotImplementedError

    def _close(self) -> None:
        """Lets go of what `_open` kept, apart from networks."""

    def reset(self) -> None:
        """Forgets what it remembers from frame to frame (a track, a state)."""

    # -- what they share -----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Reads and checks the weights, compiles them and runs them once. Idempotent."""
        with self._lock:
            if self._is_open:
                return
            try:
                self._open()
                if self._bending is not None:
                    self._bending.check_met()
                self.reset()
                self._is_open = True
            except BaseException:
                self.close()
                raise

    def __call__(self, *args: Any, **ports: Any) -> Any:
        if not self._is_open:
            self.open()
        if len(args) > len(self._order):
            raise TypeError(f"{self.card.name} has {len(self._order)} ports ({', '.join(self._order)})")
        values = dict(self._constants)
        for port, value in (*zip(self._order, args, strict=False), *ports.items()):
            if port not in self.ports and port not in self.uses:
                self._name_known(port)
            if value is not None and not silent(value):
                values[port] = value
        for port in self.needed:
            if port not in values:
                raise TypeError(f"{self.card.name} needs {port}: give it in the call, or to load ({port}=...)")
        if self._bending is None:
            return self._run(values)
        with self._lock:
            self._bending.take(values)
            found = self._run(values)
            return self._bending.output() if self._bending.tap else found

    def network(
        self,
        role: str,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        *,
        precision: str | None = None,
        threads: int | None = None,
        blob: bytes | None = None,
    ) -> Backend:
        """A compiled network out of the card's file of that role (or `blob`, already read), checked for these ports."""
        blob = store.read(self.card, role) if blob is None else blob
        name = self.card.files[role].name
        its = safe.check(blob, name, allow=("onnx", "tflite"))
        if its.format == "onnx":
            check_onnx.expect(
                its.summary,
                name,
                {t.name: _sides(t) for t in inputs},
                {t.name: (None, *_sides(t)[1:]) if t.shape else () for t in outputs},
                {t.name: wire.TYPES[t.dtype] for t in (*inputs, *outputs)},
            )
        make = functools.partial(
            self._backend_class, precision=precision or self.precision, threads=threads or self.threads
        )
        if self._bending is None:
            made = make(blob, inputs, outputs)
        elif its.format == "tflite":
            raise ModelFault(
                f"{self.card.name} cannot be bent: its layers are in the TFLite file {name}, not in ONNX",
                now="the model was not loaded",
                hint="pleinair models add FILE.tflite makes ONNX of it, or says which of its operators is not known",
            )
        else:
            made = self._bending.network(role, blob, inputs, outputs, make)
        self._networks.append(made)
        return made

    def probe(self) -> list[np.ndarray]:
        """What each of its networks gives for a fixed input: for comparing one backend with another, and for timing
        it. A task whose networks want something likelier than noise overrides it."""
        self.open()
        if self._fixed is None:
            self._fixed = [fixed_inputs(network.inputs) for network in self._networks]
        found: list[np.ndarray] = []
        for network, inputs in zip(self._networks, self._fixed, strict=True):
            found += network.run(inputs).values()
        return found

    def close(self) -> None:
        with self._lock:
            self._is_open = False
            for network in self._networks:
                network.close()
            self._networks, self._fixed = [], None
            if self._bending is not None:
                self._bending.close()
            self._close()

    def describe(self) -> dict[str, Any]:
        return {
            "card": self.card.name,
            "sha256": self.card.sha256,
            **({"card_sha256": hashlib.sha256(self.card.text.encode()).hexdigest()} if self.card.text else {}),
            "files": {role: file.sha256 for role, file in self.card.needed.items()},
            **({"size": list(self.size)} if self.size else {}),
            **({"bent": self._bending.as_dict()} if self._bending else {}),
            "backend": {
                "name": self._backend_name,
                "version": self._backend_class.version_installed(),
                "precision": self.precision,
                "threads": self.threads,
                "isa": isa(),
            },
        }

    def _name_known(self, port: str) -> None:
        if port not in self.ports:
            raise ModelFault(f'{self.card.name} has no port "{port}"', hint=did_you_mean(port, self.ports))


def silent(value: Any) -> bool:
    """An empty row of numbers: a stream of knobs that has not spoken yet."""
    return isinstance(value, (np.ndarray, list, tuple)) and len(value) == 0 and np.ndim(value) == 1


def _sides(tensor: Tensor) -> tuple[int | None, ...]:
    """What the file must say of it: a picture's height and width are the task's to choose."""
    if tensor.picture:
        return (1, 3, None, None) if tensor.picture == "NCHW" else (1, None, None, 3)
    return tuple(None if side < 0 else side for side in tensor.shape)


def fixed_inputs(tensors: Sequence[Tensor], free: int = 16) -> dict[str, np.ndarray]:
    """The same likely numbers on every machine: the built-in picture, a gentle wave, ones. `free`: of a free side."""
    from .testcard import picture

    found: dict[str, np.ndarray] = {}
    for tensor in tensors:
        shape = tuple(free if side < 0 else side for side in tensor.handed)
        if tensor.picture:
            height, width = tensor.height_width
            found[tensor.name] = picture((width, height), 0)
        elif tensor.dtype == "float32":
            count = int(np.prod(shape))
            found[tensor.name] = (0.5 + 0.5 * np.sin(np.arange(count) * 0.05)).astype(np.float32).reshape(shape)
        else:
            found[tensor.name] = np.ones(shape, tensor.dtype)
    return found
