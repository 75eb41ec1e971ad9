"""Addresses: which plug-in they mean, and what is said of one that means nothing."""

from __future__ import annotations

import pytest

from pleinair.addresses import open_source, split_uri
from pleinair.core.errors import Fault, PieceFault
from pleinair.sources.synthetic import Synthetic


@pytest.mark.parametrize("uri, parts", [
    ("webcam", ("webcam", "")), ("file:clip.mp4", ("file", "clip.mp4")), ("rtsp://h/1", ("rtsp", "rtsp://h/1")),
    ("webcam:Some: name", ("webcam", "Some: name")), ("file:C:\\clip.mp4", ("file", "C:\\clip.mp4")),
])  # fmt: skip
def test_an_address_is_a_plug_in_and_its_target(uri, parts):
    assert split_uri(uri) == parts


def test_a_source_of_an_unknown_key_or_plug_in_is_a_sentence():
    assert isinstance(open_source("synthetic:room", size=(32, 24)), Synthetic)
    with pytest.raises(PieceFault, match='no key "sise"') as caught:
        open_source("synthetic", sise=(32, 24))
    assert "size" in caught.value.hint
    with pytest.raises(Fault, match='no source called "synthetik"') as caught:
        open_source("synthetik")
    assert "synthetic" in caught.value.hint
