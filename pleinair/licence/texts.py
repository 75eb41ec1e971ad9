"""Which licence a text is: by the hash of its words, then by likeness; and what was slipped into it.

Normalised: lower case, words and digits only, without lines that name a copyright holder and without the title of a
short licence. Likeness is the Jaccard index of three-word shingles, estimated by MinHash (A. Broder, On the resemblance
and containment of documents, 1997), so that no licence's text need be shipped: for each text that was read the table
keeps a hash and a sketch of 1 kB. A sentence added to a long licence leaves it 99 % alike, so the words that restrict
("non-commercial", "may not", "European Union" ...) are counted too: a text that has more of them is another licence.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .terms import texts

ALIKE = 0.95
"""Shingles in common from which a text is taken for another's; +-0.014 by the sketch's size."""
SKETCH = 256
_PRIME = (1 << 61) - 1
MARKS = (
    "non commercial", "noncommercial", "commercial", "research", "evaluation", "european union", "united kingdom",
    "revenue", "monthly active users", "production", "personal use", "may not", "must not", "shall not", "cannot",
    "not permitted", "not allowed", "prohibited", "restricted", "military", "biometric", "sell", "fee", "revoke",
    "revocable", "terminate", "prior written", "only", "except", "unless", "exclusively", "artificial intelligence",
    "training", "museum", "exhibition", "display", "public", "not", "modification", "without", "subject", "provided",
    "condition", "conditions",
    "must", "require", "required",
)  # fmt: skip


@dataclass(frozen=True)
class Match:
    """What a text is.

    ids   identifiers that the text is of ("" licence unknown: none)       key  the text in texts.json
    how   "exact", "alike", "changed" (alike, but with restrictions slipped in or taken out), or "unknown"
    """

    ids: tuple[str, ...]
    how: str
    likeness: float
    key: str = ""
    why: str = ""


def words(text: str) -> list[str]:
    """The words of a licence, normalised."""
    text = text.replace("\r", "\n").replace("\u2019", "'").lower()
    text = re.sub(r"<[a-z/][^<>\n]{0,30}>|\]\([^)\s]*\)", " ", text)  # tags, and where a Markdown link leads
    kept = []
    for line in text.split("\n"):
        bare = re.sub(r"[^a-z0-9(]+", " ", line).strip()
        if len(bare) < 160 and re.match(
            r"(copyright( \(?c\b|\s+((19|20)\d\d|yyyy|year))|\(c\b|all rights reserved)", bare
        ):
            continue
        if re.fullmatch(r"(the )?(new |modified |simplified |revised )?(mit|bsd|isc|expat|zlib)[a-z0-9 (]{0,40}", bare):
            continue
        kept.append(line)
    found = re.findall(r"[a-z0-9]+", "\n".join(kept).replace("'", ""))
    joined = " ".join(found)
    joined = re.sub(
        r"neither the names? of .{1,120}? nor the names of (its|any)",
        "neither the name of owner nor the names of its",
        joined,
    )
    joined = re.sub(
        r"in no event shall (?!the provider|licensor|any).{1,60}? be liable",
        "in no event shall owner be liable",
        joined,
    )
    return joined.split()


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
    if changed := _slipped(marks(found), known[best]["marks"]):
        return Match((), "changed", likeness, best, f"it is {title} but for restrictions: {changed}")
    return Match(tuple(known[best]["ids"]), "alike", likeness, best)


def _slipped(now: Mapping[str, int], then: Mapping[str, int]) -> str:
    more = [
        f'"{m}" stands in it {now.get(m, 0)} times and not {then.get(m, 0)}'
        for m in MARKS
        if now.get(m, 0) != then.get(m, 0)
    ]
    return ", ".join(more[:3])
