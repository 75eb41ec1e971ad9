"""The wall label and the credits page: what the licences demand, what visitors must be told, who is to be named.

Text goes to standard output; --html FILE writes a page to print (A5 for the wall, A4 for the credits, with room for a
text of your own). What the licences of an edition or an archive demand is added with --use. No legal advice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .papers import checked_uses
from .say import WrongCall, say, write_json

EXAMPLE = "pleinair label mirror --html label.html"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("piece", metavar="PIECE")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to print")
    parser.add_argument(
        "--use", action="append", default=[], metavar="USE", help="for these uses, not those of piece.toml"
    )
    parser.add_argument(
        "--recorded", nargs="?", const="", metavar="WHY",
        help="a tape is recorded (run --record): what for, who keeps it, until when",
    )  # fmt: skip
    parser.add_argument(
        "--language", default="en", metavar="L", help="of the notices: en, de, fr, or a .toml of your own"
    )
    parser.add_argument("--site", type=Path, metavar="FILE", help="the venue's site.toml, laid over piece.toml")


def main(args: argparse.Namespace) -> int:
    from .. import assembly
    from ..ingredients import cards_in
    from ..licence import piece
    from ..licence.label import label_of
    from ..licence.label_page import as_html, as_text
    from ..licence.notices import sensors_of
    from ..manifest import Lock

    uses = checked_uses(args.use)
    loaded = assembly.load(args.piece, args.site)
    cards = cards_in(loaded.manifest)
    opinions = piece.opinions(loaded.manifest, cards, Lock.load(loaded.lock_file), uses, files=False)
    declared = [d.name for d in loaded.piece.declared.values() if d.word == "source"]
    sensors = sensors_of(loaded.manifest, declared)
    label = label_of(loaded.manifest, cards, sensors, opinions, recorded=args.recorded, language=args.language)
    if args.html is not None:
        try:
            args.html.write_text(as_html(label), "utf-8")
        except OSError as error:
            raise WrongCall(f"--html {args.html} cannot be written: {error.strerror}") from None
        say(f"  {args.html}    to print: the label on A5, the credits on A4")
    elif args.json != "-":
        print(as_text(label), end="")
    for opinion in opinions:
        if not opinion.clear:
            say(f"  {opinion.line}")
    write_json(label.as_dict(), args.json)
    return 0
