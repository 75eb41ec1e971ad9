"""From a folder to a graph that can run: finds the piece, reads it, and puts machine parts behind its names."""

from __future__ import annotations

import inspect
import linecache
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import manifest as manifests
from . import plugins
from .core.errors import Fault, ManifestFault, ModelFault, PieceFault, at_line, did_you_mean
from .core.graph import Graph, SourceNode
from .core.kinds import Control, Image
from .core.model import Model
from .core.source import Sink, Source
from .manifest import Lock, Manifest, SourceSpec
from .neighbours import neighbours
from .piece import ModelNode, Piece

GALLERY = Path(__file__).parent / "gallery"
DEFAULT_DEVICE = {"camera": "webcam", "tick": "tick"}


@dataclass
class Loaded:
    """A piece as read from disk. `home`: where its lock, presets and tapes go (a gallery piece lives elsewhere)."""

    piece: Piece
    manifest: Manifest
    file: Path
    text: str
    toml: str
    home: Path
    beside: dict[str, str] = field(default_factory=dict)
    """Modules of the artist's own that the piece imports: path from its folder -> text."""
    site: Path | None = None
    site_text: str = ""
    """The venue's file that was laid over piece.toml, and what it said."""

    @property
    def texts(self) -> dict[str, str]:
        """All that was written by a person."""
        return {"piece.py": self.text, **({"piece.toml": self.toml} if self.toml else {}), **self.beside}

    @property
    def watched(self) -> list[Path]:
        """The files whose saving is a change of the piece."""
        beside = [self.file.parent / name for name in ("piece.toml", *self.beside)]
        return [self.file, *beside, *([self.site] if self.site else [])]

    @property
    def name(self) -> str:
        return self.file.parent.name

    @property
    def lock_file(self) -> Path:
        return self.home / "piece.lock"


def gallery() -> dict[str, Path]:
    return {p.parent.name: p for p in sorted(GALLERY.glob("*/piece.py"))}


def locate(where: str | Path) -> Path:
    """The piece.py that a folder, a file or a gallery piece's name means. Raises PieceFault."""
    path = Path(where)
    if path.is_file() and path.suffix == ".py":
        return path.resolve()
    if path.is_dir() and (path / "piece.py").is_file():
        return (path / "piece.py").resolve()
    if str(where) in gallery():
        return gallery()[str(where)]
    if path.is_dir():
        raise PieceFault(
            f"there is no piece.py in {path}", hint=f"pleinair new {path / 'mine'} makes one to start from"
        )
    raise PieceFault(f'there is no piece "{where}"', hint=did_you_mean(str(where), gallery()))


def load(where: str | Path, site: Path | None = None) -> Loaded:
    """Reads piece.py and piece.toml. Raises PieceFault or ManifestFault at the artist's line."""
    file = locate(where)
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PieceFault(f"{file.name} cannot be read: {error}") from None
    toml = manifests.text_of(file.parent / "piece.toml")
    manifest = manifests.read(file.parent, site)
    piece, beside = execute(text, file)
    venue = site or file.parent / "site.toml"
    loaded = Loaded(piece, manifest, file, text, toml, _home(file), beside, venue, manifests.text_of(venue))
    _refuse_strangers(loaded)
    return loaded


def _refuse_strangers(loaded: Loaded) -> None:
    """A table of piece.toml that no line of piece.py speaks of is a slip: its source would quietly be another."""
    manifest, declared = loaded.manifest, loaded.piece.declared.values()
    for word, specs in (("source", manifest.sources), ("sink", manifest.sinks), ("model", manifest.models)):
        known = [d.name for d in declared if d.word == word]
        for name, spec in specs.items():
            if name not in known and spec.where.startswith("piece.toml"):
                raise ManifestFault(
                    f"piece.toml says what {name} is, and the piece has no {word} of that name",
                    where=spec.where,
                    now="the piece was not started",
                    hint=did_you_mean(name, known),
                )


