"""How an artist spells things: policies, kinds, ranges and sizes, in each way in which Python lets them be written."""

from __future__ import annotations

import inspect
import math
import typing
from typing import Any

import numpy as np

from .core.errors import PieceFault, did_you_mean
from .core.kinds import EVERY, KINDS, LATEST, SAME, Kind


class Policy(str):
    """How a parameter reads its stream: `camera: same`."""


latest, every, same = Policy(LATEST), Policy(EVERY), Policy(SAME)


def stream_of(reads: Any, name: str, where: str) -> tuple[str, str | None]:
    """("camera", "same") of "camera: same"."""
    if not isinstance(reads, str):
        raise PieceFault(f"{name} reads streams by their names, and {reads!r:.40} is none", where=where)
    stream, colon, asked = (part.strip() for part in reads.partition(":"))
    policy = policy_of(asked) if colon else None
    if colon and policy is None:
        hint = did_you_mean(asked, (LATEST, EVERY, SAME))
        raise PieceFault(f'{name} reads {stream} as "{asked}", which means nothing', where=where, hint=hint)
    return stream, policy


def resolved(annotation: Any, function: Any) -> Any:
    """What an annotation stands for; a text, under `from __future__ import annotations`, is looked up where it
    stands."""
    if not isinstance(annotation, str) or isinstance(annotation, Policy):
        return annotation
    try:
        return eval(annotation, getattr(inspect.unwrap(function), "__globals__", {}))  # the artist's own source text
    except Exception:
        return annotation


def policy_of(annotation: Any) -> str | None:
    """The policy that a parameter's annotation names, if it names one."""
    if isinstance(annotation, str) and annotation in (LATEST, EVERY, SAME):
        return str(annotation)
    return None


def kind_of(annotation: Any, where: str) -> type[Kind] | None:
    """The kind that a return annotation names: `Mask`, `Mask | None`, and `Iterator[Text]` of a node that yields."""
    if annotation in (inspect.Signature.empty, None, "None", np.ndarray, "np.ndarray", "numpy.ndarray"):
        return None  # an array may be a picture, a mask or a vector: the first one decides
    if isinstance(annotation, str):
        annotation = KINDS.get(annotation, annotation)
    if isinstance(annotation, type) and issubclass(annotation, Kind):
        return annotation
    for part in typing.get_args(annotation):
        if isinstance(part, type) and issubclass(part, Kind):
            return part
    name = getattr(annotation, "__name__", str(annotation))
    raise PieceFault(f"-> {name} is not a kind of stream", where=where, hint=did_you_mean(name, KINDS))


def is_number(value: Any) -> bool:
    """A number, and no truth value."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def range_of(name: str, given: Any, where: str) -> tuple[float, float]:
    """(low, high) of a knob. PieceFault where they are none."""
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError, OverflowError):
        low, high = math.nan, math.nan
    if not -math.inf < low < high < math.inf:
        raise PieceFault(f"the range of {name} is two numbers, the lower first, and not {given!r:.40}", where=where)
    return low, high


def check_size(size: Any, name: str, where: str) -> None:
    """PieceFault where it is no (width, height)."""
    if size is not None and not (
        isinstance(size, (tuple, list)) and len(size) == 2 and all(type(v) is int and v > 0 for v in size)
    ):
        raise PieceFault(f"the size of {name} is (width, height) in pixels, and not {size!r:.40}", where=where)
