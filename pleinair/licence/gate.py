"""The gate: may this be shown, sold, archived? The worst component decides, and unknown is never allowed.

`verdict(parts, use, operator, senses)` weighs each part's licence against one use. It is a reading of texts by people
who are no lawyers, with clause, source and date beside each sentence, so that somebody who is one can check it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..manifest import Operator
from .ids import understood
from .parts import PLAIN, Part
from .terms import VERDICTS, Cell, Row, When, none_row, worst

NOT_IN_THE_WORK = ("data", "container")
"""Parts that are not handed over with the work: what it learnt from, and the package that a file was taken out of.
Whether their terms reach what came of them is not settled, so the worst that they say is "ask", and unknown data is
asked about too: docs/licences.md, "What it learnt from". Terms that bind models themselves make it a "base"."""
EU = frozenset({
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "EL", "HU", "IE", "IT", "LV", "LT", "LU",
    "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "EU",
})  # fmt: skip
_CODES = (
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCV"
    "CWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIM"
    "INIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMW"
    "MXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSS"
    "STSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW"
)
COUNTRIES = frozenset(_CODES[i : i + 2] for i in range(0, len(_CODES), 2)) | EU | {"UK"}
"""ISO 3166-1's codes of two letters, and two that are used beside them."""
_SAME = {
    "GB": "UK", "SOUTH KOREA": "KR", "REPUBLIC OF KOREA": "KR", "KOREA": "KR", "UNITED KINGDOM": "UK", "U.K.": "UK",
    "GREAT BRITAIN": "UK", "EUROPEAN UNION": "EU", "EUROPE": "EU", "GERMANY": "DE", "DEUTSCHLAND": "DE", "FRANCE": "FR",
    "AUSTRIA": "AT", "UE": "EU", "ITALY": "IT", "SPAIN": "ES",
}  # fmt: skip
DOLLAR = (0.75, 1.0)
"""Euros per US dollar that are thought possible: below the first a revenue limit is surely not reached, above the
second surely; between them one has to ask."""


@dataclass(frozen=True)
class Finding:
    """What one licence of one part says to one use."""

    part: Part
    licence: str
    row: Row
    verdict: str
    clause: str
    says: str
    source: str
    date: str
    note: str = ""

    @property
    def sentence(self) -> str:
        """`multistyle26 (the weights, Apache-2.0): You may ... [4. Redistribution; ...]`."""
        return f"{self.part.what} ({PLAIN[self.part.kind]}, {self.shown}): {self.told}"

    @property
    def shown(self) -> str:
        """The licence as a person would say it."""
        if self.row.key == "none":
            return "no licence known"
        return self.row.title(self.licence) if self.licence.startswith("LicenseRef-") else self.licence

    @property
    def told(self) -> str:
        """What the licence says, with its place and whether that was read."""
        note = f" {self.note.rstrip('.')}." if self.note else ""
        read = self.row.text_read(self.licence) or self.row.key == "none"
        when = f"read {self.date}" if read and self.row.texts else self.date if read else f"text not read; {self.date}"
        return f"{self.says}{note} [{self.clause}; {when}]"

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.part.what, "kind": self.part.kind, "of": self.part.of, "licence": self.licence,
            "row": self.row.number, "name": self.row.name, "verdict": self.verdict, "clause": self.clause,
            "says": self.says, "source": self.source, "date": self.date, "note": self.note,
            "stated_in": self.part.stated_in,
        }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """For one use. `verdict`: allow, duties, ask or refuse. `findings`: one or more for each part, worst first."""

    use: str
    verdict: str
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def because(self) -> list[str]:
        """The sentences that decide it, each once: those of the verdict's own rank, and after a refusal what would be
        left to ask about."""
        floor = "ask" if self.verdict == "refuse" else self.verdict
        deciding = [f for f in self.findings if VERDICTS.index(f.verdict) >= VERDICTS.index(floor)]
        said = [f.sentence for f in deciding if f.part.kind != "wheel"]
        wheels: dict[tuple[str, str], list[str]] = {}
        for f in sorted(deciding, key=lambda f: (f.row.owed.source, f.row.owed.alike), reverse=True):
            if f.part.kind == "wheel":  # many, and most of them ask for the same
                wheels.setdefault((f.row.name, f.told), []).append(f.part.what)
        for (name, told), whose in wheels.items():
            some = ", ".join(dict.fromkeys(whose[:4])) + (f" and {len(whose) - 4} more" if len(whose) > 4 else "")
            said.append(f"{some} (libraries of the environment, {name}): {told}")
        return list(dict.fromkeys(said))

    def as_dict(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "because": self.because}


