"""Between a tape and a piece: what a tape must keep of a piece, and the piece again out of a tape."""

from __future__ import annotations

import contextlib
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import manifest as manifests
from .addresses import open_source, split_uri
from .assembly import Loaded, execute
from .core.codec import decode, encode
from .core.errors import Fault, ModelFault, PieceFault
from .core.graph import Graph
from .core.kinds import KINDS, Image, Kind
from .core.model import Model
from .core.source import Raw, Sink, Source
from .manifest import Manifest
from .piece import FunctionNode, ModelNode
from .run.tape import Line, Tape

if TYPE_CHECKING:
    from .models.card import Card


def tape_meta(loaded: Loaded) -> dict[str, Any]:
    """What tape.json says of the piece."""
    return {"title": loaded.manifest.title, "name": loaded.name, "environment": manifests.environment()}


def tape_files(loaded: Loaded, graph: Graph) -> dict[str, str | bytes]:
    """What a run is made of besides its models' weights: the texts, those of cards of one's own (nobody else has them)
    among them, and pictures that stand in piece.toml."""
    files: dict[str, str | bytes] = {**loaded.texts, **_own_cards(loaded)}
    with contextlib.suppress(OSError):  # it was never locked
        files["piece.lock"] = loaded.lock_file.read_text("utf-8")
    for node in graph.nodes.values():
        if isinstance(node, ModelNode):
            for port, value in node.constants.items():
                if node.model.ports.get(port) is Image:
                    files[f"{node.name}.{port}.qoi"] = encode(Image, value).blob
    return files


def _own_cards(loaded: Loaded) -> dict[str, str | bytes]:
    """Texts of the cards that are not built in, `card.NAME.toml`, for a replay elsewhere has no others; and the licence
    texts that they name, `card.NAME.licence.txt`, for whoever has to prove what may be shown."""
    from .ingredients import cards_in
    from .licence.papers import read

    found: dict[str, str | bytes] = {}
    try:
        own = [card for card in cards_in(loaded.manifest) if card.text]
    except Fault:
        return {}  # a card that cannot be read now is said where it is loaded
    for card in own:
        found[_kept(card.name)] = card.text
        if card.weights.paper:
            with contextlib.suppress(OSError, ValueError):  # the gate says that it is not there
                found[f"card.{card.name}.licence.txt"] = read(card.folder / card.weights.paper)[0]
    return found


def _kept(name: str) -> str:
    return f"card.{name}.toml"


class _StandIn(Model):
    """In place of a model that is not asked (the tape holds what it said), or not to be had (then asking is a
    fault)."""

    def __init__(self, ports: list[str], kind: type[Kind], fault: Fault | None = None) -> None:
        self.ports = dict.fromkeys(ports, Image)
        self.kind = kind
        self._fault = fault or ModelFault("this model is not on the tape")

    def open(self) -> None:
        raise self._fault


AGAIN = ("file", "clip", "sound", "synthetic", "tick")
"""Sources that can make their frames again, so that a tape keeps only which ones they were."""


