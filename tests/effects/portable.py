"""A program: hashes of what paint, effects and sources make, for comparing instruction sets."""

from __future__ import annotations

import hashlib
import json
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pleinair import paint
from pleinair.core.codec import decode, encode_jpeg, rgb_from_yuv
from pleinair.core.source import Raw
from pleinair.effects.calm import Calm
from pleinair.effects.enlarge import Enlarge
from pleinair.sources.file import File
from pleinair.sources.synthetic import Synthetic


def main(clip: str) -> dict[str, str]:
    rooms = [Synthetic("room", size=(323, 241)).picture(n) for n in range(6)]
    a, b = rooms[0], Synthetic("noise", size=(160, 120)).picture(0)
    m = np.random.default_rng(0).random((100, 90), np.float32)
    rng = np.random.default_rng(1)
    made = {
        "blend": paint.blend(a, b, 0.37), "mask": paint.blend(a, b, m), "add": paint.add(a, b, 0.3),
        "multiply": paint.multiply(a, b), "screen": paint.screen(a, b), "grade": paint.grade(a, 0.03, 1.17, 1.3, 0.21),
        "light": paint.light(a, 1.13, 0.5), "blur": paint.blur(a, 0.03), "grey": paint.grey(a),
        "vignette": paint.vignette(a, 0.4), "grain": paint.grain(a, rng), "fit": paint.fit(a, (200, 171)),
        "stamp": paint.stamp(m, (0.3, 0.4), 0.7), "line": paint.line(a, (0.1, 0.2), (0.8, 0.7), "red", 0.01),
        "text": paint.text(a, "Où est l’atelier?"), "enlarge": Enlarge((640, 480))(a),
        "yuv": rgb_from_yuv(a[..., 0], a[::2, ::2, 1].copy(), a[::2, ::2, 2].copy()),
        "jpeg": decode(Raw("jpeg", encode_jpeg(a))),
    }  # fmt: skip
    made |= {f"scene {s}": Synthetic(s, size=(323, 241)).picture(5) for s in ("room", "bars", "noise")}
    calm = Calm()
    made["calm"] = [calm(paint.invert(r), r) for r in rooms][-1]
    source = File(clip, size=(200, 150))
    source.open()
    made["file"] = np.stack([c.data for c in islice(source, 12)])
    source.close()
    return {name: hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest() for name, x in made.items()}


if __name__ == "__main__":
    cv2.setNumThreads(1)
    print(json.dumps(main(str(Path(sys.argv[1])))))
