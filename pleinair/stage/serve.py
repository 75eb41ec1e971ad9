"""Listening sockets: the loopback always, the local network where it was asked for."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import Any

from ..core.errors import StageFault


def bind(port: int) -> tuple[list[socket.socket], int]:
    """Sockets on 127.0.0.1 and, where the machine has it, [::1]; and the port. Raises StageFault."""
    try:
        first = listen(socket.AF_INET, "127.0.0.1", port)
    except (OSError, OverflowError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        raise StageFault(
            f"port {port} is in use by another program" if taken else f"port {port} cannot be used: {error}",
            where=f"http://127.0.0.1:{port}/",
            now="the piece was not started",
            hint="another piece may be running: end it, or take any free port with --port 0",
        ) from None
    port = first.getsockname()[1]
    sockets = [first]
    with contextlib.suppress(OSError):  # no version 6 here, or the port is another's there: 127.0.0.1 will do
        sockets.append(listen(socket.AF_INET6, "::1", port))
    return sockets, port


def listen(family: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((host, port))
        sock.listen(128)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def bind_lan(lan: bool | tuple[str, ...], port: int, folder: Path | None) -> Any:
    from .lan import Lan

    return Lan(lan if isinstance(lan, tuple) else None, port, folder)
