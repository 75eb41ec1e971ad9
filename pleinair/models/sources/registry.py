"""An npm package without npm: from the registry that npm's own configuration names, by Python's standard library.

The configuration is read as npm reads it (docs.npmjs.com, "npmrc"): the environment, then the user's .npmrc, then the
machine's. Which registry there is stands in no line of Pleinair's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .. import store
from . import refused, web

_ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")
_MAX_ARCHIVE = 1 << 34


def download(package: str, version: str, folder: Path, arrived: Callable[[int], None]) -> Path:
    """The package's .tgz in `folder`, its integrity compared with what the registry states."""
    settings = _settings()
    scope = package.partition("/")[0] if package.startswith("@") else ""
    root = (settings.get(f"{scope}:registry") if scope else None) or settings.get("registry")
    if not root or urlsplit(root).scheme not in ("https", "http"):
        raise refused(
            f"{package} {version} could not be fetched: there is no npm here, and no npm registry is set",
            "install Node.js, which brings npm; or name a registry: registry=ADDRESS in .npmrc in your home folder",
        )
    root = root.rstrip("/") + "/"
    headers = _credentials(settings, root)
    dist = _stated(package, version, root, headers)
    # a mirror often states the address of what it mirrors: the archive is asked of the registry that was named
    tarball = str(dist.get("tarball", ""))
    if not tarball.startswith(root):
        tarball = f"{root}{package}/-/{tarball.rpartition('/')[2]}"
    archive, hashes = folder / "package.tgz", {name: hashlib.new(name) for name in _ALGORITHMS}
    size = 0
    try:
        with web.ask(tarball, headers, plain=True, what=f"{package} {version}") as answer, open(archive, "wb") as out:
            while chunk := answer.read(web.CHUNK):
                size += len(chunk)
                if size > _MAX_ARCHIVE:
                    raise refused(f"{package} {version} does not end")
                for digest in hashes.values():
                    digest.update(chunk)
                out.write(chunk)
                arrived(size)
    except web.CUT as error:
        why = str(error) or type(error).__name__
        raise refused(f"{package} {version} was cut after {size / 1e6:.1f} MB ({why})") from None
    except OSError as error:
        raise store.disk_fault(error) from error
    _compare(f"{package} {version}", dist, {name: digest.digest() for name, digest in hashes.items()})
    return archive


def _stated(package: str, version: str, root: str, headers: dict[str, str]) -> dict[str, Any]:
    """What the registry states about one version's archive: its address and its integrity."""
    accept = {"Accept": "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"}
    address = root + quote(package, safe="@")
    try:
        found = json.loads(web.read(address, {**headers, **accept}, plain=True, what=package))
        dist = found["versions"][version]["dist"]
    except (ValueError, KeyError, TypeError, RecursionError):
        dist = None
    if not isinstance(dist, dict):
        raise refused(f"the npm registry holds no {package} {version}", "a mirror may lack it; is the version right?")
    return dist


def _compare(name: str, dist: dict[str, Any], found: dict[str, bytes]) -> None:
    """Subresource integrity (W3C): the strongest hash counts, and any of that kind will do."""
    stated = [part.partition("-")[::2] for part in str(dist.get("integrity") or "").split()]
    try:
        if not stated:
            stated = [("sha1", base64.b64encode(bytes.fromhex(str(dist["shasum"]))).decode())]
        kind = next(a for a in _ALGORITHMS if any(k == a for k, _ in stated))
        whole = any(base64.b64decode(v.partition("?")[0]) == found[kind] for k, v in stated if k == kind)
    except (KeyError, ValueError, binascii.Error, StopIteration):
        raise refused(f"the npm registry states no integrity for {name}", "is it a whole registry?") from None
    if not whole:
        raise refused(f"{name} arrived damaged: its hash is not the index's")


def _settings() -> dict[str, str]:
    """npm's configuration, as far as it says where packages are: the first that says something counts."""
    environ = {k.lower().removeprefix("npm_config_"): v for k, v in os.environ.items() if k.lower().startswith("npm_")}
    user = Path(environ.get("userconfig") or Path.home() / ".npmrc")
    machine = Path(environ.get("globalconfig") or "/etc/npmrc")
    found = {k: v for k, v in environ.items() if v}
    for place in (user, machine):
        try:
            lines = place.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, equals, value = line.partition("=")
            if equals and not key.lstrip().startswith(("#", ";")):
                found.setdefault(key.strip(), _filled(value.strip().strip("\"'")))
    return found


def _filled(value: str) -> str:
    """`${NAME}` out of the environment, as npm does it."""
    return re.sub(r"\$\{([^}]+)\}", lambda name: os.environ.get(name[1], ""), value)


def _credentials(settings: dict[str, str], root: str) -> dict[str, str]:
    """What the configuration holds for this registry: `//host/path/:_authToken=...`."""
    at = "//" + root.partition("://")[2]
    if token := settings.get(f"{at}:_authToken"):
        return {"Authorization": f"Bearer {token}"}
    if basic := settings.get(f"{at}:_auth"):
        return {"Authorization": f"Basic {basic}"}
    return {}
