"""Loopback servers that the real clients (npm, huggingface_hub, our own) are pointed at."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import socket
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC
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

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None], certificate: Path | None = None) -> None:
        served = self
        self.asked: list[tuple[str, str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # each answer on a line of its own: a client that outlives a test keeps none

            def do_GET(self) -> None:
                served.asked.append((self.command, self.path, dict(self.headers)))
                answer(self)

            do_HEAD = do_GET

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # a client that hangs up is no error here
                    super().handle()

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()

            def log_message(self, *_) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self.socket = tls.wrap_socket(self.socket, server_side=True)
            self.url = f"https://localhost:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Shelf:
    """What a server gives, as `answer`: path -> bytes, with ranges. `cut`: so many bytes, then the line is dead, once
    for each number in the list. `ranges`: whether it can. `redirects`: path -> address."""

    def __init__(self, files: dict[str, bytes], *, ranges: bool = True, cut: tuple[int, ...] = ()) -> None:
        self.files, self.ranges, self.cut = files, ranges, list(cut)
        self.redirects: dict[str, str] = {}
        self.status: dict[str, int] = {}

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        if request.path in self.redirects:
            return reply(request, b"", 302, Location=self.redirects[request.path])
        if request.path in self.status:
            return reply(request, b"no", self.status[request.path])
        if request.path not in self.files:
            return reply(request, b"not here", 404)
        blob = self.files[request.path]
        span = request.headers.get("Range", "")
        start = int(span.removeprefix("bytes=").rstrip("-")) if span and self.ranges else 0
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(blob) - 1}/{len(blob)}")
        request.send_header("Content-Length", str(len(blob) - start))
        request.end_headers()
        if request.command == "HEAD":
            return None
        if self.cut:
            request.wfile.write(blob[start : start + self.cut.pop(0)])
            request.wfile.flush()
            request.close_connection = True
            return request.connection.shutdown(socket.SHUT_RDWR)
        request.wfile.write(blob[start:])
        return None


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A certificate for localhost and its key, in one file: who trusts it speaks real https to the loopback."""
    from datetime import datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path_factory.mktemp("tls") / "localhost.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    place.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    return place


@pytest.fixture
def secure(serve, certificate, monkeypatch) -> Callable[..., Served]:
    """`secure(answer)`: a server on https://localhost, whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return lambda answer: serve(answer, certificate)


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(answer)`: a server, closed when the test ends."""
    opened: list[Served] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], None], certificate: Path | None = None) -> Served:
        opened.append(Served(answer, certificate))
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
            if server.token and request.headers.get("Authorization") != f"Bearer {server.token}":
                return reply(request, b'{"error": "who are you?"}', 401)
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
            return None

        server = serve(answer)
        npmrc.write_text(f"registry={server.url}/\n")
        server.npmrc, server.token = npmrc, ""
        return server

    return make
