"""A picture of somebody's own: raster formats only, measured before it is decoded, never served back."""

from __future__ import annotations

import struct

import numpy as np

from .screen import shrink

MOST_PIXELS = 64_000_000
LONGEST_KEPT = 2048
"""Pixels: what the model gets is scaled down to this."""


def decode_picture(blob: bytes) -> np.ndarray:
    """RGB u8 of a JPEG, PNG, WebP or BMP, turned the way its camera was held. ValueError with a sentence."""
    import cv2

    size = measure(blob)
    if size is None:
        raise ValueError("this is not a picture that can be used: JPEG, PNG, WebP and BMP can")
    width, height = size
    if not (0 < width <= 16_384 and 0 < height <= 16_384 and width * height <= MOST_PIXELS):
        most = f"{MOST_PIXELS // 1_000_000} million pixels"
        raise ValueError(f"a picture of {width} x {height} is too large: {most} can be used")
    try:
        bgr = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        bgr = None
    if bgr is None or bgr.ndim != 3:
        raise ValueError("the picture is damaged: it could not be decoded")
    return np.ascontiguousarray(shrink(bgr, LONGEST_KEPT)[..., ::-1])


def measure(blob: bytes) -> tuple[int, int] | None:
    """(width, height) as the header says, or None for what is none of the four formats."""
    if blob[:8] == b"\x89PNG\r\n\x1a\n" and blob[12:16] == b"IHDR" and len(blob) >= 24:
        return struct.unpack(">II", blob[16:24])
    if blob[:2] == b"BM" and len(blob) >= 26:
        width, height = struct.unpack("<ii", blob[18:26])
        return width, abs(height)
    if blob[:4] == b"RIFF" and blob[8:12] == b"WEBP" and len(blob) >= 30:
        return _webp(blob)
    if blob[:3] == b"\xff\xd8\xff":
        return _jpeg(blob)
    return None


def _webp(blob: bytes) -> tuple[int, int] | None:
    """RFC 9649: the simple lossy, simple lossless and extended layouts."""
    form = blob[12:16]
    if form == b"VP8 " and blob[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", blob[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L" and blob[20] == 0x2F:
        bits = int.from_bytes(blob[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        return int.from_bytes(blob[24:27], "little") + 1, int.from_bytes(blob[27:30], "little") + 1
    return None


def _jpeg(blob: bytes) -> tuple[int, int] | None:
    """ITU T.81 B.2: walks the segments to the frame header."""
    at = 2
    while at + 9 < len(blob):
        if blob[at] != 0xFF:
            return None
        marker = blob[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", blob[at + 5 : at + 9])
            return width, height
        elif marker in (0xD9, 0xDA):
            return None
        else:
            (length,) = struct.unpack(">H", blob[at + 2 : at + 4])
            if length < 2:
                return None
            at += 2 + length
    return None