@dataclass
class _TapeParts:
    """Parts as the tape says they were. A device is not opened: its frames are on the tape."""

    tape: Tape
    start: Line
    loaded: Loaded
    notes: list[str] = field(default_factory=list)

    def source(self, name: str) -> Source:
        about = self.start["parts"].get(name) or {}
        if split_uri(about.get("uri", ""))[0] in AGAIN:
            return self._again(about)
        source = Source()
        source.kind = KINDS[about.get("kind", "Image")]
        return source

    def _again(self, about: dict[str, Any]) -> Source:
        """The same clip, found by its hash: where it was, or in the store."""
        from .models import store

        uri = about["uri"]
        if (digest := about.get("sha256")) and (path := store.path_of(digest)).exists():
            uri = f"{'sound' if split_uri(uri)[0] == 'sound' else 'file'}:{path}"
        try:
            return open_source(uri, self.loaded.file.parent, **about.get("options", {}))
        except Fault as fault:
            self.notes.append(fault.what)
            source = Source()
            source.kind = KINDS[about.get("kind", "Image")]
            return source

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        spec = self.loaded.manifest.models[name]
        constants = self._constants(name, spec)
        reads = self.loaded.piece.declared[name].reads
        ports = [port or "image" for port in reads] + [port for port in constants if port not in reads]
        kind = KINDS[self.start["nodes"][name][2]]
        cut = self.start.get("cut") or {}
        if name in cut.get("streams", ()) or name in cut.get("unproved", ()):
            return _StandIn(ports, kind), {}
        try:
            return self.card(self.start["parts"].get(name) or {}, spec.size, name), constants
        except Fault as fault:  # said when it is asked: perhaps it never was
            return _StandIn(ports, kind, fault), {}

    def interrupt(self, name: str) -> str | None:
        return self.loaded.manifest.models[name].interrupt

    def _constants(self, name: str, spec: manifests.ModelSpec) -> dict[str, Any]:
        constants = dict(spec.constants)
        for port in constants:
            if digest := self.start["files"].get(f"{name}.{port}.qoi"):
                constants[port] = decode(Raw("qoi", self.tape.blob(f"{digest}.qoi")))
        return constants

    def card(self, about: dict[str, Any], size: Any, name: str) -> Model:
        """A card as it was on the tape: the same backend, precision and threads, never chosen again."""
        from .models import load as load_model

        if not about.get("card") or not about.get("backend"):
            raise ModelFault(
                f"the weights of {name} were not there when this was recorded, and now it is to run",
                now="the replay stops here",
            )
        options = {**({"size": tuple(size)} if size else {}), **about.get("bent", {})}
        return load_model(self._own(about["card"]) or about["card"], backend=about["backend"], **options)

    def _own(self, name: str) -> Card | None:
        """A card of the artist's own as the tape keeps it, None for one that is built in. Its weights are known by
        their hash; ModelFault where they are not in the store of this computer."""
        from .models import store
        from .models.card import card_from

        digest = self.start["files"].get(_kept(name))
        if not digest:
            return None
        path = self.tape.folder / "piece" / f"{digest}.toml"
        card = card_from(tomllib.loads(self.tape.text(_kept(name), digest)), path)
        if missing := store.missing(card):
            lacking = ", ".join(f"{f.name} ({f.bytes / 1e6:.1f} MB, sha256 {f.sha256})" for f in missing)
            elsewhere = any(not s.startswith("file:") for f in missing for s in f.sources)
            raise ModelFault(
                f"the tape holds the card {name}, and its weights are not in the store of this computer: {lacking}",
                where=str(path),
                now="what it made cannot be made again here",
                hint=f"pleinair fetch {path}" if elsewhere else f"bring it here: pleinair models add {missing[0].name}",
            )
        return card

    def sink(self, name: str) -> Sink:
        return Sink()


class TapeHand:
    """Replay's way to the piece: builds what the tape says, from what the tape keeps. `notes`: what is not as it
    was."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._parts: _TapeParts | None = None
        self._latest: tuple[Line, Loaded, set[str]] | None = None

    def build(self, tape: Tape, start: Line) -> Graph:
        loaded = self._load(tape, start["files"])
        self._latest = None
        self._parts = _TapeParts(tape, start, loaded, self.notes)
        self._compare_environment(tape)
        return loaded.piece.build(self._parts, start["seed"])

    def change(self, tape: Tape, graph: Graph, node: str, what: str, detail: dict[str, Any]) -> None:
        target = graph.nodes[node]
        if what == "reload" and isinstance(target, FunctionNode):
            target.replace(self._reloaded(tape, detail["files"], node).piece.declared[node])
        elif what in ("swap", "open") and isinstance(target, ModelNode):
            size = detail.get("size") if what == "swap" else self._parts.loaded.manifest.models[node].size
            model = self._parts.card(detail["model"] if what == "swap" else detail, size, node)
            model.open()
            target.swap(model).close()
        elif what == "constant" and isinstance(target, ModelNode):
            target.constants[detail["port"]] = decode(Raw(detail["codec"], tape.blob(detail["file"])))

    def _reloaded(self, tape: Tape, files: Line, node: str) -> Loaded:
        """The piece as one reload brought it: its functions share what the module holds, as they did live, so it is
        executed once for all nodes, and again when a node comes round a second time."""
        if self._latest is None or self._latest[0] != files or node in self._latest[2]:
            self._latest = (files, self._load(tape, files), set())
        self._latest[2].add(node)
        return self._latest[1]

    def _load(self, tape: Tape, files: Line) -> Loaded:
        text = tape.text("piece.py", files.get("piece.py"))
        if text is None:
            raise PieceFault("the tape does not hold its piece")
        folder = tape.folder / "piece"
        manifest = Manifest()
        toml = tape.text("piece.toml", files.get("piece.toml")) if files.get("piece.toml") else ""
        if toml:
            manifest = manifests.parse(toml, folder / "piece.toml")
        beside = {n: tape.text(n, sha) for n, sha in files.items() if n.endswith(".py") and n != "piece.py"}
        file = folder / f"{tape.meta.get('name', 'piece')}.py"
        piece, beside = execute(text, file, beside)
        return Loaded(piece, manifest, file, text, toml, folder, beside)

    def _compare_environment(self, tape: Tape) -> None:
        was = tape.meta.get("environment") or {}
        for sentence in manifests.Lock(environment=was).drift(manifests.environment()):
            note = sentence.replace("when the piece was locked", "when this was recorded")
            if note not in self.notes:
                self.notes.append(note)
