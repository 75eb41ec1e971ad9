"""Backends and tasks by name, through the plug-in door: a stranger's enters where the built-in ones do."""

from __future__ import annotations

import functools
import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ..core.errors import ModelFault, did_you_mean

BACKENDS, TASKS = "pleinair.backends", "pleinair.tasks"
_SOURCE_TREE = {  # a source tree that was never installed has no entry points
    BACKENDS: {"onnx": "pleinair.backends.onnx:Onnx", "openvino": "pleinair.backends.openvino:OpenVino"},
    TASKS: {"stylise": "pleinair.models.stylise:Stylise"},
}


@functools.cache
def known(group: str) -> dict[str, EntryPoint]:
    """Name -> entry point, without importing anything. The package's own come first and cannot be displaced."""
    found = {e.name: e for e in entry_points(group=group)}
    own = {name: EntryPoint(name, value, group) for name, value in _SOURCE_TREE[group].items()}
    return {**found, **own}


def resolve(group: str, name: str) -> Any:
    """The class behind a name. ModelFault with a suggestion, or with what went wrong while it was imported."""
    doors = known(group)
    word = group.rpartition(".")[2].rstrip("s")
    if name not in doors:
        raise ModelFault(
            f'there is no {word} "{name}"', now="the model was not loaded", hint=did_you_mean(name, doors)
        )
    entry = doors[name]
    try:
        return getattr(importlib.import_module(entry.module), entry.attr)
    except (ImportError, AttributeError) as error:
        raise ModelFault(
            f'the {word} "{name}" cannot be used: {error}', where=entry.value, hint="pleinair doctor lists the plug-ins"
        ) from None
