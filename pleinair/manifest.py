"""piece.toml, site.toml and piece.lock: the only place that reads them.

piece.toml travels with the work and a person writes it. site.toml belongs to the venue and lies over it. piece.lock is
the machine's: what was found and decided, so that it is never decided again by chance.
"""

from __future__ import annotations

import json
import math
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
    """card: the card's name. `cards`: those it may be swapped for live. `interrupt`: the stream that ends an answer
    that is being given. `bend`, `tap`: layers that are played, or shown (models.bend). Further keys are constants
    for its ports."""

    card: str
    cards: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    backend: str = "auto"
    precision: str | None = None
    threads: int | None = None
    interrupt: str | None = None
    bend: dict[str, Any] = field(default_factory=dict)
    tap: Any = None
    constants: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    lines: dict[str, str] = field(default_factory=dict)
    """Where each key stands."""


KINDS_OF_OPERATOR = ("artist", "museum", "gallery", "school", "company")


@dataclass(frozen=True)
class Operator:
    """Who runs the work (site.toml, [operator]): some licences depend on it. What is not said is not known.

    kind  artist, museum, gallery, school or company; revenue_eur  of a year, with all affiliates
    territory  a country's two letters, or "EU"
    """

    kind: str = ""
    revenue_eur: float | None = None
    territory: str = ""


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
    operator: Operator = Operator()
    file: str = "piece.toml"


_TOP = {"title", "artist", "year", "uses", "seed", "about", "budget", "source", "sink", "model", "stage"}
_SITE_TOP = {"source", "sink", "osc", "midi", "serial", "artnet", "stage", "hours", "operator"}
MODEL_KEYS = {"card", "cards", "size", "backend", "precision", "threads", "interrupt", "bend", "tap"}


def text_of(path: Path) -> str:
    """A text that a person wrote, "" where there is none; without the mark that some editors put first."""
    try:
        return path.read_text("utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestFault(f"{path.name} cannot be read: {error}", now="the piece was not started") from None


def read(folder: Path, site: Path | None = None) -> Manifest:
    """piece.toml of a folder (none is fine: everything has a default), with a site.toml over it. Raises
    ManifestFault."""
    path = folder / "piece.toml"
    manifest = parse(text_of(path), path) if path.exists() else Manifest(title=folder.name)
    if site is not None and not site.exists():
        raise ManifestFault(f"there is no {site}", now="the piece was not started")
    site = site or folder / "site.toml"
    if site.exists():
        doc = _Doc(text_of(site), site.name)
        data = doc.data()
        doc.only(data, _SITE_TOP)
        _overlay(manifest, data, doc)
        manifest.operator = _operator(data, doc)
    for spec in manifest.models.values():
        spec.card, spec.cards = beside(spec.card, folder), tuple(beside(card, folder) for card in spec.cards)
    return manifest


def beside(card: str, folder: Path) -> str:
    """A card as `models.card.find_card` takes it: one that is a path is meant from the piece's own folder."""
    is_path = "/" in card or "\\" in card or card.endswith(".toml")
    return str(folder / card) if is_path and not Path(card).expanduser().is_absolute() else card


def parse(text: str, path: Path) -> Manifest:
    """What a piece.toml says. `path`: where it stands, or stood."""
    doc = _Doc(text, path.name)
    data = doc.data()
    doc.only(data, _TOP)
    uses = data.get("uses", ["develop"])
    if not isinstance(uses, list) or not uses:
        raise doc.refuse("uses", f"uses is a list of texts, and {doc.name} says {uses!r}", 'uses = ["exhibit-free"]')
    for use in uses:
        if use not in USES:
            raise doc.refuse("uses", f"{use!r} is no use that the licence gate knows", did_you_mean(str(use), USES))
    budget = doc.table(data, "budget")
    doc.only(budget, {"age_ms"}, "budget")
    age_ms = doc.typed(budget, "age_ms", (int, float), None, "a number of milliseconds", "budget")
    if age_ms is not None and not 0 < age_ms < math.inf:
        raise doc.refuse("age_ms", f"age_ms is a number of milliseconds, and {doc.name} says {age_ms!r}", "", "budget")
    manifest = Manifest(
        title=doc.typed(data, "title", str, path.parent.name, "a text"),
        artist=doc.typed(data, "artist", str, "", "a text"),
        year=doc.typed(data, "year", int, None, "a whole number"),
        uses=tuple(uses),
        seed=doc.typed(data, "seed", int, 0, "a whole number"),
        about=doc.typed(data, "about", str, "", "a text"),
        age_ms=age_ms,
        file=str(path),
    )
    _overlay(manifest, data, doc)
    for name, table in doc.table(data, "model").items():
        manifest.models[name] = _model(name, table, doc)
    return manifest


@dataclass
class _Doc:
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


def _overlay(manifest: Manifest, data: dict[str, Any], doc: _Doc) -> None:
    for word, specs in (("source", manifest.sources), ("sink", manifest.sinks)):
        for name, table in doc.table(data, word).items():
            if not isinstance(table, dict):
                raise doc.refuse(name, f"[{word}.{name}] is a table", f'[{word}.{name}]\n         device = "..."', word)
            section = f"{word}.{name}"
            table = dict(table)
            known = specs.get(name)
            device = table.pop("device", known.device if known else name)
            fallback = table.pop("fallback", known.fallback if known else None)
            if not isinstance(device, str) or not isinstance(fallback, str | None):
                wrong = "fallback" if isinstance(device, str) else "device"
                what = f"the {wrong} of {name} is a text, and {doc.name} says {data[word][name][wrong]!r}"
                raise doc.refuse(wrong, what, f'{wrong} = "webcam"', section)
            same_device = known is not None and known.device == device
            options = {**(known.options if known and same_device else {}), **table}
            if "size" in table:
                options["size"] = _size(options["size"], doc, section)
            elif known and "size" in known.options:
                options["size"] = known.options["size"]
            specs[name] = SourceSpec(device, fallback, options, doc.line(section))
    stage = doc.table(data, "stage")
    doc.only(stage, {"port", "lan", "token"}, "stage")
    manifest.port = doc.typed(stage, "port", int, manifest.port, "a port's number", "stage")
    if not 0 <= manifest.port <= 65_535:
        raise doc.refuse("port", f"a port's number is 0..65535, and {doc.name} says {manifest.port}", "", "stage")
    manifest.lan = doc.typed(stage, "lan", bool, manifest.lan, "true or false", "stage")


def _operator(data: dict[str, Any], doc: _Doc) -> Operator:
    table = doc.table(data, "operator")
    doc.only(table, {"kind", "revenue_eur", "territory"}, "operator")
    kind = doc.typed(table, "kind", str, "", "a text", "operator")
    if kind and kind not in KINDS_OF_OPERATOR:
        raise doc.refuse("kind", f"{kind!r} is no kind of operator", did_you_mean(kind, KINDS_OF_OPERATOR), "operator")
    revenue = doc.typed(table, "revenue_eur", (int, float), None, "a number of euros a year", "operator")
    if revenue is not None and not 0 <= revenue < math.inf:
        raise doc.refuse("revenue_eur", f"{revenue!r} is no yearly revenue", "", "operator")
    territory = doc.typed(table, "territory", str, "", 'a country ("DE") or "EU"', "operator")
    return Operator(kind, revenue, territory)


def _size(value: Any, doc: _Doc, section: str) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 < v <= 16_384 for v in value):
        return value[0], value[1]
    what = f"the size of {section} is [width, height] in pixels, and {doc.name} says {value!r}"
    raise doc.refuse("size", what, "size = [640, 480]", section)


