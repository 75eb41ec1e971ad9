"""Chance that can be replayed: each firing throws its own dice.

The generator is keyed by (seed, node, the hot frame's seq) and by nothing else, so that a skipped frame shifts
nobody's dice and a replay throws the same.
"""

from __future__ import annotations

import hashlib

import numpy as np


def chance(seed: int, node: str, seq: int) -> np.random.Generator:
    """A generator for one firing (PCG64 over numpy's SeedSequence, stable since numpy 1.17)."""
    name = int.from_bytes(hashlib.sha256(node.encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed & (2**64 - 1), name, seq])))
