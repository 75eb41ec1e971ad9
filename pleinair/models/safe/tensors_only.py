"""The pickle inside a torch file, read by an interpreter that can build tensors and nothing else.

A pickle is a program. This one knows three dozen of its instructions and fifteen names; a name is a word here,
compared with a list, and never looked up, imported or called. There is no `find_class`, no way to reach an attribute,
and `BUILD`, which sets attributes, does nothing. Sources: PEP 307 and the comments of Python's pickletools.py (the
instructions), torch/_utils.py and torch/serialization.py (what torch writes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .parts import MAX_COUNT, Broken, Reader, short, text_of

MAX_STEPS = 4_000_000
MAX_DEPTH = 16

STORAGES = {
    "FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}  # fmt: skip
"""torch's storage types -> the dtypes of safetensors."""
_KNOWN = {("collections", "OrderedDict"), ("torch", "Size")}
_KNOWN |= {("torch._utils", n) for n in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter")}
_KNOWN |= {("torch", storage) for storage in STORAGES}


@dataclass(frozen=True)
class Name:
    """A word in the file that would be a class or a function to Python."""

    module: str
    name: str


@dataclass(frozen=True)
class Storage:
    """A row of numbers that lies elsewhere in the file."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Mark:
    pass


_MARK = _Mark()


def run(reader: Reader) -> Any:
    """What the pickle at the reader's place describes: dicts, lists, tuples, numbers, texts, Storage and Tensor.

    Broken at the first instruction or name that is not needed for tensors.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def pop() -> Any:
        if not stack or stack[-1] is _MARK:
            raise Broken("the list in it is damaged")
        return stack.pop()

    def to_mark() -> list[Any]:
        for place in range(len(stack) - 1, -1, -1):
            if stack[place] is _MARK:
                items = stack[place + 1 :]
                del stack[place:]
                return items
        raise Broken("the list in it is damaged")

    def top(kind: type) -> Any:
        if not stack or not isinstance(stack[-1], kind):
            raise Broken("the list in it is damaged")
        return stack[-1]

    def keep(place: int) -> None:
        if not stack or stack[-1] is _MARK or place > MAX_STEPS:
            raise Broken("the list in it is damaged")
        memo[place] = stack[-1]

    def kept(place: int) -> None:
        if place not in memo:
            raise Broken("the list in it is damaged")
        stack.append(memo[place])

    for _ in range(MAX_STEPS):
        code = reader.u8()
        match code:
            case 0x80:  # PROTO
                if reader.u8() not in (2, 3, 4, 5):
                    raise Broken("its pickle is of a kind that is not read here")
            case 0x95:  # FRAME
                reader.skip(8)
            case 0x2E:  # STOP
                found = pop()
                if stack:
                    raise Broken("the list in it is damaged")
                return found
            case 0x28:  # MARK
                stack.append(_MARK)
            case 0x7D:  # EMPTY_DICT
                stack.append({})
            case 0x5D:  # EMPTY_LIST
                stack.append([])
            case 0x29:  # EMPTY_TUPLE
                stack.append(())
            case 0x74:  # TUPLE
                stack.append(tuple(to_mark()))
            case 0x85 | 0x86 | 0x87:  # TUPLE1, TUPLE2, TUPLE3
                items = [pop() for _ in range(code - 0x84)]
                stack.append(tuple(reversed(items)))
            case 0x71:  # BINPUT
                keep(reader.u8())
            case 0x72:  # LONG_BINPUT
                keep(reader.u32())
            case 0x94:  # MEMOIZE
                keep(len(memo))
            case 0x68:  # BINGET
                kept(reader.u8())
            case 0x6A:  # LONG_BINGET
                kept(reader.u32())
            case 0x58:  # BINUNICODE
                stack.append(text_of(reader.take(reader.u32())))
            case 0x8C | 0x55:  # SHORT_BINUNICODE, SHORT_BINSTRING
                stack.append(text_of(reader.take(reader.u8())))
            case 0x4A:  # BININT
                stack.append(reader.number("i"))
            case 0x4B:  # BININT1
                stack.append(reader.u8())
            case 0x4D:  # BININT2
                stack.append(reader.u16())
            case 0x8A:  # LONG1
                stack.append(int.from_bytes(reader.take(reader.u8()), "little", signed=True))
            case 0x47:  # BINFLOAT
                stack.append(struct.unpack(">d", reader.take(8))[0])
            case 0x4E:  # NONE
                stack.append(None)
            case 0x88 | 0x89:  # NEWTRUE, NEWFALSE
                stack.append(code == 0x88)
            case 0x63:  # GLOBAL
                module = _line(reader)
                stack.append(_name(module, _line(reader)))
            case 0x93:  # STACK_GLOBAL
                name, module = pop(), pop()
                stack.append(_name(module, name))
            case 0x51:  # BINPERSID
                stack.append(_storage(pop()))
            case 0x52:  # REDUCE
                args, name = pop(), pop()
                stack.append(_made(name, args))
            case 0x62:  # BUILD: an OrderedDict's _metadata, which no tensor needs
                pop()
                top(dict)
            case 0x73:  # SETITEM
                value, key = pop(), pop()
                _set(top(dict), [key, value])
            case 0x75:  # SETITEMS
                items = to_mark()
                _set(top(dict), items)
            case 0x61:  # APPEND
                value = pop()
                top(list).append(value)
            case 0x65:  # APPENDS
                items = to_mark()
                top(list).extend(items)
            case _:
                raise Broken(f"its pickle holds an instruction (0x{code:02x}) that no list of tensors needs")
    raise Broken("its pickle does not come to an end")


def named(found: Any) -> dict[str, Tensor]:
    """Every tensor in what `run` gave, by its path: "model_state.linear.weight"; "tensor" where the file
    is one tensor and no more. Broken where there is none."""
    tensors: dict[str, Tensor] = {}
    visits = 0

    def walk(value: Any, path: str, depth: int) -> None:
        nonlocal visits
        visits += 1
        if depth > MAX_DEPTH or visits > MAX_STEPS // 4 or len(path) > 1024:
            raise Broken("its lists are nested without end")
        if isinstance(value, Tensor):
            path = path or "tensor"
            if path in tensors:
                raise Broken(f"two of its tensors are called {short(path)}")
            tensors[path] = value
        elif isinstance(value, (dict, list, tuple)):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for key, inner in pairs:
                if isinstance(inner, (Tensor, dict, list, tuple)):
                    walk(inner, f"{path}.{key}" if path else str(key), depth + 1)

    walk(found, "", 0)
    if not tensors:
        raise Broken("it holds no tensors")
    return tensors


def _line(reader: Reader) -> str:
    """A text up to a line's end, of 256 bytes at most."""
    start = reader.at
    for _ in range(256):
        if reader.u8() == 10:
            return text_of(reader.view[start : reader.at - 1])
    raise Broken("a name in its pickle has no end")


def _name(module: Any, name: Any) -> Name:
    if not isinstance(module, str) or not isinstance(name, str) or (module, name) not in _KNOWN:
        raise Broken(f"its pickle asks Python to run {short(f'{module!s:.60}.{name!s:.60}')}, which is no tensor")
    return Name(module, name)


def _storage(told: Any) -> Storage:
    """A persistent id: ("storage", type, key, place, count), in old files with a sixth that is None."""
    if not isinstance(told, tuple) or len(told) not in (5, 6) or told[0] != "storage" or told[5:] not in ((), (None,)):
        raise Broken("a table in it is described in a way that is not read here")
    _, kind, key, _, count = told[:5]
    if not isinstance(kind, Name) or kind.name not in STORAGES or not isinstance(key, str):
        raise Broken("a table in it is described in a way that is not read here")
    if type(count) is not int or not 0 <= count <= MAX_COUNT:
        raise Broken(f"a table in it has {count} numbers")
    return Storage(STORAGES[kind.name], key, count)


def _made(name: Any, args: Any) -> Any:
    if not isinstance(name, Name) or not isinstance(args, tuple):
        raise Broken("its pickle asks for something to be run")
    match name.name:
        case "OrderedDict":
            found: dict[Any, Any] = {}
            pairs = args[0] if len(args) == 1 else ()
            if len(args) > 1 or not isinstance(pairs, (list, tuple)):
                raise Broken("the list in it is damaged")
            for pair in pairs:
                if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                    raise Broken("the list in it is damaged")
                _set(found, list(pair))
            return found
        case "Size":
            return _whole(args[0] if len(args) == 1 else None)
        case "_rebuild_parameter" if args and isinstance(args[0], Tensor):
            return args[0]
        case "_rebuild_tensor" | "_rebuild_tensor_v2" if len(args) >= 4 and isinstance(args[0], Storage):
            storage, offset, shape, strides = args[0], args[1], _whole(args[2]), _whole(args[3])
            if type(offset) is not int or offset < 0 or len(shape) != len(strides):
                raise Broken("a tensor in it has no shape")
            return Tensor(storage, offset, shape, strides)
    raise Broken(f"its pickle asks Python to run {short(f'{name.module}.{name.name}')}, which is no tensor")


def _whole(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > 16:
        raise Broken("a tensor in it has no shape")
    if any(type(side) is not int or not 0 <= side <= MAX_COUNT for side in value):
        raise Broken("a tensor in it has a side that no tensor has")
    return tuple(value)


def _set(target: dict[Any, Any], items: list[Any]) -> None:
    if len(items) % 2:
        raise Broken("the list in it is damaged")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, (str, int)):
            raise Broken("the list in it has a key that is no name")
        if key in target:
            raise Broken(f"the list in it holds {short(str(key))} twice")
        target[key] = value
