"""A text as a vector: texts that mean the like point the same way. Task "embed_text".

Any BERT-like encoder (Reimers and Gurevych: Sentence-BERT, 2019, for how it was trained).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.kinds import Vector
from .encoder import Encoder


class EmbedText(Encoder):
    """`model("the sea at night")`: a Vector of length 1; `a @ b` of two of them is their likeness, 1 for the same
    meaning, about 0 for nothing in common. Of words that are still being heard, what there is of them."""

    kind = Vector

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        text = values[self.needed[0]]
        if not isinstance(text, str):
            raise ValueError(f"the text is a text, and this is {text!r:.40}")
        return self.vector(str(text))
