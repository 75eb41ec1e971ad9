"""Picture arithmetic for pieces: it saturates, accepts sizes that differ, is fast, and never changes what it is given.

Everywhere:
- a picture is uint8 RGB, height x width x 3; where one is expected a Mask is taken as a grey picture;
- a mask is float, height x width, 0..1;
- **the first picture's size wins**: the others are stretched to it, so that what lies at (0.5, 0.2) of one lies at
  (0.5, 0.2) of all;
- places are 0..1, x to the right and y down: a `Point` or `(x, y)`. Lengths are parts of the picture's height;
- an amount is a number 0..1 (beyond is clipped) or a mask;
- a colour is `(r, g, b)` in 0..255, a number (grey), `"#ff8800"`, or a name in COLOURS.

What cannot be meant (NaN, the wrong kind) is a ValueError with a sentence. Results are the same on every machine and
with any number of threads: weights are rounded to 1/1024, so that each product is exact. `cv2` is imported on first use
and works without Python's lock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .core.codec import check_size, cover

__all__ = [
    "add", "blend", "blur", "caption", "circle", "crop", "darken", "difference", "fit", "flip", "grade", "grain",
    "grey", "invert", "light", "lighten", "line", "mask", "multiply", "over", "picture", "resize", "screen", "stamp",
    "subtract", "text", "tile", "vignette",
]  # fmt: skip

COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (214, 52, 46), "green": (64, 148, 82),
    "blue": (44, 88, 178), "yellow": (248, 206, 70), "orange": (240, 138, 56), "pink": (240, 152, 170),
    "brown": (112, 76, 54), "paper": (246, 240, 228), "ink": (28, 30, 38),
}  # fmt: skip

Colour = Any
Place = Any


# ---- pictures, masks, numbers: what may be given -------------------------------------------------------------------


def picture(x: Any) -> np.ndarray:
    """A picture out of numbers 0..1 (float; beyond is clipped, NaN is black) or 0..255 (uint8): h x w x 3, or h x w for
    grey; channels first (3 x h x w), as networks have them, is turned round."""
    x = np.asarray(x)
    if x.ndim == 4 and x.shape[0] == 1:
        x = x[0]
    if x.ndim == 3 and x.shape[0] == 3 and x.shape[2] != 3:
        x = x.transpose(1, 2, 0)
    if x.ndim == 3 and x.shape[2] == 1:
        x = x[..., 0]
    if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] != 3) or 0 in x.shape:
        raise ValueError(
            f"a picture is height x width x 3, and this is {' x '.join(map(str, x.shape)) or 'one number'}"
        )
    if x.dtype.kind in "fb":
        x = np.rint(np.clip(np.nan_to_num(x.astype(np.float32), nan=0.0), 0, 1) * 255).astype(np.uint8)
    elif x.dtype != np.uint8:
        raise ValueError(f"a picture is uint8 0..255 or float 0..1, and this is {x.dtype}")
    if x.ndim == 2:
        import cv2

        return cv2.cvtColor(np.ascontiguousarray(x), cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(x)


def _picture(x: Any) -> np.ndarray:
    if isinstance(x, np.ndarray) and 0 not in x.shape:
        if x.dtype == np.uint8 and x.ndim == 3 and x.shape[2] == 3:
            return x
        if x.ndim == 2 and x.dtype.kind in "fb":
            return picture(x)
    what = f"{x.dtype} of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
    raise ValueError(f"a picture is uint8, height x width x 3, and this is {what}: picture(x) turns 0..1 into one")


def _pair(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of the first one's size; the second may be a colour."""
    a = _picture(a)
    if not isinstance(b, np.ndarray):
        return a, _filled(a.shape, colour_of(b))
    return a, _as_large(_picture(b), a)


def _filled(shape: tuple[int, ...], colour: tuple[int, int, int]) -> np.ndarray:
    import cv2

    out = np.empty(shape, np.uint8)
    cv2.rectangle(out, (0, 0), (shape[1], shape[0]), colour, -1)  # five times as quick as numpy's three-way fill
    return out


