"""A clip that plays for months may not lean on the garbage collector."""

from __future__ import annotations

import gc

import av

from pleinair.assembly import open_source


def test_decoded_frames_are_let_go_at_once(weights):
    source = open_source("clip:bigbuckbunny", size=(320, 240))
    source.open()
    gc.collect()
    gc.disable()
    try:
        for _, _ in zip(range(60), source, strict=False):
            pass
        held = sum(isinstance(o, av.VideoFrame) for o in gc.get_objects())
    finally:
        gc.enable()
        source.close()
    assert held <= 4
