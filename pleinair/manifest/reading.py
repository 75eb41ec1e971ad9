"""piece.toml, with the venue's site.toml laid over it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..core.errors import ManifestFault, did_you_mean
from .document import Document, text_of
from .specs import KINDS_OF_OPERATOR, USES, Manifest, ModelSpec, Operator, SourceSpec

_TOP = {"title", "artist", "year", "uses", "seed", "about", "budget", "source", "sink", "model", "stage"}
_SITE_TOP = {"source", "sink", "osc", "midi", "serial", "artnet", "stage", "hours", "operator"}
MODEL_KEYS = {"card", "cards", "size", "backend", "precision", "threads", "interrupt", "bend", "tap"}


def read(folder: Path, site: Path | None = None) -> Manifest:
    """piece.toml of a folder (none is fine: everything has a default), with a site.toml over it. Raises
    ManifestFault."""
    path = folder / "piece.toml"
    manifest = parse(text_of(path), path) if path.exists() else Manifest(title=folder.name)
    if site is not None and not site.exists():
        raise ManifestFault(f"there is no {site}", now="the piece was not started")
    site = site or folder / "site.toml"
    if site.exists():
        doc = Document(text_of(site), site.name)
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
    doc = Document(text, path.name)
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


def _overlay(manifest: Manifest, data: dict[str, Any], doc: Document) -> None:
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


def _operator(data: dict[str, Any], doc: Document) -> Operator:
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


def _size(value: Any, doc: Document, section: str) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2 and all(type(v) is int and 0 < v <= 16_384 for v in value):
        return value[0], value[1]
    what = f"the size of {section} is [width, height] in pixels, and {doc.name} says {value!r}"
    raise doc.refuse("size", what, "size = [640, 480]", section)


def _model(name: str, table: Any, doc: Document) -> ModelSpec:
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
