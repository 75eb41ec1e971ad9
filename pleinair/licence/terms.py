"""The table of terms: for each licence and each use a verdict, with clause, source, date and a plain sentence.

The data stands in `terms/*.toml` and was written by people who read the texts that `terms/texts.json` names by hash; it
is no legal advice. A row's identifier without a text that was read gives at best "ask".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..manifest import USES

VERDICTS = ("allow", "duties", "ask", "refuse")
"""From best to worst: allowed; allowed, and something is owed; ask whoever gave the licence; no."""
FOLDER = Path(__file__).with_name("terms")
GROUPS = {
    "exhibit": ("exhibit-free", "exhibit-paid"),
    "hand-over": ("sell-edition", "archive-deposit", "publish-weights"),
}
READ = {"R": "the text was read", "W": "a stored page says so", "K": "general knowledge, to be checked"}


def worst(verdicts: Iterable[str]) -> str:
    """The worst of them; "refuse" of none, since nothing known is nothing allowed."""
    return max(verdicts, key=VERDICTS.index, default="refuse")


@dataclass(frozen=True)
class Cell:
    """One licence, one use. `clause`: where the licence says it. `says`: a sentence for an artist."""

    verdict: str
    clause: str
    says: str


@dataclass(frozen=True)
class When:
    """A stricter verdict where the operator or the piece is such. Every condition that is given must hold.

    territory  "EU", "UK", "KR" ... or "unknown"         usd_from  yearly revenue in US dollars, from which it counts
    revenue    "unknown": the operator has not said       kind      kinds of operator, or "unknown"
    senses     what the piece reads off people (a card's `senses`)
    """

    uses: frozenset[str]
    cell: Cell
    territory: tuple[str, ...] = ()
    usd_from: int = 0
    revenue: str = ""
    kind: tuple[str, ...] = ()
    senses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owed:
    """What a use of it owes: to the wall, to the credits page, to the archive.

    credit, link, changes  name the authors; link the licence; say what was changed
    text, notice, source   the licence's text, its NOTICE file, the source code go with every copy
    restrictions, alike    pass its use restrictions on; what was made of it stays under it
    show, file             sentences that the wall, or a Notice file in the archive, must carry
    files                  identifier -> sentence for the Notice file, where versions differ
    """

    credit: bool = False
    link: bool = False
    changes: bool = False
    text: bool = False
    notice: bool = False
    source: bool = False
    restrictions: bool = False
    alike: bool = False
    show: tuple[str, ...] = ()
    file: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def notice_of(self, licence: str) -> str:
        """The sentence for the Notice file; versions of one licence ask for different ones."""
        return self.files.get(licence, self.file)


@dataclass(frozen=True)
class Row:
    """A licence (or a family of versions that say the same).

    spelt  a tag -> the one identifier that it means       names  identifier -> pattern: a model so named is this row's
    read   "R", "W" or "K", see READ                       source where it stands, for rows without a text
    """

    number: int
    key: str
    name: str
    examples: str
    ids: tuple[str, ...]
    tags: tuple[str, ...]
    texts: tuple[str, ...]
    read: str
    date: str
    cells: dict[str, Cell]
    when: tuple[When, ...] = ()
    owed: Owed = Owed()
    spelt: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    said_in: str = ""

    def text_read(self, licence: str) -> bool:
        """Whether the text of this very identifier was read."""
        return any(licence in texts()[key]["ids"] for key in self.texts)

    def title(self, licence: str) -> str:
        """What its text calls itself, else the row's name."""
        return next((texts()[key]["title"] for key in self.texts if licence in texts()[key]["ids"]), self.name)

    def source(self, licence: str) -> str:
        """Where its text stands, with the hash of the text that was read."""
        for key in self.texts:
            if licence in texts()[key]["ids"]:
                entry = texts()[key]
                return f"{entry['title']}, {entry['from']}, sha256 of its words {entry['sha256'][:12]}..."
        return self.said_in or f"no text of {licence} was read; judged as {self.name}"


@cache
def rows() -> tuple[Row, ...]:
    """The whole table, by number."""
    found = [
        _row(entry)
        for path in sorted(FOLDER.glob("*.toml"))
        for entry in tomllib.loads(path.read_text("utf-8")).get("row", [])
    ]
    return tuple(sorted(found, key=lambda row: row.number))


@cache
def texts() -> dict[str, Any]:
    """Texts that were read: key -> {"ids", "title", "from", "sha256", "words", "sketch", "marks"}. See `texts.py`."""
    import json

    return json.loads((FOLDER / "texts.json").read_text("utf-8"))


@cache
def row_of(licence: str) -> Row | None:
    """The row of an identifier, None where the table has none."""
    wanted = licence.lower()
    return next((row for row in rows() if wanted in (i.lower() for i in row.ids)), None)


def none_row() -> Row:
    """The row of what nobody licensed."""
    return next(row for row in rows() if row.key == "none")


def _row(entry: Mapping[str, Any]) -> Row:
    cells: dict[str, Cell] = {}
    for cell in entry["cell"]:
        for use in spread(cell["uses"]):
            if use in cells:
                raise ValueError(f"row {entry['number']} says {use} twice")
            cells[use] = Cell(_verdict(cell), cell["clause"], cell["says"])
    if missing := set(USES) - set(cells):
        raise ValueError(f"row {entry['number']} says nothing of {', '.join(sorted(missing))}")
    owed = dict(entry.get("owed", {}))
    owed["show"] = tuple(owed.get("show", ()))
    return Row(
        number=entry["number"],
        key=entry["key"],
        name=entry["name"],
        examples=entry["examples"],
        ids=tuple(entry["ids"]),
        tags=tuple(entry["tags"]),
        texts=tuple(entry["texts"]),
        read=entry["read"],
        date=str(entry["date"]),
        cells={use: cells[use] for use in USES},
        when=tuple(_when(w) for w in entry.get("when", [])),
        owed=Owed(**owed),
        spelt=entry.get("spelt", {}),
        names=entry.get("names", {}),
        said_in=entry.get("source", ""),
    )


def _when(entry: Mapping[str, Any]) -> When:
    return When(
        uses=frozenset(spread(entry["uses"])),
        cell=Cell(_verdict(entry), entry["clause"], entry["says"]),
        territory=tuple(entry.get("territory", ())),
        usd_from=entry.get("usd_from", 0),
        revenue=entry.get("revenue", ""),
        kind=tuple(entry.get("kind", ())),
        senses=tuple(entry.get("senses", ())),
    )


def _verdict(entry: Mapping[str, Any]) -> str:
    if entry["verdict"] not in VERDICTS:
        raise ValueError(f"{entry['verdict']!r} is no verdict")
    return entry["verdict"]


def spread(uses: Iterable[str]) -> list[str]:
    """Uses, with the groups of the data files taken apart."""
    return [use for word in uses for use in GROUPS.get(word, (word,))]