def _model(name: str, table: Any, doc: _Doc) -> ModelSpec:
    section = f"model.{name}"
    how = 'card = "multistyle26"; pleinair models list shows them'
    if not isinstance(table, dict):
        raise doc.refuse(name, f"[{section}] names no card", how, "model")
    cards = table.get("cards", [])
    if not isinstance(cards, list) or not all(isinstance(c, str) and c for c in cards):
        raise doc.refuse("cards", f"cards is a list of cards' names, and {doc.name} says {cards!r}", "", section)
    card = table.get("card", cards[0] if cards else None)
    if not isinstance(card, str) or not card:
        raise doc.refuse(section, f"[{section}] names no card", how)
    spec = ModelSpec(
        card=card,
        cards=tuple(cards),
        backend=doc.typed(table, "backend", str, "auto", "a backend's name", section),
        precision=doc.typed(table, "precision", str, None, "f32 or bf16", section),
        threads=doc.typed(table, "threads", int, None, "a whole number", section),
        interrupt=doc.typed(table, "interrupt", str, None, "a stream's name in quotes", section),
        bend=doc.typed(table, "bend", dict, {}, '{ NAME = "LAYER" }', section),
        tap=table.get("tap"),
        constants={k: v for k, v in table.items() if k not in MODEL_KEYS},
        where=doc.line(section),
    )
    spec.lines = {key: doc.line(key, section) for key in table}
    if spec.threads is not None and spec.threads < 1:
        raise doc.refuse("threads", f"threads is 1 or more, and {doc.name} says {spec.threads}", "", section)
    if "size" in table:
        spec.size = _size(table["size"], doc, section)
    return spec


# -- piece.lock ------------------------------------------------------------------------------------------------------


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
        doc = _Doc(text_of(path), path.name)
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
