"""Models by the name of their card: `load("multistyle26")(image)` needs no piece and no runner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ModelFault
from ..core.kinds import Size
from ..core.model import Model

if TYPE_CHECKING:
    from .card import Card
    from .choose import Choice


def load(
    card: str | Path | Card,
    *,
    size: Size | None = None,
    backend: str | Choice | Mapping[str, Any] = "auto",
    precision: str | None = None,
    threads: int | None = None,
    bend: Mapping[str, Any] | None = None,
    tap: Mapping[str, Any] | str | None = None,
    **constants: Any,
) -> Model:
    """The model of a card, as a function of its ports. Compiled and warmed up by `open()`, or at the first call.

    card       its name, a path to a card of one's own, or a Card
    size       working size (width, height) in pixels; None: the card's
    backend    "auto": the fastest on this machine that agrees with the reference (decided once, then remembered);
               a name ("openvino", "onnx"); or a Choice (or its dict, out of a lock), which is followed to the letter
    precision  "f32" or "bf16". With "auto", None lets it be chosen; with a backend's name, None is "f32"
    threads    that one call may use; None: as many as this process has, 8 at the most
    bend       layers to be played: {"swirl": "expand.0/Relu"} adds the ports swirl_scale, swirl_shift, swirl_noise and
               swirl_drift (models.bend; `pleinair models show CARD --layers` names the layers)
    tap        a layer that comes out in place of what the model makes: "expand.0/Relu", {"layer": ..., "as": "vector"}
    constants  values for its ports where nothing else feeds them: `style_weights=[...]`, `strength=0.7`

    ModelFault: no such card, weights that are missing, cut short or another's, a size or a precision that cannot be.
    Nothing is downloaded: `fetch` does that.
    """
    from .. import plugins
    from .card import find_card

    card = find_card(card)
    if card.task == "clip":
        heard = next(iter(card.files.values())).name.endswith((".wav", ".flac", ".ogg", ".mp3"))
        hint = f'as a source, in piece.toml: device = "{"sound" if heard else "clip"}:{card.name}"'
        raise ModelFault(f"{card.name} is a clip, not a model", hint=hint)
    task = plugins.find("tasks", card.task)
    from . import choose, fetch, store

    fetch.take_local(card)
    for role in card.needed:
        store.path(card, role)  # what is missing is said now, not at the first frame
    if backend == "auto":
        backend = choose.decide(card, size, threads, precision=precision)
    if not isinstance(backend, str):
        choice = choose.Choice.of(backend)
        backend, precision, threads = choice.name, choice.precision, choice.threads
        size = size or choice.size
    runs_on = dict(getattr(task, "candidates", None) or ())
    if runs_on and not runs_on.keys() & {"onnx", "openvino"} and backend not in runs_on:
        raise ModelFault(
            f"{card.name} does not run on {backend}", now="the model was not loaded", hint=f'backend = "{min(runs_on)}"'
        )
    extra: dict[str, Any] = {k: v for k, v in (("bend", bend), ("tap", tap)) if v}
    if extra:
        from .bend import check_bendable

        check_bendable(card)
    how: dict[str, Any] = {"size": size, "backend": backend, "precision": precision or "f32", "threads": threads}
    return task(card, **how, **extra, constants=constants)


def clip_path(card: str | Path | Card) -> Path:
    """Where the clip of a card lies, its hash checked. ModelFault, with the command that brings it, where it is not."""
    from . import store
    from .card import find_card

    card = find_card(card)
    if card.task != "clip":
        raise ModelFault(f"{card.name} is a model, not a clip", hint="pleinair models list")
    role = next(iter(card.files))
    store.read(card, role)
    return store.path(card, role)