def _as_large(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    import cv2

    height, width = like.shape[:2]
    if x.shape[:2] == (height, width):
        return x
    shrinks = width <= x.shape[1] and height <= x.shape[0]
    return cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _number(value: Any, name: str, low: float = 0.0, high: float = 1.0) -> float:
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number, and this is a {type(value).__name__}") from None
    if math.isnan(value):
        raise ValueError(f"{name} is NaN")
    return min(max(value, low), high)


def _weight(value: Any, name: str = "amount", high: float = 1.0) -> float:
    """Rounded to 1/1024: times 0..255 it is exact in float32, so that no machine rounds it otherwise."""
    return round(_number(value, name, 0.0, high) * 1024) / 1024


def _levels(m: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A mask as uint8 0..255, of the size of `like`, three channels."""
    import cv2

    if m.ndim == 3 and m.shape[2] == 1:
        m = m[..., 0]
    if m.ndim != 2 or m.dtype.kind not in "fbu" or 0 in m.shape or (m.dtype.kind == "u" and m.dtype != np.uint8):
        raise ValueError(f"an amount is a number or a mask (float, height x width), and this is {m.dtype} of {m.shape}")
    if m.dtype != np.uint8:
        m = m.astype(np.float32, copy=False)
        m = cv2.addWeighted(m, 255.0, m, 0.0, 0.0, dtype=cv2.CV_8U)  # saturates, and NaN becomes 0
    return cv2.cvtColor(_as_large(m, like), cv2.COLOR_GRAY2RGB)


def colour_of(value: Colour) -> tuple[int, int, int]:
    """(r, g, b) of what an artist may call a colour; ValueError."""
    if isinstance(value, str):
        if value.lower() in COLOURS:
            return COLOURS[value.lower()]
        digits = value.removeprefix("#")
        if len(digits) == 3:
            digits = "".join(2 * d for d in digits)
        try:
            if len(digits) == 6:
                return tuple(bytes.fromhex(digits))  # type: ignore[return-value]
        except ValueError:
            pass
        raise ValueError(f'"{value}" is no colour: (r, g, b), "#ff8800", or one of {", ".join(COLOURS)}')
    values = list(value) if isinstance(value, (Sequence, np.ndarray)) else [value] * 3
    if len(values) != 3:
        raise ValueError(f"a colour has three parts, and this has {len(values)}")
    return tuple(round(_number(v, "a colour's part", 0, 255)) for v in values)  # type: ignore[return-value]


def _place(at: Place) -> tuple[float, float]:
    """x and y; far outside is brought near, since a drawing library counts in small integers."""
    x, y = (at.x, at.y) if hasattr(at, "x") else at
    return _number(x, "a place (its x)", -8, 8), _number(y, "a place (its y)", -8, 8)


# ---- mixing --------------------------------------------------------------------------------------------------------


def blend(a: Any, b: Any, amount: Any = 0.5) -> np.ndarray:
    """From `a` (amount 0) to `b` (amount 1); with a mask, by place."""
    import cv2

    a, b = _pair(a, b)
    if isinstance(amount, np.ndarray) and amount.ndim >= 2:
        levels = _levels(amount, a)
        # Two products that are rounded apart give back x where a = b = x: their fractions add up to 1, and never tie.
        return cv2.add(cv2.multiply(b, levels, scale=1 / 255), cv2.multiply(a, cv2.bitwise_not(levels), scale=1 / 255))
    weight = _weight(amount)
    return cv2.addWeighted(a, 1 - weight, b, weight, 0)


def over(base: Any, top: Any, m: Any = 1.0) -> np.ndarray:
    """`top` laid over `base` where the mask says so; the same as blend(base, top, mask), in the order of a collage."""
    return blend(base, top, m)


def mask(image: Any, m: Any) -> np.ndarray:
    """The picture where the mask is 1, black where it is 0."""
    import cv2

    image = _picture(image)
    if isinstance(m, np.ndarray) and m.ndim >= 2:
        return cv2.multiply(image, _levels(m, image), scale=1 / 255)
    return cv2.addWeighted(image, _weight(m), image, 0, 0)


def add(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Light upon light: a + b, white at most. `b` of all of these may be a colour."""
    import cv2

    a, b = _pair(a, b)
    return cv2.add(a, b) if amount == 1 else cv2.addWeighted(a, 1, b, _weight(amount), 0)


def subtract(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """a - b, black at least (bare `a - b` of pictures wraps round to white)."""
    import cv2

    a, b = _pair(a, b)
    return cv2.subtract(a, b) if amount == 1 else cv2.addWeighted(a, 1, b, -_weight(amount), 0)


def multiply(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Two slides in one projector: a x b, never lighter than either."""
    import cv2

    a, b = _pair(a, b)
    return _part(a, cv2.multiply(a, b, scale=1 / 255), amount)


def screen(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """Two projectors on one wall: never darker than either."""
    import cv2

    a, b = _pair(a, b)
    dark = cv2.multiply(cv2.bitwise_not(a), cv2.bitwise_not(b), scale=1 / 255)
    return _part(a, cv2.bitwise_not(dark), amount)


def difference(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """How far they are apart: |a - b|."""
    import cv2

    a, b = _pair(a, b)
    return _part(a, cv2.absdiff(a, b), amount)


def lighten(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """The lighter of the two, channel by channel."""
    import cv2

    a, b = _pair(a, b)
    return _part(a, cv2.max(a, b), amount)


def darken(a: Any, b: Any, amount: float = 1.0) -> np.ndarray:
    """The darker of the two, channel by channel."""
    import cv2

    a, b = _pair(a, b)
    return _part(a, cv2.min(a, b), amount)


def _part(a: np.ndarray, result: np.ndarray, amount: Any) -> np.ndarray:
    return result if isinstance(amount, (int, float)) and amount == 1 else blend(a, result, amount)


# ---- light and colour ----------------------------------------------------------------------------------------------


def grade(
    image: Any, brightness: float = 0.0, contrast: float = 1.0, saturation: float = 1.0, warmth: float = 0.0
) -> np.ndarray:
    """brightness -1..1, contrast and saturation 0..4 (1: as it is), warmth -1 (blue) .. 1 (amber).

    One 3 x 4 matrix over RGB, luma weights of BT.709.
    """
    import cv2

    image = _picture(image)
    brightness = _number(brightness, "brightness", -1, 1)
    contrast, saturation = _number(contrast, "contrast", 0, 4), _number(saturation, "saturation", 0, 4)
    warmth = _number(warmth, "warmth", -1, 1)
    luma = np.array([0.2126, 0.7152, 0.0722])
    matrix = saturation * np.eye(3) + (1 - saturation) * luma
    matrix = np.diag([1 + 0.18 * warmth, 1 + 0.02 * warmth, 1 - 0.18 * warmth]) @ matrix * contrast
    offset = np.full(3, 127.5 * (1 - contrast) + 255 * brightness)
    return cv2.transform(image, np.c_[matrix, offset])


def light(image: Any, exposure: float = 1.0, glow: float = 0.0, radius: float = 0.04) -> np.ndarray:
    """exposure 0..4 (1: as it is) opens the aperture; glow 0..1 lets what is bright shine over its edges."""
    import cv2

    image = _picture(image)
    exposure, glow = _weight(exposure, "exposure", 4.0), _weight(glow, "glow")
    out = cv2.addWeighted(image, exposure, image, 0, 0)
    if glow:
        # What is above two thirds, spread out at a quarter of the size.
        small = _shrunk(out, 4)
        bright = cv2.addWeighted(small, 3, small, 0, -510)
        halo = _as_large(blur(bright, radius), out)
        out = screen(out, cv2.addWeighted(halo, glow, halo, 0, 0))
    return out


def _shrunk(image: np.ndarray, by: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    return cv2.resize(image, (max(1, width // by), max(1, height // by)), interpolation=cv2.INTER_AREA)


def blur(image: Any, radius: float = 0.02) -> np.ndarray:
    """Softened over `radius` (part of the height): three boxes one after the other, which is close to a Gaussian."""
    import cv2

    image = _picture(image)
    pixels = round(_number(radius, "radius", 0, 1) * image.shape[0])
    if pixels < 1:
        return image.copy()
    for _ in range(3):
        image = cv2.blur(image, (2 * (pixels // 2) + 1,) * 2, borderType=cv2.BORDER_REPLICATE)
    return image


def grey(image: Any) -> np.ndarray:
    """Without colour, still a picture of three channels."""
    import cv2

    return cv2.cvtColor(cv2.cvtColor(_picture(image), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def invert(image: Any) -> np.ndarray:
    """The negative."""
    import cv2

    return cv2.bitwise_not(_picture(image))


def vignette(image: Any, amount: float = 0.5) -> np.ndarray:
    """Darker towards the corners."""
    import cv2

    image = _picture(image)
    return cv2.multiply(image, _vignette(image.shape[1], image.shape[0], _weight(amount)), scale=1 / 255)


@lru_cache(maxsize=4)
def _vignette(width: int, height: int, amount: float) -> np.ndarray:
    x, y = (np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1
    far = np.clip((x[None] ** 2 + y[:, None] ** 2) / 2, 0, 1).astype(np.float32)
    return picture(1 - amount * far * far * (3 - 2 * far))


def grain(image: Any, rng: np.random.Generator, amount: float = 0.06) -> np.ndarray:
    """Film grain: the same chance added to the three channels. `rng` is the node's own (the reserved parameter)."""
    import cv2

    image = _picture(image)
    weight = _weight(amount)
    chance = np.frombuffer(rng.bytes(image.shape[0] * image.shape[1]), np.uint8).reshape(image.shape[:2])
    return cv2.addWeighted(image, 1, cv2.cvtColor(chance, cv2.COLOR_GRAY2RGB), weight, -128 * weight)


# ---- size and place ------------------------------------------------------------------------------------------------


def resize(image: Any, size: tuple[int, int]) -> np.ndarray:
    """Stretched to (width, height) in pixels. A mask stays a mask."""
    return fit(image, size, "stretch")


def fit(image: Any, size: tuple[int, int], how: str = "cover") -> np.ndarray:
    """To (width, height): "cover" cuts off what hangs over, "contain" leaves black bars, "stretch" squashes."""
    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else _picture(image)
    width, height = (int(side) for side in size)
    check_size(width, height)
    if how == "cover":
        return cover(x, (width, height))
    if how == "stretch":
        return _as_large(x, np.empty((height, width), np.bool_))
    if how != "contain":
        raise ValueError(f'fit knows "cover", "contain" and "stretch", and not "{how}"')
    scale = min(width / x.shape[1], height / x.shape[0])
    inner = max(1, min(width, round(x.shape[1] * scale))), max(1, min(height, round(x.shape[0] * scale)))
    out = np.zeros((height, width, *x.shape[2:]), x.dtype)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    out[top : top + inner[1], left : left + inner[0]] = _as_large(x, np.empty((inner[1], inner[0]), np.bool_))
    return out


def crop(image: Any, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The part between these places (0..1), at least one pixel."""
    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else _picture(image)
    height, width = x.shape[:2]
    x0, x1 = (round(_number(v, "a side", 0, 1) * width) for v in (left, right))
    y0, y1 = (round(_number(v, "a side", 0, 1) * height) for v in (top, bottom))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return x[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()


def flip(image: Any, how: str = "across") -> np.ndarray:
    """ "across" as a mirror does, "down" as water does, "both". A mask stays a mask."""
    import cv2

    x = image if isinstance(image, np.ndarray) and image.ndim == 2 else _picture(image)
    try:
        return cv2.flip(x, {"across": 1, "down": 0, "both": -1}[how])
    except KeyError:
        raise ValueError(f'flip knows "across", "down" and "both", and not "{how}"') from None


def tile(images: Sequence[Any], columns: int | None = None) -> np.ndarray:
    """Pictures side by side in rows, each of the first one's size; `columns` None: as square as it goes."""
    if not len(images):
        raise ValueError("tile needs at least one picture")
    first = _picture(images[0])
    height, width = first.shape[:2]
    columns = max(1, int(columns or math.ceil(math.sqrt(len(images)))))
    rows = math.ceil(len(images) / columns)
    check_size(columns * width, rows * height)
    out = np.zeros((rows * height, columns * width, 3), np.uint8)
    for n, image in enumerate(images):
        top, left = n // columns * height, n % columns * width
        out[top : top + height, left : left + width] = _as_large(_picture(image), first)
    return out


# ---- marks ---------------------------------------------------------------------------------------------------------


def stamp(m: Any, point: Place, strength: float = 1.0, radius: float = 0.1) -> np.ndarray:
    """A mask with a soft round touch of the brush at `point`: more where there was little, never above 1.

    strength 0..1 (a confidence, say); radius is where the touch ends, as a part of the height, so that it is round.
    """
    m = np.array(m, np.float32)  # a copy: what was given stays
    if m.ndim != 2 or 0 in m.shape:
        raise ValueError(f"stamp needs a mask (float, height x width), and this has the shape {m.shape}")
    height, width = m.shape
    x, y = _place(point)
    weight = np.float32(_number(strength, "strength"))
    reach = max(1.0, _number(radius, "radius", 0, 4) * height)
    cx, cy = x * width - 0.5, y * height - 0.5
    x0, x1 = max(0, math.ceil(cx - reach)), min(width, math.floor(cx + reach) + 1)
    y0, y1 = max(0, math.ceil(cy - reach)), min(height, math.floor(cy + reach) + 1)
    if x0 >= x1 or y0 >= y1 or not weight:
        return m
    dx = ((np.arange(x0, x1) - cx) / reach).astype(np.float32)
    dy = ((np.arange(y0, y1) - cy) / reach).astype(np.float32)
    near = np.maximum(np.float32(1) - dx[None] * dx[None] - (dy * dy)[:, None], np.float32(0))
    part = m[y0:y1, x0:x1]
    part += (1 - part) * (near * near * weight)
    return m


def line(image: Any, a: Place, b: Place, colour: Colour = "white", width: float = 0.005) -> np.ndarray:
    """A line from `a` to `b`; `width` is a part of the height, one pixel at least."""
    import cv2

    image, colour = _picture(image), colour_of(colour)
    out = image.copy()
    thick = max(1, min(32_000, round(_number(width, "width", 0, 1) * image.shape[0])))
    cv2.line(out, _pixels(a, image), _pixels(b, image), colour, thick, cv2.LINE_AA, _SHIFT)
    return out


def circle(image: Any, at: Place, radius: float = 0.1, colour: Colour = "white", width: float = 0.0) -> np.ndarray:
    """A disc, or with a `width` a ring; lengths are parts of the height."""
    import cv2

    image, colour = _picture(image), colour_of(colour)
    out = image.copy()
    height = image.shape[0]
    thick = max(1, min(32_000, round(_number(width, "width", 0, 1) * height))) if width else -1
    reach = round(_number(radius, "radius", 0, 4) * height * (1 << _SHIFT))
    cv2.circle(out, _pixels(at, image), reach, colour, thick, cv2.LINE_AA, _SHIFT)
    return out


_SHIFT = 4


def _pixels(at: Place, image: np.ndarray) -> tuple[int, int]:
    """In sixteenths of a pixel, so that what moves slowly glides."""
    x, y = _place(at)
    return round((x * image.shape[1] - 0.5) * (1 << _SHIFT)), round((y * image.shape[0] - 0.5) * (1 << _SHIFT))


# ---- words ---------------------------------------------------------------------------------------------------------


def text(
    image: Any,
    words: Any,
    at: Place = (0.5, 0.5),
    size: float = 0.08,
    colour: Colour = "white",
    *,
    weight: int = 400,
    italic: bool = False,
    align: str = "centre",
) -> np.ndarray:
    """Words on a picture, wrapped at its edge; `at` is the middle of the block ("left", "right": of that side of it).

    size is the height of a line as a part of the picture's; weight 300 (light) .. 900 (black). The letters are OpenCV
    5's own (Rubik, SIL Open Font License; WenQuanYi Micro Hei for Chinese and Japanese), drawn alike on every machine.
    """
    if align not in ("left", "centre", "right"):
        raise ValueError(f'text knows align "left", "centre" and "right", and not "{align}"')
    image, colour = _picture(image), colour_of(colour)
    out = image.copy()
    height, width = image.shape[:2]
    pixels = max(1, min(2000, round(_number(size, "size", 0, 2) * height / 1.3)))
    weight = round(_number(weight, "weight", 300, 900))
    x, y = _place(at)
    room = width * (0.96 if align == "centre" else max(0.1, (1 - x if align == "left" else x) - 0.02))
    lines = _wrapped(str(words)[:2000], room, pixels, weight, italic)
    step = round(pixels * 1.3)
    top = y * height - step * len(lines) / 2
    for n, words_of_line in enumerate(lines):
        long = _width(words_of_line, pixels, weight, italic)
        left = x * width - long * {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        base = top + step * n + pixels * 1.0
        if -pixels < base < height + pixels:
            _write(out, words_of_line, (round(left), round(base)), colour, pixels, weight, italic)
    return out


def caption(
    image_or_words: Any, words: Any = None, *, size: tuple[int, int] = (640, 480), colour: Colour = "white"
) -> np.ndarray:
    """`caption(words)`: a dark picture of `size` with the words in its middle. `caption(image, words)`: the words along
    the picture's foot, over a shade that keeps them legible on anything. Words that are not final yet are fainter."""
    if words is None:
        words = image_or_words
        width, height = (int(side) for side in size)
        check_size(width, height)
        shade = _filled((height, width, 3), COLOURS["ink"])
        return text(shade, words, (0.5, 0.5), 0.11, _said(words, colour), weight=500)
    image = _picture(image_or_words)
    if not str(words).strip():
        return image.copy()
    height, width = image.shape[:2]
    pixels = max(1, round(0.065 * height / 1.3))
    lines = len(_wrapped(str(words)[:2000], width * 0.96, pixels, 500, False))
    tall = min(1.0, 0.065 * lines + 0.05)
    ramp = np.clip((np.arange(height) / max(1, height) - (1 - tall - 0.08)) / 0.08, 0, 1).astype(np.float32)
    dark = blend(image, "ink", np.repeat(ramp[:, None] * np.float32(0.72), width, 1))
    return text(dark, words, (0.5, 1 - tall / 2), 0.065, _said(words, colour), weight=500)


def _said(words: Any, colour: Colour) -> tuple[int, int, int]:
    r, g, b = colour_of(colour)
    return (r, g, b) if getattr(words, "final", True) else (r * 6 // 10, g * 6 // 10, b * 6 // 10)


@lru_cache(maxsize=16)
def _face(italic: bool, weight: int) -> Any:
    """One for each weight, since a face that changes its weight forgets its letters; None with OpenCV 4, which has only
    stick letters."""
    import cv2

    return cv2.FontFace("italic" if italic else "sans") if hasattr(cv2, "FontFace") else None


@lru_cache(maxsize=2048)
def _width(words: str, pixels: int, weight: int, italic: bool) -> int:
    import cv2

    if _face(italic, weight) is None:
        return cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, pixels / 30, 1)[0][0]
    # The pen's own way counts, not the ink: a space at the end has a width too.
    left, _, wide, _ = cv2.getTextSize((0, 0), words, (0, 0), _face(italic, weight), pixels, weight)
    return left + wide


def _write(
    out: np.ndarray,
    words: str,
    at: tuple[int, int],
    colour: tuple[int, int, int],
    pixels: int,
    weight: int,
    italic: bool,
) -> None:
    import cv2

    if _face(italic, weight) is None:
        plain = words.encode("ascii", "replace").decode()
        cv2.putText(out, plain, at, cv2.FONT_HERSHEY_DUPLEX, pixels / 30, colour, max(1, weight // 350), cv2.LINE_AA)
    elif words.strip():
        cv2.putText(out, words, at, colour, _face(italic, weight), pixels, weight)


@lru_cache(maxsize=64)
def _wrapped(words: str, room: float, pixels: int, weight: int, italic: bool) -> tuple[str, ...]:
    lines: list[str] = []
    for paragraph in words.splitlines() or [""]:
        now = ""
        for word in paragraph.split():
            longer = f"{now} {word}".strip()
            if now and _width(longer, pixels, weight, italic) > room:
                lines.append(now)
                longer = word
            while len(longer) > 1 and _width(longer, pixels, weight, italic) > room:  # one word wider than the picture
                keep = len(longer) - 1
                while keep > 1 and _width(longer[:keep], pixels, weight, italic) > room:
                    keep -= max(1, keep // 8)
                lines.append(longer[:keep])
                longer = longer[keep:]
            now = longer
        lines.append(now)
    return tuple(lines)
