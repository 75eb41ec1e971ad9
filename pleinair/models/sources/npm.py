"""`npm:PACKAGE@VERSION/PATH/IN/THE/PACKAGE` (scoped: `npm:@scope/name@1.2.3/path`), through the user's own npm.

`npm pack` downloads the package's archive and compares it with the integrity that the registry states; it installs
nothing, and no script of the package runs. Where there is no npm, the registry that npm's configuration names is asked
directly (see `registry.py`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from .. import store
from . import Progress, Want, client, expected_bytes, inside, keep, parsed, refused, tarball

_PACKAGE = r"(?:@[a-z0-9][a-z0-9._~-]*/)?[A-Za-z0-9][A-Za-z0-9._~-]*"
_VERSION = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_SOURCE = re.compile(rf"npm:({_PACKAGE})@({_VERSION})/(.+)")
_HINTS = {"certificate": "set npm's own certificate: npm config set cafile FILE", "which": "npm config get registry"}


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Downloads one package and takes every wanted file out of it."""
    package, version, _ = parsed(_SOURCE, source, "npm:PACKAGE@1.2.3/PATH/IN/THE/PACKAGE, the version whole and exact")
    wanted = inside(f"npm:{package}@{version}/", wants)
    total, name = expected_bytes(wanted), f"{package} {version}"

    def arrived(size: int) -> None:
        report(name, min(size, total), total)

    with store.workspace() as folder:
        if npm := shutil.which("npm"):
            archive = _pack(npm, package, version, folder, arrived)
        else:
            from . import registry

            archive = registry.download(package, version, folder, arrived)
        try:
            with open(archive, "rb") as packed:
                taken = keep(tarball.members(packed, wanted), wanted, wants[0], name)
        except tarball.Broken as error:
            raise refused(f"what came for {name} is no whole package ({error})") from None
        report(name, total, total)
    return taken


def _pack(npm: str, package: str, version: str, folder: Path, arrived: Callable[[int], None]) -> Path:
    """The package's .tgz, by npm, into `folder`."""
    target = folder / "package"
    target.mkdir()
    command = [
        npm,
        "pack",
        f"--pack-destination={target}",
        f"--cache={folder / 'cache'}",  # npm keeps a copy of all it fetches: here it can be watched and swept up
        "--ignore-scripts",
        "--no-update-notifier",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--",
        f"{package}@{version}",
    ]
    status, said, complained = client.run(command, folder, arrived)
    archives = list(target.glob("*.tgz"))
    if status != 0 or len(archives) != 1:
        raise client.sentence(
            complained + said, f"{package} {version}", "npm", ("eintegrity",), ("e404", "etarget", "notarget"), _HINTS
        )
    return archives[0]
