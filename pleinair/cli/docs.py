"""docs/cli.md, made of the real help texts: `python -m pleinair.cli.docs > docs/cli.md`."""

from __future__ import annotations

import argparse
import os

from . import VERBS, parser

HEAD = """# The command line

Made of the help texts by `make docs`; a test compares the two.

Every verb takes `--json FILE|-`: what it found as one JSON object (`-`: to standard output, where nothing else goes
then). Exit status: 0 done or fine; 1 what was asked for did not hold, or a fault ended it; 2 the call was wrong.
PIECE is a folder, a `piece.py`, or the name of a gallery piece.

| verb | does |
| --- | --- |
"""


def text() -> str:
    """The whole page."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"  # argparse wraps at the terminal's width
    try:
        rows = "".join(f"| [`{verb}`](#pleinair-{verb}) | {what} |\n" for verb, what in VERBS.items())
        return HEAD + rows + "".join(_page(verb) for verb in VERBS)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _page(verb: str) -> str:
    page = f"\n## pleinair {verb}\n\n```text\n"
    sub = _subparsers(parser(verb))[verb]
    helps = [sub.format_help(), *(deed.format_help() for deed in _subparsers(sub).values())]
    return page + "\n".join(h.strip() + "\n" for h in helps) + "```\n"


def _subparsers(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = [a for a in of._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(actions[0].choices) if actions else {}


if __name__ == "__main__":
    print(text(), end="")
