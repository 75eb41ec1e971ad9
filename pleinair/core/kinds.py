"""What a stream carries. Each kind knows its range, its default policy, its empty value and its own bytes.

A kind is a class: used as an annotation (`-> Mask`) it names what a node publishes, and its three class methods are
all that a runner needs: `empty` (what a stream holds before its first frame), `check` (is this publishable? raises
ValueError with a sentence) and `digest` (the same bytes on every machine, for proofs).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .figure import NOBODY, Figure, Point, part_as_json, part_from_json  # noqa: F401 - the nouns of Landmarks
from .freeze import fixed, frozen, plain

LATEST, EVERY, SAME = "latest", "every", "same"
MAX_SIDE = 16_384
"""The longest side of a picture in pixels; more is a mistake (an 8K frame is 7680)."""
MAX_PIXELS = 8192 * 4320
"""The most pixels of a picture: 8K. What a stream carries, a tape must be able to bring back."""

_U8 = np.dtype(np.uint8)

Size = tuple[int, int]
"""(width, height) in pixels."""


class Kind:
    """Base of all kinds. `policy` is how a reader takes it unless the reader says otherwise."""

    policy = LATEST

    @classmethod
    def empty(cls, size: Size | None = None) -> Any:
        """What a stream holds before its first frame; `size` matters to pictures and masks (640 x 480 without)."""
        raise NotImplementedError

    @classmethod
    def check(cls, data: Any) -> Any:
        """The data as a stream carries it: of one type, in range, read-only. ValueError, a sentence, for other data."""
        raise NotImplementedError

    @classmethod
    def digest(cls, data: Any) -> str:
        """sha256, in hex, of data that passed `check`."""
        raise NotImplementedError


def size_of(data: Any) -> Size | None:
    """(width, height) of a picture or a mask, None of anything else."""
    if isinstance(data, np.ndarray) and data.ndim >= 2:
        return data.shape[1], data.shape[0]
    return None


def array_digest(array: np.ndarray) -> str:
    """sha256 over type, shape and bytes."""
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}\0".encode())
    digest.update(array.data if array.size else b"")  # no second copy of a picture
    return digest.hexdigest()


def json_digest(value: Any) -> str:
    """sha256 over canonical JSON; floats as their shortest exact spelling."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check_size(data: np.ndarray, what: str) -> None:
    height, width = data.shape[:2]
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS):
        raise ValueError(f"{what} of {width} x {height} cannot be used: 1 x 1 to 8K")


class Image(Kind):
    """A picture: uint8 RGB, height x width x 3, 0..255."""

    @classmethod
    def empty(cls, size: Size | None = None) -> np.ndarray:
        width, height = size or (640, 480)
        return frozen(np.zeros((height, width, 3), np.uint8))

    @classmethod
    def check(cls, data: Any) -> np.ndarray:
        if type(data) is np.ndarray and data.dtype == _U8 and data.base is None and data.ndim == 3:
            flags, (height, width, depth) = data.flags, data.shape  # what nearly every picture is: nothing to be done
            fits = 0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS
            if depth == 3 and fits and flags.c_contiguous and not flags.writeable:
                return data
        if not isinstance(data, np.ndarray) or data.ndim != 3 or data.shape[2] != 3:
            raise ValueError(f"a picture is uint8 of shape height x width x 3, and this is {plain(data)}")
        if data.dtype != np.uint8:
            if data.dtype.kind == "f" and not np.isfinite(data).all():
                raise ValueError("the picture holds NaN or infinity")
            raise ValueError(
                f"a picture is uint8, 0..255, and this is {data.dtype}: picture(x) of pleinair turns 0..1 into it"
            )
        _check_size(data, "a picture")
        return frozen(data)

    digest = staticmethod(array_digest)


class Mask(Kind):
    """How much, where: float32, height x width, 0..1."""

    @classmethod
    def empty(cls, size: Size | None = None) -> np.ndarray:
        width, height = size or (640, 480)
        return frozen(np.zeros((height, width), np.float32))

    @classmethod
    def check(cls, data: Any) -> np.ndarray:
        if not isinstance(data, np.ndarray) or data.ndim != 2 or data.dtype.kind not in "fb":
            raise ValueError(f"a mask is float, height x width, 0..1, and this is {plain(data)}")
        _check_size(data, "a mask")
        with np.errstate(over="ignore"):  # what is too large for float32 is out of range, and said below
            data = np.asarray(data, np.float32)
        low, high = float(data.min()), float(data.max())  # NaN propagates through both
        if not (low >= -1e-6 and high <= 1 + 1e-6):
            raise ValueError(
                "the mask holds NaN"
                if math.isnan(low)
                else f"a mask is 0..1, and this runs from {low:.3g} to {high:.3g}"
            )
        return frozen(np.clip(data, 0, 1) if low < 0 or high > 1 else data)

    digest = staticmethod(array_digest)


