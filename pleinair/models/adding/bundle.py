"""A bundle of MediaPipe Tasks (hand_landmarker.task, ...): several TFLite networks that work together.

Which network is which is read off its ports, their names and their shapes: names of files are for people. Each becomes
ONNX, as those of our own cards do, so that the layers can be bent.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...core.errors import ModelFault
from .. import convert, safe
from ..convert.tflite_file import Table
from . import packed
from .found import Found, clean, refuse, table_of

MAX_NETWORKS = 32
MAX_BYTES = 256 << 20
"""Of one network: MediaPipe's largest for pictures has 30 MB."""

Sides = tuple[int, ...]


class Ports(NamedTuple):
    """Port -> its shape."""

    inputs: dict[str, Sides]
    outputs: dict[str, Sides]

    def hold(self, wanted: Ports) -> bool:
        """Exactly these inputs, and these outputs among others."""
        return self.inputs == wanted.inputs and wanted.outputs.items() <= self.outputs.items()

    def __str__(self) -> str:
        given, taken = (", ".join("x".join(map(str, s)) for s in p.values()) for p in (self.outputs, self.inputs))
        return clean(f"{taken} -> {given}", 80)


@dataclass(frozen=True)
class _Way:
    """One way to run a task: the networks that it needs, and those that it can do without; what it lacks then."""

    task: str
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    lacks: str = ""


def _seen(side: int, outputs: dict[str, Sides], name: str = "input_1") -> Ports:
    return Ports({name: (1, side, side, 3)}, outputs)


def _two(boxes: Sides, first: str = "Identity", second: str = "Identity_1") -> dict[str, Sides]:
    return {first: boxes, second: (*boxes[:2], 1)}


_ONE = (1, 1)
_ROLES: dict[str, tuple[str, str, Ports]] = {
    "palm": ("palm", "finds hands", _seen(192, _two((1, 2016, 18)))),
    "hand": ("hand", "tells 21 points of a hand",
             _seen(224, {"Identity": (1, 63), "Identity_1": _ONE, "Identity_2": _ONE})),
    "person": ("person", "finds bodies", _seen(224, _two((1, 2254, 12)))),
    "body": ("body", "tells 33 points of a body",
             _seen(256, {"Identity": (1, 195), "Identity_1": _ONE, "Identity_3": (1, 64, 64, 39)})),
    "near": ("near", "finds faces up to two metres away",
             _seen(128, _two((1, 896, 16), "regressors", "classificators"), "input")),
    "far": ("far", "finds faces up to five metres away", _seen(192, _two((1, 2304, 16)))),
    "mesh478": ("mesh", "tells 478 points of a face",
                _seen(256, {"Identity": (1, 1, 1, 1434), "Identity_1": (1, 1, 1, 1)}, "input_12")),
    "mesh468": ("mesh", "tells 468 points of a face",
                _seen(192, {"conv2d_21": (1, 1, 1, 1404), "conv2d_31": (1, 1, 1, 1)})),
    "iris": ("iris", "tells where the irises are",
             _seen(64, {"output_eyes_contours_and_brows": (1, 213), "output_iris": (1, 15)})),
}  # fmt: skip
"""What a network is -> its role in the card, what it does, the ports that the task asks for."""

_NEAR_ONLY = "faces further away than two metres: its one detector does not see them"
_WAYS = (
    _Way("hands", ("palm", "hand")),
    _Way("pose", ("person", "body")),
    _Way("faces", ("near", "mesh478"), ("far",), _NEAR_ONLY),
    _Way("faces", ("near", "mesh468", "iris"), ("far",), _NEAR_ONLY),
)
_OTHERS = {
    (52,): "how much the face does each of 52 things (blendshapes): `faces` tells smile, mouth_open and gaze itself",
    (1, 128): "signs that a hand makes: no task here reads them; decide by the points of `hands`",
}  # fmt: skip
"""A shape among a network's ports -> what it does that nothing here runs."""


def is_one(folder: Path) -> bool:
    """A folder with several TFLite files, or with one bundle in it, as that of gestures has."""
    return len(_networks(folder)) > 1 or bool(_inner(folder))


def read(folder: Path) -> Found:
    """ModelFault: a network that is not exactly right, or none of our tasks can run with these."""
    networks, kept = _all(folder)
    if len(networks) > MAX_NETWORKS:
        raise refuse(folder.name, f"it holds {len(networks)} networks")
    ports = {place: _ports(place) for place in networks}
    ways = {}
    for way in _WAYS:
        fit = {role: [p for p in networks if ports[p].hold(_ROLES[role][2])] for role in (*way.needs, *way.may)}
        if all(fit[role] for role in way.needs):
            ways[way.task] = way, _one_each(folder.name, fit)
    if not ways:
        raise _no_way(folder.name, ports)
    found = Found("MediaPipe bundle", title=folder.absolute().name, keep=kept)
    used: set[Path] = set()
    for task, (way, chosen) in ways.items():
        table = table_of(task)
        roles = {_ROLES[key][0]: place for key, place in chosen.items()}
        made = {role: _made(place, table.get("options", {})) for role, place in roles.items()}
        found.made |= {role: (f"{roles[role].stem}.onnx", lambda blob=blob: blob) for role, blob in made.items()}
        found.cards[task] = {**table, "roles": list(roles)}
        found.about = f"Made of a bundle of MediaPipe Tasks: {', '.join(p.name for p in roles.values())}"
        found.facts += [(place.name, f"{task}, {_ROLES[key][0]}: {_ROLES[key][1]}") for key, place in chosen.items()]
        if way.lacks and not set(way.may) & set(chosen):
            found.facts.append(("not seen", way.lacks))
        used |= set(roles.values())
    found.facts += [(p.name, f"left out: {_said(ports[p])}") for p in networks if p not in used]
    _as_on_the_shelf(found)
    return found


