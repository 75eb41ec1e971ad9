"""The one calm table that `run` shows; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from ..core.errors import Fault
from .say import say, say_fault

EVERY_S = 0.5
PLAIN_EVERY_S = 10.0


def watch(show: Any, stage: Any, ended: threading.Event, seconds: float | None) -> None:
    """Until Ctrl-C, a signal, or the time is over. Faults are told once each, with a count when they end."""
    until = None if seconds is None else time.monotonic() + seconds
    told: dict[tuple[str, str], int] = {}
    if sys.stderr.isatty():
        _table(show, stage, ended, until)
    else:
        next_line = time.monotonic() + PLAIN_EVERY_S
        while not _over(show, ended, until, 0.2):
            _tell_faults(show, told)
            if time.monotonic() >= next_line:
                next_line += PLAIN_EVERY_S
                say(_line(show.report()))
    _tell_faults(show, told)


def _over(show: Any, ended: threading.Event, until: float | None, wait_s: float) -> bool:
    if until is not None:
        wait_s = min(wait_s, max(0.0, until - time.monotonic()))
    return ended.wait(wait_s) or (until is not None and time.monotonic() >= until)


def _tell_faults(show: Any, told: dict[tuple[str, str], int]) -> None:
    for fault in show.report()["faults"]:
        key = (fault["node"], fault["what"])
        if key not in told:
            told[key] = fault["count"]
            say_fault(Fault(fault["what"], where=fault["where"], now=fault["now"], hint=fault["hint"]))


def _line(report: dict[str, Any]) -> str:
    age = report["glass_ms"] or report["age_ms"]
    where = "at the glass" if report["glass_ms"] else "at the draw"
    shown = f"{age['p50']:.0f} ms {where} (p95 {age['p95']:.0f})" if age else "no picture yet"
    return f"{report['seconds']:.0f} s    {report['fps']:.1f} fps    {shown}    {report['rss_mb'] or 0:.0f} MB"


def _table(show: Any, stage: Any, ended: threading.Event, until: float | None) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    def picture() -> Group:
        report = show.report()
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for name in ("stream", "fired", "skipped", "lost", "waited", "ran", "age p50", "p95"):
            table.add_column(name, justify="left" if name == "stream" else "right")
        for name, n in report["nodes"].items():
            ms = [_ms(n["waited_ms"], "p50"), _ms(n["ran_ms"], "p50"), _ms(n["age_ms"], "p50"), _ms(n["age_ms"], "p95")]
            lost = Text(str(n["lost"]), style="#ff5d52" if n["lost"] else "dim")
            table.add_row(name, str(n["fired"]), Text(str(n["skipped"]), style="dim"), lost, *ms)
        lines = [Text(_line(report), style="#ffb454"), table]
        for fault in report["faults"][-3:]:
            count = f"  ({fault['count']} times)" if fault["count"] > 1 else ""
            lines.append(Text(fault["what"] + count, style="#ff5d52"))
            lines += [Text(f"  {fault[k]}", style="dim") for k in ("where",) if fault[k]]
            lines += [Text(f"  {label}  {fault[k]}") for label, k in (("now", "now"), ("try", "hint")) if fault[k]]
        return Group(*lines)

    with Live(picture(), console=Console(stderr=True), refresh_per_second=4, transient=False) as live:
        while not _over(show, ended, until, EVERY_S):
            live.update(picture())


def _ms(figures: dict[str, float] | None, which: str) -> str:
    return f"{figures[which]:.1f}" if figures else ""