def _home(file: Path) -> Path:
    if GALLERY in file.parents:
        from .folders import piece_dir

        return piece_dir(file.parent.name)
    return file.parent


def execute(text: str, file: Path, kept: dict[str, str] | None = None) -> tuple[Piece, dict[str, str]]:
    """Runs piece.py; returns its Piece, and the modules beside it that it imported. An error in it is a PieceFault at
    its line. `kept`: those modules out of a tape."""
    name = str(file)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    module = types.ModuleType("piece")
    module.__file__ = name
    try:
        with neighbours(file.parent, kept) as beside:
            exec(compile(text, name, "exec"), module.__dict__)
    except SyntaxError as error:
        broken = Path(error.filename).name if error.filename else file.name  # perhaps a module beside it
        raise PieceFault(
            f"{broken} is not Python yet: {error.msg}",
            where=f"{broken}, line {error.lineno}    {(error.text or '').strip()[:72]}",
            now="the piece was not started",
        ) from None
    except Fault as fault:
        fault.now = fault.now or "the piece was not started"
        raise
    except (Exception, SystemExit) as error:
        raise PieceFault(
            f"{file.name} stopped while it was read: {type(error).__name__}: {error}",
            where=_line_in(error, name),
            now="the piece was not started",
        ) from error
    pieces = [v for v in vars(module).values() if isinstance(v, Piece)]
    if not pieces:
        raise PieceFault(f"{file.name} makes no Piece", hint="from pleinair import Piece\n         piece = Piece()")
    piece = module.__dict__["piece"] if isinstance(module.__dict__.get("piece"), Piece) else pieces[0]
    return piece, beside


def _line_in(error: BaseException, name: str) -> str:
    import traceback

    for entry in reversed(traceback.extract_tb(error.__traceback__)):
        if entry.filename == name:
            return at_line(name, entry.lineno or 0)
    return ""


def split_uri(uri: str) -> tuple[str, str]:
    """("file", "clip.mp4") of "file:clip.mp4"; an address with // is its own target."""
    scheme, _, target = uri.partition(":")
    return (scheme, uri) if target.startswith("//") else (scheme, target)


def _checked_keys(scheme: str, options: Mapping[str, Any]) -> Any:
    """The class behind a source's name; PieceFault for a key that it does not know."""
    factory = plugins.find("sources", scheme)
    known = [*inspect.signature(factory).parameters][1:]
    for key in options:
        if key not in known:
            raise PieceFault(
                f'{scheme} has no key "{key}"',
                now="the piece was not started",
                hint=did_you_mean(key, [*known, "device", "fallback"]),
            )
    return factory


def open_source(uri: str, folder: Path | None = None, **options: Any) -> Source:
    """The source that an address means: `webcam`, `file:clip.mp4`, `clip:CARD`, `sound:speech.wav` (or a clip's
    card), `synthetic`, `rtsp://...`."""
    scheme, target = split_uri(uri)
    if scheme == "clip":
        from .models import clip_path

        scheme, target = "file", str(clip_path(target))
    elif scheme == "sound" and _is_clip(target):
        from .models import clip_path

        target = str(clip_path(target))
    elif scheme in ("file", "sound") and folder is not None and not Path(target).is_absolute():
        target = target if Path(target).exists() else str(folder / target)
    elif target.startswith("//") is False and scheme in ("http", "https", "udp", "tcp", "srt", "rtmp", "rtsps"):
        scheme = "rtsp"
    factory = _checked_keys(scheme, options)
    try:
        return factory(target, **options)
    except TypeError as error:
        raise PieceFault(
            f"the source {scheme} cannot be made so: {error}", hint="its keys stand in piece.toml"
        ) from None


def _is_clip(target: str) -> bool:
    """Whether a sound's name is that of a clip's card, and not a file's."""
    from .models.card import known_names

    return bool(target) and not Path(target).exists() and target in known_names()


