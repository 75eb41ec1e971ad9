"""BERT-like encoders of every family that is read, against the same arithmetic written out in numpy."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pleinair.backends.base import Tensor
from pleinair.backends.onnx import Onnx
from pleinair.core.errors import ModelFault
from pleinair.models.convert import make
from pleinair.models.safe import safetensors

WIDE, HEADS, LAYERS, INNER, WORDS, PLACES = 16, 4, 2, 24, 50, 40
ROWS = np.array([[3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 1, 1, 1, 1]], np.int64)
MASK = np.array([[1] * 7, [1, 1, 1, 0, 0, 0, 0]], np.int64)
LAYER = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "attended": "attention.output.dense", "attended_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense", "outer": "output.dense", "outer_norm": "output.LayerNorm",
}  # fmt: skip
DISTIL = {
    "query": "attention.q_lin", "key": "attention.k_lin", "value": "attention.v_lin", "attended": "attention.out_lin",
    "attended_norm": "sa_layer_norm", "inner": "ffn.lin1", "outer": "ffn.lin2", "outer_norm": "output_layer_norm",
}  # fmt: skip


class Reference:
    """The published arithmetic, one text at a time, in float64."""

    def __init__(self, family: str, act: str = "gelu", front: str = "", narrow: int = WIDE) -> None:
        rng = np.random.default_rng(5)
        self.family, self.act, self.front = family, act, front
        self.tables: dict[str, np.ndarray] = {}
        distil = family == "distilbert"
        self.at = "transformer.layer." if distil else "encoder.layer."
        self.names = DISTIL if distil else LAYER

        def put(name: str, *shape: int) -> None:
            self.tables[name] = rng.normal(0, 0.5, shape).astype(np.float32)

        put("embeddings.word_embeddings.weight", WORDS, narrow)
        put("embeddings.position_embeddings.weight", PLACES, narrow)
        if not distil:
            put("embeddings.token_type_embeddings.weight", 2, narrow)
        for part in ("weight", "bias"):
            put(f"embeddings.LayerNorm.{part}", narrow)
        if narrow != WIDE:
            put("embeddings_project.weight", WIDE, narrow)
            put("embeddings_project.bias", WIDE)
        sides = {"inner": (INNER, WIDE), "outer": (WIDE, INNER)}
        for n in range(LAYERS):
            for part, name in self.names.items():
                put(f"{self.at}{n}.{name}.weight", *((WIDE,) if "norm" in part else sides.get(part, (WIDE, WIDE))))
                put(f"{self.at}{n}.{name}.bias", sides.get(part, (WIDE, WIDE))[0])
        self.tables["pooler.dense.weight"] = np.ones((WIDE, WIDE), np.float32)

    def files(self, **more) -> dict[str, bytes]:
        if self.family == "distilbert":
            config = {"dim": WIDE, "n_layers": LAYERS, "n_heads": HEADS, "activation": self.act}
        else:
            config = {"hidden_size": WIDE, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
            config |= {"hidden_act": self.act, "layer_norm_eps": 1e-5, "pad_token_id": 1}
        config |= {"model_type": self.family, **more}
        weights = safetensors.save({self.front + name: t for name, t in self.tables.items()})
        return {"weights": weights, "config": json.dumps(config).encode()}

    def _dense(self, x, name):
        return x @ self.tables[name + ".weight"].astype(float).T + self.tables[name + ".bias"]

    def _norm(self, x, name):
        epsilon = 1e-12 if self.family == "distilbert" else 1e-5
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return x * self.tables[name + ".weight"] + self.tables[name + ".bias"]

    def _bent(self, x):
        if self.act == "relu":
            return np.maximum(x, 0)
        if self.act == "gelu":
            return np.array([0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in x.ravel()]).reshape(x.shape)
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    def words(self, ids) -> np.ndarray:
        """Of one text without filling: [words, WIDE]."""
        begin = 2 if self.family in ("roberta", "xlm-roberta") else 0
        x = self.tables["embeddings.word_embeddings.weight"][ids].astype(float)
        x = x + self.tables["embeddings.position_embeddings.weight"][np.arange(len(ids)) + begin]
        if self.family != "distilbert":
            x = x + self.tables["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        if "embeddings_project.weight" in self.tables:
            x = self._dense(x, "embeddings_project")
        for n in range(LAYERS):
            name = {part: f"{self.at}{n}.{end}" for part, end in self.names.items()}
            q, k, v = (self._dense(x, name[p]).reshape(len(ids), HEADS, -1) for p in ("query", "key", "value"))
            seen = []
            for h in range(HEADS):
                scores = q[:, h] @ k[:, h].T / math.sqrt(WIDE // HEADS)
                share = np.exp(scores - scores.max(-1, keepdims=True))
                seen.append(share / share.sum(-1, keepdims=True) @ v[:, h])
            x = self._norm(x + self._dense(np.concatenate(seen, -1), name["attended"]), name["attended_norm"])
            inner = self._bent(self._dense(x, name["inner"]))
            x = self._norm(x + self._dense(inner, name["outer"]), name["outer_norm"])
        return x


def run(blob: bytes, ids=ROWS, mask=MASK) -> np.ndarray:
    tensors = [Tensor("ids", (-1, -1), dtype="int64"), Tensor("mask", (-1, -1), dtype="int64")]
    network = Onnx(blob, tensors, [Tensor("vector", (-1, -1))], precision="f32", threads=1)
    return network.run({"ids": ids, "mask": mask})["vector"]


@pytest.mark.parametrize(
    "reference",
    [
        Reference("bert"),
        Reference("bert", "gelu_new", front="bert."),
        Reference("roberta", "gelu", front="roberta."),
        Reference("xlm-roberta", "gelu"),
        Reference("electra", "relu", front="electra.", narrow=8),
        Reference("distilbert", "gelu", front="distilbert."),
    ],
    ids=lambda r: f"{r.family}-{r.act}",
)
def test_it_computes_what_was_published_and_filling_changes_nothing(reference):
    found = run(make("bert", reference.files(), {}))
    for row, mask, vector in zip(ROWS, MASK, found, strict=True):
        mean = reference.words(row[mask == 1]).mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=2e-6)


def test_the_first_word_or_the_bare_mean_where_the_options_say_so():
    reference = Reference("bert")
    first = run(make("bert", reference.files(), {"pooling": "cls", "normalise": False}))
    np.testing.assert_allclose(first[0], reference.words(ROWS[0])[0], atol=2e-5)
    bare = run(make("bert", reference.files(), {"normalise": False}))
    np.testing.assert_allclose(bare[0], reference.words(ROWS[0]).mean(0), atol=2e-5)


def test_the_same_files_give_the_same_bytes():
    assert make("bert", Reference("bert").files(), {}) == make("bert", Reference("bert").files(), {})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model_type": "t5"}, "t5"),
        ({"hidden_act": "swish"}, "swish"),
        ({"position_embedding_type": "relative_key"}, "absolute"),
        ({"num_attention_heads": 5}, "heads"),
        ({"num_hidden_layers": 3}, "encoder.layer.2"),
        ({"hidden_size": "many"}, "many"),
        ({"num_hidden_layers": 10**9}, "layers"),
    ],
)
def test_a_config_that_does_not_fit_is_a_sentence(change, why):
    with pytest.raises(ModelFault, match="no encoder that is read here") as caught:
        make("bert", Reference("bert").files(**change), {})
    assert why in caught.value.what


@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.weight"])
def test_weights_that_do_not_fit_are_a_sentence(name):
    reference = Reference("bert")
    reference.tables[name] = np.full((3, 3), np.nan, np.float32)
    with pytest.raises(ModelFault, match="no encoder that is read here"):
        make("bert", reference.files(), {})
    del reference.tables[name]
    with pytest.raises(ModelFault, match="no encoder that is read here"):
        make("bert", reference.files(), {})
    with pytest.raises(ModelFault):
        make("bert", {"weights": b"", "config": b"{"}, {})
