"""piece.toml, site.toml and piece.lock: the only place that reads them.

piece.toml travels with the work and a person writes it. site.toml belongs to the venue and lies over it. piece.lock is
the machine's: what was found and decided, so that it is never decided again by chance.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .core.errors import ManifestFault, did_you_mean

USES = (
    "develop", "exhibit-free", "exhibit-paid", "sell-outputs", "sell-edition", "archive-deposit", "fine-tune",
    "publish-weights",
)  # fmt: skip


@dataclass
class SourceSpec:
    """device: a plug-in's name, or `plug-in:target` ("webcam", "file:clip.mp4"). Further keys go to the plug-in."""

    device: str
    fallback: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass
class ModelSpec:
    """card: the card's name. `cards`: those it may be swapped for live. Further keys are constants for its ports."""

    card: str
    cards: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    backend: str = "auto"
    precision: str | None = None
    threads: int | None = None
    constants: dict[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass
class Manifest:
    title: str = "Untitled"
    artist: str = ""
    year: int | None = None
    uses: tuple[str, ...] = ("develop",)
    seed: int = 0
    about: str = ""
    age_ms: float | None = None
    sources: dict[str, SourceSpec] = field(default_factory=dict)
    sinks: dict[str, SourceSpec] = field(default_factory=dict)
    models: dict[str, ModelSpec] = field(default_factory=dict)
    port: int = 8765
    lan: bool = False
    file: str = "piece.toml"


_TOP = {"title", "artist", "year", "uses", "seed", "about", "budget", "source", "sink", "model", "stage"}
_SITE_TOP = {"source", "sink", "osc", "midi", "serial", "artnet", "stage", "hours", "operator"}
_MODEL_KEYS = {"card", "cards", "size", "backend", "precision", "threads"}


def read(folder: Path, site: Path | None = None) -> Manifest:
    """piece.toml of a folder (none is fine: everything has a default), with a site.toml over it. Raises ManifestFault."""
    path = folder / "piece.toml"
    manifest = _manifest(_load(path), path) if path.exists() else Manifest(title=folder.name)
    if site is not None:
        if not site.exists():
            raise ManifestFault(f"there is no {site}", now="the piece was not started")
        _overlay(manifest, _load(site), site)
    elif (folder / "site.toml").exists():
        _overlay(manifest, _load(folder / "site.toml"), folder / "site.toml")
    return manifest


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ManifestFault(
            f"{path.name} cannot be read: {error}",
            where=_at(path, int(line[1]) if line else None),
            now="the piece was not started",
            hint='a text stands in quotes (title = "Mirror"), a size in brackets (size = [640, 480])',
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestFault(f"{path.name} cannot be read: {error}", now="the piece was not started") from None


def _at(path: Path, line: int | None) -> str:
    if line is None:
        return path.name
    lines = path.read_text("utf-8", "replace").splitlines()
    text = lines[line - 1].strip() if line <= len(lines) else ""
    return f"{path.name}, line {line}    {text[:72]}"


def _key(path: Path, key: str) -> str:
    """Where a key stands in the file: tomllib does not say."""
    pattern = re.compile(rf"^\s*(\[[^\]]*\b{re.escape(key)}\b[^\]]*\]|[\"']?{re.escape(key)}[\"']?\s*=)")
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if pattern.match(line):
            return _at(path, number)
    return path.name


def _refuse(path: Path, key: str, what: str, hint: str = "") -> ManifestFault:
    return ManifestFault(what, where=_key(path, key), now="the piece was not started", hint=hint)


def _only(data: Mapping[str, Any], known: Iterable[str], path: Path, place: str = "") -> None:
    known = set(known)
    for key in data:
        if key not in known:
            raise _refuse(path, key, f'{path.name} has a key that means nothing: "{place}{key}"', did_you_mean(key, known))


def _typed(data: Mapping[str, Any], key: str, types: Any, default: Any, path: Path, what: str) -> Any:
    value = data.get(key, default)
    if value is not default and (not isinstance(value, types) or isinstance(value, bool) and types is not bool):
        raise _refuse(path, key, f"{key} is {what}, and {path.name} says {value!r}")
    return value


def _manifest(data: dict[str, Any], path: Path) -> Manifest:
    _only(data, _TOP, path)
    uses = data.get("uses", ["develop"])
    for use in uses if isinstance(uses, list) else [uses]:
        if use not in USES:
            raise _refuse(path, "uses", f'"{use}" is no use that the licence gate knows', did_you_mean(str(use), USES))
    budget = _table(data, "budget", path)
    _only(budget, {"age_ms"}, path, "budget.")
    manifest = Manifest(
        title=_typed(data, "title", str, path.parent.name, path, "a text"),
        artist=_typed(data, "artist", str, "", path, "a text"),
        year=_typed(data, "year", int, None, path, "a whole number"),
        uses=tuple(uses),
        seed=_typed(data, "seed", int, 0, path, "a whole number"),
        about=_typed(data, "about", str, "", path, "a text"),
        age_ms=_typed(budget, "age_ms", (int, float), None, path, "a number of milliseconds"),
        file=str(path),
    )
    _overlay(manifest, {k: data[k] for k in ("source", "sink", "stage") if k in data}, path)
    for name, table in _table(data, "model", path).items():
        manifest.models[name] = _model(name, table, path)
    return manifest


def _table(data: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise _refuse(path, key, f"{key} is a table in {path.name}: [{key}]")
    return value


def _overlay(manifest: Manifest, data: dict[str, Any], path: Path) -> None:
    if path.name != "piece.toml":
        _only(data, _SITE_TOP, path)
    for word, specs in (("source", manifest.sources), ("sink", manifest.sinks)):
        for name, table in _table(data, word, path).items():
            if not isinstance(table, dict):
                raise _refuse(path, name, f"[{word}.{name}] is a table", f'[{word}.{name}]\n         device = "..."')
            table = dict(table)
            known = specs.get(name)
            device = table.pop("device", known.device if known else name)
            fallback = table.pop("fallback", known.fallback if known else None)
            if not isinstance(device, str) or not isinstance(fallback, str | None):
                raise _refuse(path, "device", f"the device of {name} is a text, and {path.name} says {device!r}")
            same_device = known is not None and known.device == device
            options = {**(known.options if known and same_device else {}), **table}
            if "size" in options:
                options["size"] = _size(options["size"], path, f"{word}.{name}")
            elif known and "size" in known.options:
                options["size"] = known.options["size"]
            specs[name] = SourceSpec(device, fallback, options, _key(path, name))
    stage = _table(data, "stage", path)
    _only(stage, {"port", "lan", "token"}, path, "stage.")
    manifest.port = _typed(stage, "port", int, manifest.port, path, "a port's number")
    manifest.lan = _typed(stage, "lan", bool, manifest.lan, path, "true or false")


def _size(value: Any, path: Path, place: str) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 < v <= 16_384 for v in value):
        return value[0], value[1]
    raise _refuse(path, "size", f"the size of {place} is [width, height] in pixels, and {path.name} says {value!r}")


def _model(name: str, table: Any, path: Path) -> ModelSpec:
    if not isinstance(table, dict) or not isinstance(table.get("card", (table.get("cards") or [None])[0]), str):
        raise _refuse(path, name, f"[model.{name}] names no card", 'card = "multistyle26"; pleinair models list shows them')
    cards = tuple(table.get("cards", ()))
    spec = ModelSpec(
        card=table.get("card") or cards[0],
        cards=cards,
        backend=_typed(table, "backend", str, "auto", path, "a backend's name"),
        precision=_typed(table, "precision", str, None, path, "f32 or bf16"),
        threads=_typed(table, "threads", int, None, path, "a whole number"),
        constants={k: v for k, v in table.items() if k not in _MODEL_KEYS},
        where=_key(path, f"model.{name}"),
    )
    if "size" in table:
        spec.size = _size(table["size"], path, f"model.{name}")
    return spec


# -- piece.lock ------------------------------------------------------------------------------------------------------


@dataclass
class Lock:
    """What this machine found and decided. `models`: name -> {"card", "asked", "sha256", "backend"}."""

    environment: dict[str, str] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Lock:
        """An empty Lock where there is none. A broken one is a ManifestFault: it is evidence, not rubbish."""
        if not path.exists():
            return cls()
        data = _load(path)
        return cls(dict(data.get("environment", {})), dict(data.get("model", {})))

    def save(self, path: Path) -> None:
        text = "# Written by pleinair: what this machine found and decided. Keep it with the piece.\n"
        text += dumps({"environment": self.environment, "model": self.models})
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
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


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
