"""A clip that plays for months may not lean on the garbage collector."""

from __future__ import annotations

import gc

import av

from pleinair.addresses import open_source


def _frames() -> int:
    return sum(isinstance(o, av.VideoFrame) for o in gc.get_objects())


def test_decoded_frames_are_let_go_at_once(weights):
    source = open_source("clip:bigbuckbunny", size=(320, 240))
    source.open()
    gc.collect()
    before = _frames()
    gc.disable()
    try:
        for _, _ in zip(range(60), source, strict=False):
            pass
        held = _frames() - before
    finally:
        gc.enable()
        source.close()
    assert held <= 4
