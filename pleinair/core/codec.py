"""Pictures and numbers as bytes, without loss or exactly as a device sent them. For the tape and for the browser.

`decode(raw)` gives the same pixels on every machine: JPEG by libjpeg-turbo's slow integer transform, YUV by the fixed
point arithmetic of `rgb_from_yuv`, resizing by OpenCV's integer paths. Libraries are imported when first needed.
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import Any

import numpy as np

from .kinds import (
    MAX_PIXELS,
    MAX_SIDE,
    Audio,
    Box,
    Boxes,
    Figure,
    Image,
    Kind,
    Landmarks,
    Mask,
    Size,
    Sound,
    Text,
    Vector,
    part_as_json,
    part_from_json,
)
from .source import Raw


def decode(raw: Raw) -> Any:
    """The data of a Raw; ValueError with a sentence where it is not what it says, whatever the bytes are.

    A picture's note may hold `size` (width, height): it is brought to that size by `cover`, as its source did.
    """
    note = raw.note or {}
    try:
        decoder = _DECODERS[raw.codec]
    except KeyError:
        raise ValueError(f'no decoder "{raw.codec}"') from None
    try:
        data = decoder(raw.blob, note)
        if "size" in note:
            width, height = (int(side) for side in note["size"])
            check_size(width, height)
            data = cover(data, (width, height))
    except ValueError:
        raise
    except MemoryError:
        raise ValueError(f"not enough memory for {len(raw.blob)} bytes of {raw.codec}") from None
    except Exception as error:  # what comes from outside may break a decoder in any way: it is bad input all the same
        raise ValueError(f"{len(raw.blob)} bytes are no {raw.codec} ({type(error).__name__}: {error})") from error
    return data


def encode(kind: type[Kind], data: Any) -> Raw:
    """Data without loss: QOI for pictures, NPY for other arrays, JSON for the rest."""
    if kind is Image:
        import qoi

        return Raw("qoi", qoi.encode(np.ascontiguousarray(data)))
    if kind in (Mask, Vector):
        return Raw("npy", _npy(data))
    if kind is Audio:
        return Raw("sound", _npy(data.samples), {"rate": data.rate})
    if kind is Text:
        return Raw("text", str(data).encode("utf-8", "surrogatepass"), data.about)
    if kind is Landmarks:
        points = np.concatenate([f.points for f in data]) if data else np.zeros((0, 3), np.float32)
        figures = [
            {"names": f.names, "confidence": f.confidence, "extra": {n: part_as_json(v) for n, v in f.extra.items()}}
            for f in data
        ]
        return Raw("landmarks", _npy(points), {"figures": figures})
    if kind is Boxes:
        return Raw("boxes", json.dumps([[b.x, b.y, b.w, b.h, b.label, b.confidence, b.number] for b in data]).encode())
    return Raw("json", json.dumps(data).encode())


def encode_jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    """A baseline JPEG with 4:2:0 colour (4:4:4 from quality 95)."""
    import simplejpeg

    return simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality=quality, colorsubsampling="444" if quality >= 95 else "420", fastdct=False
    )


def check_size(width: int, height: int) -> None:
    """A picture from outside may be as large as 8K and no larger; ValueError."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise ValueError(f"a picture of {width} x {height} is not accepted (8K is the most)")


