"""What every backend is: a network of fixed shapes, named arrays in, named arrays out.

A backend is made with all that chooses its numbers (precision, threads, shapes) and never changes them afterwards.
Pictures go in and come out as uint8, height x width x 3: the conversion belongs to the backend, inside the network
where its runtime can.

    u8 -> network   (x - mean) / scale, by default x / 255
    network -> u8   clip(x * 255, 0, 255), rounded half to even: saturates, never wraps
"""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..core.errors import ModelFault

PRECISIONS = ("f32", "bf16")


@dataclass(frozen=True)
class Tensor:
    """One input or output of a network, as the task hands it over.

    name     in the weights file
    shape    the network's own: (1, 3, 240, 320). Fixed, but for rows of another length each time (words, samples),
             whose side is -1
    picture  "": an array of `shape` and `dtype`, handed as it is. "NCHW" or "NHWC": the network's layout of a picture,
             which is handed over as uint8 RGB (height, width, 3)
    dtype    "float32", "float64", "int64", "int32", "uint8" or "bool"; of a picture always float32 inside the network
    mean, scale   for a picture that goes in: (u8 - mean) / scale, in 0..255, one number or one for each of R, G, B.
             mean 127.5, scale 127.5 gives -1..1
    bgr      the network wants its channels as B, G, R
    """

    name: str
    shape: tuple[int, ...]
    picture: str = ""
    dtype: str = "float32"
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (255.0,)
    bgr: bool = False

    @property
    def free(self) -> bool:
        """Whether a side is another one at each call."""
        return any(side < 0 for side in self.shape)

    @property
    def plain(self) -> bool:
        """Whether the picture is only divided by 255."""
        return self.mean == (0.0,) and self.scale == (255.0,) and not self.bgr

    @property
    def height_width(self) -> tuple[int, int]:
        """Of a picture."""
        return (self.shape[2], self.shape[3]) if self.picture == "NCHW" else (self.shape[1], self.shape[2])

    @property
    def handed(self) -> tuple[int, ...]:
        """The shape of the array that is handed over."""
        return (*self.height_width, 3) if self.picture else self.shape


class Backend(Protocol):
    """A compiled network; `compiled.Compiled` has what most of them share.

    name       "openvino", "onnx"
    version    of its runtime
    precision  "f32" or "bf16": asked for by name, and what the network really runs in
    threads    that one call may use
    isa        what the numbers depend on besides: the processor's instruction set
    inputs     the tensors that it was made for
    """

    name: str
    version: str
    precision: str
    threads: int
    isa: str
    inputs: tuple[Tensor, ...]

    def __init__(
        self, model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int
    ) -> None: ...

    @staticmethod
    def version_installed() -> str:
        """Of the runtime, without importing it; "" where it is not installed."""
        ...

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One inference. Arrays are C-contiguous and of the handed shape and type; each output is an array that the
        caller owns. Safe from several threads (they take turns); the GIL is released while the network runs."""
        ...

    def close(self) -> None:
        """Gives memory and threads back. Idempotent."""
        ...

    def describe(self) -> dict[str, Any]:
        """{"name", "version", "precision", "threads", "isa"}"""
        ...


def another(tensor: Tensor, found: Mapping[str, Sequence[int]]) -> ModelFault:
    """A file whose tensors (`found`: name -> shape) are not those that the task knows."""
    has = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in list(found.items())[:6])
    return ModelFault(
        f"the file is another network: {tensor.name} should be {' x '.join(map(str, tensor.shape))} {tensor.dtype}, "
        f"and the file has {has}",
        now="the model was not loaded",
    )


def closed() -> ModelFault:
    """A model that is asked after `close`."""
    return ModelFault("the model is closed", hint="load it again")


def package_version(package: str) -> str:
    """The installed version of a package, "" where it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def default_threads() -> int:
    """As many as this process may use, 8 at the most: small networks gain nothing from more."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, min(8, cores))


_X86 = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "avx", "sse4_2")


@functools.cache
def isa() -> str:
    """The instruction set that kernels are chosen by: `x86_64+avx512_bf16`, `aarch64+bf16`, or the machine's name."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    flags: set[str] = set()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.lower().startswith(("flags", "features")):
                flags = set(line.split(":", 1)[1].split())
                break
    except OSError:
        return machine
    best = next((f for f in _X86 if f in flags), "") or ("bf16" if "bf16" in flags else "")
    return f"{machine}+{best}" if best else machine
