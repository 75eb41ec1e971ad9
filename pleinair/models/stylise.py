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

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from .. import plugins
from ..backends import wire
from ..backends.base import Backend, Tensor, default_threads, isa
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import Control, Image, Kind, Size, Vector
from ..core.model import Model
from . import check_onnx, store
from .card import Card

MAX_SIDE = 4096
FADE = 0.05
"""Below this sum of weights the painting fades into the picture, so that no knob ever jumps when it comes to rest."""
REMEMBERED = 32
"""Style vectors kept, the last used: a desk full of pictures."""


class Make(Protocol):
    """(role of the file, inputs, outputs, precision or None for the model's own) -> the compiled network."""

    def __call__(
        self, role: str, inputs: list[Tensor], outputs: list[Tensor], precision: str | None = None
    ) -> Backend: ...


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
        self.size = _checked_size(card, size or card.size or (320, 240))
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
        self._painter: _Painter = _PAINTERS[kind](self)
        self._order = tuple(self.ports)
        self._known = frozenset(self.ports)
        self._constants: dict[str, Any] = {}
        for port, value in {**card.constants, **(constants or {})}.items():
            self._name_known(port)
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
                width, height = self.size or (0, 0)
                self._painter.paint(np.full((height, width, 3), 128, np.uint8), self._constants)
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
        for port, value in zip(self._order, args):  # noqa: B905 - fewer arguments than ports is usual
            values[port] = value
        for port, value in ports.items():
            if port not in self._known:
                self._name_known(port)
            if value is not None:
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
            "size": list(self.size or ()),
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


class _Painter(Protocol):
    """One kind of network behind Stylise."""

    def __init__(self, model: Stylise) -> None: ...
    def open(self, make: Make) -> None: ...
    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray: ...
    def style_of(self, picture: np.ndarray) -> np.ndarray: ...
    def check(self, port: str, value: Any) -> Any: ...
    def proofs(self) -> list[dict[str, Any]]: ...
    def close(self) -> None: ...