def verdict(parts: Iterable[Part], use: str, operator: Operator | None = None, senses: Iterable[str] = ()) -> Verdict:
    """The worst of all parts' verdicts for a use; "refuse" where there is no part at all and so nothing is known.

    operator  who runs it, where, and with what revenue; what is not said counts as not known
    senses    what the piece reads off people ("face", "voice", "identity" ...): some licences forbid biometrics
    """
    operator, senses = operator or Operator(), frozenset(senses)
    findings = [f for part in parts for f in _weighed(part, use, operator, senses)]
    findings.sort(key=lambda f: -VERDICTS.index(f.verdict))
    return Verdict(use, worst(f.verdict for f in findings), tuple(findings))


def _weighed(part: Part, use: str, operator: Operator, senses: frozenset[str]) -> list[Finding]:
    """One finding for each licence that counts at once; of alternatives the best, since whoever uses it may choose."""
    said = understood(part.licence, part.what)
    exceptions = f"With {', '.join(said.exceptions)}, which only adds permissions." if said.exceptions else ""
    asked = [why for licence, why in part.found if not licence]
    if part.licence == "unknown" and asked and part.kind == "wheel":
        return [_question(part, why, none_row()) for why in asked]
    found = []
    for alternatives in said.together:
        options = [_one(part, licence, row, use, operator, senses, exceptions) for row, licence in alternatives]
        found.append(min(options, key=lambda f: VERDICTS.index(f.verdict)))
    for licence, why in part.found:
        if not licence:
            found.append(_question(part, why, found[0].row))
            continue
        for alternatives in understood(licence, part.what).together:
            found += [_one(part, i, row, use, operator, senses, why[:1].upper() + why[1:]) for row, i in alternatives]
    return found


def _one(
    part: Part, licence: str, row: Row, use: str, operator: Operator, senses: frozenset[str], note: str
) -> Finding:
    cell = row.cells[use]
    for when in row.when:
        if use in when.uses and VERDICTS.index(when.cell.verdict) >= VERDICTS.index(cell.verdict):
            cell = _stricter(when, cell, operator, senses)
    judged = cell.verdict
    if part.kind in NOT_IN_THE_WORK and judged == "refuse":
        judged = "ask"
        note = " ".join(filter(None, (note, _UNSETTLED[part.kind])))
    if not row.text_read(licence) and VERDICTS.index(judged) < VERDICTS.index("ask"):
        judged = "ask"  # nobody read this very text
        note = " ".join(filter(None, (note, f"The text of {licence} itself was not read.")))
    return Finding(part, licence, row, judged, cell.clause, cell.says, row.source(licence), row.date, note)


_UNSETTLED = {
    "data": "Whether terms of what a model learnt from bind what it became is not settled: ask, or accept it by name.",
    "container": "Only a file was taken out of this package: ask whether its terms mean the file.",
}


def _question(part: Part, why: str, row: Row) -> Finding:
    says = why[:1].upper() + why[1:] + "."
    return Finding(part, part.licence, row, "ask", "its own files", says, "its own files", row.date)


def _stricter(when: When, cell: Cell, operator: Operator, senses: frozenset[str]) -> Cell:
    """The condition's cell where all that it names holds (or cannot be excluded), else the one there was."""
    if when.territory and not territory_of(operator) & set(when.territory):
        return cell
    if when.kind and (operator.kind or "unknown") not in when.kind:
        return cell
    if when.revenue == "unknown" and operator.revenue_eur is not None:
        return cell
    if when.senses and not senses & set(when.senses):
        return cell
    if when.usd_from:
        if operator.revenue_eur is None or operator.revenue_eur < when.usd_from * DOLLAR[0]:
            return cell
        if operator.revenue_eur < when.usd_from * DOLLAR[1]:
            says = f"{when.cell.says} {operator.revenue_eur:,.0f} euros may be that, by the rate of the day."
            return Cell("ask", when.cell.clause, says) if cell.verdict != "refuse" else cell
    return when.cell


def territory_of(operator: Operator) -> set[str]:
    """Words that conditions know: {"EU", "DE"} of "DE"; {"unknown"} where the operator does not say, or names a place
    in a way that is not known here: where that is, a condition cannot tell."""
    code = operator.territory.strip().upper()
    code = _SAME.get(code, code)
    if code not in COUNTRIES:
        return {"unknown"}
    return {code, "EU"} if code in EU else {code}
