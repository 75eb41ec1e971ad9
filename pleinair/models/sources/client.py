"""The user's own package client (pip, npm) as a program: watched while it downloads, its answer put into a sentence."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from ...core.errors import ModelFault
from .. import partial, store
from . import refused

_NETWORK = (
    "temporary failure in name resolution", "name or service not known", "failed to establish a new connection",
    "getaddrinfo", "network is unreachable", "connection refused", "max retries exceeded", "timed out",
    "connection aborted", "connection broken", "nodename nor servname", "failed to resolve", "incompleteread",
    "proxyerror", "connection reset", "econnrefused", "econnreset", "enotfound", "etimedout", "eai_again",
    "enetunreach", "ehostunreach", "socket hang up",
)  # fmt: skip
_CERTIFICATE = ("certificate", "sslerror", "unable_to_verify", "unable_to_get_issuer")
_ANSWERED = re.compile(r"npm error code E([45]\d\d)\b|\b([45]\d\d) (?:Client|Server) Error")
_TELLING_NOTHING = ("A complete log of this run", "errno ", "code ", "type ")
_TELLING = ("network", "connection", "resol", "error", "retrying", "no matching", "could not find", "hash", "ssl")


def run(
    command: list[str], folder: Path, arrived: Callable[[int], None], env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Runs a client in `folder`; returns (exit status, standard output, standard error).

    arrived  is called with the bytes that lie in the folder, several times a second
    """
    try:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            errors="replace", env={**os.environ, **(env or {})}, cwd=folder,
        )  # fmt: skip
    except OSError as error:
        raise refused(f"{Path(command[0]).name} could not be started: {error.strerror}", "is it installed?") from None
    with partial.watched(folder, arrived):
        try:
            said, complained = child.communicate()
        finally:
            if child.poll() is None:  # Ctrl-C: no client is left behind
                child.terminate()
                child.wait()
    return child.returncode, said, complained


def sentence(
    said: str, what: str, client: str, damaged: tuple[str, ...], lacking: tuple[str, ...], hints: Mapping[str, str]
) -> ModelFault:
    """Why a client brought nothing.

    what     the package, for people; client  its program
    damaged, lacking  how it says that what came is not what its index means, and that there is no such package
    hints    "certificate", "which" (how it is asked which index it uses)
    """
    text = said.lower()
    if "no space left" in text or "enospc" in text:
        return store.full_disk()
    if any(word in text for word in damaged):
        return refused(f"{what} arrived damaged: its hash is not the index's")
    if any(word in text for word in _CERTIFICATE):
        return refused(f"{what} could not be fetched: the index's certificate was not accepted", hints["certificate"])
    if unreached(text):
        return refused(
            f"{what} could not be fetched: {client} reached no package index",
            f"is there a network? {hints['which']} shows which index it asks. Then fetch again",
            now="nothing was put into the store; what was fetched before stays",
        )
    if any(word in text for word in lacking):
        return refused(
            f"{client} found no {what}: the index that it asks has none, or could not be reached",
            f"is there a network? {hints['which']} shows which index it asks; a mirror may lack the package",
        )
    if (found := _ANSWERED.search(said)) and (code := found[1] or found[2]) != "404":
        return refused(
            f"{what} could not be fetched: the index that {client} asks answered {code}",
            f"401, 403: it wants to know who asks; 429, 5..: wait a while. {hints['which']} shows which index it is",
        )
    lines = [line.strip().removeprefix("npm error ") for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_TELLING_NOTHING)]
    telling = [line for line in lines if any(word in line.lower() for word in _TELLING)]
    return refused(f"{what} could not be fetched: {(telling or lines or ['no reason given'])[-1][:160]}")


def unreached(said: str) -> bool:
    """Whether a client says that there was no network."""
    return any(word in said.lower() for word in _NETWORK)
