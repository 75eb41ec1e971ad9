"""ONNX's Resize and Pad in torch: along one axis after the other, at places that are computed as the specification has
them (https://onnx.ai/onnx/operators/onnx__Resize.html). Which implementation guesses otherwise does not matter here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def resize(x: list[Any], a: dict[str, Any], n: Any) -> torch.Tensor:
    """Modes nearest, linear and cubic; ValueError for a region of interest or a filter against aliasing."""
    mode, word = a.get("mode", b"nearest").decode(), a.get("coordinate_transformation_mode", b"half_pixel").decode()
    kept = a.get("keep_aspect_ratio_policy", b"stretch") != b"stretch"
    if a.get("antialias", 0) or word == "tf_crop_and_resize" or kept:
        raise ValueError("a resize with a crop, or with a filter against aliasing")
    made = x[0]
    scales = [float(v) for v in x[2].reshape(-1).tolist()] if len(x) > 2 and x[2] is not None and x[2].numel() else []
    sizes = [int(v) for v in x[3].reshape(-1).tolist()] if len(x) > 3 and x[3] is not None else []
    axes = list(a.get("axes", range(made.ndim)))
    for k, axis in enumerate(axes):
        old = made.shape[axis]
        new = sizes[k] if sizes else int(np.floor(old * scales[k]))
        scale = scales[k] if scales else new / old
        if new == old and scale == 1:
            continue
        places = _places(new, old, scale, word)
        made = _along(made, axis, *_taps(places, old, mode, a))
    return made


def _places(new: int, old: int, scale: float, word: str) -> np.ndarray:
    # float32, as others have it: else a place on the edge between two pixels falls to the other
    out, scale = np.arange(new, dtype=np.float32), np.float32(scale)
    match word:
        case "half_pixel":
            return (out + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (out + 0.5) / scale - 0.5 if new > 1 else np.zeros(new, np.float32)
        case "align_corners":
            return out * (old - 1) / (new - 1) if new > 1 else np.zeros(new, np.float32)
        case "asymmetric":
            return out / scale
        case "half_pixel_symmetric":
            middle = np.float32(old / 2) * (1 - np.float32(new) / (old * scale))
            return middle + (out + 0.5) / scale - 0.5
    raise ValueError(f'a resize by "{word}"')


def _taps(places: np.ndarray, old: int, mode: str, a: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """For each new place the old ones (taps, new) and their weights."""
    floor = np.floor(places)
    if mode == "nearest":
        match a.get("nearest_mode", b"round_prefer_floor").decode():
            case "floor":
                nearest = floor
            case "ceil":
                nearest = np.ceil(places)
            case "round_prefer_ceil":
                nearest = np.floor(places + 0.5)
            case _:
                nearest = np.ceil(places - 0.5)
        return np.clip(nearest, 0, old - 1)[None], np.ones((1, len(places)))
    part = places - floor
    if mode == "linear":
        taps, weights = np.stack([floor, floor + 1]), np.stack([1 - part, part])
    elif mode == "cubic":
        c = float(a.get("cubic_coeff_a", -0.75))
        taps = np.stack([floor + k for k in (-1, 0, 1, 2)])
        near, far = part, 1 - part
        weights = np.stack([_outer(1 + near, c), _inner(near, c), _inner(far, c), _outer(1 + far, c)])
        if a.get("exclude_outside", 0):
            weights = np.where((taps < 0) | (taps >= old), 0, weights)
            weights /= weights.sum(0)
    else:
        raise ValueError(f'a resize by "{mode}"')
    return np.clip(taps, 0, old - 1), weights


def _inner(d: np.ndarray, c: float) -> np.ndarray:
    return ((c + 2) * d - (c + 3)) * d * d + 1


def _outer(d: np.ndarray, c: float) -> np.ndarray:
    return ((c * d - 5 * c) * d + 8 * c) * d - 4 * c


def _along(x: torch.Tensor, axis: int, taps: np.ndarray, weights: np.ndarray) -> torch.Tensor:
    sides = [1] * x.ndim
    sides[axis] = -1
    total = None
    for tap, weight in zip(taps, weights, strict=True):
        part = x.index_select(axis, torch.from_numpy(tap.astype(np.int64)).to(x.device))
        if len(taps) > 1:
            part = part * torch.from_numpy(weight.astype(np.float32)).to(x.device, x.dtype).reshape(sides)
        total = part if total is None else total + part
    return total


def pad(x: list[Any], a: dict[str, Any], n: Any) -> torch.Tensor:
    """Modes constant, edge, reflect and wrap; a negative pad cuts off."""
    made, mode = x[0], a.get("mode", b"constant").decode()
    pads = [int(v) for v in x[1].reshape(-1).tolist()] if len(x) > 1 else list(a["pads"])
    axes = [int(v) for v in x[3].reshape(-1).tolist()] if len(x) > 3 and x[3] is not None else list(range(made.ndim))
    value = float(x[2].item()) if len(x) > 2 and x[2] is not None else float(a.get("value", 0.0))
    for k, axis in enumerate(axes):
        before, after, old = pads[k], pads[len(axes) + k], made.shape[axis]
        if not before and not after:
            continue
        if mode == "constant":
            both = [0] * (2 * made.ndim)
            place = 2 * (made.ndim - 1 - axis % made.ndim)
            both[place : place + 2] = [before, after]
            made = F.pad(made, both, value=value)
            continue
        places = np.arange(-before, old + after)
        if mode == "reflect":
            places = np.abs((places + old - 1) % max(1, 2 * (old - 1)) - (old - 1))
        elif mode == "wrap":
            places = places % old
        else:
            places = np.clip(places, 0, old - 1)
        made = made.index_select(axis, torch.from_numpy(places).to(made.device))
    return made
