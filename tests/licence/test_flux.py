"""FLUX.1 [dev] under twenty disguises: each leaves a trace, and each is refused for exhibition and sale.

The files are made here, tiny: headers that claim the shapes, with no weights behind them.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from pathlib import Path

import pytest

from pleinair.licence.gate import verdict
from pleinair.licence.parts import of_card
from pleinair.licence.traces import traces
from pleinair.models import store
from pleinair.models.card import card_from

REFUSED = ("exhibit-free", "exhibit-paid", "sell-outputs", "sell-edition")


def blocks(guidance=True, doubles=2, singles=3, front="") -> dict[str, list[int]]:
    """Names and shapes as black-forest-labs/flux has them, of a few blocks."""
    found = {"img_in.weight": [3072, 64], "time_in.in_layer.weight": [3072, 256], "txt_in.weight": [3072, 4096]}
    if guidance:
        found["guidance_in.in_layer.weight"] = [3072, 256]
    for i in range(doubles):
        found[f"double_blocks.{i}.img_attn.qkv.weight"] = [9216, 3072]
        found[f"double_blocks.{i}.img_mlp.0.weight"] = [12288, 3072]
    for i in range(singles):
        found[f"single_blocks.{i}.linear1.weight"] = [21504, 3072]
        found[f"single_blocks.{i}.linear2.weight"] = [3072, 15360]
    return {front + name: shape for name, shape in found.items()}


def diffusers(guidance=True) -> dict[str, list[int]]:
    found = {"x_embedder.weight": [3072, 64], "context_embedder.weight": [3072, 4096]}
    if guidance:
        found["time_text_embed.guidance_embedder.linear_1.weight"] = [3072, 256]
    for i in range(2):
        found[f"transformer_blocks.{i}.attn.add_q_proj.weight"] = [3072, 3072]
        found[f"single_transformer_blocks.{i}.proj_mlp.weight"] = [12288, 3072]
    return found


def safetensors(tensors: dict[str, list[int]], **meta: str) -> bytes:
    head: dict = {n: {"dtype": "BF16", "shape": s, "data_offsets": [0, 0]} for n, s in tensors.items()}
    text = json.dumps({"__metadata__": meta, **head} if meta else head).encode()
    return struct.pack("<Q", len(text)) + text


def gguf(tensors: dict[str, list[int]], **said: str) -> bytes:
    def string(text: str) -> bytes:
        return struct.pack("<Q", len(text.encode())) + text.encode()

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(said))
    for key, value in said.items():
        out += string(key.replace("__", ".")) + struct.pack("<I", 8) + string(value)
    for name, shape in tensors.items():
        out += (
            string(name)
            + struct.pack("<I", len(shape))
            + struct.pack(f"<{len(shape)}Q", *shape[::-1])
            + struct.pack("<IQ", 2, 0)
        )
    return out


def renamed(tensors: dict[str, list[int]]) -> dict[str, list[int]]:
    return {f"t{i}": shape for i, shape in enumerate(tensors.values())}


LORA = {
    f"lora_unet_double_blocks_{i}_img_attn_qkv.lora_{way}.weight": [16, 3072]
    for i in range(3)
    for way in ("up", "down")
}
PEFT = {f"transformer.single_transformer_blocks.{i}.attn.to_q.lora_A.weight": [16, 3072] for i in range(3)}
PICKLE = (
    b"\x80\x02}q\x00(" + b"".join(b"X" + struct.pack("<I", len(n)) + n.encode() + b"q\x01" for n in blocks()) + b"u."
)

DISGUISES = {
    "its own names, called mine.safetensors": safetensors(blocks()),
    "diffusers' names": safetensors(diffusers()),
    "inside a checkpoint of ComfyUI's": safetensors(blocks(front="model.diffusion_model.")),
    "a merge that says so": safetensors(blocks(), **{"merged_from": "a, b"}),
    "a GGUF quantisation": gguf(blocks()),
    "a GGUF with another name and an Apache tag": gguf(
        blocks(), general__name="Sunrise", general__license="apache-2.0"
    ),
    "renamed tensors": safetensors(renamed(blocks(doubles=3, singles=4))),
    "renamed tensors in GGUF": gguf(renamed(blocks(doubles=3, singles=4))),
    "a LoRA in kohya's names": safetensors(LORA),
    "a LoRA in peft's names": safetensors(PEFT),
    "metadata: modelspec": safetensors({"a": [1]}, **{"modelspec.architecture": "flux-1-dev/lora"}),
    "metadata: trained on": safetensors({"a": [1]}, ss_sd_model_name="flux1-dev.safetensors"),
    "metadata: a base model": gguf({"a": [4]}, **{"general__base_model__0__name": "FLUX.1-dev"}),
    "metadata: the licence": gguf({"a": [4]}, general__license="flux-1-dev-non-commercial-license"),
    "metadata: Kontext": safetensors({"a": [1]}, base="black-forest-labs/FLUX.1-Kontext-dev"),
    "a pickle": PICKLE,
    "a torch zip": "zip",
    "an ONNX conversion": b"\x08\x08\x12\x07pytorch:\x80\x01"
    + b"".join(b"B" + bytes([len(n)]) + n.encode() for n in blocks()),
    "Redux": safetensors({"redux_up.weight": [12288, 1152], "redux_down.weight": [4096, 12288]}),
    "metadata: Krea": safetensors({"a": [1]}, base="FLUX.1-Krea-dev"),
    "only the guidance embedding and two blocks": safetensors(blocks(doubles=1, singles=1)),
    "four-bit, with flat shapes": safetensors({n: [4096, 1] for n in blocks()}),
}


def card_around(tmp_path: Path, blob: bytes, **said) -> object:
    sha = hashlib.sha256(blob).hexdigest()
    place = store.path_of(sha)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(blob)
    table = {
        "name": "mine",
        "task": "vector",
        "title": "Mine",
        "weights": {"licence": "Apache-2.0", "stated_in": "its tag"},
    }
    table["files"] = {
        "network": {"name": "mine.bin", "from": ["file:mine.bin"], "sha256": sha, "bytes": max(1, len(blob))}
    }
    return card_from({**table, **said}, tmp_path / "card.toml")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path / "home"))


def test_there_are_twenty_disguises():
    assert len(DISGUISES) >= 20


@pytest.mark.parametrize("name", DISGUISES)
def test_flux_dev_is_refused_under_a_free_tag_and_another_name(name, home, tmp_path):
    blob = DISGUISES[name]
    if blob == "zip":
        with zipfile.ZipFile(tmp_path / "z.pt", "w") as archive:
            archive.writestr("archive/data.pkl", PICKLE)
        blob = (tmp_path / "z.pt").read_bytes()
    parts = of_card(card_around(tmp_path, blob))
    for use in REFUSED:
        got = verdict(parts, use)
        assert got.verdict == "refuse", (use, parts[0].found)
        assert any(f.row.number == 19 for f in got.findings)
        assert "Apache-2.0" in " ".join(f.licence for f in got.findings)  # the tag is reported beside what was found


@pytest.mark.parametrize("said", [
    {"title": "FLUX.1 [dev], quantised"}, {"upstream": "hf:someone/flux.1-dev-gguf"}, {"name": "flux1-dev-q4"},
    {"components": [{"what": "FLUX.1-dev", "kind": "base", "licence": "MIT"}]},
    {"credits": [{"who": "Black Forest Labs", "what": "FLUX.1 [dev]"}]},
    {"title": "FLU\u0425.1-d\u0435v"}, {"title": "F L U X dev"}, {"title": "FLUX.1-D"}, {"title": "Flux Krea"},
    {"about": "after FLUX.1\u200b [d\u200bev], by ear"}, {"title": "\ufb02ux dev"}, {"upstream": "flux_1_canny"},
])  # fmt: skip
def test_a_card_that_names_it_is_refused_whatever_licence_it_claims(said, home, tmp_path):
    parts = of_card(card_around(tmp_path, b"no trace in here", **said))
    assert all(verdict(parts, use).verdict == "refuse" for use in REFUSED)


def test_its_licence_beside_the_weights_is_a_trace(tmp_path):
    (tmp_path / "README.md").write_text("Fine-tuned from FLUX.1-dev on my paintings.", "utf-8")
    (tmp_path / "config.json").write_text('{"_class_name": "FluxTransformer2DModel", "guidance_embeds": true}', "utf-8")
    (tmp_path / "model.safetensors").write_bytes(safetensors({"a": [1]}))
    whys = [t.why for t in traces(tmp_path)]
    assert any("README.md" in why for why in whys) and any("guidance_embeds" in why for why in whys)


def test_schnell_is_not_dev_and_still_a_question(home, tmp_path):
    """The shape without guidance: [schnell], or a merge that hides its origin. The tag is believed as far as "ask"."""
    for blob in (
        safetensors(blocks(guidance=False)),
        safetensors(diffusers(guidance=False)),
        gguf(blocks(guidance=False)),
    ):
        got = verdict(of_card(card_around(tmp_path, blob)), "exhibit-free")
        assert got.verdict == "ask" and "schnell" in " ".join(got.because)


@pytest.mark.parametrize("blob", [
    safetensors({"conv1.weight": [64, 3, 7, 7], "blocks.0.attn.qkv.weight": [2304, 768]}),
    gguf({"token_embd.weight": [32000, 3072]}, general__name="Phi", general__license="mit"),
    safetensors({f"model.layers.{i}.mlp.up_proj.weight": [12288, 3072] for i in range(4)}),
    b"\x00" * 64, b"", b"GGUF", struct.pack("<Q", 10) + b"{", b"PK\x03\x04" + b"\xff" * 50,
])  # fmt: skip
def test_other_networks_and_broken_files_are_not_taken_for_it(blob, home, tmp_path):
    parts = of_card(card_around(tmp_path, blob, weights={"licence": "MIT", "stated_in": "its page"}))
    assert verdict(parts, "exhibit-free").verdict == "allow", parts[0].found


def test_what_leaves_no_trace_and_has_no_licence_is_refused_as_unknown(home, tmp_path):
    parts = of_card(card_around(tmp_path, b"nothing to see", weights={}))
    assert all(verdict(parts, use).verdict == "refuse" for use in REFUSED)


@pytest.mark.parametrize("title", ["FLUX.1 [schnell]", "FLUX.2 klein 4B", "Flux development", "flux density"])
def test_its_free_relatives_are_not_taken_for_it(title, home, tmp_path):
    assert verdict(of_card(card_around(tmp_path, b"no trace in here", title=title)), "exhibit-free").verdict == "allow"


def onnx(**said) -> bytes:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy"]
    model = helper.make_model(helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", ends[:1], ends[1:]))
    helper.set_model_props(model, said)
    return model.SerializeToString()


@pytest.mark.parametrize("blob, expected", [
    (gguf({"a": [4]}, general__license="mit AND cc-by-nc-4.0"), "refuse"),  # one of the two is the card's
    (gguf({"a": [4]}, general__license="apache-2.0 \u975e\u5546\u7528"), "refuse"),
    (gguf({"a": [4]}, general__license="other", general__license__name="qwen-research"), "refuse"),
    (gguf({"a": [4]}, general__license="apache-2.0", general__license__link="https://example.org/LICENSE"), "allow"),
    (gguf({"a": [4]}, general__license__link="https://example.org/LICENSE"), "ask"),
    (safetensors({"a": [1]}, license_name="cc-by-nc-4.0"), "refuse"),
    (onnx(license="cc-by-nc-4.0"), "refuse"), (onnx(license="Apache-2.0"), "allow"), (onnx(author="Ada"), "allow"),
])  # fmt: skip
def test_what_a_file_says_of_its_own_licence_is_held_against_the_card(blob, expected, home, tmp_path):
    got = verdict(of_card(card_around(tmp_path, blob)), "exhibit-paid")
    assert got.verdict == expected, got.because


def test_weights_that_nobody_looked_into_are_not_locked(home, tmp_path):
    """Their card says Apache-2.0; when they come, they are FLUX.1 [dev]. What was locked before would open the show."""
    from pleinair.licence import piece
    from pleinair.manifest import Lock, Manifest

    lock, manifest = Lock(), Manifest(uses=("exhibit-free",))
    mine = card_around(tmp_path, DISGUISES["diffusers' names"])
    away = store.path_of(mine.files["network"].sha256)
    away.rename(tmp_path / "away")
    before = piece.opinions(manifest, [mine], lock)
    assert before[0].verdict == "allow" and not piece.lock_in(lock, manifest, [mine], before) and not lock.verdicts
    (tmp_path / "away").rename(away)
    (now,) = piece.opinions(manifest, [mine], lock)
    assert now.verdict == "refuse" and piece.lock_in(lock, manifest, [mine], [now])


def test_a_licence_in_a_files_metadata_that_differs_from_the_cards_is_reported_and_counts(home, tmp_path):
    parts = of_card(card_around(tmp_path, gguf({"a": [4]}, general__license="cc-by-nc-4.0")))
    got = verdict(parts, "exhibit-paid")
    assert got.verdict == "refuse"
    assert any("the card says apache-2.0" in s.lower() and "cc-by-nc-4.0" in s for s in got.because)
