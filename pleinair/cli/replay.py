"""Fires a tape again, exactly as it stands there; with --prove, compares every published frame with what was recorded.

Which firing read which frames is on the tape, so nothing is left to threads or to chance. Where expected.jsonl was
deleted it is computed and written again. --cut makes a new tape that begins at a stream: what that stream was made of
(a visitor's face, say) is not in it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..core.errors import TapeFault
from .say import FAULT, paint, say, write_json

EXAMPLE = "pleinair replay tonight.tape --prove"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tape", metavar="TAPE", type=Path)
    parser.add_argument("--prove", action="store_true", help="compare with what was expected; exit 1 where it differs")
    parser.add_argument("--cut", metavar="STREAM", action="append", default=[], help="begin a new tape at this stream")
    parser.add_argument("--from", dest="from_s", type=float, default=0.0, metavar="SECONDS", help="a tape from there")
    parser.add_argument("--out", metavar="TAPE", type=Path, help="where the cut tape goes")
    parser.add_argument("--film", metavar="OUT.mp4", type=Path, help="write what is shown as a film")


def main(args: argparse.Namespace) -> int:
    from ..run.cut import cut
    from ..run.replay import Replay
    from ..run.tape import Tape, line_of
    from ..tapes import TapeHand

    tape, hand = Tape(args.tape), TapeHand()
    if args.cut or args.from_s:
        if args.out is None:
            raise TapeFault("--cut and --from need --out: the new tape's folder", now="nothing was written")
        result, unproved = cut(tape, args.cut, args.out, hand, from_s=args.from_s, progress=_progress())
        said = [f"at {', '.join(args.cut)}"] * bool(args.cut) + [f"from {args.from_s:g} s on"] * bool(args.from_s)
        say(f"cut {' '.join(said)}: {args.out}")
        if unproved:
            say(f"not provable from it, since they read what is gone: {', '.join(unproved)}")
        write_json({**result.as_dict(), "unproved": list(unproved)}, args.json)
        return 0 if result.same else 1
    observers = []
    if args.film:
        from ..observers.screen_film import ScreenFilm

        observers.append(ScreenFilm(args.film))
    result = Replay(tape, hand, observers=observers, progress=_progress()).run()
    for note in dict.fromkeys(hand.notes):
        say(f"note: {note}")
    if not result.compared:
        text = "".join(line_of(e) + "\n" for e in result.expected)
        (args.tape / "expected.jsonl").write_text(text, "utf-8")
        say("expected.jsonl was not there: written again from this replay")
    _tell(result, args.prove)
    write_json(result.as_dict() | {"notes": hand.notes}, args.json)
    return 0 if result.same and (result.compared or not args.prove) else 1


def _tell(result: Any, prove: bool) -> None:
    streams = ", ".join(f"{name} {count}" for name, count in result.streams.items())
    if not prove:
        say(f"{result.frames} frames came out ({streams})" if streams else "no frame came out")
        return
    if result.same and result.compared:
        say(f"{result.identical} of {result.frames} frames identical ({streams})")
    elif result.compared:
        say(paint(f"{result.identical} of {result.frames} frames identical; {result.differing} differences", FAULT))
        say(f"  first  {result.first}")
    if result.cut_short:
        more = f"; its last {result.uncompared} frames have nothing to be compared with" if result.uncompared else ""
        say(f"{result.cut_short}{more}")
    if result.unproved:
        say(f"not provable from this tape: {', '.join(result.unproved)}")


def _progress():
    """A bar on a terminal, nothing elsewhere: a replay is quick."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        width = 32
        filled = width * done // max(1, total)
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r  replay {'━' * filled}{'╺' * (width - filled)} {done}/{total} events{end}")
        sys.stderr.flush()

    return show
