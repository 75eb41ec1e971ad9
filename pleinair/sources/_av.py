"""What the sources that read through FFmpeg (PyAV) share: frames to pictures, alike on every machine.

`av` is imported by the functions, so that a source can be named and described without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core import codec
from ..core.kinds import Size

FITS = ("cover", "contain", "stretch")

_EXACT = 0x2 | 0x40000 | 0x80000
"""swscale: BILINEAR | ACCURATE_RND | BITEXACT. Without the last two its result depends on the instruction set."""


def open_input(url: str, **options: Any) -> Any:
    """av.open for reading; options of the demuxer as keywords."""
    import av

    seconds = options.pop("timeout_s", None)
    form = options.pop("form", None)
    text = {k: str(v) for k, v in options.items()}
    return av.open(url, "r", format=form, options=text, timeout=seconds)


def open_file(path: Path, formats: str) -> Any:
    """A file of this computer, with only these demuxers (FFmpeg's names, with commas): a text that calls itself .mp4
    may be a playlist, and must not make FFmpeg fetch what it names."""
    return open_input(f"file:{path}", protocol_whitelist="file", format_whitelist=formats)


def reason(error: BaseException) -> str:
    """FFmpeg's own words without its number and its URL (which may hold a password)."""
    return str(getattr(error, "strerror", None) or error).strip() or type(error).__name__


Upright = tuple[int, bool]
"""Degrees clockwise, and whether to mirror first."""


def decoded(packet: Any) -> list[Any]:
    """A packet's frames without the damaged ones."""
    import av

    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt]
    except av.error.InvalidDataError:
        return []


