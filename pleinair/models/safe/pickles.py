"""Pickles, told by their instructions and never run: under any name, in any wrapping.

Nothing here decides what is safe: a file is used only if it is of a known format. This is for saying what was found,
and for texts, where a pickle of the first kind would pass for words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .parts import Broken, Reader

_WINDOW = 1 << 20
_STEPS = 5000
_STEPS_IN_ALL = 60_000
_CALLS = re.compile(
    rb"[ci][A-Za-z_][\w.]{0,80}\r?\n[A-Za-z_][\w.]{0,80}\r?\n(?=[(\x80-\x95)\]}NKMJXUqph012FILlSVTRobQ])"
)
_FRAMED = re.compile(rb"\x80[\x02-\x05][\x95(}\])cKMJGNXUq\x8a\x8c\x88\x89\x8e]")
_WORD = re.compile(rb"[A-Za-z_][\w.]*\r?")

# Bytes that follow an instruction. A negative number: a length of that many bytes comes first. "n": a line, "nn": two
_ARGS: dict[int, int | str] = {
    **dict.fromkeys(b".(0d1}eal]Nos)tubRQ2\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98", 0),
    **dict.fromkeys(b"Khq\x80\x82", 1), **dict.fromkeys(b"M\x83", 2), **dict.fromkeys(b"Jjr\x84", 4),
    **dict.fromkeys(b"G\x95", 8), **dict.fromkeys(b"U\x8c\x8aC", -1), **dict.fromkeys(b"TXB\x8b", -4),
    **dict.fromkeys(b"\x8d\x8e\x96", -8), **dict.fromkeys(b"FILVSgpP", "n"), **dict.fromkeys(b"ci", "nn"),
}  # fmt: skip
# What an instruction takes from the stack, and by how much the stack grows; the others push one. _TO_MARK: all down to
# the last mark
_STACK = {
    **dict.fromkeys(b"R\x81b\x86\x93", (2, -1)), **dict.fromkeys(b"\x87\x92", (3, -2)), **dict.fromkeys(b"s", (3, -2)),
    **dict.fromkeys(b"a", (2, -1)), **dict.fromkeys(b"\x85Qqrp\x94\x98", (1, 0)), **dict.fromkeys(b"0.", (1, -1)),
    **dict.fromkeys(b"2", (1, 1)), **dict.fromkeys(b"\x80\x95", (0, 0)),
}  # fmt: skip
_TO_MARK = {**dict.fromkeys(b"tldoi\x91", 1), **dict.fromkeys(b"ue\x901", 0)}
_RUNS = frozenset(b"Roib\x81\x92")
_NAMES = frozenset(b"ci\x93\x82\x83\x84")


def find(view: memoryview) -> bool:
    """Whether a pickle begins in the first megabyte: at the start, or behind something else."""
    head = memoryview(bytes(view[:_WINDOW]))
    left = _Steps(_STEPS_IN_ALL)
    if whole(head, 0, head[:1] != b"\x80", left):
        return True
    for pattern in (_FRAMED, _CALLS):
        for match in pattern.finditer(head):
            if whole(head, match.start(), True, left):
                return True
            if left.count < 0:
                break
    return False


@dataclass
class _Steps:
    """How many instructions may still be looked at: a file of beginnings must not take for ever."""

    count: int


def whole(view: memoryview, at: int, calls: bool, left: _Steps) -> bool:
    """Whether instructions that fit each other run from there to a STOP; with `calls`: and something named is run."""
    reader = Reader(view, at)
    named = run = False
    depth, marks = 0, []
    try:
        for step in range(min(_STEPS, max(0, left.count))):
            left.count -= 1
            code = reader.u8()
            args = _ARGS.get(code)
            needs, grows = _STACK.get(code, (0, 1))
            if args is None or depth - (marks[-1] if marks else 0) < needs or (code in _TO_MARK and not marks):
                return False
            if code == 0x2E:
                return step > 0 and (not calls or (named and run))
            if code == 0x28:
                marks.append(depth)
            elif code in _TO_MARK:
                depth = marks.pop() + _TO_MARK[code]
            else:
                depth += grows
            named, run = named or code in _NAMES, run or code in _RUNS
            if isinstance(args, str):
                lines = [_line(reader) for _ in args]
                if args == "nn" and not all(map(_WORD.fullmatch, lines)):
                    return False
            elif args < 0:
                reader.skip(int.from_bytes(reader.take(-args), "little"))
            else:
                reader.skip(args)
    except Broken:  # cut off: what began as a pickle and went on as one was one
        return step > 8 and view[at] == 0x80 and (not calls or (named and run))
    return named and run


def _line(reader: Reader) -> bytes:
    found = bytes(reader.view[reader.at : reader.at + 4096]).find(b"\n")
    if found < 0:
        raise Broken("no line")
    line = bytes(reader.take(found))
    reader.skip(1)
    return line
