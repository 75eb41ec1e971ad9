"""A TOML file as a person wrote it: what is wrong in it is said at its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import ManifestFault, did_you_mean


def text_of(path: Path) -> str:
    """A text that a person wrote, "" where there is none; without the mark that some editors put first."""
    try:
        return path.read_text("utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestFault(f"{path.name} cannot be read: {error}", now="the piece was not started") from None


@dataclass
class Document:
    """One TOML file as read: its faults point at its lines, which tomllib does not say."""

    text: str
    name: str

    def data(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            raise ManifestFault(
                f"{self.name} cannot be read: {error}",
                where=self._at(int(line[1])) if line else self._at(len(self.text.splitlines())),
                now="the piece was not started",
                hint='a text stands in quotes (title = "Mirror"), a size in brackets (size = [640, 480])',
            ) from None

    def _at(self, number: int) -> str:
        lines = self.text.splitlines()
        text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        return f"{self.name}, line {number}    {text[:72]}"

    def line(self, key: str, section: str = "") -> str:
        """Where a key stands, in `[section]`; or where the section `[... key]` begins."""
        part = r"[\"']?{}[\"']?"
        parts = r"\s*\.\s*".join(part.format(re.escape(p)) for p in f"{section}.{key}".strip(".").split("."))
        header = re.compile(rf"\s*\[\[?\s*{parts}\s*[\].]")
        assigned = re.compile(rf"\s*{part.format(re.escape(key))}\s*[=.]")
        now, best = "", None
        for number, line in enumerate(self.text.splitlines(), 1):
            if header.match(line):
                return self._at(number)
            if opened := re.match(r"\s*\[\[?([^\]]*)\]", line):
                now = re.sub(r"[\s\"']", "", opened[1])
            elif assigned.match(line):
                if now == section:
                    return self._at(number)
                best = best or number
        return self._at(best) if best else self.name

    def refuse(self, key: str, what: str, hint: str = "", section: str = "") -> ManifestFault:
        return ManifestFault(what, where=self.line(key, section), now="the piece was not started", hint=hint)

    def only(self, data: Mapping[str, Any], known: Iterable[str], section: str = "") -> None:
        known = set(known)
        for key in data:
            if key not in known:
                full = f"{section}.{key}".strip(".")
                what = f'{self.name} has a key that means nothing: "{full}"'
                raise self.refuse(key, what, did_you_mean(key, known), section)

    def typed(self, data: Mapping[str, Any], key: str, types: Any, default: Any, what: str, section: str = "") -> Any:
        if key not in data:
            return default
        value = data[key]
        if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
            raise self.refuse(key, f"{key} is {what}, and {self.name} says {value!r}", "", section)
        return value

    def table(self, data: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            raise self.refuse(key, f"{key} is a table in {self.name}: [{key}]")
        return value
