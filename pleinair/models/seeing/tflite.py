"""Where TFLite networks run: OpenVINO or LiteRT, whichever is quicker; LiteRT in f32 on one thread is the reference."""

from __future__ import annotations

from ...backends.base import package_version

_HAS = bool(package_version("ai-edge-litert"))

CANDIDATES = (("openvino", "f32"), *((("litert", "f32"),) if _HAS else ()))
"""Not bf16: measured on photographs it moves a body's joints by 1-9 % of the body, and a face's points by 0.2 %."""
REFERENCE = ("litert", "f32", 1) if _HAS else ("openvino", "f32", 1)
"""Without the extra `litert`, OpenVINO in f32 is held against itself."""
