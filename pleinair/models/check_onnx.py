"""A weights file is read before any runtime sees it: is it whole, is it an ONNX network, and is it the one meant?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from ..backends import wire
from ..core.errors import ModelFault

MAX_BYTES = 2_000_000_000
"""Protobuf ends at 2 GiB."""


def inspect(model: bytes, name: str) -> wire.Summary:
    """What the network asks for and holds. ModelFault where it is cut short, no ONNX, or reaches outside its file."""
    if len(model) > MAX_BYTES:
        raise _fault(name, f"it has {len(model)} bytes; an ONNX file ends at 2 GB")
    if not model:
        raise _fault(name, "it is empty")
    try:
        found = wire.summary(model)
    except wire.Broken as error:
        raise _fault(name, str(error)) from None
    except RecursionError:
        raise _fault(name, "graphs are nested without end") from None
    for place in found.external:
        if leaves_its_folder(place):
            raise _fault(name, f'it reaches for the file "{place[:80]}" outside its own folder', "do not use this file")
    if found.external:
        raise _fault(
            name,
            f'its numbers are in another file, "{found.external[0][:80]}"',
            "save it as one file: onnx.save(model, path, save_as_external_data=False)",
        )
    return found


def expect(
    found: wire.Summary,
    name: str,
    inputs: Mapping[str, Sequence[int | None]],
    outputs: Mapping[str, Sequence[int | None]],
    types: Mapping[str, int] | None = None,
) -> None:
    """ModelFault unless the network has exactly these inputs, and these outputs, with sides that fit.

    inputs, outputs  name -> sides; None: any
    types            name -> TensorProto.DataType; float32 where it is not named
    """
    for what, wanted, there in (("inputs", inputs, found.inputs), ("outputs", outputs, found.outputs)):
        names_differ = set(there) != set(wanted) if what == "inputs" else not set(wanted) <= set(there)
        if names_differ or any(not _fits(there[n], wanted[n]) for n in wanted):
            raise _fault(
                name,
                f"it is another model's: its {what} are {_ports(there)}, and {_ports(wanted)} were expected",
                "check the card: which file belongs to which role?",
            )
        for port in wanted:
            its, meant = found.types.get(port, wire.FLOAT), (types or {}).get(port, wire.FLOAT)
            if its != meant:
                spelt = {number: word for word, number in wire.TYPES.items()}
                raise _fault(name, f"{port} is not {spelt[meant]} (it is {spelt.get(its, f'ONNX type {its}')})")


def leaves_its_folder(place: str) -> bool:
    """Whether a path in a file is absolute, climbs, or means one on another system."""
    posix, windows = PurePosixPath(place), PureWindowsPath(place)
    climbs = ".." in posix.parts or ".." in windows.parts
    return not place or "\0" in place or climbs or posix.is_absolute() or bool(windows.drive or windows.root)


def _fits(there: Sequence[int | None] | None, wanted: Sequence[int | None]) -> bool:
    if there is None:
        return True
    if len(there) != len(wanted):
        return False
    return all(w is None or t in (-1, None) or t == w for t, w in zip(there, wanted, strict=True))


def _ports(ports: Mapping[str, Sequence[int | None] | None]) -> str:
    if not ports:
        return "none"
    return ", ".join(
        f"{n} [{' x '.join('?' if s in (-1, None) else str(s) for s in p or ())}]" for n, p in ports.items()
    )


def _fault(name: str, why: str, hint: str = "") -> ModelFault:
    return ModelFault(
        f"the model file {name} cannot be used: {why}",
        now="the model was not loaded",
        hint=hint or "fetch it again, or ask whoever made it for a whole one",
    )
