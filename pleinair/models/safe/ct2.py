"""model.bin of CTranslate2: names, shapes, numbers, and second names for them.

The layout is that of `Model::load` in CTranslate2's src/models/model.cc, versions 2 to 6 of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from .parts import Broken, Reader, product, short, text_of

MAX_TABLES = 32_768
_ITEM = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}
"""Bytes of one number by CTranslate2's DataType: float32, int8, int16, int32, float16, bfloat16."""
_SPEC = b"Spec\0"


@dataclass(frozen=True)
class CTranslate2:
    """`spec`: the kind of network ("WhisperSpec"); `tables`: how many; `bytes`: of numbers."""

    spec: str
    tables: int
    bytes: int


def is_ct2(view: memoryview) -> bool:
    """A small version, then a short name that ends in "Spec"."""
    if len(view) < 16 or not 2 <= int.from_bytes(view[:4], "little") <= 64:
        return False
    length = int.from_bytes(view[4:6], "little")
    return 5 < length <= 64 and bytes(view[6 : 6 + length]).endswith(_SPEC)


def check(view: memoryview) -> CTranslate2:
    """Every length against the file's end. Broken where one is not as it says."""
    reader = Reader(view)
    version = reader.u32()
    if not 2 <= version <= 6:
        raise Broken(f"it is version {version} of CTranslate2's file; 2 to 6 are read here")
    spec = _name(reader)
    reader.u32()  # revision of the spec
    count = reader.u32()
    if not spec.isidentifier() or not 0 < count <= MAX_TABLES or count * 12 > len(view):
        raise Broken(f"it claims to be {short(spec)}, with {count} tables")
    names: set[int] = set()
    total = 0
    for _ in range(count):
        name = _name(reader)
        if hash(name) in names:
            raise Broken(f"two of its tables are called {short(name)}")
        names.add(hash(name))
        sides = reader.u8()
        if sides > 8:
            raise Broken(f"the table {short(name)} has {sides} sides")
        numbers = product([reader.u32() for _ in range(sides)], f"the table {short(name)}")
        kind, size = reader.u8(), reader.u32()
        if version < 4:
            item, size = kind, kind * size
        elif kind in _ITEM:
            item = _ITEM[kind]
        else:
            raise Broken(f"the table {short(name)} is of a type {kind} that there is not")
        if item not in (1, 2, 4) or numbers * item != size:
            raise Broken(f"the table {short(name)} should have {numbers * item} bytes and has {size}")
        reader.skip(size)
        total += size
    if version >= 3:
        _aliases(reader, names)
    if reader.at != reader.end:
        raise Broken("something lies behind its last table")
    return CTranslate2(spec, count, total)


def _aliases(reader: Reader, names: set[int]) -> None:
    count = reader.u32()
    if count > MAX_TABLES:
        raise Broken(f"it claims {count} second names")
    for _ in range(count):
        alias, name = _name(reader), _name(reader)
        if hash(name) not in names or hash(alias) in names:
            raise Broken(f"its second name {short(alias)} means no table, or two")
        names.add(hash(alias))


def _name(reader: Reader) -> str:
    """A length, the name, and a NUL that the length counts."""
    raw = reader.take(reader.u16())
    if len(raw) < 2 or raw[-1] != 0:
        raise Broken("a name in it has no end")
    return text_of(raw[:-1])
