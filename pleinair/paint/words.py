"""Words in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.codec import check_size
from ..core.kinds import Size
from .given import COLOURS, Colour, Place, as_number, as_picture, as_place, colour_of, filled
from .mixing import blend


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
    image, colour = as_picture(image), colour_of(colour)
    out = image.copy()
    height, width = image.shape[:2]
    pixels = max(1, min(2000, round(as_number(size, "size", 0, 2) * height / 1.3)))
    weight = round(as_number(weight, "weight", 300, 900))
    x, y = as_place(at)
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
    the picture's foot, over a shade that keeps them legible on anything. Words that are not final yet are fainter. Many
    words are written smaller; of more than that the last lines are shown."""
    if words is None:
        words = image_or_words
        width, height = (int(side) for side in size)
        check_size(width, height)
        shade = filled((height, width, 3), COLOURS["ink"])
        lines, line = _fitting(words, (width, height), (0.11, 0.085, 0.065, 0.05), 0.94)
        return text(shade, "\n".join(lines), (0.5, 0.5), line, _said(words, colour), weight=500)
    image = as_picture(image_or_words)
    if not str(words).strip():
        return image.copy()
    height, width = image.shape[:2]
    lines, line = _fitting(words, (width, height), (0.065, 0.05, 0.04), 0.42)
    tall = min(1.0, line * len(lines) + 0.05)
    ramp = np.clip((np.arange(height) / max(1, height) - (1 - tall - 0.08)) / 0.08, 0, 1).astype(np.float32)
    dark = blend(image, "ink", np.repeat(ramp[:, None] * np.float32(0.72), width, 1))
    return text(dark, "\n".join(lines), (0.5, 1 - tall / 2), line, _said(words, colour), weight=500)


def _fitting(words: Any, size: Size, line_sizes: Sequence[float], most: float) -> tuple[tuple[str, ...], float]:
    """The words in lines, and how tall a line is: the largest size at which all of them stay within `most` of the
    picture's height; at the smallest, the last lines that do."""
    width, height = size
    lines: tuple[str, ...] = ()
    line = 0.0
    for line in line_sizes:
        lines = _wrapped(str(words)[-2000:], width * 0.96, max(1, round(line * height / 1.3)), 500, False)
        if line * len(lines) <= most:
            break
    return lines[-max(1, int(most / line)) :], line


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
