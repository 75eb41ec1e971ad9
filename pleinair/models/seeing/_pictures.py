"""How a network of somebody else's wants its picture: read off the file, and off the card where the file cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault, did_you_mean
from ...core.kinds import Size
from ..card import Card
from ..fit import checked, fitted

RANGES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "0..1": ((0.0,), (255.0,)),
    "-1..1": ((127.5,), (127.5,)),
    "0..255": ((0.0,), (1.0,)),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "clip": ((122.7709383, 116.7460125, 104.09373615), (68.5005327, 66.6321579, 70.32316305)),
}
"""`options.range` -> mean and scale of (u8 - mean) / scale. imagenet and clip: mean and deviation of the pictures that
torchvision's and OpenAI's networks learnt from, times 255."""


def picture_input(card: Card, found: wire.Summary, size: Size, default: str = "0..1") -> Tensor:
    """The picture that the network takes, at this working size.

    Options of the card: `input` (its name, where the network takes more than one thing), `range` (a word of RANGES), or
    `mean` and `scale` in 0..255, one number or three; `bgr = true`. ModelFault: no such input, or it is no picture.
    """
    options = card.options
    name = str(options.get("input") or next((n for n, s in found.inputs.items() if s and len(s) == 4), ""))
    sides = found.inputs.get(name)
    if sides is None or len(sides) != 4 or 3 not in (sides[1], sides[3]):
        told = ", ".join(f"{n} {s}" for n, s in found.inputs.items()) or "nothing"
        raise ModelFault(
            f"{card.name}: its network takes no picture of three colours (it takes {told})",
            now="the model was not loaded",
            hint="options.input names one of [1, 3, height, width] or [1, height, width, 3]",
        )
    first = sides[1] == 3
    width, height = size
    word = str(options.get("range", default))
    if word not in RANGES:
        raise ModelFault(f'{card.name}: there is no range "{word}"', hint=did_you_mean(word, RANGES))
    mean, scale = RANGES[word]
    return Tensor(
        name, (1, 3, height, width) if first else (1, height, width, 3), "NCHW" if first else "NHWC",
        mean=_three(card, "mean", mean), scale=_three(card, "scale", scale), bgr=bool(options.get("bgr", False)),
    )  # fmt: skip


def fixed_size(found: wire.Summary, name: str = "") -> Size | None:
    """(width, height) that the file says of its picture, None where it leaves them open."""
    for port, sides in found.inputs.items():
        if sides and len(sides) == 4 and name in ("", port) and 3 in (sides[1], sides[3]):
            height, width = (sides[2], sides[3]) if sides[1] == 3 else (sides[1], sides[2])
            return (width, height) if width > 0 and height > 0 else None
    return None


def row_output(card: Card, found: wire.Summary, option: str = "output") -> Tensor:
    """The row of numbers that the network gives: the output that the card's option names, or the first.

    ModelFault: there is none, or its length is open.
    """
    name = str(card.options.get(option) or next(iter(found.outputs)))
    sides = found.outputs.get(name)
    if not sides or any(side < 1 for side in sides[1:]):
        raise ModelFault(
            f"{card.name}: {name} is no output of fixed length",
            now="the model was not loaded",
            hint=f"options.{option}: one of {', '.join(found.outputs)}; or export it with fixed sizes",
        )
    return Tensor(name, (1, *sides[1:]))


def middle(image: Any, size: Size) -> np.ndarray:
    """The largest part of a picture's middle that has the shape of `size`, at that size."""
    image = checked(image)
    height, width = image.shape[:2]
    wide = min(width, max(1, round(height * size[0] / size[1])))
    high = min(height, max(1, round(width * size[1] / size[0])))
    top, left = (height - high) // 2, (width - wide) // 2
    return fitted(image[top : top + high, left : left + wide], size)


def unit(row: np.ndarray) -> np.ndarray:
    """The row at length 1, float32; a row of zeros stays one."""
    row = row.reshape(-1).astype(np.float64)
    return (row / max(float(np.sqrt(np.square(row).sum())), 1e-12)).astype(np.float32)


def _three(card: Card, option: str, default: tuple[float, ...]) -> tuple[float, ...]:
    value = card.options.get(option)
    if value is None:
        return default
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) not in (1, 3) or not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
        raise ModelFault(f"{card.name}: options.{option} is one number or three, and this is {value!r:.60}")
    if option == "scale" and 0 in numbers:
        raise ModelFault(f"{card.name}: options.scale divides, and cannot be 0")
    return tuple(float(n) for n in numbers)
