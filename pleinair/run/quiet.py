"""What live runs need on the way to the artist: exceptions as Faults, when a thing is tried again, and what may fail
without a word."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..core.errors import DeviceFault, Fault
from ..core.graph import Node, SourceNode

log = logging.getLogger("pleinair")

BACKOFF_S = (1, 2, 4, 8, 16, 32, 60)
"""How long a failing node or source is left alone: after its first failure, its second ..."""
HELD_ON = "the last good one is held, the rest keeps running"
"""What happens now, of most faults."""


def backoff_s(failures: int) -> int:
    """How long to leave alone what failed for the `failures`-th time in a row (1, 2 ...), in seconds."""
    return BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]


def tried_again(fault: Fault, wait_s: int) -> Fault:
    """The fault as it is shown: it says as well when it is tried again. A new one: the old may be raised once more."""
    return type(fault)(
        fault.what, where=fault.where, now=f"{fault.now or HELD_ON}; tried again in {wait_s} s", hint=fault.hint
    )


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
    """Calls what may fail without anybody being helped by hearing of it: closing, interrupting."""
    try:
        call()
    except Exception:
        log.debug("while closing", exc_info=True)
