"""What the stage knows of the piece: this, and the Observer hooks. Nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..core.graph import Graph
from ..core.source import Raw


@dataclass(frozen=True)
class KnobSpec:
    """A control of the piece. `names` empty: one Control; otherwise one Vector with a named place each."""

    name: str
    default: float | tuple[float, ...]
    range: tuple[float, float] = (0.0, 1.0)
    names: tuple[str, ...] = ()


class BrowserInput(Protocol):
    """A source of the piece whose frames a page sends (sources.browser)."""

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        """A picture as it arrived, captured at `machine_ns` (time.monotonic_ns()). Any thread; keeps the latest."""


@dataclass(frozen=True)
class ModelSpec:
    """A model of the piece and the cards that may take its place live (`cards` in piece.toml)."""

    name: str
    card: str
    cards: tuple[str, ...] = ()
    pictures: bool = False
    """Whether a picture of one's own may be given to it as a style (PUT /api/pictures/NAME)."""


@dataclass(frozen=True)
class SpeakerSpec:
    """A stream that pages play. `ends`: streams whose frames interrupt it."""

    name: str
    stream: str
    ends: tuple[str, ...] = ()


@dataclass
class Host(Protocol):
    """The running piece as the stage sees it. Attributes may change when the piece is reloaded."""

    title: str
    artist: str
    graph: Graph
    knobs: Sequence[KnobSpec]
    models: Sequence[ModelSpec]
    browser_inputs: Mapping[str, BrowserInput]
    """Cameras and microphones that a page may give; `kind` Audio says that it is a microphone."""
    speakers: Sequence[SpeakerSpec]
    budget_age_ms: float | None
    presets_file: Path
    notices: list[dict[str, str]] = field(default_factory=list)
    """Lines for the desk's foot: {"name": "licences" | "energy" | "lock" ..., "text": ...}."""

    def now_ns(self) -> int:
        """Content time."""

    def machine_origin_ns(self) -> int:
        """time.monotonic_ns() at content time 0."""

    def push(self, stream: str, data: Any) -> None:
        """A knob's new value: raises ValueError with a sentence where the kind or the range refuses it. Any thread."""

    def value(self, stream: str) -> Any:
        """The newest datum of a stream, or its kind's empty value."""

    def report(self) -> dict[str, Any]:
        """The report of the command-line contract, so far."""

    def swap(self, model: str, card: str) -> None:
        """Another card in a model's place; loads beside, takes a while: not in an event loop. Raises Fault."""

    def picture(self, model: str, image: np.ndarray) -> None:
        """A picture of one's own as a style of `model`; takes a while. Raises Fault."""
