"""From a folder to a graph that can run: finds the piece, reads it, and has `machine_parts` put behind its names."""

from __future__ import annotations

import linecache
import types
from dataclasses import dataclass, field
from pathlib import Path

from . import manifest as manifests
from .core.errors import Fault, ManifestFault, PieceFault, at_line, did_you_mean
from .core.graph import Graph
from .machine_parts import MachineParts
from .manifest import Manifest
from .neighbours import neighbours
from .piece import Piece

GALLERY = Path(__file__).parent / "gallery"


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
    """The example pieces: name -> its piece.py."""
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


def assemble(loaded: Loaded, parts: MachineParts) -> Graph:
    """A piece and a machine as a graph that can run. PieceFault, ManifestFault or ModelFault where it cannot."""
    return parts.finish(loaded.piece.build(parts, loaded.manifest.seed))
