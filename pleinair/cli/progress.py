"""Long work, as it goes: a bar on a terminal, plain lines elsewhere. What, how much, how long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from .say import say

PLAIN_EVERY_S = 5.0
NARROW = 76
"""Columns of a terminal: in a narrower one there is no room for a bar."""


class Bars:
    """`with Bars() as bars: bars(name, done, total)`, from any thread. `unit`: "bytes" or "seconds"."""

    def __init__(self, unit: str = "bytes") -> None:
        self._unit = unit
        self._rich: Any = None
        self._tasks: dict[str, Any] = {}
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._finished: set[str] = set()

    def __enter__(self) -> Bars:
        if sys.stderr.isatty():
            from rich import progress as rich
            from rich.console import Console
            from rich.table import Column
            from rich.theme import Theme

            amount: rich.ProgressColumn = rich.DownloadColumn()
            if self._unit == "seconds":
                amount = rich.TextColumn("{task.completed:.1f} of {task.total:.1f} s")
            quiet = Theme({f"progress.{part}": "dim" for part in ("download", "elapsed", "remaining")})
            bar = rich.BarColumn(bar_width=28, style="#25282c", complete_style="#ffb454", finished_style="#ffb454")
            time_columns = rich.TimeElapsedColumn(), rich.TimeRemainingColumn()
            console = Console(stderr=True, theme=quiet)
            line = Column(no_wrap=True, overflow="ellipsis", ratio=1 if console.width < NARROW else None)
            name = rich.TextColumn("{task.description}", markup=False, table_column=line)  # a name is no markup
            more = (name, amount) if console.width < NARROW else (name, bar, amount, *time_columns)
            self._rich = rich.Progress(*more, console=console, expand=console.width < NARROW)
            self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich is not None:
            self._rich.stop()

    def __call__(self, name: str, done: float, total: float) -> None:
        if self._rich is not None:
            if name not in self._tasks:
                self._tasks[name] = self._rich.add_task(name, total=total or None)
            self._rich.update(self._tasks[name], completed=done, total=total or None)
            return
        now = time.monotonic()
        began = self._began.setdefault(name, now)
        if total and done >= total:
            if name not in self._finished:
                self._finished.add(name)
                say(f"{name}: {self._amount(total)} in {now - began:.1f} s")
        elif now - self._told.setdefault(name, now - PLAIN_EVERY_S if not done else now) >= PLAIN_EVERY_S:
            self._told[name] = now
            say(f"{name}: {self._amount(done)}" + (f" of {self._amount(total)}" if total else ""))

    def _amount(self, count: float) -> str:
        return f"{count / 1e6:.1f} MB" if self._unit == "bytes" else f"{count:.1f} s"
