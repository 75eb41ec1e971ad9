"""What a node remembers, on a tape that begins in the middle of a run: its last output, its time, and what its object
says of itself in `save()`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.codec import decode, encode
from ..core.errors import TapeFault
from ..core.kinds import KINDS
from ..core.source import Raw
from .cell import Cell
from .tapefile import Line, Writer

if TYPE_CHECKING:
    from .tape import Tape


def save_state(cell: Cell, writer: Writer) -> Line:
    """The `state` event of a node between two firings. TapeFault where its object saves what cannot be kept."""
    value: Line = {"last_t": cell.last_t_ns, "saved": None, "kind": cell.kind.__name__ if cell.kind else None}
    if cell.previous is not None and cell.kind is not None:
        raw = encode(cell.kind, cell.previous)
        value["previous"] = {"file": writer.keep("previous.bin", raw.blob), "codec": raw.codec, "note": raw.note}
    saved = cell.node.save()
    if saved is not None:
        value["saved"] = _pack(saved, writer, cell.node.name)
    return {"e": "state", "n": cell.node.name, "q": cell.next_seq, "v": value}


def load_state(cell: Cell, event: Line, tape: Tape) -> None:
    """The way back: what `save_state` wrote, into a cell that is open. TapeFault where a kept file was altered."""
    value = event["v"]
    cell.next_seq, cell.last_t_ns = event["q"], value["last_t"]
    cell.firings = 1
    if value["kind"]:
        cell.node.kind = KINDS[value["kind"]]
    if kept := value.get("previous"):
        cell.previous = cell.kind.check(decode(Raw(kept["codec"], tape.blob(f"{kept['file']}.bin"), kept["note"])))
    if value["saved"] is not None:
        cell.node.load(_unpack(value["saved"], tape))


def _pack(value: Any, writer: Writer, node: str) -> Any:
    """JSON and arrays, nested, as JSON; an array as a file of its own."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int, float)):
        return {"v": value}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcSU":
        out = io.BytesIO()
        np.save(out, value, allow_pickle=False)
        return {"npy": writer.keep("state.npy", out.getvalue())}
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        return {"d": {k: _pack(v, writer, node) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"l": [_pack(v, writer, node) for v in value]}
    raise TapeFault(
        f"{node} saves a {type(value).__name__}, which a tape cannot keep",
        now="no tape was cut",
        hint="save() returns numbers, texts, lists, dicts and numpy arrays",
    )


def _unpack(packed: Line, tape: Tape) -> Any:
    ((what, value),) = packed.items()
    if what == "npy":
        return np.load(io.BytesIO(tape.blob(f"{value}.npy")), allow_pickle=False)
    if what == "d":
        return {k: _unpack(v, tape) for k, v in value.items()}
    return [_unpack(v, tape) for v in value] if what == "l" else value
