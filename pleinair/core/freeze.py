"""What travels on a stream is shared by all who read it, so nobody may write to it: neither its maker nor a reader."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def frozen(array: np.ndarray) -> np.ndarray:
    """The array read-only and contiguous. What somebody else may still write to is copied."""
    if type(array) is not np.ndarray:
        array = np.array(array)  # a subclass (a matrix, a masked array) would compute otherwise further on
    elif not array.flags.c_contiguous or not _owned(array):
        array = array.copy(order="C")
    array.setflags(write=False)
    return array


def _owned(array: np.ndarray) -> bool:
    """Whether nobody can write to its memory through an array, or a buffer, that it is a view of."""
    base = array.base
    if base is not None and array.flags.writeable:
        return False
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes) or (isinstance(base, memoryview) and base.readonly)


def alone(array: np.ndarray) -> np.ndarray:
    """The array itself where it was made for the caller, a copy where its maker kept it and will write to it again.

    An artist's node may return the same canvas each time it fires. Freezing that canvas would stop the artist with
    "read-only", and not freezing it would change pictures that others are still looking at. Called as `alone(x)` on a
    local variable that holds the only reference; one reference more means that somebody kept it.
    """
    if array.flags.writeable and (array.base is not None or sys.getrefcount(array) > _REFERENCES):
        return array.copy(order="C")
    return array


def _count_references() -> int:
    """How many references a local variable's array has inside `alone`: it differs between versions of Python."""

    def inside(array: np.ndarray) -> int:
        return sys.getrefcount(array)

    mine = np.zeros(1)
    return inside(mine)


_REFERENCES = _count_references()


class FixedDict(dict):
    """A dict that is shared by all who read it: nobody writes to it."""

    def _refuse(self, *args: Any, **named: Any) -> Any:
        raise TypeError("an event is read-only, as it is shared by all who read it: work on a copy, event.copy()")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __reduce__(self) -> Any:  # a deep copy is the reader's own, and plain
        return dict, (dict(self),)


class FixedList(list):
    """A list that is shared by all who read it: nobody writes to it."""

    _refuse = FixedDict._refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def copy(self) -> list[Any]:
        return list(self)

    def __reduce__(self) -> Any:
        return list, (list(self),)


def fixed(value: Any) -> Any:
    """JSON's own values, read-only all the way down."""
    if isinstance(value, dict):
        return FixedDict({key: fixed(v) for key, v in value.items()})
    return FixedList(fixed(v) for v in value) if isinstance(value, list) else value


def plain(value: Any) -> str:
    """A value as a sentence names it."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {' x '.join(map(str, value.shape)) or 'none'}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
