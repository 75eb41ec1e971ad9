"""A picture that is the same on every machine and holds what pictures hold: edges, texture, gradients, skin and sky."""

from __future__ import annotations

import numpy as np

from ..core.kinds import Size


def picture(size: Size, seed: int = 0) -> np.ndarray:
    """uint8 RGB, height x width x 3. Made of integers only, so that no processor rounds it differently."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    u, v = x * 1024 // width, y * 1024 // height  # 0..1023 both ways, whatever the size
    out = np.empty((height, width, 3), np.int64)
    out[:] = np.stack([60 + v // 12 + u // 32, 90 + v // 16, 190 - v // 8], -1)  # sky
    state = (seed * 2654435761 + 12345) % (1 << 32)

    def dice(below: int) -> int:
        nonlocal state
        state = (state * 1664525 + 1013904223) % (1 << 32)  # Numerical Recipes' generator
        return (state >> 16) % below

    for n in range(14):
        cx, cy, r = dice(1024), dice(1024), 60 + dice(200)
        colour = np.array([dice(256), dice(256), dice(256)])
        disc, slab = (u - cx) ** 2 + (v - cy) ** 2 < r * r, (abs(u - cx) < r) & (abs(v - cy) < r // 2)
        inside = disc if n % 2 else slab
        shade = (u - cx + v - cy) * 40 // r  # each is lit from one side
        out[inside] = (colour + shade[..., None])[inside]
    hash_ = (x * 374761393 + y * 668265263 + seed * 1442695041) & 0xFFFFFFFF
    hash_ = ((hash_ ^ (hash_ >> 13)) * 1274126177) & 0xFFFFFFFF
    grain = ((hash_ >> 16) % 25) - 12
    waves = ((u * 3 + v) // 12 % 8) * 4 * (v > 600)  # grass
    return np.clip(out + grain[..., None] + waves[..., None], 0, 255).astype(np.uint8)
