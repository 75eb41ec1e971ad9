"""A card of one's own for a file on this computer: `pleinair models add FILE`.

What the file says of itself is read off it (`look`); what it cannot say, its owner says. The file is copied into the
store by its hash, and the card that names it goes into the user's cards folder. A file that fits no task, or does not
run, is refused, and nothing is written.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import folders, plugins
from ...core.errors import Fault, ModelFault, did_you_mean
from .. import store
from ..card import Card, File, all_cards, find_card, read_card
from ..papers import file_dict
from . import gguf
from .found import NOW, Found, licence_id, refuse
from .onnx import RECOGNISERS
from .paper import Paper
from .writing import toml

TASKS = tuple(
    task
    for task in ("stylise", "vector", *RECOGNISERS, "chat", "transcribe", "speak", "embed_text", "picture_text")
    if task in plugins.names("tasks")
)
"""What a file may be added as without naming a card that it is like."""
_NETWORKS = (".onnx", ".tflite")
"""Any of them may stand in for any other: tasks ask for ports, not for a format."""


def name_of(file: Path) -> str:
    """A card's name out of a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")[:64] or "model"


def look(file: Path) -> Found:
    """Reads a file, or a folder or a zip of files that belong together: what it is for, whose it is. Nothing of it is
    run.

    ModelFault: there is none, it is of no format that is used here, or not exactly right.
    """
    from . import known, packed

    try:
        if not file.is_dir():
            with open(file, "rb"):
                pass
    except OSError as error:
        raise _unreadable(file, error) from None
    if not file.is_dir():
        if file.is_file() and packed.is_zip(file):
            return _in_zip(file, packed.unpacked(file))
        try:
            return _file(file)
        except ModelFault as fault:
            raise known.file(file, fault) from None
    return _folder(file)


def _folder(folder: Path, packed: str = "") -> Found:
    """A folder that is one model, or holds one; `packed`: the zip that it was."""
    from . import known, readme

    if (found := _together(folder)) is not None:
        return found
    inside = [p for place in (folder, folder / "onnx") if place.is_dir() for p in sorted(place.iterdir())]
    inside = [p for p in inside if p.suffix.lower() in (".onnx", ".tflite", ".gguf") and p.is_file()]
    if len(inside) == 1 or (inside and all(gguf.PIECE.search(p.name) for p in inside)):
        found = _file(inside[0])
        readme.read(folder, found)
        return found
    raise known.several(folder.absolute(), inside, packed) if inside else known.folder(folder.absolute())


def _file(file: Path) -> Found:
    """One file, by its content; and what lies beside it and belongs to it."""
    from .. import safe
    from . import onnx, safetensors, tfjs, tflite, voice, whisper

    if file.name.endswith(".onnx.json") and file.with_suffix("").is_file():
        file = file.with_suffix("")
    if file.name == "model.bin" and whisper.is_one(file.parent):
        return whisper.read(file.parent)
    if voice.is_one(file):
        return voice.read(file)
    if file.suffix == ".json" and tfjs.is_one(file):
        return tfjs.read(file)
    if file.suffix == ".onnx" and (found := onnx.in_two(file)) is not None:
        return found
    readers = {"onnx": onnx.read, "gguf": gguf.read, "safetensors": safetensors.read, "tflite": tflite.read}
    return readers[safe.check(file, file.name, set(readers)).format](file)


def _together(folder: Path) -> Found | None:
    """A folder that is one model."""
    from . import bundle, encoder, pair, readme, tfjs, whisper

    for kind in (whisper, pair, encoder, tfjs, bundle):
        if kind.is_one(folder):
            found = kind.read(folder)
            readme.read(folder, found)
            return found
    return None


def _in_zip(file: Path, folder: tempfile.TemporaryDirectory[str]) -> Found:
    """What is in a zip, said of the zip; the folder stays for as long as what was found."""
    place = Path(folder.name)
    rows = list(place.iterdir())
    if len(rows) == 1 and rows[0].is_dir():  # a folder that was packed whole
        place = rows[0]
    try:
        found = _folder(place, file.name)
    except ModelFault as fault:
        what = fault.what.replace(place.name, file.name, 1)
        raise ModelFault(what, now=fault.now, hint=fault.hint) from None
    found.keep = (folder, found.keep)
    if found.title in (place.name, Path(folder.name).name):
        found.title = file.stem
    return found


