"""Plug-ins by entry points: sources, effects, sinks, backends, tasks. Built-ins come in by the same door.

A plug-in is imported when it is used; one that cannot be imported is a status in `pleinair doctor` and a Fault where it
is asked for, never the end of the others.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from .core.errors import Fault, did_you_mean

GROUPS = ("sources", "effects", "sinks", "observers", "backends", "tasks")


@functools.cache
def names(group: str) -> dict[str, metadata.EntryPoint]:
    """What is installed in a group. The built-in one wins over a stranger's of the same name."""
    points: dict[str, metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=f"pleinair.{group}"):
        ours = point.value.startswith("pleinair.")
        if ours or point.name not in points:
            points[point.name] = point
    return points


@functools.cache
def find(group: str, name: str) -> Any:
    """The class or function behind a name. Raises Fault: unknown, or it cannot be imported."""
    known = names(group)
    if name not in known:
        raise Fault(f'there is no {group[:-1]} called "{name}"', hint=did_you_mean(name, known))
    try:
        return known[name].load()
    except Exception as error:  # a stranger's code: anything may come
        raise Fault(
            f'the {group[:-1]} "{name}" cannot be used: {type(error).__name__}: {error}',
            where=known[name].value,
            hint="pleinair doctor lists the plug-ins with their status",
        ) from error


@dataclass(frozen=True)
class Status:
    """A plug-in, tried. `origin`: the package and its version; `why`: what is wrong with it, "" where it is fine."""

    group: str
    name: str
    origin: str
    ok: bool
    why: str = ""


def statuses() -> list[Status]:
    """Each plug-in, tried. What a class says in its `available()` counts too (returns a sentence, or None for fine)."""
    found = []
    for group in GROUPS:
        for name, point in sorted(names(group).items()):
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            try:
                available = getattr(find(group, name), "available", None)
                why = (available() if callable(available) else None) or ""
            except Exception as error:
                why = str(getattr(error, "what", error))
            found.append(Status(group, name, origin, not why, why))
    return found
