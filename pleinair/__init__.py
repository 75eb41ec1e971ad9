"""Pleinair: open, small AI models as instruments. The artist's vocabulary, and nothing else."""

# ruff: noqa: F401 - they are the vocabulary, re-exported by __getattr__("__all__")
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.errors import Fault
from .core.kinds import (
    Audio,
    Box,
    Boxes,
    Control,
    Event,
    Figure,
    Image,
    Landmarks,
    Mask,
    Point,
    Sound,
    Text,
    Vector,
)
from .piece import Piece, every, latest, same

if TYPE_CHECKING:
    from .effects.calm import Calm
    from .effects.enlarge import Enlarge
    from .models import load
    from .paint import *  # noqa: F403

__version__ = "0.1.0"

_LATER = {"load": "models", "Calm": "effects.calm", "Enlarge": "effects.enlarge"}


_WORDS = [
    "Audio", "Box", "Boxes", "Calm", "Control", "Enlarge", "Event", "Fault", "Figure", "Image", "Landmarks", "Mask",
    "Piece", "Point", "Sound", "Text", "Vector", "every", "latest", "load", "same",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Words whose libraries are imported when they are first used; `import pleinair` needs numpy and is quick."""
    from importlib import import_module

    if name == "__all__":  # `from pleinair import *` means the whole vocabulary
        return sorted({*_WORDS, *import_module(".paint", __name__).__all__})
    if name in _LATER:
        found = getattr(import_module(f".{_LATER[name]}", __name__), name)
    elif not name.startswith("_"):
        paint = import_module(".paint", __name__)
        if name not in paint.__all__:
            raise AttributeError(f"pleinair has no word {name!r}")
        found = getattr(paint, name)
    else:
        raise AttributeError(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from . import paint

    return sorted({*globals(), *_LATER, *paint.__all__})
