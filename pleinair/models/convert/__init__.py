"""Turns what others publish into files that our backends run: once, at fetch, by readers that execute nothing.

A converter is a function of bytes, `(files, options) -> bytes`, and gives the same bytes on every machine: the card
pins the sha256 of the result. A card names it: `made = "tfjs"`, `of = ["graph", "weights"]`; `files` is keyed by those
roles, `options` is the card's `[options]`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import ModelFault, did_you_mean

CONVERTERS: dict[str, str] = {
    "tfjs": "tfjs:convert",
    "tflite": "tflite:convert",
    "anime4k": "anime4k:convert",
    "efficientnet_lite": "efficientnet:convert",
    "dcgan": "dcgan:convert",
    "bert": "bert:convert",
    "voices": "voices:convert",
    "deepfilter": "deepfilter:convert",
    "whisper": "whisper:convert",
    "whisper_config": "whisper:config",
    "whisper_vocabulary": "whisper:vocabulary",
}
"""What cards write after `made =`, and "module of this package:function"."""

Converter = Callable[[Mapping[str, bytes], Mapping[str, Any]], bytes]


def make(name: str, files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """The converted file. `files` role -> bytes, `options` the card's own.

    ModelFault: no such converter, or the files are not what it reads.
    """
    if name not in CONVERTERS:
        raise ModelFault(
            f'there is no converter "{name}"', now="nothing was put into the store", hint=did_you_mean(name, CONVERTERS)
        )
    module, function = CONVERTERS[name].split(":")
    convert: Converter = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return convert(files, options)