def _networks(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix == ".tflite" and p.is_file()) if folder.is_dir() else []


def _inner(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix == ".task" and p.is_file()) if folder.is_dir() else []


def _all(folder: Path) -> tuple[list[Path], list[tempfile.TemporaryDirectory[str]]]:
    """The networks, those of bundles in the bundle too (and no deeper); and the folders that these were unpacked to."""
    networks, kept = _networks(folder), []
    for place in _inner(folder)[:4]:
        if packed.is_zip(place):
            kept.append(packed.unpacked(place))
            networks += _networks(Path(kept[-1].name))
    return networks, kept


def _checked(place: Path) -> bytes:
    if place.stat().st_size > MAX_BYTES:
        raise refuse(place.name, f"it has {place.stat().st_size / 1e6:.0f} MB, which no network of such a bundle has")
    blob = place.read_bytes()
    safe.check(blob, place.name, {"tflite"})
    return blob


def _ports(place: Path) -> Ports:
    """Of the first network in the file. ModelFault: it is not exactly right."""
    blob = _checked(place)
    try:
        graph = Table(blob, struct.unpack_from("<I", blob, 0)[0]).tables(2)[0]
        tensors = graph.tables(0)
        names = [{tensors[n].text(3): tuple(tensors[n].numbers(0).tolist()) for n in graph.numbers(f)} for f in (1, 2)]
    except (ValueError, IndexError, struct.error) as error:
        raise refuse(place.name, f"its ports cannot be read ({clean(error, 80)})") from None
    return Ports(*names)


def _one_each(name: str, fit: dict[str, list[Path]]) -> dict[str, Path]:
    for role, places in fit.items():
        if len(places) > 1:
            both = clean(" and ".join(p.name for p in places))
            raise refuse(name, f"{both} both could be the one that {_ROLES[role][1]}", "leave one of them in it")
    return {role: places[0] for role, places in fit.items() if places}


def _made(place: Path, options: dict) -> bytes:
    try:
        return convert.make("tflite", {"network": _checked(place)}, options)
    except ModelFault as fault:
        raise refuse(place.name, fault.what.partition(": ")[2] or fault.what) from None


def _said(ports: Ports) -> str:
    shapes = {*ports.inputs.values(), *ports.outputs.values()}
    return next((said for shape, said in _OTHERS.items() if shape in shapes), f"no task here takes {ports}")


def _no_way(name: str, ports: dict[Path, Ports]) -> ModelFault:
    """What each of them is, and what the likeliest task lacks."""
    known = {key for key, row in _ROLES.items() if any(p.hold(row[2]) for p in ports.values())}
    near = max(_WAYS, key=lambda way: len(known & set(way.needs)))
    told = ", ".join(f"{place.name} ({port})" for place, port in list(ports.items())[:4])
    if not known & set(near.needs):
        why = f"of the {len(ports)} networks in it none is one of those of hands, faces or pose: {told}"
        first = next(iter(ports)).name
        return refuse(name, clean(why, 600), f"unpack it, and add one of them: pleinair models add {first} --like CARD")
    lacks = " and the one that ".join(_ROLES[key][1] for key in near.needs if key not in known)
    why = f"it is a bundle of MediaPipe's, without the network that {lacks}; it has {told}"
    has = next(key for key in near.needs if key in known)
    hint = f"unpack it, and put what it has in the place of ours: --like {near.task} --role {_ROLES[has][0]}"
    return refuse(name, clean(why, 600), hint)


def _as_on_the_shelf(found: Found) -> None:
    """Where every network is, number for number, one of the shelf's, its licence is known."""
    import hashlib

    from ..card import find_card

    for task, table in found.cards.items():
        card = find_card(task)
        ours = {file.sha256 for file in card.needed.values()}
        same = [role for role in table["roles"] if hashlib.sha256(found.made[role][1]()).hexdigest() in ours]
        if len(same) == len(table["roles"]) and len(found.cards) == 1:
            found.states(
                card.weights.id, f"the card {task}, whose networks these are, bit for bit: {card.weights.stated_in}"
            )
        elif same:
            found.facts.append(("on the shelf", f"{' and '.join(same)}: the same, bit for bit, as in the card {task}"))
