"""Who imports whom, read off the source: the rules of docs/how-it-works.md hold, also for what is imported late."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pleinair"
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "gallery" not in p.parts)
LEAVES = ("sources", "sinks", "effects", "observers", "backends")
DOORS = ("plugins", "folders")
"""What any layer may ask: for a plug-in by its name, for a place to keep things."""


def imports(file: Path, *, top_only: bool = False) -> Iterator[str]:
    """Modules that a file imports at run time, with their full names. Those for type checkers only do not count."""
    package = list(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    package = package if file.name == "__init__.py" else package[:-1]
    package = [p for p in package if p != "__init__"]
    tree = ast.parse(file.read_text("utf-8"))
    for node in _nodes(tree, top_only):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = PACKAGE.parent / Path(*module.split("."), alias.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield f"{module}.{alias.name}" if is_module else module


def _nodes(tree: ast.AST, top_only: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if not (top_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))):
            yield from _nodes(node, top_only)


def layer(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def ours(file: Path) -> set[str]:
    """Layers of ours that a file imports: `run`, `core`, `plugins` ..."""
    return {m.split(".")[1] for m in imports(file) if m.startswith("pleinair.") and m.count(".")}


def of(*layers: str) -> list:
    return [pytest.param(f, id=str(f.relative_to(PACKAGE))) for f in FILES if layer(f) in layers]


@pytest.mark.parametrize("file", of("core"))
def test_the_core_imports_itself_the_standard_library_and_numpy(file):
    assert ours(file) <= {"core"}
    others = {m.split(".")[0] for m in imports(file, top_only=True)} - {"pleinair", "numpy", "__future__"}
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize("file", of("run"))
def test_the_runners_import_the_core_only(file):
    assert ours(file) <= {"core", "run"}


@pytest.mark.parametrize("file", of(*LEAVES))
def test_leaves_import_the_core_and_never_each_other(file):
    assert ours(file) <= {"core", layer(file), *DOORS}


@pytest.mark.parametrize(
    "file", of("piece", "declared", "nodes", "spelling", "plugins", "manifest", "folders", "paint")
)
def test_the_vocabulary_stands_on_the_core(file):
    assert ours(file) <= {"core", "plugins", "declared", "nodes", "spelling", layer(file)}


@pytest.mark.parametrize("file", of("models"))
def test_models_know_no_piece_no_runner_and_no_stage(file):
    assert ours(file) <= {"core", "models", "backends", *DOORS}


@pytest.mark.parametrize("file", of("licence"))
def test_the_gate_reads_cards_and_manifests_and_knows_no_piece_that_runs(file):
    assert ours(file) <= {"core", "licence", "manifest", "models"}


@pytest.mark.parametrize("file", [p for layer in ("models", "run", "core", "backends") for p in of(layer)])
def test_what_runs_knows_no_licence_gate(file):
    assert "licence" not in ours(file)


@pytest.mark.parametrize("file", of("stage"))
def test_the_stage_does_not_know_the_command_line(file):
    assert "cli" not in ours(file)


@pytest.mark.parametrize("file", [pytest.param(f, id=str(f.relative_to(PACKAGE))) for f in FILES if layer(f) != "cli"])
def test_nobody_below_imports_the_command_line(file):
    assert "cli" not in ours(file) or file.name == "__main__.py"


HEAVY = {
    "cv2", "av", "openvino", "onnxruntime", "onnx", "aiohttp", "rich", "qoi", "simplejpeg", "ai_edge_litert",
    "xllamacpp", "ctranslate2", "faster_whisper", "huggingface_hub", "license_expression", "torch",
}  # fmt: skip
AT_HOME = {"stage": {"aiohttp"}}
"""Where a heavy library is what the whole folder is about; it is imported only by who opens a stage."""


@pytest.mark.parametrize("file", [pytest.param(f, id=str(f.relative_to(PACKAGE))) for f in FILES])
def test_heavy_libraries_are_imported_where_they_are_needed(file):
    """At a module's top a heavy library may stand only in the one module of a plug-in that is it."""
    heavy = {m.split(".")[0] for m in imports(file, top_only=True)} & HEAVY
    if file.parent.name in ("backends", "sources", "sinks", "effects"):
        return  # loaded by the plug-in door, when it is asked for
    assert heavy <= AT_HOME.get(layer(file), set())
