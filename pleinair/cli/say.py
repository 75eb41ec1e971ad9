"""How the command line speaks: sentences on standard error, JSON where it was asked for, one calm accent."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from ..core.errors import Fault


class WrongCall(Fault):
    """The command was called with something that it does not know: exit status 2."""


ACCENT, FAULT, DIM = "38;2;255;180;84", "38;2;255;93;82", "2"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Coloured on a terminal, plain elsewhere and under NO_COLOR."""
    stream = stream or sys.stderr
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def say(text: str = "") -> None:
    print(text, file=sys.stderr, flush=True)


def say_fault(fault: Fault, count: int = 1) -> None:
    first, *rest = str(fault).split("\n")
    say(paint(first, FAULT) + (f"  ({count} times)" if count > 1 else ""))
    for line in rest:
        say(line)


def write_json(found: Any, where: str | None) -> None:
    """`--json FILE|-`."""
    if where is None:
        return
    text = json.dumps(found, indent=1, ensure_ascii=False, default=str) + "\n"
    if where == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        try:
            with open(where, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise WrongCall(
                f"--json {where} cannot be written: {error.strerror}", hint="--json - for standard output"
            ) from None
