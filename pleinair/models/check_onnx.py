"""A weights file is read before any runtime sees it: is it whole, is it an ONNX network, and is it the one meant?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from ..backends import wire
from ..backends.protobuf import short
from ..core.errors import ModelFault


def inspect(model: bytes, name: str) -> wire.Summary:
    """What the network asks for and holds. ModelFault where it is cut short, no ONNX, or reaches outside its file."""
    from . import safe

    return safe.check(model, name, allow=("onnx",)).summary


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
    told = [
        f"{short(n)[1:-1]} [{' x '.join('?' if s in (-1, None) else str(s) for s in p or ())}]"
        for n, p in list(ports.items())[:12]
    ]
    return ", ".join(told) + (" ..." if len(ports) > 12 else "")


def _fault(name: str, why: str, hint: str = "") -> ModelFault:
    return ModelFault(
        f"the model file {name} cannot be used: {why}",
        now="the model was not loaded",
        hint=hint or "fetch it again, or ask whoever made it for a whole one",
    )
