"""The command line. One file a verb; a verb's libraries are imported when it is called.

Each verb module has EXAMPLE, `add(parser)` and `main(args) -> int`. Exit status: 0 done or fine; 1
what was asked for did not hold or a fault ended it; 2 the call was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from ..core.errors import Fault, did_you_mean
from .say import WrongCall, say_fault, write_json

VERBS = {
    "run": "the show: runs a piece and opens the stage",
    "new": "a piece of one's own to start from",
    "check": "wiring, models, what would break a replay; renders a film",
    "fetch": "brings weights and clips into the store",
    "models": "the shelf and the store",
    "profile": "where the time goes; with a network in between",
    "replay": "fires a tape again, and proves it",
    "label": "wall label and credits that the licences demand",
    "doctor": "devices, ports, backends, disk, plug-ins",
}


def parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The parser; only the verb's own module is imported."""
    about = "Open, small AI models as instruments, live and replayable."
    top = argparse.ArgumentParser(prog="pleinair", description=about)
    top.add_argument("--version", action="store_true", help="show the version and exit")
    verbs = top.add_subparsers(dest="verb", metavar="VERB")
    for name, help_text in VERBS.items():
        sub = verbs.add_parser(name, help=help_text, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == verb:
            module = import_module(f".{name}", __name__)
            sub.description = (module.__doc__ or "").strip()
            sub.epilog = f"example:\n  {module.EXAMPLE}"
            module.add(sub)
            sub.set_defaults(main=module.main)
            if not any(a.dest == "json" for a in sub._actions):
                found = "write what was found as one JSON object (-: standard output)"
                sub.add_argument("--json", metavar="FILE|-", help=found)
    return top


def program() -> int:
    """`main`, as a program of its own. Where a node did not come back from a network when its piece ended, the program
    ends without taking that network's libraries apart under it: they would call `abort`."""
    code = main()
    if any(thread.name.startswith("pleinair:") for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    verb = next((a for a in argv if not a.startswith("-")), None)
    if verb is not None and verb not in VERBS:
        say_fault(WrongCall(f'pleinair has no verb "{verb}"', hint=did_you_mean(verb, VERBS)))
        return 2
    top = parser(verb if verb in VERBS else None)
    args = top.parse_args(argv)
    if args.version:
        from .. import __version__

        print(f"pleinair {__version__}")
        return 0
    if not args.verb:
        top.print_help()
        return 2
    try:
        return args.main(args)
    except Fault as fault:
        say_fault(fault)
        with suppress(WrongCall):
            write_json({"fault": fault.as_dict()}, getattr(args, "json", None))
        return 2 if isinstance(fault, WrongCall) else 1
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:
        return 1
