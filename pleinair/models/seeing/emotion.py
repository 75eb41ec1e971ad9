"""Whether a face looks happy or surprised.

Arriaga, Valdenegro-Toro, Ploeger: "Real-time Convolutional Neural Networks for Emotion and Gender Classification"
(2017), a small network that sorts a grey face of 64 x 64 into seven words. Of the seven only two are told here: on real
people it takes a resting face for angry or sad, and only happy and surprise mean what they say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backends.base import Backend
from . import crops

SIDE = 64
WORDS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SURE = 0.5
_ROOM = 1.25
"""The square that it sees, in sizes of the box around the mesh: it knows faces with some hair and chin."""


def read(network: Backend, image: np.ndarray, flat: np.ndarray) -> dict[str, Any]:
    """Parts of a face: `happy` and `surprise` (0..1), and `emotion`: the one of them that is surer than 0.5, or "".

    flat  the mesh's points in pixels (n, 2)
    """
    import cv2

    crop = crops.around(flat).grown(_ROOM)
    if not crop.good:
        return {"happy": 0.0, "surprise": 0.0, "emotion": ""}
    size = (round(crop.w), round(crop.h))
    face = crops.cut(image, crop, size) if max(size) < 4 * SIDE else crops.cut(image, crop, (4 * SIDE, 4 * SIDE))
    grey = cv2.cvtColor(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    out = network.run({"input_1": (grey.astype(np.float32) / 127.5 - 1)[None, :, :, None]})["Identity"][0]
    found = {word: float(np.clip(out[WORDS.index(word)], 0, 1)) for word in ("happy", "surprise")}
    best = max(found, key=lambda word: found[word])
    return {**found, "emotion": best if found[best] > SURE else ""}
