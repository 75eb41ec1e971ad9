"""What the backends share: the package that each stands on, what it says of itself, and how it refuses."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, ClassVar

from ..core.errors import ModelFault
from . import base
from .base import Tensor


class OnPackage:
    """A backend whose runtime is a Python package that may be missing.

    package  its name at the registry
    missing  what `doctor` says where it is not installed
    """

    package: ClassVar[str]
    missing: ClassVar[str]

    @classmethod
    def version_installed(cls) -> str:
        """Of the runtime, without importing it; "" where it is not installed."""
        return base.package_version(cls.package)

    @classmethod
    def available(cls) -> str | None:
        """For `doctor`: why this backend cannot be used here, or None."""
        return None if cls.version_installed() else cls.missing


class Compiled(OnPackage):
    """A network compiled once: what chose its numbers is taken down, and its callers take turns behind `_lock`.

    name    as in piece.toml
    knows   its precisions; another is a ModelFault, never a silent change
    advice  the hint of that fault
    """

    name: ClassVar[str]
    knows: ClassVar[tuple[str, ...]] = ("f32",)
    advice: ClassVar[str] = 'precision = "f32"'

    def __init__(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int) -> None:
        if precision not in self.knows:
            raise ModelFault(
                f'the backend {self.name} runs {" or ".join(self.knows)}, not "{precision}"', hint=self.advice
            )
        self.version = self.version_installed()
        self.precision = precision
        self.threads = max(1, int(threads))
        self.isa = base.isa()
        self.inputs, self._outputs = tuple(inputs), tuple(outputs)
        self._lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """{"name", "version", "precision", "threads", "isa"}: what lock, tape and report say about it."""
        return {
            "name": self.name,
            "version": self.version,
            "precision": self.precision,
            "threads": self.threads,
            "isa": self.isa,
        }


def not_there(name: str, error: ImportError, hint: str) -> ModelFault:
    """The backend's package is not installed, or does not load."""
    return ModelFault(f"the backend {name} cannot be used: {error}", now="the model was not loaded", hint=hint)


def not_taken(runtime: str, why: str, hint: str = "") -> ModelFault:
    """The runtime refuses the network."""
    return ModelFault(f"{runtime} does not take this network: {why}", now="the model was not loaded", hint=hint)


def first_line(error: Exception) -> str:
    """Of a runtime's message, 200 characters at most; its class where it says nothing."""
    return _line(error, 0)


def last_line(error: Exception) -> str:
    """As `first_line`: where C++ tells the way before the reason."""
    return _line(error, -1)


def _line(error: Exception, which: int) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[which][:200] if lines else type(error).__name__
