"""Three networks for whole sounds, joined into one that goes on frame by frame: the same numbers."""

from __future__ import annotations

import gzip
import io
import tarfile

import numpy as np
import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.card import find_card
from pleinair.models.convert import make
from pleinair.models.fetch import fetch


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, blob in members.items():
            info = tarfile.TarInfo(f"tmp/{name}.onnx")
            info.size = len(blob)
            archive.addfile(info, io.BytesIO(blob))
    return buffer.getvalue()


def test_frame_by_frame_is_block_by_block():
    import onnxruntime

    fetch(["denoise"])
    session = onnxruntime.InferenceSession(store.read(find_card("denoise"), "network"))
    rng = np.random.default_rng(0)
    erb, spec = rng.normal(size=(1, 1, 22, 32)).astype("f"), rng.normal(size=(1, 2, 22, 96)).astype("f")

    def run(sizes):
        state = {f"memory_{n}": np.zeros((1, 1, 256), "f") for n in range(5)}
        state["c0_before"] = np.zeros((1, 64, 4, 96), "f")
        names = ["m", "coefs", "c0_after", *(f"after_{n}" for n in range(5))]
        at, found = 0, []
        for size in sizes:
            feed = {"feat_erb": erb[:, :, at : at + size + 2], "feat_spec": spec[:, :, at : at + size + 2]}
            gains, coefs, kept, *memories = session.run(names, feed | state)
            state = {"c0_before": kept, **{f"memory_{n}": m for n, m in enumerate(memories)}}
            found.append((gains, coefs))
            at += size
        return np.concatenate([g for g, _ in found], 2), np.concatenate([c for _, c in found], 1)

    for one, other in zip(run([1] * 20), run([3, 10, 7]), strict=True):
        assert np.abs(one - other).max() < 1e-4


@pytest.mark.parametrize(
    "blob", [b"", b"no archive", gzip.compress(bytes(1000)), packed(enc=b"x"), packed(enc=b"", erb_dec=b"", df_dec=b"")]
)
def test_another_archive_is_a_sentence(blob):
    with pytest.raises(ModelFault, match="the file is no DeepFilterNet 3"):
        make("deepfilter", {"archive": blob}, {})


def test_an_archive_that_unpacks_to_too_much_is_refused():
    with pytest.raises(ModelFault, match="unpacks to too much"):
        make("deepfilter", {"archive": gzip.compress(bytes(40 << 20))}, {})
