"""What live runs need on the way to the artist: exceptions as Faults, and things that may fail without a word."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..core.errors import DeviceFault, Fault
from ..core.graph import Node, SourceNode

log = logging.getLogger("pleinair")


def as_fault(node: Node, error: BaseException) -> Fault:
    """An exception outside a firing, as an artist reads it."""
    if isinstance(error, Fault):
        error.where = error.where or node.where
        return error
    kind = DeviceFault if isinstance(node, SourceNode) else Fault
    return kind(
        f"{node.name} stopped: {type(error).__name__}: {error}",
        where=node.where,
        now="the piece keeps running without it",
    )


def quietly(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        log.debug("while closing", exc_info=True)
