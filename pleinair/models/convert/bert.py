"""BERT-like encoders (safetensors and config.json) as ONNX: words in, one vector out.

Devlin and others: BERT, 2018. BERT, RoBERTa, XLM-RoBERTa, ELECTRA and DistilBERT checkpoints, by what config.json says;
what follows the last layer is what sentence-transformers do: the mean of all words (or the first one), at length 1.

The network reads `ids` and `mask` int64 [texts, words] (1: a word, 0: filling) and gives `vector` [texts, wide].
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.errors import ModelFault
from ..safe import safetensors
from .writing import Writer

FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert")
_HALF = "encoder.layer.{n}."
_BERT = {
    "query": _HALF + "attention.self.query",
    "key": _HALF + "attention.self.key",
    "value": _HALF + "attention.self.value",
    "attended": _HALF + "attention.output.dense",
    "attended_norm": _HALF + "attention.output.LayerNorm",
    "inner": _HALF + "intermediate.dense",
    "outer": _HALF + "output.dense",
    "outer_norm": _HALF + "output.LayerNorm",
}
_HALF = "transformer.layer.{n}."
_DISTIL = {
    "query": _HALF + "attention.q_lin",
    "key": _HALF + "attention.k_lin",
    "value": _HALF + "attention.v_lin",
    "attended": _HALF + "attention.out_lin",
    "attended_norm": _HALF + "sa_layer_norm",
    "inner": _HALF + "ffn.lin1",
    "outer": _HALF + "ffn.lin2",
    "outer_norm": _HALF + "output_layer_norm",
}
MOST_LAYERS = 64


def convert(files: Mapping[str, bytes], options: Mapping[str, Any]) -> bytes:
    """`files`: role "weights" (safetensors) and role "config" (config.json); the ONNX file.

    options  pooling "mean" (the default) or "cls", the first word's; normalise (true): vectors of length 1

    ModelFault: a family that is not read here, or weights that do not fit the config.
    """
    try:
        config = json.loads(files["config"])
        family = str(config["model_type"])
        if family not in FAMILIES:
            raise ValueError(f'its family is "{family}", and {", ".join(FAMILIES)} are read here')
        tables = safetensors.tensors(files["weights"], "the weights")
        return _Encoder(config, tables, options).save()
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelFault(
            f"the files are no encoder that is read here: {why[:160]}",
            now="nothing was put into the store",
            hint='files weights (model.safetensors) and config (config.json); of = ["weights", "config"]',
        ) from None


class _Encoder:
    def __init__(self, config: Mapping[str, Any], tables: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> None:
        self.config, self.options = config, options
        self.family = str(config["model_type"])
        self.distil = self.family == "distilbert"
        self.wide = int(config["dim" if self.distil else "hidden_size"])
        self.layers = int(config["n_layers" if self.distil else "num_hidden_layers"])
        self.heads = int(config["n_heads" if self.distil else "num_attention_heads"])
        self.act = str(config.get("activation" if self.distil else "hidden_act", "gelu"))
        self.epsilon = float(config.get("layer_norm_eps", 1e-12))
        if not (0 < self.layers <= MOST_LAYERS and self.heads > 0 and self.wide % self.heads == 0):
            raise ValueError(f"{self.layers} layers, {self.heads} heads, {self.wide} wide")
        if str(config.get("position_embedding_type", "absolute")) != "absolute":
            raise ValueError("its places are not absolute")
        self.tables = self._bare(tables)
        self.w = Writer("encoder")

    @staticmethod
    def _bare(tables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Without the model's own name in front: "bert.embeddings..." as "embeddings..."."""
        found = next((n for n in tables if n.endswith("embeddings.word_embeddings.weight")), None)
        if found is None:
            raise ValueError("the weights hold no word embeddings")
        front = found.removesuffix("embeddings.word_embeddings.weight")
        return {n.removeprefix(front): t for n, t in tables.items() if n.startswith(front)}

    def _table(self, name: str, *shape: int) -> np.ndarray:
        table = self.tables[name]
        if shape and table.shape != shape:
            raise ValueError(f"{name} is {list(table.shape)}, and {list(shape)} was expected")
        if table.dtype.kind != "f" or not np.isfinite(table).all():
            raise ValueError(f"{name} does not hold numbers")
        return table.astype(np.float32)

    def _dense(self, x: str, name: str, into: int, out: int) -> str:
        weight = self.w.constant(np.ascontiguousarray(self._table(name + ".weight", out, into).T), name + ".weight")
        bias = self.w.constant(self._table(name + ".bias", out), name + ".bias")
        return self.w.add("Add", [self.w.add("MatMul", [x, weight]), bias], name)

    def _norm(self, x: str, name: str, wide: int) -> str:
        parts = [self.w.constant(self._table(f"{name}.{p}", wide), f"{name}.{p}") for p in ("weight", "bias")]
        return self.w.add("LayerNormalization", [x, *parts], name, axis=-1, epsilon=self.epsilon)

    def _number(self, value: float) -> str:
        return self.w.constant(np.array(value, np.float32), "number")

    def save(self) -> bytes:
        w = self.w
        ids, mask = w.unique("ids"), w.unique("mask")
        w.unique("vector")
        hidden = self._embedded(ids, mask)
        hide = self._hidden_words(mask)
        for n in range(self.layers):
            hidden = self._layer(hidden, hide, n)
        w.name_output(self._pooled(hidden, mask), "vector")
        sides = {"ids": ("int64", ["texts", "words"]), "mask": ("int64", ["texts", "words"])}
        return w.save(sides, {"vector": ("float32", ["texts", self.wide])})

    def _embedded(self, ids: str, mask: str) -> str:
        w = self.w
        words = self._table("embeddings.word_embeddings.weight")
        wide = words.shape[1]  # ELECTRA's is narrower than the rest
        places = self._table("embeddings.position_embeddings.weight")
        one = w.constant(np.array(1, np.int64), "one")
        if self.family in ("bert", "electra", "distilbert"):
            counted = w.add(
                "CumSum", [w.add("Add", [w.add("Mul", [mask, w.constant(np.array(0, np.int64))]), one]), one]
            )
            place = w.add("Sub", [counted, one], "place")
        else:  # RoBERTa counts from the filling's number on, and words only
            pad = w.constant(np.array(int(self.config.get("pad_token_id", 1)), np.int64), "pad")
            place = w.add("Add", [w.add("Mul", [w.add("CumSum", [mask, one]), mask]), pad], "place")
        x = w.add("Gather", [w.constant(words, "words"), ids], axis=0)
        x = w.add("Add", [x, w.add("Gather", [w.constant(places, "places"), place], axis=0)])
        if "embeddings.token_type_embeddings.weight" in self.tables:
            x = w.add("Add", [x, w.constant(self._table("embeddings.token_type_embeddings.weight")[0], "first_text")])
        x = self._norm(x, "embeddings.LayerNorm", wide)
        return self._dense(x, "embeddings_project", wide, self.wide) if wide != self.wide else x

    def _hidden_words(self, mask: str) -> str:
        """[texts, 1, 1, words]: 0 for a word, far below it for filling."""
        w = self.w
        there = w.add("Unsqueeze", [w.add("Cast", [mask], to=1), w.ints([1, 2])])
        return w.add("Mul", [w.add("Sub", [self._number(1), there]), self._number(-1e9)], "hide")

    def _layer(self, x: str, hide: str, n: int) -> str:
        w, each = self.w, self.wide // self.heads
        names = {part: name.format(n=n) for part, name in (_DISTIL if self.distil else _BERT).items()}
        inner = self._table(names["inner"] + ".bias").shape[0]

        def heads(part: str, *order: int) -> str:
            flat = self._dense(x, names[part], self.wide, self.wide)
            return w.add("Transpose", [w.add("Reshape", [flat, w.ints([0, 0, self.heads, each])])], perm=list(order))

        scores = w.add("MatMul", [heads("query", 0, 2, 1, 3), heads("key", 0, 2, 3, 1)])
        scores = w.add("Add", [w.add("Mul", [scores, self._number(1 / math.sqrt(each))]), hide])
        seen = w.add("MatMul", [w.add("Softmax", [scores], axis=-1), heads("value", 0, 2, 1, 3)])
        flat = w.add("Reshape", [w.add("Transpose", [seen], perm=[0, 2, 1, 3]), w.ints([0, 0, self.wide])])
        x = w.add("Add", [x, self._dense(flat, names["attended"], self.wide, self.wide)])
        x = self._norm(x, names["attended_norm"], self.wide)
        made = self._bent(self._dense(x, names["inner"], self.wide, inner))
        x = w.add("Add", [x, self._dense(made, names["outer"], inner, self.wide)])
        return self._norm(x, names["outer_norm"], self.wide)

    def _bent(self, x: str) -> str:
        w = self.w
        if self.act == "relu":
            return w.add("Relu", [x])
        if self.act == "gelu":  # x times the share of a bell curve below it
            erf = w.add("Erf", [w.add("Mul", [x, self._number(1 / math.sqrt(2))])])
            return w.add("Mul", [w.add("Mul", [x, self._number(0.5)]), w.add("Add", [erf, self._number(1)])])
        if self.act in ("gelu_new", "gelu_pytorch_tanh"):
            cube = w.add("Mul", [w.add("Mul", [x, x]), w.add("Mul", [x, self._number(0.044715)])])
            inside = w.add("Mul", [w.add("Add", [x, cube]), self._number(math.sqrt(2 / math.pi))])
            tanh = w.add("Add", [w.add("Tanh", [inside]), self._number(1)])
            return w.add("Mul", [w.add("Mul", [x, self._number(0.5)]), tanh])
        raise ValueError(f'its activation is "{self.act}"')

    def _pooled(self, x: str, mask: str) -> str:
        w, pooling = self.w, str(self.options.get("pooling", "mean"))
        if pooling == "mean":
            there = w.add("Unsqueeze", [w.add("Cast", [mask], to=1), w.ints([2])])
            total = w.add("ReduceSum", [w.add("Mul", [x, there]), w.ints([1])], keepdims=0)
            count = w.add("Max", [w.add("ReduceSum", [there, w.ints([1])], keepdims=0), self._number(1)])
            x = w.add("Div", [total, count], "mean")
        elif pooling == "cls":
            x = w.add("Gather", [x, w.constant(np.array(0, np.int64), "first")], axis=1)
        else:
            raise ValueError(f'pooling is "mean" or "cls", and this is "{pooling}"')
        if not self.options.get("normalise", True):
            return x
        length = w.add("ReduceL2", [x], axes=[-1], keepdims=1)
        return w.add("Div", [x, w.add("Max", [length, self._number(1e-12)])], "unit")
