"""The table of docs/licences.md, made of the terms: `python -m pleinair.licence.table docs/licences.md` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from ..manifest import USES
from .terms import Row, rows

BEGIN = "<!-- the table begins: written by make docs, do not edit -->"
END = "<!-- the table ends -->"
SIGNS = {"allow": "yes", "duties": "duties", "ask": "ask", "refuse": "**no**"}
HEADS = {
    "develop": "try", "exhibit-free": "show, free", "exhibit-paid": "show, paid", "sell-outputs": "sell what it makes",
    "sell-edition": "sell the work", "archive-deposit": "archive", "fine-tune": "train", "publish-weights": "publish",
}  # fmt: skip


def text() -> str:
    """One row a licence, one column a use; then what depends on the operator, and where each text was read."""
    lines = ["| # | licence | " + " | ".join(HEADS[use] for use in USES) + " | known by |"]
    lines.append("| ---: | --- |" + " --- |" * (len(USES) + 1))
    for row in rows():
        cells = " | ".join(SIGNS[row.cells[use].verdict] + _star(row, use) for use in USES)
        unread = [i for i in row.ids if not row.text_read(i)]
        known = row.read if not unread or row.read != "R" else "R, in part"
        lines.append(f"| {row.number} | {row.name}: {row.examples} | {cells} | {known} |")
    return "\n".join(lines) + "\n"


def _star(row: Row, use: str) -> str:
    return "\\*" if any(use in when.uses for when in row.when) else ""


def page(before: str) -> str:
    """The page with its table made anew."""
    head, rest = before.split(BEGIN)
    return f"{head}{BEGIN}\n\n{text()}\n{END}{rest.split(END)[1]}"


def main(path: Path) -> None:
    path.write_text(page(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
