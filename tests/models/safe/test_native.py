"""Native code whose licence forbids it in our process (espeak-ng, GPL-3) is never loaded there: it is a program."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pleinair

ROOT = Path(pleinair.__file__).parent
FORBIDDEN = ("espeak", "phonemizer", "piper", "py_espeak_ng", "misaki")
"""Modules that are, or bring, the library."""

_LOOK = """
import importlib, json, pkgutil, sys
import pleinair
for module in pkgutil.walk_packages(pleinair.__path__, "pleinair."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except Exception:
        pass
{more}
maps = open("/proc/self/maps").read() if sys.platform == "linux" else ""
print(json.dumps([sorted(sys.modules), maps]))
"""


def looked(more: str = "") -> tuple[list[str], str]:
    """Names of the modules, and the files, that are in a process which imported all of Pleinair."""
    done = subprocess.run([sys.executable, "-c", _LOOK.format(more=more)], capture_output=True, text=True, check=True)
    modules, maps = json.loads(done.stdout.splitlines()[-1])
    return modules, maps


def test_all_of_pleinair_is_imported_and_no_espeak_with_it():
    modules, maps = looked()
    assert len([name for name in modules if name.startswith("pleinair.")]) > 80
    assert not [name for name in modules if name.split(".")[0].startswith(FORBIDDEN)]
    assert "espeak" not in maps.lower()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_library_would_be_seen(tmp_path):
    """The control: any library under that name, loaded through ctypes, stands in the list."""
    import _bz2

    library = tmp_path / "libespeak-ng.so.1"
    shutil.copy(_bz2.__file__, library)
    _, maps = looked(f"import ctypes; held = ctypes.CDLL({str(library)!r})")
    assert "espeak" in maps


def test_no_line_imports_or_opens_it():
    found = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                found += [(path.name, n) for n in names if n.split(".")[0].startswith(FORBIDDEN)]
            elif isinstance(node, ast.Call) and "dll" in ast.unparse(node.func).lower():
                found += [(path.name, a) for a in map(ast.unparse, node.args) if "espeak" in a.lower()]
    assert not found


def test_no_line_reads_a_pickle():
    """`pickle.loads`, `np.load(allow_pickle=True)`, `torch.load` and their like stand nowhere in Pleinair."""
    found = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                bad = ("pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "_pickle")
                found += [(path.name, n) for n in names if n.split(".")[0] in bad]
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                found += [(path.name, "allow_pickle")] if ast.unparse(node.value) != "False" else []
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "torch.jit.load"):
                found += [(path.name, ast.unparse(node.func))]
    assert not found
