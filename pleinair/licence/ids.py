"""What a written licence means: SPDX expressions, hubs' tags, names as people write them -> rows of the table.

`license-expression` parses AND, OR and WITH; the table's own tags and spellings come first, since hubs use words that
are no SPDX identifiers ("creativeml-openrail-m", "openrail++", "llama3.1"). What is not understood is unknown: a mark
or a letter that no licence's name has ("MIT*", "MIT\uff08\u975e\u5546\u7528\uff09", "!MIT") may mean anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from .terms import Row, none_row, row_of, rows

MAX = 400
"""Longer than any expression: a whole text in its place is matched as a text, see `texts.match`."""
MOST = 64
"""Clauses, and alternatives in one, of an expression that is still understood: nobody means more."""
_WRITTEN = re.compile(r"(?:license:)?[A-Za-z0-9(][A-Za-z0-9 .,:()/_+-]*", re.ASCII)
"""What a licence's name or an expression is written with; where something else stands in it, it is not understood."""
_MEANT = {
    "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gpl-2.0-with-bison-exception": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "gpl-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "gpl-2.0-with-gcc-exception": "GPL-2.0-or-later WITH GCC-exception-2.0",
    "gpl-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "gpl-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "gpl-3.0-with-gcc-exception": "GPL-3.0-only WITH GCC-exception-3.1",
    "ecos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "wxwindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}
"""SPDX's deprecated identifiers that mean an expression (spdx.org/licenses, "deprecated"); those without an exception
("GPL-2.0", "LGPL-2.1+") are spellings of the table. What is not here (BSD-2-Clause-FreeBSD) is unknown."""


@dataclass(frozen=True)
class Said:
    """What an expression means.

    together  each of these counts (AND); one entry is a tuple of alternatives (OR): (row, identifier) pairs
    exception names of exceptions (WITH): they only add permissions, so the licence itself is what counts
    """

    together: tuple[tuple[tuple[Row, str], ...], ...]
    exceptions: tuple[str, ...] = ()


@cache
def understood(licence: str, name: str = "") -> Said:
    """The rows that an expression or tag means. `name`: of the model, which tells some licences' variants apart."""
    text = " ".join(licence.split())
    nothing = Said((((none_row(), text[:40] or "unknown"),),))
    if not text or len(text) > MAX or not _WRITTEN.fullmatch(text) or text.count("(") != text.count(")"):
        return nothing
    if found := _one(text, name):
        return Said(((found,),))
    return _parsed(_MEANT.get(text.lower(), text), name) or nothing


def _parsed(text: str, name: str) -> Said | None:
    """None where it is no expression, or one that has more clauses than anybody means."""
    from license_expression import (
        ExpressionError,
        ExpressionParseError,
        LicenseSymbol,
        LicenseWithExceptionSymbol,
        Licensing,
    )

    try:
        tree = Licensing().parse(text)
    except (ExpressionError, ExpressionParseError, ValueError, TypeError, AttributeError, IndexError, RecursionError):
        return None
    if tree is None:
        return None
    exceptions: list[str] = []

    def leaf(symbol: LicenseSymbol) -> tuple[Row, str]:
        if isinstance(symbol, LicenseWithExceptionSymbol):
            exception = str(symbol.exception_symbol)
            if exception.lower() not in _exceptions():  # "WITH Commons-Clause" takes away rather than adds
                return none_row(), str(symbol)
            exceptions.append(exception)
            symbol = symbol.license_symbol
        key = str(symbol)
        return _one(key, name) or (none_row(), key)

    def walk(node: object) -> tuple[tuple[tuple[Row, str], ...], ...]:
        """In conjunctive form: a tuple of tuples of alternatives."""
        if isinstance(node, (LicenseSymbol, LicenseWithExceptionSymbol)):
            return ((leaf(node),),)
        parts = [walk(arg) for arg in node.args]  # type: ignore[attr-defined]
        if type(node).__name__ == "AND":
            return tuple(clause for part in parts for clause in part)
        joined = parts[0]
        for part in parts[1:]:
            if len(joined) * len(part) > MOST or len(joined[0]) + len(part[0]) > MOST:
                raise ValueError("more clauses than anybody means")
            joined = tuple(a + b for a in joined for b in part)
        return joined

    try:
        return Said(walk(tree), tuple(dict.fromkeys(exceptions)))
    except (ValueError, RecursionError):
        return None


@cache
def _exceptions() -> frozenset[str]:
    """SPDX's exceptions: each only adds permissions."""
    from license_expression import get_spdx_licensing

    known = get_spdx_licensing().known_symbols.items()
    return frozenset(key.lower() for key, s in known if s.is_exception and not key.startswith("LicenseRef-"))


def _one(text: str, name: str) -> tuple[Row, str] | None:
    """(row, identifier) of one identifier, tag or spelling."""
    wanted = _plain(text)
    row, licence = _table().get(wanted, (None, ""))
    if row is None and (row := row_of(text.strip())) is not None:
        licence = next(i for i in row.ids if i.lower() == text.strip().lower())
    if row is None and wanted.endswith("+") and (later := row_of(f"{text.strip()[:-1]}-or-later")) is not None:
        row, licence = later, f"{text.strip()[:-1]}-or-later"
    if row is None:
        return None
    for other in rows():
        if (pattern := other.names.get(licence)) and re.search(pattern, name, re.IGNORECASE):
            return other, other.ids[-1]  # by its own identifier, whose text is another one
    return row, licence


@cache
def _table() -> dict[str, tuple[Row, str]]:
    found: dict[str, tuple[Row, str]] = {}
    for row in rows():
        for licence in row.ids:
            found.setdefault(_plain(licence), (row, licence))
            for front in ("licenseref-scancode-", "licenseref-pleinair-"):
                if licence.lower().startswith(front):
                    found.setdefault(_plain(licence[len(front) :]), (row, licence))
        for tag in row.tags:
            same = next((i for i in row.ids if _plain(i) == _plain(tag)), row.ids[0])
            found.setdefault(_plain(tag), (row, same))
        for tag, licence in row.spelt.items():
            found[_plain(tag)] = (row, licence)
    for short, full in (("gpl-2.0", "GPL-2.0-only"), ("lgpl-3.0", "LGPL-3.0-only"), ("bsd-2-clause", "BSD-2-Clause")):
        found[_plain(short)] = (row_of(full), full)
    return found


def _plain(text: str) -> str:
    """A tag without case, spaces and punctuation that people put in or leave out; a "+" is kept: it has a meaning."""
    text = text.lower().strip().removeprefix("license:")
    text = re.sub(r"\bthe\b", "", text)
    return re.sub(r"[^a-z0-9+.]+", "-", text).strip("-")
