"""Runs the bench, saves what was found under bench/out/, and prints it as a table.

    python -m bench [NAME ...] [--quick] [--table]

Long: about 40 minutes in all. `--quick`: a few minutes, to see that it works; its figures are not for publishing.
`--table`: prints the tables of docs/performance.md from what was found last, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module

from .common import OUT, Figure, conditions, save

ALL = (
    "throughput", "age", "browser", "slow", "viewer", "start", "memory", "cpu", "record", "shelf", "landmarks",
    "seeing", "chat", "verify", "speech", "fuzz", "survive",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if unknown := [n for n in args.names if n not in ALL]:
        parser.error(f"no such bench: {', '.join(unknown)}; there is {', '.join(ALL)}")
    if args.table:
        print(table())
        return 0
    missed = 0
    for name in args.names or ALL:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures = import_module(f".{name}", __package__).run(args.quick)
        if not args.quick:
            save(name, figures)
        for figure in figures:
            missed += figure.ok is False
            print(_line(figure), flush=True)
    print("conditions: " + "; ".join(f"{k} {v}" for k, v in conditions().items()))
    return 0 if not missed else 1


def _line(figure: Figure) -> str:
    verdict = {True: "reached", False: "MISSED", None: "not measured"}[figure.ok]
    value = "" if figure.value is None else f"{figure.value:g} {figure.unit}"
    return f"  {figure.name:<72} {value:>12}   goal {figure.goal:<8} {verdict}"


def table() -> str:
    """Markdown, from bench/out/*.json."""
    lines = ["| measure | found | goal | |", "| --- | --- | --- | --- |"]
    under: set[str] = set()
    for name in ALL:
        path = OUT / f"{name}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text())
        under.add("; ".join(f"{k} {v}" for k, v in found["conditions"].items()) + f" ({found['when']})")
        for f in found["figures"]:
            verdict = {True: "reached", False: "**missed**", None: "not measured"}[f["ok"]]
            lines.append(f"| {f['name']} | {f['value']} {f['unit']} | {f['goal']} | {verdict} |")
    return "\n".join(lines) + "\n\nConditions: " + " / ".join(sorted(under)) + "\n"


if __name__ == "__main__":
    sys.exit(main())
