"""Loopback servers that the real clients (npm, huggingface_hub, our own) are pointed at."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pleinair.models.card import Card, card_from


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty Pleinair home."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PLEINAIR_HOME", str(folder))
    return folder


def card(name: str = "one", /, options: dict | None = None, **files: dict) -> Card:
    """A card: `card(network={"from": [...], "blob": b"..."})`; hash and size are the blob's."""
    table = {role: entry(**told) for role, told in files.items()}
    return card_from({"name": name, "task": "stylise", "files": table, "options": options or {}})


def entry(blob: bytes = b"", parts: list[dict] | None = None, **told) -> dict:
    found = {"sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob), **told}
    return found | ({"parts": [entry(**p) for p in parts]} if parts else {})


class Served(ThreadingHTTPServer):
    """A web server on the loopback. `answer(request)` is called for each GET and HEAD; `asked` lists what was asked."""

    daemon_threads = True

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        served = self
        self.asked: list[tuple[str, str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                served.asked.append((self.command, self.path, dict(self.headers)))
                answer(self)

            do_HEAD = do_GET

            def log_message(self, *_) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(answer)`: a server, closed when the test ends."""
    opened: list[Served] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> Served:
        opened.append(Served(answer))
        return opened[-1]

    yield start
    for server in opened:
        server.shutdown()
        server.server_close()


def reply(request: BaseHTTPRequestHandler, blob: bytes, status: int = 200, **headers: str) -> None:
    """One whole answer; underscores in header names are dashes."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(blob)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(blob)


def packed(files: dict[str, bytes], extra: tuple[tarfile.TarInfo, ...] = (), root: str = "package") -> bytes:
    """A package's .tgz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member in extra:
            archive.addfile(member)
        for name, blob in files.items():
            member = tarfile.TarInfo(f"{root}/{name}")
            member.size = len(blob)
            archive.addfile(member, io.BytesIO(blob))
    return out.getvalue()


@pytest.fixture
def registry(serve, tmp_path, monkeypatch) -> Callable[..., Served]:
    """`registry({"@a/b": ("1.2.3", tgz)})`: an npm registry, and npm set to it. `spoilt`: packages whose archive is
    another than the integrity that is stated."""
    for key in [k for k in os.environ if k.lower().startswith("npm_config_")]:
        monkeypatch.delenv(key)
    npmrc = tmp_path / "npmrc"
    npmrc.write_text("")
    monkeypatch.setenv("npm_config_userconfig", str(npmrc))
    monkeypatch.setenv("npm_config_globalconfig", str(tmp_path / "no-such-npmrc"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")

    def make(packages: dict[str, tuple[str, bytes]], spoilt: tuple[str, ...] = ()) -> Served:
        def answer(request: BaseHTTPRequestHandler) -> None:
            path = request.path.replace("%2f", "/").replace("%2F", "/").strip("/")
            if path.endswith(".tgz"):
                name = path.partition("/-/")[0]
                blob = packages[name][1]
                reply(request, bytes([*blob[:-9], blob[-9] ^ 1, *blob[-8:]]) if name in spoilt else blob)
            elif path in packages:
                version, blob = packages[path]
                digest = base64.b64encode(hashlib.sha512(blob).digest()).decode()
                tarball = f"{server.url}/{path}/-/{path.rpartition('/')[2]}-{version}.tgz"
                dist = {"tarball": tarball, "integrity": f"sha512-{digest}"}
                about = {"name": path, "version": version, "dist": dist}
                found = {"name": path, "dist-tags": {"latest": version}, "versions": {version: about}}
                reply(request, json.dumps(found).encode(), Content_Type="application/json")
            else:
                reply(request, b'{"error": "Not found"}', 404, Content_Type="application/json")

        server = serve(answer)
        npmrc.write_text(f"registry={server.url}/\n")
        server.npmrc = npmrc
        return server

    return make