@dataclass(frozen=True)
class Sound:
    """Samples float32 -1..1, shape (frames, channels), at `rate` Hz. A frame's `t` is that of its first sample."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


class Audio(Kind):
    """A stretch of sound: a `Sound`."""

    policy = EVERY

    @classmethod
    def empty(cls, size: Size | None = None) -> Sound:
        return Sound(frozen(np.zeros((0, 1), np.float32)), 48_000)

    @classmethod
    def check(cls, data: Any) -> Sound:
        if not isinstance(data, Sound):
            raise ValueError(f"sound is Sound(samples, rate), and this is {plain(data)}")
        samples = np.asarray(data.samples)
        if samples.dtype.kind != "f":
            raise ValueError(f"samples are float, -1..1, and these are {plain(samples)}")
        samples = samples[:, None] if samples.ndim == 1 else samples
        whole = isinstance(data.rate, (int, np.integer)) and not isinstance(data.rate, bool)
        if samples.ndim != 2 or not whole or not 1_000 <= data.rate <= 768_000:
            raise ValueError(
                f"sound is (frames, channels) at 1000..768000 Hz, and this is {samples.shape} at {data.rate!r:.20} Hz"
            )
        if not np.isfinite(samples).all():
            raise ValueError("the sound holds NaN or infinity")
        return Sound(frozen(np.clip(samples, -1, 1).astype(np.float32)), int(data.rate))

    @classmethod
    def digest(cls, data: Sound) -> str:
        return json_digest([data.rate, array_digest(data.samples)])


class Text(str, Kind):
    """Words: a str, and what is known of them. A method of str (`upper`, `split`) gives a bare str: say what is kept,
    `Text(heard.upper(), final=heard.final)`.

    final       False while the words may still change (speech that is still being heard)
    confidence  0..1: how surely these are the words; None where nobody measured it (what a hand wrote is not unsure)
    language    of the words, as Whisper names it ("en", "de", "yue"); "" where it is not known
    """

    policy = EVERY
    final: bool = True
    confidence: float | None = None
    language: str = ""

    def __new__(
        cls, value: str = "", *, final: bool = True, confidence: float | None = None, language: str = ""
    ) -> Text:
        text = super().__new__(cls, value)
        text.final, text.confidence, text.language = final, confidence, language
        return text

    @property
    def about(self) -> dict[str, Any]:
        """What is known of the words, for JSON: `final`, and `confidence` and `language` where they are known."""
        return {
            "final": self.final,
            **({} if self.confidence is None else {"confidence": self.confidence}),
            **({"language": self.language} if self.language else {}),
        }

    def __repr__(self) -> str:
        told = {name: value for name, value in self.about.items() if value is not True}
        return f"Text({', '.join([str.__repr__(self), *(f'{name}={value!r}' for name, value in told.items())])})"

    @classmethod
    def empty(cls, size: Size | None = None) -> Text:
        return cls("")

    @classmethod
    def check(cls, data: Any) -> Text:
        if not isinstance(data, str):
            raise ValueError(f"text is a str, and this is {plain(data)}")
        if not isinstance(data, Text):
            return cls(data)
        sure, language = data.confidence, data.language
        if type(data.final) is bool and sure is None and language == "":
            return data  # what nearly every text is
        about = {"final": bool(data.final), "confidence": _sure(sure), "language": _language(language)}
        return cls(str(data), **about)

    @classmethod
    def digest(cls, data: Text) -> str:
        told = data.about
        known = {name: told[name] for name in ("confidence", "language") if name in told}
        return json_digest([str(data), data.final, *([known] if known else [])])  # left away: as before it had them


LONGEST_LANGUAGE = 35
"""Letters of a language's name: the most that BCP 47 counts with."""


def _sure(confidence: Any) -> float | None:
    if confidence is None:
        return None
    try:
        number = math.nan if isinstance(confidence, (bool, str)) else float(confidence)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError(f"a text's confidence is 0..1, or None where it is not known, and this is {confidence!r:.40}")
    return number


def _language(name: Any) -> str:
    if not isinstance(name, str) or len(name) > LONGEST_LANGUAGE:
        raise ValueError(f'a text\'s language is a name such as "en", or "", and this is {name!r:.40}')
    return str(name)


class Landmarks(tuple, Kind):
    """The figures found, the surest first. With none found it is empty, and `hand.index_tip` is the middle at
    confidence 0, so that a piece never tests for None. Attributes are those of the first figure."""

    def __new__(cls, figures: Iterable[Figure] = ()) -> Landmarks:
        return super().__new__(cls, figures)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self[0] if self else NOBODY, name)

    @classmethod
    def empty(cls, size: Size | None = None) -> Landmarks:
        return cls()

    @classmethod
    def check(cls, data: Any) -> Landmarks:
        data = cls([data]) if isinstance(data, Figure) else data
        if not isinstance(data, (list, tuple)) or not all(isinstance(f, Figure) for f in data):
            raise ValueError(f"landmarks are a list of Figure, and this is {plain(data)}")
        for figure in data:
            if not np.isfinite(figure.points).all() or not 0 <= figure.confidence <= 1:
                raise ValueError("a figure's points are finite and its confidence is 0..1")
        return data if isinstance(data, cls) else cls(data)

    @classmethod
    def digest(cls, data: Landmarks) -> str:
        return json_digest(
            [
                [array_digest(f.points), f.names, f.confidence, {n: part_as_json(v) for n, v in f.extra.items()}]
                for f in data
            ]
        )


