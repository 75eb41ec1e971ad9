"""ONNX's operators that make, cut, join and turn tables of numbers, in torch."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from .torch_ops import OPS, ints, op, together
from .torch_resize import pad, resize


@op("Constant")
def _constant(x, a, n):
    if "value" in a:
        return a["value"]
    return n.placed(np.array(next(iter(a.values()))))


@op("ConstantOfShape")
def _constant_of_shape(x, a, n):
    value = a.get("value", torch.zeros(1, device=n.device))
    return value.reshape(()).expand(ints(x[0])).clone()


@op("Shape")
def _shape(x, a, n):
    return torch.tensor(list(x[0].shape[a.get("start", 0) : a.get("end")]), dtype=torch.int64)


@op("Size")
def _size(x, a, n):
    return torch.tensor(x[0].numel(), dtype=torch.int64)


@op("Reshape")
def _reshape(x, a, n):
    sides = ints(x[1])
    if not a.get("allowzero", 0):
        sides = [x[0].shape[k] if side == 0 else side for k, side in enumerate(sides)]
    return x[0].reshape(sides)


@op("Flatten")
def _flatten(x, a, n):
    axis = a.get("axis", 1)
    return x[0].reshape(math.prod(x[0].shape[:axis]), -1)


@op("Transpose")
def _transpose(x, a, n):
    return x[0].permute(a.get("perm", tuple(reversed(range(x[0].ndim)))))


@op("Concat")
def _concat(x, a, n):
    return torch.cat(together(*x), a["axis"])


@op("Split")
def _split(x, a, n):
    axis = a.get("axis", 0)
    sizes = ints(x[1]) if len(x) > 1 else list(a.get("split", []))
    if not sizes:
        raise ValueError("a split that does not say into what")
    return torch.split(x[0], sizes, axis)


@op("Slice")
def _slice(x, a, n):
    starts, ends = (ints(x[1]), ints(x[2])) if len(x) > 2 else (list(a["starts"]), list(a["ends"]))
    axes = ints(x[3]) if len(x) > 3 and x[3] is not None else list(a.get("axes", range(len(starts))))
    steps = ints(x[4]) if len(x) > 4 else [1] * len(starts)
    made = x[0]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(made.shape[axis])[start:end:step]
        made = made.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=made.device))
    return made


@op("Gather")
def _gather(x, a, n):
    axis, places = a.get("axis", 0), x[1].to(x[0].device)
    places = torch.where(places < 0, places + x[0].shape[axis], places)
    made = x[0].index_select(axis, places.reshape(-1))
    axis %= x[0].ndim
    return made.reshape((*x[0].shape[:axis], *places.shape, *x[0].shape[axis + 1 :]))


@op("Squeeze")
def _squeeze(x, a, n):
    axes = ints(x[1]) if len(x) > 1 else list(a.get("axes", [k for k, side in enumerate(x[0].shape) if side == 1]))
    return x[0].squeeze(tuple(axes))


@op("Unsqueeze")
def _unsqueeze(x, a, n):
    made = x[0]
    axes = ints(x[1]) if len(x) > 1 else list(a["axes"])
    for axis in sorted(axis % (made.ndim + len(axes)) for axis in axes):
        made = made.unsqueeze(axis)
    return made


@op("Expand")
def _expand(x, a, n):
    return x[0].expand(torch.broadcast_shapes(x[0].shape, tuple(ints(x[1]))))


@op("Tile")
def _tile(x, a, n):
    return x[0].repeat(ints(x[1]))


@op("Range")
def _range(x, a, n):
    return torch.arange(*(v.item() for v in x), dtype=x[0].dtype)


@op("DepthToSpace")
def _depth_to_space(x, a, n):
    b, (count, channels, height, width) = a["blocksize"], x[0].shape
    if a.get("mode", b"DCR") == b"CRD":
        return F.pixel_shuffle(x[0], b)
    made = x[0].reshape(count, b, b, channels // (b * b), height, width)
    return made.permute(0, 3, 4, 1, 5, 2).reshape(count, channels // (b * b), height * b, width * b)


OPS["Pad"], OPS["Resize"] = pad, resize
