"""What this machine has: processor, memory, backends and their precisions, cameras, display, port, disk, plug-ins.

With --for, the piece's models are timed for a moment and the rate and the age that it will have here are foretold, with
how sure that is and why. Exit status 1: the foretold age is over the piece's budget.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import sys
from typing import Any

from ..core.errors import Fault
from .say import DIM, FAULT, paint, say, write_json
from .table import heading, say_table

EXAMPLE = "pleinair doctor --for mirror"

PORT = 8765
THE_FILES_OWN = "that of each file (Q4_K, Q8_0, F16 ...)"
"""The precision of a backend that names none: nothing is converted, what the file holds is what runs."""
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox", "microsoft-edge", "safari",
)  # fmt: skip
ELSEWHERE = (
    "/Applications/Google Chrome.app", "/Applications/Safari.app", "/Applications/Firefox.app",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="piece", metavar="PIECE", help="foretell this piece's rate and age here")


def main(args: argparse.Namespace) -> int:
    found: dict[str, Any] = {
        "machine": _machine(), "backends": _backends(), "cameras": _cameras(), "display": _display(),
        "browsers": _browsers(), "port": _port(), "disk": _disk(), "plugins": _plugins(), "forecast": None,
    }  # fmt: skip
    _tell(found)
    fine = True
    if args.piece:
        fine = _forecast(args.piece, found)
    write_json(found, args.json)
    return 0 if fine else 1


# -- what there is ---------------------------------------------------------------------------------------------------


def _machine() -> dict[str, Any]:
    from .. import __version__, machine
    from ..backends.base import default_threads, isa

    return {
        "pleinair": __version__, "python": platform.python_version(), "system": _system(),
        "cpu": machine.cpu_name(), "isa": isa(),
        "cores": os.cpu_count(), "threads": default_threads(), "memory_mb": _memory_mb(),
    }  # fmt: skip


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    return f"{name or platform.system() + ' ' + platform.release()}, {platform.machine()}"


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, ValueError, OSError):
        return None


def _backends() -> list[dict[str, Any]]:
    from .. import plugins

    found = []
    for name in sorted(plugins.names("backends")):
        entry: dict[str, Any] = {"name": name, "version": "", "precisions": [], "why": ""}
        try:
            backend = plugins.find("backends", name)
            entry["version"] = backend.version_installed()
            entry["why"] = (backend.available() if hasattr(backend, "available") else None) or ""
            if not entry["why"]:
                here = getattr(sys.modules[backend.__module__], "precisions", None)  # of this processor
                entry["precisions"] = list(here() if here else getattr(backend, "knows", ()))
        except Exception as error:  # a stranger's code: anything may come
            entry["why"] = str(getattr(error, "what", error))
        found.append(entry)
    return found


def _cameras() -> list[dict[str, str]]:
    try:
        from ..sources.webcam import list_cameras

        return list_cameras()
    except Exception:  # a list for a person: a machine without any camera library is no fault
        return []


def _display() -> str | None:
    if sys.platform in ("darwin", "win32"):
        return sys.platform
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or None


def _browsers() -> list[str]:
    known = [os.environ.get("PLEINAIR_CHROMIUM", ""), *BROWSERS]
    paths = [p for name in known if name and (p := shutil.which(name))]
    return list(dict.fromkeys(paths + [p for p in ELSEWHERE if os.path.exists(p)]))


def _port() -> dict[str, Any]:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return {"port": PORT, "free": False}
    return {"port": PORT, "free": True}


def _disk() -> dict[str, Any]:
    from .. import folders
    from ..models import store

    place = folders.data_dir()
    there = next(p for p in (place, *place.parents) if p.exists())
    usage = shutil.disk_usage(there)
    return {
        "folder": str(place), "free_mb": usage.free // 2**20, "writable": os.access(there, os.W_OK),
        "store_mb": round(sum(p.stat().st_size for p in store.blobs()) / 1e6, 1),
    }  # fmt: skip


def _plugins() -> list[dict[str, Any]]:
    from .. import plugins

    return [vars(s) for s in plugins.statuses()]


# -- what is told ----------------------------------------------------------------------------------------------------


def _tell(found: dict[str, Any]) -> None:
    m, disk, port = found["machine"], found["disk"], found["port"]
    memory = f"{m['memory_mb'] / 1024:.1f} GB" if m["memory_mb"] else "unknown"
    rows = [
        ("pleinair", f"{m['pleinair']}, Python {m['python']}"),
        ("system", m["system"]),
        ("processor", f"{m['cpu']}, {m['cores']} cores ({m['threads']} for a model), {m['isa']}"),
        ("memory", memory),
    ]
    for place, b in enumerate(found["backends"]):
        told = b["why"] or f"{b['name']} {b['version']}    {', '.join(b['precisions']) or THE_FILES_OWN}".rstrip()
        rows.append(("backends" if not place else "", told))
    for place, c in enumerate(found["cameras"] or [{"label": "none found", "name": ""}]):
        told = c["label"] + (f"    webcam:{c['name']}" if c["name"] else "; the stage's page can lend a browser's")
        rows.append(("cameras" if not place else "", told))
    rows.append(
        ("display", found["display"] or "none: the stage is reached from another machine (--lan) or not at all")
    )
    rows.append(("browsers", ", ".join(found["browsers"]) or "none found"))
    rows.append(
        ("port", f"{port['port']} is " + ("free" if port["free"] else "in use: --port 0 takes any that is free"))
    )
    room = f"{disk['free_mb'] / 1024:.1f} GB free, {disk['store_mb']} MB in the store"
    rows.append(("data", f"{disk['folder']}    {room}" + ("" if disk["writable"] else "    cannot be written to")))
    say_table(rows, indent=0)
    heading("plug-ins")
    for group in dict.fromkeys(p["group"] for p in found["plugins"]):
        mine = [p for p in found["plugins"] if p["group"] == group]
        say_table([(group, ", ".join(p["name"] for p in mine if p["ok"]))])
        for p in mine:
            if not p["ok"]:
                say(paint(f"    {p['name']} ({p['origin']}) cannot be used: {p['why']}", FAULT))


def _forecast(piece: str, found: dict[str, Any]) -> bool:
    from .. import assembly, foretell

    loaded = assembly.load(piece)
    heading(f"{loaded.manifest.title}, here")
    try:
        told = foretell.foretell(loaded)
    except Fault as fault:
        found["forecast"] = {"fault": fault.as_dict()}
        raise
    found["forecast"] = told
    say_table([(name, ms, "ms") for name, ms in told["parts_ms"].items()], right=[1])
    (low, high), (slow, fast) = told["age_ms"], told["fps"]
    say(f"  rate   {slow:.0f} to {fast:.0f} fps" if round(slow) != round(fast) else f"  rate   {fast:.0f} fps")
    say(f"  age    {low:.0f} to {high:.0f} ms when encoded; camera and screen add theirs")
    say(f"  sure   {told['sure']}: {told['why']}")
    budget = told["budget_ms"]
    if budget is None:
        say(paint("  piece.toml sets no budget ([budget] age_ms = 100)", DIM))
        return True
    verdict = {"within": "within", "over": "over", "perhaps": "perhaps within"}[told["verdict"]]
    text = f"  {verdict} the budget of {budget:g} ms"
    say(paint(text, FAULT) if told["verdict"] == "over" else text)
    return told["verdict"] != "over"
