"""Runs a piece and opens its stage: the work at /, the desk at /desk.

PIECE is a folder, a piece.py, or the name of a gallery piece (mirror, muse, parrot). Nothing is recorded
unless --record names a folder. Saving piece.py while it runs takes the change over without stopping.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from .say import FAULT, WrongCall, paint, say, say_fault, write_json

WITHIN_S = 1.8
EXAMPLE = "pleinair run mirror --source camera=file:clip.mp4 --record tonight.tape"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("piece", metavar="PIECE")
    parser.add_argument("--site", type=Path, metavar="FILE", help="the venue's site.toml, laid over piece.toml")
    parser.add_argument(
        "--source", action="append", default=[], metavar="NAME=URI",
        help="webcam, webcam:NAME, browser, file:clip.mp4, clip:CARD, synthetic, rtsp://..., mic, sound:speech.wav",
    )  # fmt: skip
    parser.add_argument("--port", type=int, metavar="N", help="8765 unless the piece says otherwise; 0: any free one")
    parser.add_argument("--lan", action="store_true", default=None, help="for phones on the same network too (TLS)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end by itself")
    parser.add_argument("--record", type=Path, metavar="TAPE", help="record a tape into this folder")


def source_options(pairs: list[str]) -> dict[str, str]:
    """NAME=URI pairs of --source. WrongCall where one is not."""
    found = {}
    for pair in pairs:
        name, equals, uri = pair.partition("=")
        if not equals or not uri:
            raise WrongCall(f"--source {pair} names no address", hint="--source camera=file:clip.mp4")
        found[name] = uri
    return found


def main(args: argparse.Namespace) -> int:
    from .. import assembly
    from ..stage.server import Stage
    from ..stage.show import Show

    ending = _Ending()
    loaded = assembly.load(args.piece, args.site)
    show = Show(loaded, sources=source_options(args.source), record=args.record, site=args.site)
    port = loaded.manifest.port if args.port is None else args.port
    lan = loaded.manifest.lan if args.lan is None else args.lan
    stage = Stage(show, port=port, lan=lan)
    show.watch_with(stage)
    ending.show = show
    try:
        url = stage.start()
        told = say_notices(show.notices, loaded.name)
        show.start()
        if ending.asked:
            return 0
        say_notices(show.notices[told:], loaded.name)
        say(f"{show.title}    {url}    desk {url.rstrip('/')}/desk")
        for extra in stage.lan_urls:
            say(f"in the local network: {extra}")
        if code := stage.lan_code():
            say(code)
        if not args.no_browser and _has_display():
            _open_browser(url)
        from .live import watch

        watch(show, stage, ending.event, args.seconds)
    finally:
        report = show.report() if show.runner else {}
        show.stop()
        stage.stop()
        ending.done.set()
    for fault in show.runner.left if show.runner else ():
        say_fault(fault)
    write_json(report, args.json)
    if show.recorder is not None:
        if show.recorder.given_up:
            say_fault(show.recorder.given_up)
            return 1
        say(f"recorded {show.recorder.frames} frames: {args.record}")
    return 0


def say_notices(notices: list[dict[str, str]], piece: str) -> int:
    """Each in a line, a refusal in the colour of faults; how open a model is stands on the desk. Returns how many."""
    refused: dict[str, list[str]] = {}
    for line in notices:
        if line.get("verdict") == "refuse" and "accepted" not in line:
            refused.setdefault(line["text"].partition(". ")[2] or line["text"], []).append(line["use"])
        elif line["name"] != "openness":
            say(f"{line['name']}: {line['text']}")
    for why, uses in refused.items():  # one reason may refuse several uses: it is said once
        say(paint(f"licences: {', '.join(uses)}: refused", FAULT))
        say(f"  why    {why}")
        say("  now    the piece is shown; whether it may be is for you to answer")
        asked = " ".join(f"--use {use}" for use in uses)
        say(f'  try    pleinair check {piece} {asked} --accept "NAME: reason"   (once settled)')
    return len(notices)


class _Ending:
    """Ctrl-C and SIGTERM, at any moment: the end comes within 2 s.

    A signal interrupts whatever the program was doing, perhaps while it held the lock of an Event: so another thread
    asks for the end. Before there is a show, there is nothing to close. What does not end in time (a network that is
    just being compiled) is left; the tape is whole up to there, as after a power cut.
    """

    def __init__(self) -> None:
        self.event, self.done = threading.Event(), threading.Event()
        self.asked = False
        self.show: Any = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signal)

    def _signal(self, number: int, frame: Any) -> None:
        first, self.asked = not self.asked, True
        if first:
            threading.Thread(target=self._end, args=(number,), daemon=True).start()
        if self.show is None:
            raise KeyboardInterrupt

    def _end(self, number: int) -> None:
        self.event.set()
        if self.show is not None:
            self.show.end()
        if not self.done.wait(WITHIN_S):
            os._exit(128 + number)


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
