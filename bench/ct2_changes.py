"""CTranslate2 files whose tables do not fit one another, though each is whole: for `bench.survive`."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass, field

_ITEM = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}


@dataclass
class _Table:
    name: bytes
    sides: list[int]
    kind: int
    data: bytes


@dataclass
class Model:
    """A model.bin of version 6, taken apart."""

    head: bytes
    tables: list[_Table] = field(default_factory=list)
    again: list[tuple[bytes, bytes]] = field(default_factory=list)

    @classmethod
    def read(cls, blob: bytes) -> Model:
        at = 0

        def number(form: str) -> int:
            nonlocal at
            at += struct.calcsize("<" + form)
            return struct.unpack_from("<" + form, blob, at - struct.calcsize("<" + form))[0]

        def text(count: int) -> bytes:
            nonlocal at
            at += count
            return blob[at - count : at]

        number("I")
        text(number("H"))
        number("I")
        model = cls(blob[:at])
        for _ in range(number("I")):
            name, sides = text(number("H")), [number("I") for _ in range(number("B"))]
            model.tables.append(_Table(name, sides, number("B"), text(number("I"))))
        model.again = [(text(number("H")), text(number("H"))) for _ in range(number("I"))]
        return model

    def write(self) -> bytes:
        out = [self.head, struct.pack("<I", len(self.tables))]
        for t in self.tables:
            sides = struct.pack(f"<B{len(t.sides)}I", len(t.sides), *t.sides)
            out += [_text(t.name), sides, struct.pack("<BI", t.kind, len(t.data)), t.data]
        out += [struct.pack("<I", len(self.again)), *(_text(name) for pair in self.again for name in pair)]
        return b"".join(out)


def _text(name: bytes) -> bytes:
    return struct.pack("<H", len(name)) + name


def changed(blob: bytes, dice: random.Random) -> bytes:
    """One or two of its tables changed: another shape, number, type, name or place; all lengths still right."""
    model = Model.read(blob)
    for _ in range(dice.randrange(1, 3)):
        table, other = dice.choice(model.tables), dice.choice(model.tables)
        rows, row = (table.sides or [1])[0], len(table.data) // max((table.sides or [1])[0], 1)
        match dice.randrange(10):
            case 0:
                table.sides = [math.prod(table.sides)]
            case 1:
                table.sides.reverse()
            case 2 if len(model.tables) > 1:
                model.tables.remove(table)
            case 3:
                table.sides, table.kind, table.data = list(other.sides), other.kind, other.data
            case 4:
                table.name = table.name[1:]
            case 5:
                table = dice.choice([t for t in model.tables if len(t.data) <= 8] or [table])
                table.data = bytes(dice.choice((0, 1, 2, 127, 128, 255)) for _ in table.data)
            case 6:
                table.kind = dice.choice([kind for kind in _ITEM if _ITEM[kind] == _ITEM[table.kind]])
            case 7 if model.again:
                model.again[0] = (model.again[0][0], table.name)
            case 8 if table.sides:
                keep = dice.choice((1, rows // 2 or 1))
                table.sides, table.data = [keep, *table.sides[1:]], table.data[: keep * row]
            case 9 if table.sides:
                table.sides, table.data = [rows + 1, *table.sides[1:]], table.data + table.data[:row]
    return model.write()
