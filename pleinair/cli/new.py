"""A piece of one's own to start from: a copy of a gallery piece.

What is copied is what a person wrote: piece.py, piece.toml, presets and pictures. The lock and the tapes are the
machine's, and stay where they are.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from ..core.errors import Fault, PieceFault, did_you_mean
from .say import WrongCall, say, write_json

EXAMPLE = "pleinair new my-mirror --from mirror"

NOT_COPIED = ("piece.lock", "__pycache__", "*.pyc", "*.tape", "site.toml")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that is not there yet, or is empty")
    parser.add_argument("--from", dest="origin", metavar="GALLERY_PIECE", default="mirror", help="mirror, unless named")


def main(args: argparse.Namespace) -> int:
    from .. import assembly

    known = assembly.gallery()
    if args.origin not in known:
        raise WrongCall(f'the gallery has no piece "{args.origin}"', hint=did_you_mean(args.origin, known))
    folder: Path = args.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PieceFault(
            f"{folder} is there already" + (", and it is not empty" if folder.is_dir() else ""),
            now="nothing was written",
            hint=f"another name: pleinair new {folder}-2 --from {args.origin}",
        )
    origin = known[args.origin].parent
    try:
        shutil.copytree(origin, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
        for file in [folder, *folder.rglob("*")]:  # an installed package may be read-only, the copy is the artist's
            file.chmod(file.stat().st_mode | 0o200)
    except OSError as error:
        raise Fault(f"{folder} cannot be written: {error.strerror}", hint="a folder that you may write to") from None
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    say(f"{folder}    a copy of {args.origin}: {', '.join(files)}")
    say(f"  look     {folder / 'piece.py'}: what happens; {folder / 'piece.toml'}: what it is made of")
    say(f"  fetch    pleinair fetch {folder}")
    say(f"  run      pleinair run {folder}        save piece.py while it runs, and the change is on stage")
    say(f"  check    pleinair check {folder}")
    write_json({"folder": str(folder), "from": args.origin, "files": files}, args.json)
    return 0