def read_picture(path: Path) -> Any:
    """A picture file as a picture. DeviceFault where it is none."""
    source = plugins.find("sources", "file")(str(path))
    source.open()
    try:
        return Image.check(next(iter(source)).data)
    finally:
        source.close()


class AbsentModel(Model):
    """Stands in for a model whose weights are not there. It is asked to open again and again, and comes alive when they
    were fetched."""

    def __init__(self, card: str, options: dict[str, Any]) -> None:
        from .models.card import find_card

        found = find_card(card)
        self._card, self._options = card, options
        self._model: Model | None = None
        self.ports, self.names, self.size = dict(found.ports), found.names, options.get("size") or found.size
        task = plugins.find("tasks", found.task)
        self.kind, self.uses = task.kind, task.uses
        if options.get("bend") or options.get("tap"):
            from .models.bend import Bending, read_bends, read_tap

            bending = Bending(read_bends(options.get("bend")), read_tap(options.get("tap")))
            self.ports |= dict.fromkeys(bending.ports, Control)
            self.kind = bending.tap.kind if bending.tap else self.kind

    def open(self) -> None:
        from .models import load as load_model

        if self._model is None:
            self._model = load_model(self._card, **self._options)
        self._model.open()

    def __call__(self, *args: Any, **ports: Any) -> Any:
        return self._model(*args, **ports)

    def reset(self) -> None:
        if self._model is not None:
            getattr(self._model, "reset", lambda: None)()

    def interrupt(self) -> None:
        if self._model is not None:
            self._model.interrupt()

    def close(self) -> None:
        if self._model is not None:
            self._model.close()

    def describe(self) -> dict[str, Any]:
        return self._model.describe() if self._model else {"card": self._card}


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
            uri, options = "synthetic:room", {k: v for k, v in options.items() if k == "size"}
        elif self._live and spec.fallback and (why := self._absent(uri)):
            return self._stand_in_for(name, spec, why)
        self.uris[name], self._options[name] = uri, options
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
            _checked_keys(split_uri(spec.device)[0], spec.options)  # a slip is said today, not when the camera comes
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
            uri = "synthetic:room"
            text = f"{why}, and {fault.what}; a painted room plays in its place"
            self.notices.append({"name": name, "text": text + (f" ({fault.hint})" if fault.hint else "")})
            source = self._opened(uri, options, spec)
        self.uris[name], self._options[name] = uri, options
        return source

    @staticmethod
    def _absent(uri: str) -> str | None:
        """Why a device is not there, as far as its plug-in can tell beforehand."""
        scheme, target = split_uri(uri)
        absent = getattr(plugins.find("sources", scheme), "absent", None)
        return absent(target) if callable(absent) else None

    def model(self, name: str) -> tuple[Model, dict[str, Any]]:
        from .models import load as load_model

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
        asked = _asked(spec, options["precision"])
        pinned = self.lock.models.get(name, {})
        if pinned.get("asked") == asked and pinned.get("backend"):
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
                if known.get("sha256") not in (None, about.get("sha256")) and known.get("card") == spec.card:
                    drift.append(f"the weights of {name} are others than when the piece was locked")
                self.lock.models[name] = {
                    "card": spec.card,
                    "asked": _asked(spec, self._precision or spec.precision),
                    "sha256": about.get("sha256"),
                    "backend": about["backend"],
                }
        if not self.lock.environment:
            self.lock.environment = environment
        self.lock.save(self.loaded.lock_file)
        return drift


def _asked(spec: manifests.ModelSpec, precision: str | None) -> str:
    size = "x".join(map(str, spec.size)) if spec.size else "default"
    return f"{spec.card} {size} {spec.backend} {precision or 'any'} {spec.threads or 'any'}"


def assemble(loaded: Loaded, parts: MachineParts) -> Graph:
    return parts.finish(loaded.piece.build(parts, loaded.manifest.seed))


def relock(loaded: Loaded) -> None:
    """Forgets what was locked: the next run locks what it finds."""
    loaded.lock_file.unlink(missing_ok=True)
