"""Which licence a text is: by the hash of its words, then by likeness; and what was slipped into it.

Normalised: lower case, words and digits only, without lines that only name a copyright holder and without the title of
a short licence. Likeness is the Jaccard index of three-word shingles, estimated by MinHash (A. Broder, On the
resemblance and containment of documents, 1997), so that no licence's text need be shipped: for each text that was read
the table keeps hashes of its words, of its pairs of words, and a sketch of 1 kB. A sentence added to a long licence
leaves it 99 % alike. So a text that is not word for word the known one must also have no word that the known one does
not have at that place (but for titles, addresses and years), and as many of the words that grant or restrict ("sell",
"non-commercial", "may not", "European Union" ...): else it is another licence, and unknown.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .terms import FOLDER, texts

ALIKE = 0.95
"""Shingles in common from which a text is taken for another's; +-0.014 by the sketch's size."""
SKETCH = 256
_PRIME = (1 << 61) - 1
_WORDING = tomllib.loads((FOLDER / "wording.toml").read_text("utf-8"))
MARKS: tuple[str, ...] = tuple(_WORDING["marks"])
_BESIDE, _SAYS, _TITLE = (frozenset(_WORDING[name]) for name in ("beside", "says", "title"))


@dataclass(frozen=True)
class Match:
    """What a text is.

    ids   identifiers that the text is of ("" licence unknown: none)       key  the text in texts.json
    how   "exact", "alike", "changed" (alike, but with words put in, or permissions taken out), or "unknown"
    """

    ids: tuple[str, ...]
    how: str
    likeness: float
    key: str = ""
    why: str = ""


def words(text: str) -> list[str]:
    """The words of a licence, normalised. Letters of any script count: what cannot be read in Latin is no less said."""
    text = unicodedata.normalize("NFKC", text.replace("\r", "\n").replace("\u2019", "'")).lower()
    text = _MARKUP.sub(" ", text)
    kept = [line for line in text.split("\n") if not (_holder(line) or _is_title(line))]
    joined = " ".join(re.findall(r"[^\W_]+", "\n".join(kept).replace("'", "")))
    for pattern, plain in _NAMED:
        joined = pattern.sub(lambda hit, plain=plain: hit[0] if _SAYS & set(hit["who"].split()) else plain, joined)
    return joined.split()


_MARKUP = re.compile(
    r"</?(p|br|b|i|em|strong|h[1-6]|[uo]l|li|div|span|a|code|pre|hr|tt|title|center)\b[^<>\n]{0,40}>"
    r"|\]\((https?:|mailto:|[#/.])[^)\s]*\)"
)
"""Tags, and where a Markdown link leads."""
_NAMED = (
    (re.compile(r"neither the names? of (?P<who>.{1,120}?) nor the names of (its|any)"),
     "neither the name of owner nor the names of its"),
    (re.compile(r"in no event shall (?!the provider|licensor|any)(?P<who>.{1,60}?) be liable"),
     "in no event shall owner be liable"),
)  # fmt: skip
"""Where licences name their owner."""
_ENDS = re.compile(r"(?<!\binc)(?<!\bltd)(?<!\bco)(?<!\bcorp)(?<!\bal)(?<!\b\w)[.;:!?]\s+")


def _holder(line: str) -> bool:
    """Whether a line says who holds the copyright, and nothing else."""
    bare = re.sub(r"[^\w(]+", " ", line).strip()
    begins = r"(copyright( \(?c\b|\s+((19|20)\d\d|yyyy|year))|\(c (19|20)\d\d|\(c copyright|all rights reserved$)"
    if len(bare) >= 160 or not re.match(begins, bare) or _SAYS & set(bare.split()):
        return False
    rest = [part.strip(" .*#/-") for part in _ENDS.split(line.strip())[1:]]
    return all(not part or re.fullmatch(r"all rights reserved|(\(c\) ?)?copyright.*", part) for part in rest)


def _is_title(line: str) -> bool:
    """Such as "The MIT License (MIT)", "BSD 3-Clause License"."""
    found = re.findall(r"[^\W_]+", line)
    return set(found) <= _TITLE and bool({"mit", "bsd", "isc", "expat", "zlib"} & set(found))


def digest(text: str) -> str:
    """sha256 of the words."""
    return hashlib.sha256(" ".join(words(text)).encode()).hexdigest()


def sketch(found: list[str]) -> np.ndarray:
    """MinHash of the three-word shingles, SKETCH numbers of 32 bits."""
    shingles = {" ".join(found[i : i + 3]) for i in range(max(1, len(found) - 2))}
    hashes = [int.from_bytes(hashlib.blake2b(s.encode(), digest_size=7).digest(), "big") for s in shingles]
    values = np.array(hashes, np.uint64) % np.uint64((1 << 32) - 5)
    rng = np.random.Generator(np.random.PCG64(20261122))
    a = rng.integers(1, 1 << 31, SKETCH, np.uint64)
    b = rng.integers(0, 1 << 31, SKETCH, np.uint64)
    return np.array([((values * x + y) % np.uint64((1 << 32) - 5)).min() for x, y in zip(a, b, strict=True)], np.uint32)


def packed(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.astype("<u4").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<u4")


def pairs(found: list[str]) -> np.ndarray:
    """Hashes of 24 bits of each word with the one after it."""
    return np.array([_pair(a, b) for a, b in zip(found, found[1:], strict=False)], np.uint32)


def _pair(a: str, b: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{a} {b}".encode(), digest_size=3).digest(), "big")


def pairs_packed(found: list[str]) -> str:
    """Each pair once, three bytes each."""
    return base64.b64encode(
        np.unique(pairs(found)).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    ).decode()


def pairs_unpacked(text: str) -> np.ndarray:
    raw = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 3).astype(np.uint32)
    return (raw[:, 0] << 16) | (raw[:, 1] << 8) | raw[:, 2]


def strange(found: list[str], known: np.ndarray) -> list[str]:
    """Words that stand where the known text (its `pairs`) has other ones, as phrases; without titles and addresses."""
    new = ~np.isin(pairs(found), known)
    left, right = np.concatenate([[True], new]), np.concatenate([new, [True]])
    phrases, run = [], []
    for word, alien in zip([*found, ""], [*(left & right), False], strict=True):
        if alien:
            run.append(word)
        elif run:
            if not all(w in _BESIDE or w.isdigit() for w in run):
                phrases.append(" ".join(run))
            run = []
    return phrases


def marks(found: list[str]) -> dict[str, int]:
    """How often each restricting word stands there."""
    joined = " " + " ".join(found) + " "
    return {mark: n for mark in MARKS if (n := joined.count(f" {mark} "))}


def match(text: str) -> Match:
    """Which licence a text is. `how` "changed" and "unknown" have no identifiers: unknown is never allowed."""
    found = words(text)
    if not found:
        return Match((), "unknown", 0.0, why="there is no text")
    known = texts()
    sha = hashlib.sha256(" ".join(found).encode()).hexdigest()
    for key, entry in known.items():
        if entry["sha256"] == sha:
            return Match(tuple(entry["ids"]), "exact", 1.0, key)
    mine = sketch(found)
    best, likeness = "", 0.0
    for key, entry in known.items():
        if (alike := float(np.mean(mine == unpacked(entry["sketch"])))) > likeness:
            best, likeness = key, alike
    title = known[best]["title"] if best else ""
    if likeness < ALIKE:
        near = f"; nearest is {title}, {likeness:.0%} alike" if likeness >= 0.5 else ""
        return Match((), "unknown", likeness, best, f"it is no text that the table knows{near}")
    if new := strange(found, pairs_unpacked(known[best]["pairs"])):
        told = ", ".join(f'"{phrase[:80]}"' for phrase in new[:3])
        return Match((), "changed", likeness, best, f"it is {title} but for words that were put in: {told}")
    if changed := _slipped(marks(found), known[best]["marks"]):
        return Match((), "changed", likeness, best, f"it is {title} but for what it grants or restricts: {changed}")
    return Match(tuple(known[best]["ids"]), "alike", likeness, best)


def _slipped(now: Mapping[str, int], then: Mapping[str, int]) -> str:
    more = [
        f'"{m}" stands in it {now.get(m, 0)} times and not {then.get(m, 0)}'
        for m in MARKS
        if now.get(m, 0) != then.get(m, 0)
    ]
    return ", ".join(more[:3])