def picture_of(frame: Any, size: Size | None = None, fit: str = "cover", upright: Upright | None = None) -> np.ndarray:
    """A decoded frame as a picture: uint8 RGB, upright, with square pixels, read-only.

    size   None: as it is. Else (width, height); what happens where the proportions differ is `fit`: "cover" cuts off,
           "contain" leaves black bars, "stretch" squashes. Scaled down by area, up by bicubic interpolation; integer
           paths of OpenCV, the same on every machine.
    upright  `upright_of` an earlier frame of the same stream. None: asked of this one
    YUV that does not say its matrix is BT.709 from 720 lines on, else BT.601, as browsers and players guess.
    """
    import cv2

    turn, mirror = upright or upright_of(frame)
    width, height = frame.width, frame.height
    aspect = _pixel_aspect(frame)
    if size is None and aspect == 1:
        target = inner = (width, height)
        box = (0, 0, width, height)
    else:
        across = max(1, round(width * aspect))
        target = (across, height) if size is None else (size[1], size[0]) if turn % 180 else size
        box, inner = _place((across, height), target, fit)
        box = (round(box[0] / aspect), box[1], max(1, round(box[2] / aspect)), box[3])
    rgb = _converted(frame, box, inner)
    if inner != target:
        canvas = np.zeros((target[1], target[0], 3), np.uint8)
        left, top = (target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2
        canvas[top : top + inner[1], left : left + inner[0]] = rgb
        rgb = canvas
    if mirror:
        rgb = cv2.flip(rgb, 1)
    if turn:
        rgb = cv2.rotate(
            rgb, {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}[turn]
        )
    rgb.setflags(write=False)
    return rgb


def _place(have: Size, want: Size, fit: str) -> tuple[tuple[int, int, int, int], Size]:
    """(left, top, width, height) to cut out of a picture of size `have`, and the size to bring it to."""
    (width, height), (to_width, to_height) = have, want
    if fit == "cover":
        cut_width = min(width, max(1, round(height * to_width / to_height)))
        cut_height = min(height, max(1, round(width * to_height / to_width)))
        return ((width - cut_width) // 2, (height - cut_height) // 2, cut_width, cut_height), want
    if fit == "contain":
        inner = (
            min(to_width, max(1, round(width * to_height / height))),
            min(to_height, max(1, round(height * to_width / width))),
        )
        return (0, 0, width, height), inner
    return (0, 0, width, height), want


def _scaled(plane: np.ndarray, to: Size) -> np.ndarray:
    import cv2

    height, width = plane.shape[:2]
    if (width, height) == to:
        return plane
    shrinks = to[0] <= width and to[1] <= height
    return cv2.resize(plane, to, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def _converted(frame: Any, box: tuple[int, int, int, int], to: Size) -> np.ndarray:
    left, top, width, height = box
    name = frame.format.name
    if name in ("yuv420p", "yuvj420p"):
        # The planes are scaled before they become RGB: half as many bytes, and colour is interpolated only once.
        left, top = left & ~1, top & ~1
        half = slice(top // 2, (top + height + 1) // 2), slice(left // 2, (left + width + 1) // 2)
        y, u, v = (_plane(frame, i) for i in range(3))
        y = _scaled(y[top : top + height, left : left + width], to)
        if to != (width, height):
            u, v = _scaled(u[half], to), _scaled(v[half], to)
        else:
            u, v = u[half], v[half]
        full = name == "yuvj420p" or frame.color_range == 2
        return codec.rgb_from_yuv(y, u, v, matrix=_matrix(frame), full=full)
    alpha = any(component.is_alpha for component in frame.format.components)
    rgb = _by_swscale(frame, "rgba" if alpha else "rgb24")
    if alpha:  # over black, in whole numbers
        shade = rgb[..., 3:].astype(np.uint16)
        rgb = ((rgb[..., :3] * shade + 127) // 255).astype(np.uint8)
    return _scaled(rgb[top : top + height, left : left + width], to).copy()


def _plane(frame: Any, index: int) -> np.ndarray:
    plane = frame.planes[index]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def _by_swscale(frame: Any, form: str) -> np.ndarray:
    from av.video.reformatter import VideoReformatter

    named = {codec.BT709: 1, codec.BT2020: 9}.get(_matrix(frame), 5)
    return (
        VideoReformatter()
        .reformat(frame, format=form, interpolation=_EXACT, src_colorspace=named, threads=1)
        .to_ndarray()
    )


def _matrix(frame: Any) -> tuple[float, float]:
    """(Kr, Kb) from the frame's tag: ITU-T H.273, table 4 (1 BT.709; 4, 5, 6 BT.601; 9, 10 BT.2020; 2 unspecified)."""
    tag = int(frame.colorspace)
    if tag == 1:
        return codec.BT709
    if tag in (9, 10):
        return codec.BT2020
    if tag == 2 and frame.height >= 720 and frame.format.name != "yuvj420p":
        return codec.BT709
    return codec.BT601


def _pixel_aspect(frame: Any) -> float:
    """Width of a pixel over its height; nonsense and rounding count as square."""
    aspect = getattr(frame, "sample_aspect_ratio", None)
    try:
        value = float(aspect) if aspect else 1.0
    except (TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return value if 0.1 <= value <= 10 and abs(value - 1) > 0.02 else 1.0


def upright_of(frame: Any) -> Upright:
    """(degrees clockwise, mirrored first) that bring the frame upright, from its display matrix (telephones, EXIF).

    The matrix is nine int32, row-major, of which a b . c d . turn (x, y) into (a x + c y, b x + d y).
    """
    if not frame.rotation:  # a picture that is only flipped upside down (EXIF 4) is not told from one that is not
        return 0, False
    _never_collected(frame)
    matrix = None
    for entry in frame.side_data:
        if getattr(entry.type, "name", "") == "DISPLAYMATRIX":
            matrix = np.frombuffer(bytes(entry), np.int32)
    if matrix is None or len(matrix) < 9:
        return (-frame.rotation) % 360 // 90 * 90, False
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    mirror = a * d - b * c < 0
    if mirror:  # with x flipped beforehand, what is left is a turn
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a > 0 else 180), mirror
    return (90 if b > 0 else 270), mirror


def _never_collected(frame: Any) -> None:
    """PyAV's side data and its frame hold each other, and the garbage collector crashes on the two (PyAV 18.1: a
    picture with a colour profile was enough). One frame a clip is given up instead."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(frame))
