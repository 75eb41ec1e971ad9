"""piece.lock: what this machine found and decided, so that it is never decided again by chance."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import ManifestFault
from .document import Document, text_of


@dataclass
class Lock:
    """What this machine found and decided. `models`: name -> {"card", "asked", "sha256", "backend"}."""

    environment: dict[str, str] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """use -> what the licence gate said when it was locked: {"verdict", "date", "operator", "parts", "because"}."""
    overrides: list[dict[str, str]] = field(default_factory=list)
    """Who took a use upon themselves, with the piece: [{"use", "name", "reason", "date", "verdict", "parts"}]."""

    @classmethod
    def load(cls, path: Path) -> Lock:
        """An empty Lock where there is none. A broken one is a ManifestFault: it is evidence, not rubbish."""
        if not path.exists():
            return cls()
        doc = Document(text_of(path), path.name)
        data = doc.data()
        environment, models = doc.table(data, "environment"), doc.table(data, "model")
        verdicts, overrides = doc.table(data, "verdict"), data.get("override", [])
        tables = [*models.values(), *verdicts.values(), *(overrides if isinstance(overrides, list) else [overrides])]
        if not isinstance(overrides, list) or not all(isinstance(m, dict) for m in tables):
            raise ManifestFault(
                f"{path.name} cannot be read: what should be a table in it is none",
                where=str(path),
                now="the piece was not started",
                hint="bring it back from a copy; or delete it, and what runs next is locked anew",
            )
        return cls(dict(environment), dict(models), dict(verdicts), list(overrides))

    def save(self, path: Path) -> None:
        """Writes it whole or not at all; what is there already is not written again."""
        text = "# Written by pleinair: what this machine found and decided. Keep it with the piece.\n"
        said = {"verdict": self.verdicts} if self.verdicts else {}
        signed = {"override": self.overrides} if self.overrides else {}
        text += dumps({**signed, "environment": self.environment, "model": self.models, **said})
        if path.exists() and path.read_text("utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(text, "utf-8")
        draft.replace(path)

    def drift(self, environment: Mapping[str, str]) -> list[str]:
        """What has changed since it was locked, as sentences."""
        return [
            f"{name} was {was} when the piece was locked, and is {environment.get(name, 'gone')}"
            for name, was in self.environment.items()
            if environment.get(name) != was
        ]


def dumps(data: Mapping[str, Any], prefix: str = "") -> str:
    """TOML of nested tables of texts, numbers, truth values and lists of them. None is left out."""
    plain = {k: v for k, v in data.items() if not isinstance(v, Mapping) and v is not None}
    text = "".join(f"{_bare(k)} = {_value(v)}\n" for k, v in plain.items())
    for key, table in data.items():
        if isinstance(table, Mapping):
            name = f"{prefix}{_bare(key)}"
            text += f"\n[{name}]\n" + dumps(table, name + ".")
    return text


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value if v is not None) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_bare(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def environment() -> dict[str, str]:
    """What decides numbers on this machine: versions, instruction set."""
    import platform
    from importlib import metadata

    def version(name: str) -> str:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return "none"

    packages = ("pleinair", "numpy", "onnxruntime", "openvino", "av", "opencv-python-headless", "simplejpeg")
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "isa": isa(),
        **{name: version(name) for name in packages},
    }


def isa() -> str:
    """The instruction sets that change numbers, widest first; "unknown" where the system does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        import platform

        return platform.machine()
    flags = set(text.partition("flags")[2].partition("\n")[0].split())
    wanted = ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx512f", "avx2", "avx")
    return " ".join(f for f in wanted if f in flags) or "unknown"
