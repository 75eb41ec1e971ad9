"""What this machine puts behind the names of a piece: its devices, its models, what it decided once (piece.lock)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import manifest as manifests
from . import plugins
from .addresses import card_options, open_source, read_picture, source_class, split_uri
from .core.errors import Fault, ManifestFault, ModelFault, PieceFault, did_you_mean
from .core.graph import Graph, SourceNode
from .core.kinds import Audio, Image
from .core.model import Model
from .core.source import Sink, Source
from .manifest import Lock, SourceSpec
from .piece import ModelNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .assembly import Loaded
    from .manifest import ModelSpec

DEFAULT_DEVICE = {"camera": "webcam", "tick": "tick"}


def _stand_in(uri: str) -> str:
    """What plays for a device where nothing better is known: a painted room, or silence for what is heard."""
    scheme = split_uri(uri)[0]
    heard = scheme in plugins.names("sources") and getattr(plugins.find("sources", scheme), "kind", Image) is Audio
    return "silence" if heard else "synthetic:room"


def _others(spec: ModelSpec, pinned: Mapping[str, Any]) -> bool:
    """Whether the card names other weights than those that were locked: what ran them need not run these."""
    from .models.card import find_card

    try:
        return pinned.get("sha256") not in (None, find_card(spec.card).sha256)
    except Fault:  # there is no such card any more: that is said where it is loaded
        return False


class MachineParts:
    """What this machine puts behind the names of a piece.

    sources    NAME -> URI, over what piece.toml says (the command line's --source)
    stand_in   every device becomes a synthetic one (`check` on a machine without devices)
    notices    filled with sentences: what stands in for what, what has drifted
    """

    def __init__(
        self, loaded: Loaded, *, sources: dict[str, str] | None = None, stand_in: bool = False, live: bool = False,
        precision: str | None = None,
    ) -> None:  # fmt: skip
        self.loaded = loaded
        self.lock = Lock.load(loaded.lock_file)
        self.notices: list[dict[str, str]] = []
        self.uris: dict[str, str] = {}
        self._options: dict[str, dict[str, Any]] = {}
        self.stood_in: set[str] = set()
        self._sources = sources or {}
        self._stand_in, self._live, self._precision = stand_in, live, precision
        for name in self._sources:
            if name not in loaded.piece.declared:
                known = [d.name for d in loaded.piece.declared.values() if d.word == "source"]
                raise PieceFault(f'the piece has no source "{name}"', hint=did_you_mean(name, known))

    def source(self, name: str) -> Source:
        spec = self.loaded.manifest.sources.get(name)
        if spec is None:
            device = DEFAULT_DEVICE.get(name) or (name if name in plugins.names("sources") else None)
            if device is None and name not in self._sources:
                raise PieceFault(
                    f"piece.toml does not say what {name} is",
                    where=self.loaded.piece.declared[name].where,
                    now="the piece was not started",
                    hint=f'[source.{name}]\n         device = "webcam"      (or "file:clip.mp4", "browser")',
                )
            spec = SourceSpec(device or "synthetic")
        uri, options = spec.device, dict(spec.options)
        if name in self._sources:
            uri, options = self._sources[name], {k: v for k, v in options.items() if k == "size"}
        elif self._stand_in and split_uri(uri)[0] not in ("tick", "synthetic", "sound"):
            uri, options = _stand_in(uri), {k: v for k, v in options.items() if k == "size"}
        elif self._live and spec.fallback and (why := self._absent(uri)):
            return self._stand_in_for(name, spec, why)
        self.uris[name], self._options[name] = uri, {**card_options(uri), **options}
        return self._opened(uri, options, spec)

    def _opened(self, uri: str, options: dict[str, Any], spec: SourceSpec) -> Source:
        try:
            return open_source(uri, self.loaded.file.parent, **options)
        except Fault as fault:
            fault.where = fault.where or spec.where
            raise

    def _stand_in_for(self, name: str, spec: SourceSpec, why: str) -> Source:
        """What plays while the device is not there: what piece.toml says; without that, a painted room."""
        try:
            source_class(split_uri(spec.device)[0], spec.options)  # a slip is said today, not when the camera comes
        except Fault as fault:
            fault.where = fault.where or spec.where
            raise
        options = {k: v for k, v in spec.options.items() if k == "size"}
        uri = spec.fallback or ""
        self.stood_in.add(name)
        try:
            source = self._opened(uri, options, spec)
            self.notices.append({"name": name, "text": f"{why}; {uri} plays in its place"})
        except ModelFault as fault:
            uri = _stand_in(spec.device)
            instead = "it is silent until then" if uri == "silence" else "a painted room plays in its place"
            text = f"{why}, and {fault.what}; {instead}"
            self.notices.append({"name": name, "text": text + (f" ({fault.hint})" if fault.hint else "")})
            source = self._opened(uri, options, spec)
        self.uris[name], self._options[name] = uri, {**card_options(uri), **options}
        return source

    @staticmethod
    def _absent(uri: str) -> str | None:
        """Why a device is not there, as far as its plug-in can tell beforehand."""
        scheme, target = split_uri(uri)
        absent = getattr(plugins.find("sources", scheme), "absent", None)
        return absent(target) if callable(absent) else None

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        from .models import load as load_model
        from .models.absent import AbsentModel

        spec = self.loaded.manifest.models.get(name)
        declared = self.loaded.piece.declared[name]
        if spec is None:
            raise PieceFault(
                f"piece.toml does not say which card {name} is",
                where=declared.where,
                now="the piece was not started",
                hint=f'[model.{name}]\n         card = "multistyle26"      (pleinair models list shows them all)',
            )
        options = self._model_options(name, spec)
        try:
            model = load_model(spec.card, **options)
            return model, self._constants(model, spec)
        except Fault as fault:
            fault.where = fault.where or spec.where
            if not self._live:
                raise
        try:
            model = AbsentModel(spec.card, options)
            return model, self._constants(model, spec)
        except Fault as fault:
            fault.where = fault.where or spec.where
            raise

    def interrupt(self, name: str) -> str | None:
        """The stream that piece.toml lets interrupt a model."""
        spec = self.loaded.manifest.models.get(name)
        return spec.interrupt if spec else None

    def _constants(self, model: Model, spec: manifests.ModelSpec) -> dict[str, Any]:
        """Constants as piece.toml spells them; a picture is named by its file, beside the piece."""
        constants = dict(spec.constants)
        for key in constants:
            if key not in model.ports:  # a slip of the pen in a key of ours looks like a port too
                raise ManifestFault(
                    f"{spec.card} has no port {key}, and piece.toml has no key of that name",
                    where=spec.lines.get(key, spec.where),
                    now="the piece was not started",
                    hint=did_you_mean(key, {*model.ports, *manifests.MODEL_KEYS}),
                )
        for port, value in constants.items():
            if model.ports.get(port) is Image and isinstance(value, str):
                constants[port] = read_picture(self.loaded.file.parent / value)
        return constants

    def _model_options(self, name: str, spec: manifests.ModelSpec) -> dict[str, Any]:
        options: dict[str, Any] = {"size": spec.size, "threads": spec.threads}
        options["precision"] = self._precision or spec.precision
        options["backend"] = spec.backend
        options["bend"], options["tap"] = spec.bend or None, spec.tap
        asked = self._asked(spec, options["precision"])
        pinned = self.lock.models.get(name, {})
        if pinned.get("asked") == asked and pinned.get("backend") and not _others(spec, pinned):
            options["backend"], options["precision"], options["threads"] = pinned["backend"], None, None
        return {k: v for k, v in options.items() if v is not None}

    def sink(self, name: str) -> Sink:
        spec = self.loaded.manifest.sinks.get(name) or SourceSpec(name)
        scheme, target = split_uri(spec.device)
        factory = plugins.find("sinks", scheme)
        if self._stand_in:
            return plugins.find("sinks", "null")()  # `check` sends nothing out and writes nothing
        return factory(target, **spec.options)

    def finish(self, graph: Graph) -> Graph:
        for node in graph.nodes.values():
            if isinstance(node, SourceNode) and node.source:
                node.about = {
                    "uri": self.uris[node.name],
                    "options": self._options[node.name],
                    "kind": node.kind.__name__,
                }
        return graph

    def save_lock(self, graph: Graph) -> list[str]:
        """Compares with piece.lock, writes what is new; returns what has drifted as sentences."""
        environment = manifests.environment()
        drift = self.lock.drift(environment)
        for name, node in graph.nodes.items():
            if isinstance(node, ModelNode) and (about := node.describe()).get("backend", {}).get("version"):
                spec = self.loaded.manifest.models[name]
                known = self.lock.models.get(name, {})
                if known.get("sha256") not in (None, about.get("sha256")) and known.get("card") == self._word(spec):
                    drift.append(f"the weights of {name} are others than when the piece was locked")
                self.lock.models[name] = {
                    "card": self._word(spec),
                    "asked": self._asked(spec, self._precision or spec.precision),
                    "sha256": about.get("sha256"),
                    **({k: about.get(k) for k in ("card_sha256", "files")} if about.get("card_sha256") else {}),
                    "backend": about["backend"],
                }
        if not self.lock.environment:
            self.lock.environment = environment
        self.lock.save(self.loaded.lock_file)
        return drift

    def _asked(self, spec: manifests.ModelSpec, precision: str | None) -> str:
        size = "x".join(map(str, spec.size)) if spec.size else "default"
        return f"{self._word(spec)} {size} {spec.backend} {precision or 'any'} {spec.threads or 'any'}"

    def _word(self, spec: manifests.ModelSpec) -> str:
        """The card as the lock names it: one beside the piece by its path from there, so that the folder can move."""
        path = Path(spec.card)
        folder = self.loaded.file.parent
        return f"./{path.relative_to(folder).as_posix()}" if path.is_relative_to(folder) else spec.card
