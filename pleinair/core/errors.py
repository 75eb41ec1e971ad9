"""What an artist reads when something goes wrong, and the tree of it.

    Fault                 four short strings: what, where, now, hint
    ├── PieceFault        the piece cannot be built as it is written (a misspelt stream, a loop)
    ├── ManifestFault     piece.toml, site.toml or piece.lock cannot be used as written
    ├── ModelFault        weights that are missing, cut short, of another hash or another model's
    ├── DeviceFault       a source or a sink that does not open, stopped or froze
    ├── NodeFault         a node raised, or returned what its stream cannot carry
    ├── TapeFault         a tape that cannot be read, or a replay that differs
    └── StageFault        the stage cannot be reached or served (a port in use)

On stage a Fault is shown and the show goes on; in `check`, `replay` and the tests (strict) it is raised.
"""

from __future__ import annotations

import difflib
import linecache
from collections.abc import Iterable
from pathlib import Path


class Fault(Exception):
    """One thing that went wrong, in four short strings that are always shown in this order.

    what   the sentence: who stopped, and why
    where  the artist's own file and line, or the device, file or address meant
    now    what happens now (the last picture is held, the piece keeps running ...)
    hint   what to try
    """

    def __init__(self, what: str, *, where: str = "", now: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.now = now
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  {self.where}")
        if self.now:
            lines.append(f"  now    {self.now}")
        if self.hint:
            lines.append(f"  try    {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        return {"what": self.what, "where": self.where, "now": self.now, "hint": self.hint}

    def __reduce__(self):  # keyword arguments do not survive the default pickling between processes
        return (_rebuild, (type(self), self.what, self.where, self.now, self.hint))


def _rebuild(cls: type[Fault], what: str, where: str, now: str, hint: str) -> Fault:
    return cls(what, where=where, now=now, hint=hint)


class PieceFault(Fault):
    """The piece cannot be built as it is written."""


class ManifestFault(Fault):
    """piece.toml, site.toml or piece.lock cannot be used as written."""


class ModelFault(Fault):
    """A model cannot be loaded, or is not what its card says."""


class DeviceFault(Fault):
    """A source or sink did not open, stopped, or froze."""


class NodeFault(Fault):
    """A node raised, or returned what its stream cannot carry."""


class TapeFault(Fault):
    """A tape cannot be read, or what was replayed differs from what was recorded."""


class StageFault(Fault):
    """The stage cannot be served."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`did you mean "camera"?`, or the list of what there is, or nothing where there is nothing to say."""
    known = sorted(known)
    close = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    if known:
        shown = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
        return f"there is: {shown}"
    return ""


def at_line(file: str, line: int) -> str:
    """`piece.py, line 7    piece.model("hands", reads="camera")`: the artist's own line, short enough to read."""
    code = linecache.getline(file, line).strip()
    if len(code) > 72:
        code = code[:69] + "..."
    return f"{Path(file).name}, line {line}" + (f"    {code}" if code else "")
