"""model.bin of CTranslate2: names, shapes, numbers, and second names for them.

The layout is that of `Model::load` in CTranslate2's src/models/model.cc, versions 2 to 6 of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import ct2_whisper
from .parts import Broken, Reader, product, short, text_of

MAX_TABLES = 32_768
_ITEM = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}
"""Bytes of one number by CTranslate2's DataType: float32, int8, int16, int32, float16, bfloat16."""
_OLD = {4: 0, 2: 2, 1: 1}
"""Before version 4 a table says the bytes of a number: which type it is then."""
_SPEC = b"Spec\0"


@dataclass(frozen=True)
class CTranslate2:
    """`spec`: the kind of network ("WhisperSpec"); `tables`: how many; `bytes`: of numbers; `words`: that a Whisper
    knows."""

    spec: str
    tables: int
    bytes: int
    words: int = 0


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
    whisper: dict[str, ct2_whisper.Table] = {}
    total = 0
    for _ in range(count):
        name = _name(reader)
        if hash(name) in names:
            raise Broken(f"two of its tables are called {short(name)}")
        names.add(hash(name))
        sides = reader.u8()
        if sides > 8:
            raise Broken(f"the table {short(name)} has {sides} sides")
        shape = tuple(reader.u32() for _ in range(sides))
        numbers = product(shape, f"the table {short(name)}")
        kind, size = reader.u8(), reader.u32()
        if version < 4:
            item, size, kind = kind, kind * size, _OLD.get(kind, kind)
        elif kind in _ITEM:
            item = _ITEM[kind]
        else:
            raise Broken(f"the table {short(name)} is of a type {kind} that there is not")
        if item not in (1, 2, 4) or numbers * item != size:
            raise Broken(f"the table {short(name)} should have {numbers * item} bytes and has {size}")
        value = int.from_bytes(reader.take(size), "little", signed=True) if numbers == 1 else reader.skip(size)
        if spec.startswith("Whisper"):
            whisper[name] = ct2_whisper.Table(shape, kind, value or 0)
        total += size
    if version >= 3:
        _aliases(reader, names, whisper)
    if reader.at != reader.end:
        raise Broken("something lies behind its last table")
    return CTranslate2(spec, count, total, ct2_whisper.check(whisper))


def _aliases(reader: Reader, names: set[int], tables: dict[str, ct2_whisper.Table]) -> None:
    count = reader.u32()
    if count > MAX_TABLES:
        raise Broken(f"it claims {count} second names")
    for _ in range(count):
        alias, name = _name(reader), _name(reader)
        if hash(name) not in names or hash(alias) in names:
            raise Broken(f"its second name {short(alias)} means no table, or two")
        names.add(hash(alias))
        if name in tables:
            tables[alias] = tables[name]
        if name + "_scale" in tables:  # the runtime gives it the same second name
            tables.setdefault(alias + "_scale", tables[name + "_scale"])


def _name(reader: Reader) -> str:
    """A length, the name, and a NUL that the length counts."""
    raw = reader.take(reader.u16())
    if len(raw) < 2 or raw[-1] != 0:
        raise Broken("a name in it has no end")
    return text_of(raw[:-1])