@dataclass(frozen=True)
class Box:
    """A rectangle in a picture: its top left corner and size, all 0..1, what it holds, and how surely.

    number  stays with the thing from picture to picture; 0: nobody follows it
    """

    x: float
    y: float
    w: float
    h: float
    label: str = ""
    confidence: float = 1.0
    number: int = 0


class Boxes(tuple, Kind):
    """The rectangles found, the surest first."""

    def __new__(cls, boxes: Iterable[Box] = ()) -> Boxes:
        return super().__new__(cls, boxes)

    @classmethod
    def empty(cls, size: Size | None = None) -> Boxes:
        return cls()

    @classmethod
    def check(cls, data: Any) -> Boxes:
        data = cls([data]) if isinstance(data, Box) else data
        if not isinstance(data, (list, tuple)) or not all(isinstance(b, Box) for b in data):
            raise ValueError(f"boxes are a list of Box, and this is {plain(data)}")
        boxes = []
        for b in data:
            try:
                numbers = [float(v) for v in (b.x, b.y, b.w, b.h, b.confidence)]
            except (TypeError, ValueError, OverflowError):
                numbers = [math.nan]
            if not all(map(math.isfinite, numbers)) or not isinstance(b.label, str) or not 0 <= numbers[-1] <= 1:
                raise ValueError(f"a box has finite numbers, a text and a confidence of 0..1, and this is {b!r:.80}")
            if isinstance(b.number, bool) or not isinstance(b.number, (int, np.integer)) or not 0 <= b.number < 1 << 53:
                raise ValueError(f"a box's number is a whole number, and this is {b.number!r:.40}")
            boxes.append(Box(*numbers[:4], b.label, numbers[4], int(b.number)))  # numpy's numbers become Python's
        return cls(boxes)

    @classmethod
    def digest(cls, data: Boxes) -> str:
        numbers = ([b.number] if b.number else [] for b in data)  # left away: as boxes were before they had one
        return json_digest(
            [[b.x, b.y, b.w, b.h, b.label, b.confidence, *n] for b, n in zip(data, numbers, strict=True)]
        )


class Vector(Kind):
    """A row of numbers: float32, one dimension, finite."""

    @classmethod
    def empty(cls, size: Size | None = None) -> np.ndarray:
        return frozen(np.zeros(0, np.float32))

    @classmethod
    def check(cls, data: Any) -> np.ndarray:
        try:
            array = np.array(data)
            if array.dtype.kind not in "fiub" and array.size:  # "0.5" is a text, not a number
                raise TypeError
            with np.errstate(over="ignore"):
                array = array.astype(np.float32)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"a vector is a row of numbers, and this is {plain(data)}") from None
        if array.ndim != 1:
            raise ValueError(f"a vector has one dimension, and this is {plain(array)}")
        if not np.isfinite(array).all():
            raise ValueError("the vector holds NaN or infinity")
        return frozen(array)

    digest = staticmethod(array_digest)


class Event(Kind):
    """Something happened: a value that JSON can hold (a name, a dict, a number)."""

    policy = EVERY

    @classmethod
    def empty(cls, size: Size | None = None) -> None:
        return None

    @classmethod
    def check(cls, data: Any) -> Any:
        """The event as JSON brings it back, so that a replay sees what the live run saw; read-only, as all frames
        are."""
        try:
            return fixed(json.loads(json.dumps(data, allow_nan=False)))
        except (TypeError, ValueError, RecursionError):
            raise ValueError(f"an event is what JSON can hold, and this is {plain(data)}") from None

    digest = staticmethod(json_digest)


class Control(Kind):
    """A number that a hand sets, 0..1 unless its knob says otherwise: a float."""

    @classmethod
    def empty(cls, size: Size | None = None) -> float:
        return 0.0

    @classmethod
    def check(cls, data: Any) -> float:
        if isinstance(data, (bool, int, float, np.integer, np.floating, np.bool_)):
            try:
                if math.isfinite(number := float(data)):
                    return number
            except OverflowError:  # a whole number of 400 digits
                pass
        raise ValueError(f"a knob's value is a finite number, and this is {data!r:.40}")

    digest = staticmethod(json_digest)


KINDS: dict[str, type[Kind]] = {
    k.__name__: k for k in (Image, Mask, Audio, Text, Landmarks, Boxes, Vector, Event, Control)
}