def _unreadable(file: Path, error: OSError) -> ModelFault:
    why, hint = error.strerror or str(error), "check the path"
    if isinstance(error, FileNotFoundError):
        why = "it is a link to what is not there" if file.is_symlink() else "there is no such file"
        hint = "check the path, and whether the disk is there"
    elif isinstance(error, PermissionError):
        why, hint = "it may not be read by you", f"chmod u+r {file.name}; or copy it to where you may"
    return ModelFault(f"{file} cannot be read: {why}", now=NOW, hint=hint)


def add(
    file: Path,
    name: str,
    task: str,
    licence: str,
    folder: Path,
    *,
    found: Found | None = None,
    like: str = "",
    role: str = "",
    by: str = "",
    consent: str = "",
    paper: Paper | None = None,
) -> tuple[Card, Path]:
    """Copies the file into the store and writes its card into `folder`; returns the card and where it stands.

    task     "": what the file is recognised as; else one of its `found.cards`
    licence  SPDX identifier of the weights, as whoever made them states it; "" or "unknown": what the file says
    found    what `look` read, where it was called before
    like     a card that this file stands in for: it runs as that one does (another checkpoint of the same network)
    role     with `like`: which of its files it stands in for, where its format does not tell
    by       whose work it is
    consent  of a voice: whose it is, and that they agreed
    paper    the text of its licence: laid beside the card, where the gate reads it

    ModelFault: no such file, it does not fit the task, or it cannot be opened.
    """
    found = found or look(file)
    table = _like(found, find_card(like), role) if like else _as(found, file, task)
    if roles := table.pop("roles", ()):  # of a bundle that would do for several tasks, what this one runs
        found.made = {role: found.made[role] for role in roles}
    known = {blob.name for blob in store.blobs()}
    stored = {r: store.adopt(place) for r, place in found.files.items()}
    stored |= {r: store.put(io.BytesIO(make()), None, made) for r, (made, make) in found.made.items()}
    names = {r: place.name for r, place in found.files.items()} | {r: made for r, (made, _) in found.made.items()}
    files = {r: {"name": names[r], "from": [], "sha256": sha, "bytes": n} for r, (sha, n) in stored.items()}
    if found.voice and consent:
        table["options"] = {**table["options"], "consent": consent}
    card = {"name": name, **_about(found), **table, **_licence(found, licence), **_papers(found, table, by)}
    card["files"] = {**table.get("files", {}), **found.borrowed, **files}
    if paper is not None:
        card["weights"] |= paper.said(name)
    path = folder / f"{name}.toml"
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = "# Written by pleinair models add. Say whose work it is, and under which licence.\n" + toml(card)
        draft.write_text(text, encoding="utf-8")
        _try(draft, file.name)
        if paper is not None:
            paper.lay(folder, name)
        draft.replace(path)
    except OSError as error:
        raise store.disk_fault(error) from error
    except Fault:
        for sha256, _ in stored.values():
            if sha256 not in known:
                store.discard(sha256)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return read_card(path), path


def restored(found: Found) -> Card | None:
    """The user's own card that means exactly these files, if there is one: what of them was lost is put back."""
    files = {store.hash_of(place): place for place in found.files.values()}
    made = {hashlib.sha256(blob).hexdigest(): blob for blob in (make() for _, make in found.made.values())}
    for card in all_cards():
        wanted = {f.sha256 for f in card.needed.values()}
        same = wanted == {*files, *made} or (card.task in found.cards and bool(made) and wanted < {*files, *made})
        if card.folder == folders.cards_dir() and same:
            for place in files.values():
                store.adopt(place)
            for blob in made.values():
                store.put(io.BytesIO(blob), None, card.name)
            return card
    return None


def _as(found: Found, file: Path, task: str) -> dict[str, Any]:
    """The part of the card that says how it runs, for a task. ModelFault: it does not fit."""
    if not task and found.cards:
        task = next(iter(found.cards))
    if task in found.cards:
        return {"task": task, **found.cards[task]}
    if not task:
        raise refuse(file.name, found.why)
    hints = {
        "stylise": "a painter has an input image [1, 3, height, width] and, where it mixes styles, style_weights [N]; "
        "one output picture, 0..1"
    }
    fits = " or ".join(f"--task {t}" for t in found.cards)
    raise ModelFault(
        f"{file.name} does not fit the task {task}: {found.why or f'it is a {found.format} file'}",
        now=NOW,
        hint=hints.get(task, fits),
    )


