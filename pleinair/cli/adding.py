"""`models add FILE`: reads what the file says of itself, asks for what it cannot know, writes its card."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ModelFault, did_you_mean
from .say import WrongCall, say, write_json
from .table import say_table

if TYPE_CHECKING:
    from ..models.adding.found import Found
    from ..models.adding.paper import Paper


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="ONNX, GGUF, TFLite, or a folder that belongs together")
    parser.add_argument("--name", metavar="N", help="what a piece will call it (the file's own name)")
    parser.add_argument("--task", metavar="T", help="what it is for, where it could be several things")
    parser.add_argument("--licence", metavar="ID", help="of the weights, an SPDX identifier such as Apache-2.0")
    parser.add_argument(
        "--licence-file", metavar="TEXT", type=Path, help="the text of its licence, as it came with the weights"
    )
    parser.add_argument("--by", metavar="WHO", help="whose work it is")
    parser.add_argument("--like", metavar="CARD", help="a card that it stands in for: another version of its network")
    parser.add_argument("--role", metavar="R", help="with --like: which of its files")
    parser.add_argument("--consent", metavar="TEXT", help='of a voice: "NAME agreed on DATE, for WHAT"')


def main(args: argparse.Namespace) -> int:
    from .. import folders
    from ..models import adding
    from ..models.card import known_names

    if args.task is not None and args.task not in adding.TASKS:
        raise WrongCall(f'no card can be made for the task "{args.task}"', hint=did_you_mean(args.task, adding.TASKS))
    found = adding.look(args.file)
    say(f"{args.file.name}: {found.format}")
    say_table(_rows(found))
    if not (args.name or args.like) and (card := adding.restored(found)) is not None:
        say(f"{card.name} is that already: its files are whole, and nothing else was changed")
        write_json({**card.as_dict(), "format": found.format, "facts": dict(found.facts)}, args.json)
        return 0
    name = _name(args, adding.name_of(args.file), known_names())
    task = args.task or ("" if args.like else _task(found))
    given = args.licence_file or _beside(args.file)
    answers = {
        "licence": args.licence or ("" if found.licence or given else _ask(f"under which licence?  {_LICENCE}")),
        "by": args.by or ("" if found.credits else _ask("whose work is it?  (Enter: not known)")),
        "consent": args.consent or "",
    }
    if found.voice and not answers["consent"]:
        answers["consent"] = _ask('whose voice is it, and did they agree?  ("NAME agreed on DATE, for WHAT")')
        if not answers["consent"]:
            raise ModelFault(
                f"{args.file.name} is somebody's voice, and nobody has said whose, or whether they agreed",
                now="nothing was written",
                hint='ask them, then: --consent "NAME agreed on DATE, for WHAT"',
            )
    if given is None and "." in answers["licence"] and Path(answers["licence"]).is_file():
        given, answers["licence"] = Path(answers["licence"]), ""
    paper, licence, why = _paper(given) if given is not None else (None, "", "")
    card, path = adding.add(
        args.file, name, task, answers["licence"] or licence, folders.cards_dir(), paper=paper,
        found=found, like=args.like or "", role=args.role or "", by=answers["by"], consent=answers["consent"],
    )  # fmt: skip
    _told(card, path, f"{given.name} {why}" if given is not None else "")
    write_json({**card.as_dict(), "path": str(path), "format": found.format, "facts": dict(found.facts)}, args.json)
    return 0


_LICENCE = "(an SPDX identifier such as Apache-2.0 or CC-BY-4.0, or the file with its text; Enter: not known)"


def _beside(file: Path) -> Path | None:
    """The licence's text in a model's own folder; beside a single file, only if whoever sits here says that it is."""
    folder = file if file.is_dir() else file.parent
    texts = sorted(p for p in folder.glob("*") if p.is_file() and re.match(r"(?i)(licen[cs]e|copying)(\.|$)", p.name))
    if len(texts) != 1:
        return None
    if file.is_dir():
        return texts[0]
    return (
        texts[0] if _ask(f"{texts[0].name} lies beside it: is that its licence?  (yes or no)").startswith("y") else None
    )


def _paper(file: Path) -> tuple[Paper, str, str]:
    """(the text, the identifier of the licence that it is or "" where it is not known, what to say of it)."""
    from ..licence.papers import read
    from ..licence.texts import match
    from ..models.adding.paper import Paper

    try:
        text, _ = read(file)
        blob = file.read_bytes()
    except OSError as error:
        raise WrongCall(f"--licence-file {file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WrongCall(f"--licence-file: {error}") from None
    found = match(text)
    if not found.ids:
        return Paper(file.name, blob), "", f"is no text that is known here: {found.why}"
    same = "word for word" if found.how == "exact" else "all but a title or a name"
    return Paper(file.name, blob), found.ids[0], f"was read: it is {found.ids[0]}, {same}"


def _rows(found: Found) -> list[tuple[str, str]]:
    rows = [("name", found.title), *found.facts]
    rows += [("licence", f"{found.licence}, says {found.stated_in}")] if found.licence else []
    rows += [("by" if not n else "", f"{who}: {what}") for n, (who, what) in enumerate(found.credits)]
    return rows + [("made of", c["what"]) for c in found.components if c["kind"] in ("base", "data")]


def _name(args: argparse.Namespace, own: str, known: list[str]) -> str:
    name = args.name or own
    while name in known:
        free = next(f"{name}-{n}" for n in range(2, 1000) if f"{name}-{n}" not in known)
        if not (answer := _ask(f'there is a card "{name}" already; another name?  (Enter: {free})', free)):
            raise ModelFault(f'there is a card "{name}" already', now="nothing was written", hint=f"--name {free}")
        name = answer
    return name


def _task(found: Found) -> str:
    """Asked only where the file could be several things that differ: bare tensors are what is left."""
    tasks = [task for task in found.cards if task != "vector"]
    if len(tasks) < 2:
        return ""
    answer = _ask(f"what is it for?  ({', '.join(found.cards)}; Enter: {tasks[0]})", tasks[0])
    if answer and answer not in found.cards:
        raise WrongCall(f'it cannot be added as "{answer}"', hint=did_you_mean(answer, found.cards))
    return answer


def _ask(question: str, default: str = "") -> str:
    """A line from whoever sits at the terminal; "" where nobody does, `default` for Enter."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    sys.stderr.write(f"  {question}\n  > ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() or default


def _told(card: Any, path: Any, paper: str = "") -> None:
    from ..models import store

    say(f"{card.name}    {card.task}    {card.bytes / 1e6:.1f} MB    {card.weights.id}")
    say(f"  card     {path}")
    if paper:
        say(f"  licence  {paper}")
    if card.weights.id == "unknown":
        say("  licence  unknown: it runs, and nobody knows what may be done with it. Find out what its maker allows")
        say('           and give the card its text: --licence-file LICENSE, or under [weights] paper = "LICENSE" with')
        say("           the text beside the card. Until then the gate refuses it for every use")
    if missing := store.missing(card):
        say(f"  missing  {', '.join(f.name for f in missing)}: pleinair fetch {card.name}")
    say(f'  use      [model.NAME]\n           card = "{card.name}"')
