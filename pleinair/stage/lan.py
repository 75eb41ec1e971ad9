"""The local network, where it was asked for: TLS with a certificate of the stage's own, addresses, and a QR code.

The certificate is signed by itself, so a phone asks once whether to trust it; encryption is what lets its browser give
the camera. It is kept, so that the question is not asked each time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..core.errors import StageFault
from .serve import listen

DAYS, RENEW_DAYS = 397, 30


class Lan:
    """Listening sockets on this machine's addresses, a TLS context, and the names that requests may use."""

    def __init__(self, addresses: tuple[str, ...] | None, port: int, folder: Path | None) -> None:
        asked = addresses or local_addresses()
        self.sockets: list[socket.socket] = []
        self.addresses: list[str] = []
        for address in asked:
            with contextlib.suppress(OSError):  # an address may go away between being found and being used
                self.sockets.append(listen(socket.AF_INET, address, port))
                self.addresses.append(address)
        if not self.sockets:
            raise StageFault(
                f"the stage cannot be reached from the local network at port {port}",
                where=", ".join(asked) or "this machine has no address in a local network",
                now="the piece was not started",
                hint="connect to the network first, or run without --lan",
            )
        name = socket.gethostname().lower()
        hosts = [name] if name.endswith(".local") else [name, f"{name}.local"]
        self.names = [*self.addresses, *hosts]
        self.context = _context(self.names, folder)


def local_addresses() -> tuple[str, ...]:
    """IPv4 addresses of this machine in private networks, the loopback left out. No packet is sent."""
    found: list[str] = []
    with contextlib.suppress(OSError, ImportError, AttributeError):
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _, name in socket.if_nameindex():
                with contextlib.suppress(OSError):
                    answer = fcntl.ioctl(sock.fileno(), 0x8915, struct.pack("256s", name[:15].encode()))  # SIOCGIFADDR
                    found.append(socket.inet_ntoa(answer[20:24]))
    if not found:
        with contextlib.suppress(OSError):
            found = [str(a[4][0]) for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    each = [ipaddress.ip_address(a) for a in dict.fromkeys(found)]
    return tuple(str(a) for a in each if a.is_private and not a.is_loopback)


def qr(text: str) -> str:
    """A QR code of half blocks for a terminal, dark on light or light on dark alike; "" where segno is not there."""
    try:
        import segno
    except ImportError:
        return ""
    import io

    out = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out, compact=True)
    return out.getvalue()


def kept_token(folder: Path | None) -> str:
    """The token for the local network: kept, so that a phone finds the piece again after it was started anew."""
    from .gate import new_token

    path = _folder(folder) / "token"
    try:
        held = path.read_text().strip()
        if len(held) >= 24 and held.isascii():
            return held
    except OSError:
        pass
    token = new_token()
    with contextlib.suppress(OSError):  # it is not kept then, and works all the same
        _write(path, token.encode(), 0o600)
    return token


def _folder(folder: Path | None) -> Path:
    if folder is not None:
        return folder
    from ..folders import data_dir

    return data_dir() / "stage"


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    os.replace(beside, path)


def _context(names: list[str], folder: Path | None) -> ssl.SSLContext:
    folder = _folder(folder)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    try:
        if not _still_good(certificate, key, names):
            _make(certificate, key, names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
    except ImportError:
        raise StageFault(
            "the local network needs encryption, and the library for it is not installed",
            where="--lan",
            now="the piece was not started",
            hint='pip install "pleinair[lan]"',
        ) from None
    except (OSError, ValueError) as error:
        raise StageFault(
            f"the certificate cannot be used: {error}",
            where=str(folder),
            now="the piece was not started",
            hint="delete that folder: it is made anew",
        ) from None
    return context


def _still_good(certificate: Path, key: Path, names: list[str]) -> bool:
    from cryptography import x509

    if not (certificate.exists() and key.exists()):
        return False
    try:
        held = x509.load_pem_x509_certificate(certificate.read_bytes())
        kept = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    known = {str(n.value) for n in kept}
    return set(names) <= known and held.not_valid_after_utc > datetime.now(UTC) + timedelta(days=RENEW_DAYS)


def _make(certificate: Path, key: Path, names: list[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Pleinair stage")])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = []
    for name in [*names, "localhost"]:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    private = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, private, 0o600)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
