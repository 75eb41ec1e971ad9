"""Whether a tape that was closed is all that it was then."""

from __future__ import annotations

import hashlib

from .result import Result
from .tape import Chain, Lookup, Tape, line_of


def check_seal(tape: Tape, chain: Chain, inputs: Lookup, expected: Lookup | None, result: Result) -> None:
    """After the last event of a sealed tape. What differs goes into `result`. What no frame shows is found here: an
    event after the last frame, bytes that nothing reads, a kept text."""
    seal, altered = tape.seal, []
    if (seal["events"], seal["chain"]) != (chain.count, chain.digest):
        altered.append("events.jsonl")
    inputs.finish()
    if inputs.count != seal["inputs"]:
        altered.append("inputs.jsonl")
    for stream, size in seal["blobs"].items():
        blobs = tape.folder / "inputs" / f"{stream}.bin"
        if not blobs.exists() or blobs.stat().st_size != size:
            altered.append(f"inputs/{stream}.bin")
    if expected is not None:
        expected.finish()
        if expected.hash.hexdigest() != seal["expected"]:
            altered.append("expected.jsonl")
    elif not result.differing:
        text = "".join(line_of(e) + "\n" for e in result.expected)
        if hashlib.sha256(text.encode()).hexdigest() != seal["expected"]:
            result.differ(
                f"{result.frames} frames came out, and they are not the {seal['frames']} that the seal stands for "
                "(expected.jsonl is gone, so which is the first cannot be said)"
            )
    for name in tape.kept():
        tape.blob(name)
    for name in altered:
        result.differ(f"the tape was altered: {name}")
