"""Modules that lie beside a piece: imported anew each time the piece is read, and kept on its tape.

Python imports a module once. A piece that is reloaded must see its helpers as they are now, and a piece that is
replayed must see them as they were; two pieces that each have a `helper.py` must not share one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

_ours: set[str] = set()


@contextmanager
def neighbours(folder: Path, kept: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """While it lasts, modules in `folder` can be imported; or, with `kept` (path -> text), those and no others.

    Yields path -> text of the modules that were imported, filled when it ends.
    """
    found: dict[str, str] = {}
    for name in _ours:
        sys.modules.pop(name, None)
    _ours.clear()
    before, wrote = set(sys.modules), sys.dont_write_bytecode
    finder = _Kept(folder, kept) if kept is not None else None
    sys.dont_write_bytecode = True  # a helper saved twice within a second would be read from its old bytecode
    if finder is not None:
        sys.meta_path.insert(0, finder)
    else:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield found
    finally:
        sys.dont_write_bytecode = wrote
        if finder is not None:
            sys.meta_path.remove(finder)
        else:
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            path = _within(getattr(sys.modules[name], "__file__", None), folder)
            if path is not None:
                _ours.add(name)
                text = kept.get(path) if kept is not None else _read(folder / path)
                if text is not None:
                    found[path] = text


def _within(file: Any, folder: Path) -> str | None:
    try:
        return Path(file).relative_to(folder).as_posix()
    except (TypeError, ValueError):
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8") if path.suffix == ".py" else None
    except (OSError, UnicodeDecodeError):
        return None


class _Kept(MetaPathFinder, Loader):
    """Imports from texts."""

    def __init__(self, folder: Path, texts: Mapping[str, str]) -> None:
        self._folder, self._texts = folder, texts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        place = fullname.replace(".", "/")
        for file, package in ((f"{place}.py", False), (f"{place}/__init__.py", True)):
            if file in self._texts:
                spec = spec_from_loader(fullname, self, origin=str(self._folder / file), is_package=package)
                spec.has_location = True
                return spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        file = Path(module.__spec__.origin)
        text = self._texts[file.relative_to(self._folder).as_posix()]
        exec(compile(text, str(file), "exec"), module.__dict__)
