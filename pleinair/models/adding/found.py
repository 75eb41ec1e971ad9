"""What a file says of itself, as far as a card can be made of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import ModelFault

NOW = "nothing was written"


@dataclass
class Found:
    """A file that was read, before it becomes a card.

    format      its format, for people ("GGUF")
    cards       task -> what the card says about running it as that, the likeliest first; empty: nothing here runs it
    why         why that is so, or what it needs: the second half of a sentence
    files       role -> the file on this computer
    made        role -> (file name, what makes its bytes out of others in the folder): when it is added, not before
    borrowed    role -> an entry of [files] out of another card, with its sources
    title, about, licence, stated_in   as the file states them, "" where it does not
    credits     (who, what)
    components  for the licence gate: base models, data sets, libraries
    voice       it speaks with somebody's voice: was that person asked?
    facts       (what, how much): further things that the file says, for people
    keep        what must not go as long as its files are wanted: a folder that a zip was unpacked into
    """

    format: str
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    why: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    made: dict[str, tuple[str, Callable[[], bytes]]] = field(default_factory=dict)
    borrowed: dict[str, dict[str, Any]] = field(default_factory=dict)
    title: str = ""
    about: str = ""
    licence: str = ""
    stated_in: str = ""
    credits: list[tuple[str, str]] = field(default_factory=list)
    components: list[dict[str, str]] = field(default_factory=list)
    voice: bool = False
    facts: list[tuple[str, str]] = field(default_factory=list)
    keep: Any = None

    def component(self, what: str, kind: str, **papers: str) -> None:
        """One more; `papers`: licence, stated_in, remark."""
        entry = {"what": what, "kind": kind, "licence": "unknown", **papers}
        self.components.append({k: v for k, v in entry.items() if v})

    def states(self, licence: object, where: str) -> None:
        """The file's own word about its licence, if it says one."""
        self.licence = licence_id(clean(licence)) if len(str(licence)) <= 300 else ""
        self.stated_in = where if self.licence else ""


def refuse(name: str, why: str, hint: str = "") -> ModelFault:
    return ModelFault(f"{name} cannot be added: {why}", now=NOW, hint=hint)


@functools.cache
def licence_id(text: str) -> str:
    """An SPDX identifier in its own spelling ("Apache-2.0" for "apache-2.0"); another tag as it is; "" for none."""
    from license_expression import ExpressionError, get_spdx_licensing

    text = text.strip()
    if text.lower() in ("", "other", "unknown", "none", "null", "n/a", "proprietary"):
        return ""
    try:
        return str(get_spdx_licensing().parse(text, validate=True))
    except (ExpressionError, ValueError, TypeError, AttributeError):
        return text if len(text) <= 80 else ""  # cut short it might say another thing


def clean(text: Any, most: int = 300) -> str:
    """A text out of a file, on one line, for a card and a terminal."""
    line = " ".join(str(text).split()) if isinstance(text, (str, int, float)) else ""
    return "".join(c for c in line if c.isprintable())[:most]


def table_of(name: str) -> dict[str, Any]:
    """What a built-in card says about running: a card of one's own of the same kind says the same."""
    import tomllib

    from ..card import BUILT_IN

    table = tomllib.loads((BUILT_IN / f"{name}.toml").read_text("utf-8"))
    keep = ("size", "ports", "names", "constants", "options", "senses", "makes", "tolerance")
    found = {key: table[key] for key in keep if key in table}
    if libraries := [c for c in table.get("components", ()) if c.get("kind") == "library"]:
        found["components"] = libraries
    return found
