"""What piece.toml and site.toml say, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

USES = (
    "develop", "exhibit-free", "exhibit-paid", "sell-outputs", "sell-edition", "archive-deposit", "fine-tune",
    "publish-weights",
)  # fmt: skip


@dataclass
class SourceSpec:
    """device: a plug-in's name, or `plug-in:target` ("webcam", "file:clip.mp4"). Further keys go to the plug-in."""

    device: str
    fallback: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass
class ModelSpec:
    """card: the card's name. `cards`: those it may be swapped for live. `interrupt`: the stream that ends an answer
    that is being given. `bend`, `tap`: layers that are played, or shown (models.bend). Further keys are constants
    for its ports."""

    card: str
    cards: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    backend: str = "auto"
    precision: str | None = None
    threads: int | None = None
    interrupt: str | None = None
    bend: dict[str, Any] = field(default_factory=dict)
    tap: Any = None
    constants: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    lines: dict[str, str] = field(default_factory=dict)
    """Where each key stands."""


KINDS_OF_OPERATOR = ("artist", "museum", "gallery", "school", "company")


@dataclass(frozen=True)
class Operator:
    """Who runs the work (site.toml, [operator]): some licences depend on it. What is not said is not known.

    kind  artist, museum, gallery, school or company; revenue_eur  of a year, with all affiliates
    territory  a country's two letters, or "EU"
    """

    kind: str = ""
    revenue_eur: float | None = None
    territory: str = ""


@dataclass
class Manifest:
    """piece.toml as it stands after site.toml. `uses`: what the licence gate must allow; `age_ms`: the budget from
    sensor to glass (p95), None where there is none; `file`: where it was read."""

    title: str = "Untitled"
    artist: str = ""
    year: int | None = None
    uses: tuple[str, ...] = ("develop",)
    seed: int = 0
    about: str = ""
    age_ms: float | None = None
    sources: dict[str, SourceSpec] = field(default_factory=dict)
    sinks: dict[str, SourceSpec] = field(default_factory=dict)
    models: dict[str, ModelSpec] = field(default_factory=dict)
    port: int = 8765
    lan: bool = False
    operator: Operator = Operator()
    file: str = "piece.toml"