class Mixture:
    """One network, many styles: inputs `image` [1, 3, h, w] and `style_weights` [n], output `stylized`."""

    def __init__(self, model: Stylise) -> None:
        self.model = model
        self.count = len(model.card.names.get("style_weights", ())) or int(model.card.options.get("styles", 26))
        self.network: Backend | None = None

    def open(self, make: Make) -> None:
        width, height = self.model.size or (0, 0)
        picture = (1, 3, height, width)
        self.network = make(
            "network",
            [Tensor("image", picture, "NCHW"), Tensor("style_weights", (self.count,))],
            [Tensor("stylized", picture, "NCHW")],
        )

    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        weights = values.get("style_weights")
        if weights is None or len(weights) == 0:
            weights = self.model._constants.get("style_weights")
            if weights is None:
                weights = np.eye(1, self.count, dtype=np.float32)[0]
        weights = self._weights(weights)
        total = float(weights.sum())
        if total <= 0:
            return image.copy()
        network = self.network
        if network is None:
            raise ModelFault("the model is closed", hint="load it again")
        painting = network.run({"image": image, "style_weights": weights / np.float32(total)})["stylized"]
        if total < FADE:
            import cv2

            painting = cv2.addWeighted(image, 1 - total / FADE, painting, total / FADE, 0)
        return painting

    def _weights(self, value: Any) -> np.ndarray:
        weights = value if isinstance(value, np.ndarray) and value.dtype == np.float32 else Vector.check(value)
        if weights.shape != (self.count,):
            raise ValueError(f"style_weights are {self.count} numbers, one a style, and these are {len(weights)}")
        low, high = float(weights.min()), float(weights.max())
        if not (low >= 0 and high < 1e6):
            raise ValueError(f"style_weights are 0 or more, and these run from {low:.3g} to {high:.3g}")
        return weights

    def check(self, port: str, value: Any) -> Any:
        if port != "style_weights":
            return value
        value = Vector.check(value)
        return self._weights(value) if len(value) else None

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        raise ModelFault(
            f"{self.model.card.name} knows its own styles and cannot read one off a picture", hint='the card "anystyle"'
        )

    def proofs(self) -> list[dict[str, Any]]:
        eye = np.eye(self.count, dtype=np.float32)
        mixed = np.linspace(0, 1, self.count, dtype=np.float32)
        return [{"style_weights": w} for w in (eye[0], eye[self.count // 2], mixed)]

    def close(self) -> None:
        self.network = None


class AnyPicture:
    """Two networks: `predict` reads 100 numbers off a picture at 256 x 256, `transform` paints with them.

    `predict` runs in f32 whatever the precision asked for: in bf16 its numbers are off by 0.1 of 2, which is another
    style, and once a picture it costs next to nothing.
    """

    SIDE, NUMBERS = 256, 100
    STYLE_IN, VECTOR, CONTENT = "style_image", "mobilenet_conv/Conv/BiasAdd", "content_image"
    PAINTED = "transformer/expand/conv3/conv/Sigmoid"

    def __init__(self, model: Stylise) -> None:
        self.model = model
        self.predict: Backend | None = None
        self.transform: Backend | None = None
        self._read: OrderedDict[str, np.ndarray] = OrderedDict()
        self._last: tuple[Any, np.ndarray] | None = None

    def open(self, make: Make) -> None:
        width, height = self.model.size or (0, 0)
        vector = Tensor(self.VECTOR, (1, 1, 1, self.NUMBERS))
        style = Tensor(self.STYLE_IN, (1, self.SIDE, self.SIDE, 3), "NHWC")
        picture = (1, height, width, 3)
        self.predict = make("predict", [style], [vector], "f32")
        self.transform = make(
            "transform", [Tensor(self.CONTENT, picture, "NHWC"), vector], [Tensor(self.PAINTED, picture, "NHWC")]
        )

    def paint(self, image: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
        style = values.get("style")
        vector = None if style is None or len(style) == 0 else self._vector(style)
        strength = 0.0 if vector is None else Control.check(values.get("strength", 1.0))
        if strength < 1:
            own = self._predict(image)  # a frame's own: not kept
            vector = own if vector is None or strength <= 0 else own + np.float32(strength) * (vector - own)
        network = self.transform
        if network is None:
            raise ModelFault("the model is closed", hint="load it again")
        vector = np.ascontiguousarray(vector, np.float32).reshape(1, 1, 1, self.NUMBERS)
        return network.run({self.CONTENT: image, self.VECTOR: vector})[self.PAINTED]

    def _vector(self, style: Any) -> np.ndarray:
        if isinstance(style, np.ndarray) and style.ndim == 3:
            last = self._last  # the usual case, without hashing: the very array of the frame before
            if last is not None and last[0] is style and not style.flags.writeable:
                return last[1]
            vector = self.style_of(style)
            self._last = (style, vector)
            return vector
        vector = Vector.check(style)
        if vector.shape != (self.NUMBERS,):
            raise ValueError(f"a style is a picture or {self.NUMBERS} numbers, and these are {len(vector)}")
        return vector

    def style_of(self, picture: np.ndarray) -> np.ndarray:
        picture = _picture(picture)
        key = hashlib.sha256(np.ascontiguousarray(picture).data).hexdigest() + str(picture.shape)
        vector = self._read.get(key)
        if vector is None:
            vector = self._predict(picture)
            vector.setflags(write=False)
            self._read[key] = vector
            while len(self._read) > REMEMBERED:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end(key)
        return vector

    def _predict(self, picture: np.ndarray) -> np.ndarray:
        if self.predict is None:
            raise ModelFault("the model is closed", hint="load it again")
        height, width = picture.shape[:2]  # a square out of the middle: brush strokes must not be stretched
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = fitted(picture[top : top + side, left : left + side], (self.SIDE, self.SIDE))
        return self.predict.run({self.STYLE_IN: square})[self.VECTOR].reshape(-1).copy()

    def check(self, port: str, value: Any) -> Any:
        if port == "strength":
            return Control.check(value)
        if port == "style" and not (isinstance(value, np.ndarray) and value.ndim == 3):
            vector = Vector.check(value)
            if len(vector) not in (0, self.NUMBERS):
                raise ValueError(f"a style is a picture or {self.NUMBERS} numbers, and these are {len(vector)}")
            return vector
        return value

    def proofs(self) -> list[dict[str, Any]]:
        from .testcard import picture

        return [{"style": picture((256, 256), seed=n + 1), "strength": 1.0} for n in range(2)]

    def close(self) -> None:
        self.predict = self.transform = None
        self._read.clear()
        self._last = None


_PAINTERS: dict[str, type[_Painter]] = {"mixture": Mixture, "any-picture": AnyPicture}


def fitted(image: Any, size: Size | None) -> np.ndarray:
    """A picture at another size, C-contiguous: area average where it shrinks, bilinear where it grows."""
    image = _picture(image)
    height, width = image.shape[:2]
    if size is None or (width, height) == size:
        return image if image.flags.c_contiguous else np.ascontiguousarray(image)
    import cv2

    shrinks = width >= size[0] and height >= size[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _picture(image: Any) -> np.ndarray:
    is_array = isinstance(image, np.ndarray) and image.dtype == np.uint8
    if is_array and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return image
    return Image.check(image)  # says what is wrong with it


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
