"""Pictures and numbers as bytes, without loss or exactly as a device sent them. For the tape and for the browser.

`decode(raw)` gives the same pixels on every machine; the libraries are imported when they are first needed.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from .kinds import Audio, Image, Kind, Mask, Sound, Text, Vector
from .source import Raw


def decode(raw: Raw) -> Any:
    """The data of a Raw; ValueError with a sentence where it is not what it says."""
    try:
        decoder = _DECODERS[raw.codec]
    except KeyError:
        raise ValueError(f'no decoder "{raw.codec}"') from None
    return decoder(raw.blob, raw.note or {})


def encode(kind: type[Kind], data: Any) -> Raw:
    """Data without loss: QOI for pictures, NPY for other arrays, JSON for the rest."""
    if kind is Image:
        import qoi

        return Raw("qoi", qoi.encode(data))
    if kind in (Mask, Vector):
        return Raw("npy", _npy(data))
    if kind is Audio:
        return Raw("sound", _npy(data.samples), {"rate": data.rate})
    if kind is Text:
        return Raw("text", str(data).encode(), {"final": data.final})
    return Raw("json", json.dumps(data).encode())


def encode_jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    """A baseline JPEG with 4:2:0 colour (4:4:4 from quality 95)."""
    import simplejpeg

    return simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality=quality, colorsubsampling="444" if quality >= 95 else "420", fastdct=False
    )


def _jpeg(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    import simplejpeg

    height, width, _, _ = simplejpeg.decode_jpeg_header(blob)  # before any memory is taken
    check_size(width, height)
    return simplejpeg.decode_jpeg(blob, colorspace="RGB", fastdct=False, fastupsample=False)


def check_size(width: int, height: int) -> None:
    """A picture from outside may be as large as 8K and no larger."""
    if not (0 < width <= 8192 and 0 < height <= 8192 and width * height <= 8192 * 4320):
        raise ValueError(f"a picture of {width} x {height} is not accepted (8K is the most)")


def _planar(blob: bytes, note: dict[str, Any], code: str) -> np.ndarray:
    """YUV 4:2:0 as a browser's VideoFrame or a webcam hands it; note: width, height, full (range), matrix."""
    import cv2

    width, height = int(note["width"]), int(note["height"])
    check_size(width, height)
    if width % 2 or height % 2 or len(blob) != width * height * 3 // 2:
        raise ValueError(f"{len(blob)} bytes are not a {width} x {height} picture in {code}")
    yuv = np.frombuffer(blob, np.uint8).reshape(height * 3 // 2, width)
    rgb = cv2.cvtColor(yuv, {"i420": cv2.COLOR_YUV2RGB_I420, "nv12": cv2.COLOR_YUV2RGB_NV12}[code])
    return rgb


def _qoi(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    import qoi

    width, height = (int.from_bytes(blob[i : i + 4], "big") for i in (4, 8))
    check_size(width, height)
    return qoi.decode(blob)


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _load_npy(blob: bytes, note: dict[str, Any]) -> np.ndarray:
    return np.load(io.BytesIO(blob), allow_pickle=False)


_DECODERS = {
    "jpeg": _jpeg,
    "i420": lambda blob, note: _planar(blob, note, "i420"),
    "nv12": lambda blob, note: _planar(blob, note, "nv12"),
    "qoi": _qoi,
    "npy": _load_npy,
    "sound": lambda blob, note: Sound(_load_npy(blob, note), note["rate"]),
    "text": lambda blob, note: Text(blob.decode(), final=note.get("final", True)),
    "json": lambda blob, note: json.loads(blob),
}