def _like(found: Found, card: Card, role: str) -> dict[str, Any]:
    """The same as that card, with this file in the place of one of its own."""
    name = _only(found)
    its = next(iter(found.files.values()), None)
    suffix = Path(name).suffix.lower()
    same = _NETWORKS if suffix in _NETWORKS else (suffix,)
    fit = [r for r, f in card.needed.items() if Path(f.name).suffix.lower() in same]
    if role.startswith("adapter") and card.task == "chat":
        fit = [role]  # a LoRA adapter is a file more, not another one
    if role and role not in fit:
        raise refuse(card.name, f'it has no file "{role}" of that format', did_you_mean(role, fit) if fit else "")
    if not role and len(fit) != 1:
        raise refuse(
            name,
            f"{card.name} has {len(fit)} files like it" if fit else f"{card.name} has no {suffix} file",
            "say which it stands in for: " + " or ".join(f"--role {r}" for r in fit) if fit else "",
        )
    role = role or fit[0]
    if its:
        found.files = {role: its}
    else:
        found.made = {role: next(iter(found.made.values()))}
    told = card.as_dict()
    table: dict[str, Any] = {"task": card.task, "ports": told["ports"], "options": card.options}
    table |= {k: told[k] for k in ("size", "names", "constants", "senses", "makes", "tolerance") if told[k]}
    table["files"] = {r: file_dict(f) for r, f in _others(card, {role}).items()}
    found.components += [c for c in told["components"] if c["kind"] == "library"]
    if table["files"]:
        found.component(
            f"what it shares with {card.name}", "base", licence=card.weights.id, stated_in=card.weights.stated_in
        )
    return table


def _only(found: Found) -> str:
    """The name of the one file that stands in for another. ModelFault: there are several."""
    names = [p.name for p in found.files.values()] + [name for name, _ in found.made.values()]
    if len(names) != 1:
        raise refuse(names[0], "several files belong together here, and --like puts one in the place of one")
    return names[0]


def _others(card: Card, replaced: set[str]) -> dict[str, File]:
    """The card's files without these, and without what only these were made of."""
    kept = {role: file for role, file in card.needed.items() if role not in replaced}
    raw = {role for file in kept.values() for role in file.of}
    return kept | {role: card.files[role] for role in raw}


def _about(found: Found) -> dict[str, str]:
    return {"title": found.title} | ({"about": found.about} if found.about else {})


def _licence(found: Found, licence: str) -> dict[str, Any]:
    said = licence_id(licence)
    stated = "by who added it" if said else found.stated_in
    return {"weights": {"licence": said or found.licence or "unknown", "stated_in": stated}}


def _papers(found: Found, table: Mapping[str, Any], by: str) -> dict[str, Any]:
    credits = [{"who": by, "what": "named by who added it"}] if by else []
    credits += [{"who": who, "what": what} for who, what in found.credits]
    components = [*table.get("components", ()), *found.components]
    papers: dict[str, Any] = {"credits": credits} if credits else {}
    return papers | ({"components": components} if components else {})


def _try(path: Path, name: str) -> None:
    """Opens it once: what the task cannot take is said now, not on stage. Where other files are missing, it waits."""
    from .. import choose
    from ..fetch import take_local

    card = read_card(path)
    take_local(card)
    if store.missing(card):
        return
    faults = []
    for backend, precision in reversed(choose.candidates(card)):  # the plainest first, then what is installed
        try:
            _open(card, backend, precision, name)
            return
        except ModelFault as fault:
            faults.append(fault)
    raise faults[0]


def _open(card: Card, backend: str, precision: str, name: str) -> None:
    from .. import load

    model = load(card, backend=backend, precision=precision, threads=1)
    try:
        model.open()
    except ModelFault:
        raise
    except Exception as error:
        raise ModelFault(f"{name} was read, and does not run: {error}", now=NOW) from None
    finally:
        model.close()
