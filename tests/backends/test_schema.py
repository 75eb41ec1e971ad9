"""A JSON schema as a grammar: held against llama.cpp itself, whose tiny model says whatever the grammar lets it."""

from __future__ import annotations

import json

import pytest

from pleinair.backends.gguf import Gguf, Sampling
from pleinair.backends.schema import to_grammar
from tests.models.language import tiny

NAMED = {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "null"}, "c": {"const": 1}}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    one = Gguf(tiny.model(tmp_path_factory.mktemp("gguf") / "m.gguf", "llama"), threads=1)
    yield one
    one.close()


def said(engine, schema, count=12, most=120) -> list:
    """What it says under the schema, read as JSON; what the token limit cut short is left out."""
    found = []
    for seed in range(count):
        pieces = engine.stream(engine.tokens("abc"), Sampling(3.0, 0, 1.0, 0.0, seed=seed, schema=schema), most)
        text = b"".join(filter(None, pieces)).decode("utf-8", "replace")  # its vocabulary is of bytes
        try:
            found.append(json.loads(text))
        except ValueError:
            assert len(text) >= most // 4, text
    return found


@pytest.mark.parametrize(
    ("schema", "is_one"),
    [
        ({"type": "boolean"}, lambda v: isinstance(v, bool)),
        ({"type": ["null", "boolean"]}, lambda v: v is None or isinstance(v, bool)),
        ({"enum": ["yes", "nö", 3, None, 'a "b"\n\\']}, lambda v: v in ["yes", "nö", 3, None, 'a "b"\n\\']),
        ({"type": "integer", "minimum": -3, "maximum": 12}, lambda v: isinstance(v, int) and -3 <= v <= 12),
        ({"type": "integer", "minimum": 1}, lambda v: isinstance(v, int) and v >= 1),
        ({"type": "number"}, lambda v: isinstance(v, (int, float))),
        ({"type": "string", "minLength": 2, "maxLength": 4}, lambda v: 2 <= len(v) <= (4 if v.isascii() else 40)),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3}, lambda v: len(v) in (2, 3)),
        ({"type": "array", "items": {"const": 0}, "maxItems": 2}, lambda v: v in ([], [0], [0, 0])),
        ({"items": {"const": 0}, "minItems": 1, "maxItems": 1}, lambda v: v == [0]),
        (NAMED, lambda v: set(v) <= {"a", "b", "c"}),
        ({**NAMED, "required": ["b"]}, lambda v: "b" in v and v["b"] is None and set(v) <= {"a", "b", "c"}),
        ({**NAMED, "required": ["a", "b", "c"]}, lambda v: list(v) == ["a", "b", "c"]),
        ({"anyOf": [{"const": "x"}, {"type": "null"}]}, lambda v: v in ("x", None)),
    ],
)  # fmt: skip
def test_what_is_said_fits_the_schema(schema, is_one, engine):
    found = said(engine, schema)
    assert len(found) >= 5 and all(is_one(v) for v in found), found


def test_every_form_that_a_schema_allows_does_come(engine):
    assert {json.dumps(v) for v in said(engine, {"enum": ["a", "b", 3]}, 40)} == {'"a"', '"b"', "3"}
    assert {tuple(v) for v in said(engine, NAMED, 80)} >= {(), ("a",), ("b",), ("a", "b"), ("a", "c"), ("b", "c")}


def test_a_schema_may_mean_itself(engine):
    one = {"type": "array", "items": {"$ref": "#/$defs/node"}, "minItems": 1, "maxItems": 1}
    tree = {"$ref": "#/$defs/node", "$defs": {"node": {"anyOf": [{"const": 0}, one]}}}

    def is_tree(value) -> bool:
        return value == 0 or (isinstance(value, list) and len(value) == 1 and is_tree(value[0]))

    found = said(engine, tree, 30)
    assert all(map(is_tree, found)) and {json.dumps(v) for v in found} >= {"0", "[0]"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "nothing"}, "nothing"),
        ({"type": "string", "pattern": "a+"}, "pattern"),
        ({"type": "integer", "multipleOf": 3}, "multipleOf"),
        ({"type": "integer", "minimum": 7}, "minimum"),
        ({"allOf": [{}]}, "allOf"),
        ({"not": {}}, "not"),
        ({"enum": []}, "enum"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "minItems"),
        ({**NAMED, "required": ["z"]}, "z is required"),
        ({**NAMED, "additionalProperties": True}, "no others"),
        ({"$ref": "#/$defs/none"}, "nowhere"),
        ({"$ref": "https://example.org/x"}, "nowhere"),
        ([1], "no schema"),
    ],
)
def test_what_is_not_understood_is_said_and_not_dropped(schema, why):
    with pytest.raises(ValueError, match=why):
        to_grammar(schema)


def test_a_schema_without_end_is_refused():
    schema: dict = {"type": "null"}
    for _ in range(60):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ValueError, match="deep"):
        to_grammar(schema)
