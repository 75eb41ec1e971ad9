"""Knobs as hands outside see them: checked, set, read, and faded from one setting to another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import did_you_mean
from . import protocol

if TYPE_CHECKING:
    from ..core.frame import Frame
    from .host import Host, KnobSpec

Value = float | list[float]


class Knobs:
    """`set` may be called in any thread; a hand on a knob ends a fade of that knob."""

    def __init__(self, host: Host, newest: Mapping[str, Frame]) -> None:
        self._host = host
        self._newest = newest
        self.touched: dict[str, float] = {}
        """When a hand last moved a knob, in seconds of time.monotonic."""

    def spec(self, name: Any) -> KnobSpec:
        """ValueError with "did you mean" where the piece has no such knob."""
        for spec in self._host.knobs:
            if spec.name == name:
                return spec
        hint = did_you_mean(str(name), [s.name for s in self._host.knobs])
        raise ValueError(f"this piece has no knob {str(name)[:40]!r}" + (f": {hint}" if hint else ""))

    def value(self, name: str) -> Value | None:
        """A number, or a list for a knob with several places; None where there is no such knob."""
        spec = next((s for s in self._host.knobs if s.name == name), None)
        if spec is None:
            return None
        frame = self._newest.get(name)
        now = frame.data if frame is not None else self._host.value(name)
        if isinstance(spec.default, (tuple, list)):
            values = [float(v) for v in np.ravel(now)]
            return values if len(values) == len(spec.default) else [float(v) for v in spec.default]
        return float(now)

    def values(self) -> dict[str, Value]:
        return {s.name: v for s in self._host.knobs if (v := self.value(s.name)) is not None}

    def specs(self) -> list[dict[str, Any]]:
        """What a page draws."""
        return [
            {
                "name": s.name,
                "value": self.value(s.name),
                "default": list(s.default) if isinstance(s.default, (tuple, list)) else s.default,
                "range": list(s.range),
                "names": list(s.names),
            }
            for s in self._host.knobs
        ]

    def checked(self, spec: KnobSpec, value: Any) -> Value:
        """The value as numbers within the knob's range; ValueError with a sentence."""
        low, high = spec.range
        if not isinstance(spec.default, (tuple, list)):
            return protocol.number(value, spec.name, low, high)
        if not isinstance(value, list) or len(value) != len(spec.default):
            count = f", and this has {len(value)}" if isinstance(value, list) else ""
            raise ValueError(f"{spec.name} is a list of {len(spec.default)} numbers{count}")
        return [protocol.number(v, f"{spec.name}[{i}]", low, high) for i, v in enumerate(value)]

    def set(self, name: Any, value: Any, index: Any = None) -> Value:
        """By a hand: the whole knob, or with `index` one place of it. Returns what the knob is now."""
        spec = self.spec(name)
        if index is not None:
            if not isinstance(spec.default, (tuple, list)):
                raise ValueError(f"{spec.name} is one number and has no places")
            place = protocol.whole(index, "index", 0, len(spec.default) - 1)
            whole = self.value(spec.name)
            assert isinstance(whole, list)
            whole[place] = protocol.number(value, f"{spec.name}[{place}]", *spec.range)
            value = whole
        value = self.checked(spec, value)
        self.touched[spec.name] = time.monotonic()
        self.push(spec.name, value)
        return value

    def push(self, name: str, value: Value) -> None:
        self._host.push(name, np.asarray(value, np.float32) if isinstance(value, list) else value)
