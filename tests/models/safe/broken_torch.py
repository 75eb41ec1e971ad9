"""torch files that are not what they say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import torches

ARRAYS = {
    "a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "a.count": np.array(7, np.int64),
    "b": np.array([[True, False]]),
    "half": np.linspace(-1, 1, 9, dtype=np.float16),
    "none": np.zeros((0, 4), np.float64),
}


def torch_broken() -> Iterator[tuple[str, bytes]]:
    """Torch files that are not what they say."""
    for label, good in (("zip", torches.zipped(ARRAYS)), ("row", torches.in_a_row(ARRAYS))):
        for n in range(1, 12):
            yield f"{label} cut at {n}/12", good[: len(good) * n // 12]
        yield f"{label} with something behind", good + b"\x80\x02N."
    P, text, number = torches.PROTO, torches.text, torches.number
    for label, pickle in {
        "nothing": b"",
        "no end": P + b"}",
        "an empty stack": P + b".",
        "two things": P + b"}}.",
        "a mark alone": P + b"(.",
        "a tuple of nothing": P + b"t.",
        "a place not kept": P + b"h\x07.",
        "a set of": P + b"\x8f.",
        "an object": P + b"ctorch\nSize\n)\x81.",
        "by number": P + b"\x82\x01.",
        "INST": b"(ios\nsystem\n.",
        "a name that is a list": P + b"]]\x93.",
        "a call of a list": P + b"])R.",
        "a key that is a list": P + b"}]Ns.",
        "half a pair": P + b"}(Nu.",
        "a storage of nothing": P + b"NQ.",
        "a number as storage": P + b"K\x07Q.",
        "a size that is a text": P + b"ctorch\nSize\n" + text("x") + b"\x85R.",
        "a key twice": P + b"}(" + (text("a") + b"N") * 2 + b"u.",
        "a buffer from outside": b"\x80\x05\x97.",
        "protocol 9": b"\x80\x09}.",
        "a text beyond": P + b"X\xff\xff\xff\xff.",
        "a list in itself": P + b"]q\x00h\x00a.",
        "no tensors": P + b"}.",
        "a huge number": P + b"\x8a\xff" + bytes(255) + b".",
        "a huge memo": P + b"}r\xff\xff\xff\xff.",
        "a state for a number": P + b"K\x01}b.",
        "endless": P + b"}q\x00" * 400,
        "a list of one": P + b"ccollections\nOrderedDict\n]" + number(1) + b"a\x85R.",
    }.items():
        yield label, torches.zipped(ARRAYS, pickle)
        yield f"{label}, in a row", torches.in_a_row(ARRAYS, pickle)
    arrays = {"t": np.arange(12, dtype=np.float32)}
    yield "numbers missing", torches.zipped({}, torches.state(arrays))
    yield "too few numbers", torches.zipped({"t": arrays["t"][:8]}, torches.state(arrays))
    yield "numbers of another type", torches.zipped(arrays, torches.state({"t": arrays["t"].astype(np.float64)}))
    yield "big-endian", torches.zipped({}).replace(b"little", b"bigger")
    for odd in (
        {"offset": -1},
        {"shape": (-1,)},
        {"strides": (-1,)},
        {"count": -12},
        {"count": 1 << 62},
        {"strides": ()},
    ):
        yield f"{odd}", torches.zipped(arrays, torches.state(arrays, **odd))
    for name in ("__metadata__", "a\0b", "a\x1b[2J"):
        yield f"called {name!r}", torches.zipped({name: arrays["t"]})
    for odd in (
        {"shape": (1 << 40,), "strides": (0,)},
        {"shape": (2,), "strides": (1 << 62,)},
        {"shape": (16, 16, 12), "strides": (0, 0, 1)},
        {"shape": (1 << 62, 0), "strides": (1, 1)},
    ):
        yield f"{odd}", torches.zipped(arrays, torches.state(arrays, **odd))
    many = {"t": np.zeros(64, np.float32)}
    yield (
        "one storage, a thousand times",
        torches.zipped(many, torches.state(many, shape=(1 << 20, 64), strides=(0, 1))),
    )