def cover(image: np.ndarray, size: Size) -> np.ndarray:
    """The picture (or mask) scaled until it covers `size`, and what hangs over cut off evenly: nothing is squashed."""
    import cv2

    height, width = image.shape[:2]
    if (width, height) == tuple(size):
        return image
    to_width, to_height = size
    # Whole numbers, so that every machine cuts the same columns.
    cut_width = min(width, max(1, round(height * to_width / to_height)))
    cut_height = min(height, max(1, round(width * to_height / to_width)))
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    cut = image[top : top + cut_height, left : left + cut_width]
    shrinks = to_width <= cut_width and to_height <= cut_height
    out = cv2.resize(cut, (to_width, to_height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    out.setflags(write=False)
    return out


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
"""(Kr, Kb): the weights of red and blue in luma, from the ITU-R recommendations of these names."""

_MATRICES = {
    "bt601": BT601,
    "smpte170m": BT601,
    "bt470bg": BT601,
    "bt709": BT709,
    "bt2020": BT2020,
    "bt2020-ncl": BT2020,
}


@lru_cache(maxsize=16)
def _yuv_matrix(kr: float, kb: float, full: bool) -> np.ndarray:
    """3 x 4: RGB of (Y, Cb, Cr, 1) in 0..255, by the definitions of BT.601-7 section 2.5 with its quantisation."""
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    kg = 1 - kr - kb
    m = np.array(
        [
            [luma, 0, 2 * (1 - kr) * chroma],
            [luma, -2 * (1 - kb) * kb / kg * chroma, -2 * (1 - kr) * kr / kg * chroma],
            [luma, 2 * (1 - kb) * chroma, 0],
        ]
    )
    return np.c_[m, -m @ [0 if full else 16, 128, 128]]


def rgb_from_yuv(
    y: np.ndarray, u: np.ndarray, v: np.ndarray, *, matrix: tuple[float, float] = BT601, full: bool = False
) -> np.ndarray:
    """uint8 RGB (h, w, 3) of three uint8 planes; smaller chroma planes are enlarged bilinearly.

    OpenCV's `transform` of 8-bit pixels computes with 10-bit fixed point coefficients, so that the result is the same
    on every instruction set (a test compares it with the same sum in whole numbers). FFmpeg's fast conversion is not:
    it differs between SSSE3 and plain C, and its exact one takes twice as long.
    """
    import cv2

    height, width = y.shape
    if u.shape != y.shape:
        u = cv2.resize(u, (width, height), interpolation=cv2.INTER_LINEAR)
        v = cv2.resize(v, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = cv2.merge((y, u, v)).reshape(1, -1, 3)
    # The last few pixels of a row that fills no whole vector go another way: they are given company.
    short = -pixels.shape[1] % 64
    if short:
        pixels = np.pad(pixels, ((0, 0), (0, short), (0, 0)))
    rgb = cv2.transform(pixels, _yuv_matrix(*matrix, full))
    rgb.setflags(write=False)
    return rgb[0, : height * width].reshape(height, width, 3)


def _jpeg(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    import simplejpeg

    height, width, _, _ = simplejpeg.decode_jpeg_header(blob)  # before any memory is taken
    check_size(width, height)
    return simplejpeg.decode_jpeg(blob, colorspace="RGB", fastdct=False, fastupsample=False)


def _planar(blob: bytes, note: dict[str, Any], code: str) -> np.ndarray:
    """YUV 4:2:0, 8 bits, planes without padding, as a browser's VideoFrame or a webcam hands it.

    note: width, height, full (range; False: 16..235), matrix ("bt601", "bt709", "bt2020" or as WebCodecs names them;
    else BT.601). A side may be odd: chroma planes are half as large, rounded up.
    """
    width, height = int(note["width"]), int(note["height"])
    check_size(width, height)
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    luma, chroma = width * height, half_width * half_height
    if len(blob) != luma + 2 * chroma:
        raise ValueError(f"{len(blob)} bytes are not a {width} x {height} picture in {code}")
    y = np.frombuffer(blob, np.uint8, luma).reshape(height, width)
    rest = np.frombuffer(blob, np.uint8, 2 * chroma, luma)
    if code == "i420":
        u, v = rest.reshape(2, half_height, half_width)
    else:
        pairs = rest.reshape(half_height, half_width, 2)
        u, v = np.ascontiguousarray(pairs[..., 0]), np.ascontiguousarray(pairs[..., 1])
    matrix = _MATRICES.get(str(note.get("matrix")), BT601)
    return rgb_from_yuv(y, u, v, matrix=matrix, full=bool(note.get("full", False)))


def _packed(blob: bytes, note: dict[str, Any], order: tuple[int, int, int]) -> np.ndarray:
    """Four bytes a pixel, the fourth unused; note: width, height."""
    width, height = int(note["width"]), int(note["height"])
    check_size(width, height)
    if len(blob) != width * height * 4:
        raise ValueError(f"{len(blob)} bytes are not a {width} x {height} picture of 4 bytes a pixel")
    return np.ascontiguousarray(np.frombuffer(blob, np.uint8).reshape(height, width, 4)[..., order])


def _qoi(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    import qoi

    if blob[:4] != b"qoif" or len(blob) < 22:
        raise ValueError("this is no QOI picture")
    width, height = (int.from_bytes(blob[i : i + 4], "big") for i in (4, 8))
    check_size(width, height)
    return qoi.decode(blob)


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _pcm16(blob: bytes, note: dict[str, Any]) -> Sound:
    """16-bit samples, little endian, channels interleaved, as a page's microphone sends them; note: rate, channels."""
    samples = np.frombuffer(blob, "<i2").reshape(-1, int(note["channels"]))
    return Sound(samples.astype(np.float32) / np.float32(32768), int(note["rate"]))


def _landmarks(blob: bytes, note: dict[str, Any]) -> Landmarks:
    points, figures, at = _load_npy(blob, note), [], 0
    for f in note["figures"]:
        rows = points[at : at + len(f["names"])]
        at += len(f["names"])
        figures.append(
            Figure(rows, f["names"], f["confidence"], **{n: part_from_json(v) for n, v in f["extra"].items()})
        )
    return Landmarks(figures)


def _text(blob: bytes, note: dict[str, Any]) -> Text:
    about = {name: note[name] for name in ("final", "confidence", "language") if name in note}
    return Text.check(Text(blob.decode("utf-8", "surrogatepass"), **about))


def _load_npy(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    return np.load(io.BytesIO(blob), allow_pickle=False)


_DECODERS = {
    "jpeg": _jpeg,
    "i420": lambda blob, note: _planar(blob, note, "i420"),
    "nv12": lambda blob, note: _planar(blob, note, "nv12"),
    "rgbx": lambda blob, note: _packed(blob, note, (0, 1, 2)),
    "bgrx": lambda blob, note: _packed(blob, note, (2, 1, 0)),
    "qoi": _qoi,
    "npy": _load_npy,
    "pcm16": _pcm16,
    "sound": lambda blob, note: Sound(_load_npy(blob, note), note["rate"]),
    "text": _text,
    "landmarks": _landmarks,
    "boxes": lambda blob, note: Boxes(Box(*box) for box in json.loads(blob)),
    "json": lambda blob, note: json.loads(blob),
}
