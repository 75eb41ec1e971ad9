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

from .figures import mesh, skeleton
from .finds import boxes
from .given import picture
from .layout import crop, fit, flip, resize, tile
from .lines import arrows, segments
from .marks import circle, line, stamp
from .mixing import add, blend, darken, difference, lighten, mask, multiply, over, screen, subtract
from .sounds import piano_roll, pitch_line, spectrum, waveform
from .tone import blur, grade, grain, grey, invert, light, vignette
from .words import caption, text

__all__ = [
    "add", "arrows", "blend", "blur", "boxes", "caption", "circle", "crop", "darken", "difference", "fit", "flip",
    "grade", "grain", "grey", "invert", "light", "lighten", "line", "mask", "mesh", "multiply", "over",
    "piano_roll", "picture", "pitch_line", "resize", "screen", "segments", "skeleton", "spectrum", "stamp",
    "subtract", "text", "tile", "vignette", "waveform",
]  # fmt: skip
