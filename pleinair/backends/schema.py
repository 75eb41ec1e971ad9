"""A JSON schema as a grammar (GBNF) of compact JSON: what a language model then says is read by any JSON reader.

Our own, because runtimes differ in what they make of a schema, and one that is not understood must be a sentence and
not a promise that is quietly dropped. Objects hold the properties that are named, in their order, and no others; blanks
come where `json.dumps` puts them, since small models lose themselves in blanks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

BASE = r"""
char ::= [^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])
whole ::= "-"? ("0" | [1-9] [0-9]{0,15})
value ::= "{" ("\"" char* "\": " value (", \"" char* "\": " value)*)? "}" | "[" (value (", " value)*)? "]" | plain
plain ::= "\"" char* "\"" | whole ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})? | "true" | "false" | "null"
"""
SAYS_NOTHING = {"title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions"}
MOST_NUMBERS = 1000
"""So many whole numbers between a minimum and a maximum are written out; more cannot be promised."""
DEEPEST = 32


def to_grammar(schema: Any) -> str:
    """GBNF, its first rule `root`. ValueError, with a sentence, for what is not understood; nothing is left out in
    silence."""
    rules = _Rules(schema)
    root = rules.of(schema, "root", 0)
    lines = [f"{name} ::= {body}" for name, body in rules.made.items() if name != "root"]
    return "\n".join([f"root ::= {root}", *lines]) + BASE


class _Rules:
    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.made: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def of(self, schema: Any, at: str, depth: int) -> str:
        """What stands for the schema in a rule: its own rules are made on the way."""
        if schema is True or schema == {}:
            return "value"
        if not isinstance(schema, Mapping) or depth > DEEPEST:
            raise ValueError(f"{at} is no schema" if depth <= DEEPEST else "it is nested too deep")
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]))
        if "const" in schema or "enum" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            self._only(schema, {"const", "enum", "type"}, at)
            if not isinstance(values, list) or not values:
                raise ValueError(f"{at}: enum is a list of values")
            return "(" + " | ".join(_literal(json.dumps(v, ensure_ascii=False)) for v in values) + ")"
        for key in ("anyOf", "oneOf"):
            if key in schema:
                self._only(schema, {key}, at)
                return "(" + " | ".join(self.of(s, f"{at}.{key}", depth + 1) for s in schema[key]) + ")"
        types = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else None)
        if types is None:
            self._only(schema, set(), at)
            return "value"
        types = types if isinstance(types, list) else [types]
        return "(" + " | ".join(self._typed(schema, str(t), at, depth) for t in types) + ")"

    def _typed(self, schema: Mapping[str, Any], kind: str, at: str, depth: int) -> str:
        of_kind = {
            "object": {"properties", "required", "additionalProperties"},
            "array": {"items", "minItems", "maxItems"},
            "string": {"minLength", "maxLength"},
            "integer": {"minimum", "maximum"},
            "number": set(),
            "boolean": set(),
            "null": set(),
        }
        if kind not in of_kind:
            raise ValueError(f'{at} has the type "{kind}", and JSON knows {", ".join(of_kind)}')
        several = isinstance(schema.get("type"), list)
        self._only(schema, {"type", *(set().union(*of_kind.values()) if several else of_kind[kind])}, at)
        if kind == "object":
            return self._object(schema, at, depth)
        if kind == "array":
            item = self.of(schema.get("items", True), f"{at}.items", depth + 1)
            least, most = _span(schema, "minItems", "maxItems", at)
            if most == 0:
                return '"[]"'
            rest = f'(", " {item}){{{max(0, least - 1)},{"" if most is None else most - 1}}}'
            return f'"[" {item} {rest} "]"' if least else f'"[" ({item} {rest})? "]"'
        if kind == "string":
            least, most = _span(schema, "minLength", "maxLength", at)
            return f'"\\"" char{{{least},{"" if most is None else most}}} "\\""'
        if kind == "integer":
            return self._integer(schema, at)
        if kind == "number":
            return 'whole ("." [0-9]{1,15})?'
        return '"null"' if kind == "null" else '("true" | "false")'

    def _object(self, schema: Mapping[str, Any], at: str, depth: int) -> str:
        named = schema.get("properties", {})
        if not named:
            return '"{" ("\\"" char* "\\": " value (", \\"" char* "\\": " value)*)? "}"'
        if schema.get("additionalProperties"):
            raise ValueError(f"{at}: with properties that are named, no others can be let in")
        needed = set(schema.get("required", []))
        if strange := needed - set(named):
            raise ValueError(f"{at}: {sorted(strange)[0]} is required, and is no property")
        rule = self._name(at)
        pairs = [
            f"{_literal(json.dumps(key, ensure_ascii=False) + ': ')} {self.of(s, f'{at}.{key}', depth + 1)}"
            for key, s in named.items()
        ]
        count = len(pairs)
        for n in reversed(range(count)):  # `rule-n-first`: nothing was written before; `rule-n-next`: something was
            after, begin = (f"{rule}-{n + 1}-next", f"{rule}-{n + 1}-first") if n + 1 < count else ('""', '""')
            must = list(named)[n] in needed
            self.made[f"{rule}-{n}-first"] = f"{pairs[n]} {after}" + ("" if must else f" | {begin}")
            self.made[f"{rule}-{n}-next"] = f'", " {pairs[n]} {after}' + ("" if must else f" | {after}")
        return f'"{{" {rule}-0-first "}}"'

    def _integer(self, schema: Mapping[str, Any], at: str) -> str:
        if not {"minimum", "maximum"} & set(schema):
            return "whole"
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and high is not None and 0 <= high - low <= MOST_NUMBERS:
            return "(" + " | ".join(f'"{n}"' for n in range(int(low), int(high) + 1)) + ")"
        if low == 0 and high is None:
            return '("0" | [1-9] [0-9]{0,15})'
        if low == 1 and high is None:
            return "([1-9] [0-9]{0,15})"
        raise ValueError(f"{at}: a minimum and a maximum, at most {MOST_NUMBERS} apart (or a minimum of 0 or 1 alone)")

    def _reference(self, to: str) -> str:
        if to in self._named:
            return self._named[to]
        found: Any = self.whole
        for part in to.removeprefix("#").strip("/").split("/") if to != "#" else []:
            if not isinstance(found, Mapping) or part not in found or not to.startswith("#"):
                raise ValueError(f'"$ref": "{to}" leads nowhere in this schema')
            found = found[part]
        name = self._named[to] = f"ref-{len(self._named)}"
        self.made[name] = self.of(found, name, 0)
        return name

    def _name(self, at: str) -> str:
        return "r" + str(len(self.made)) + "-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in at)[:40]

    @staticmethod
    def _only(schema: Mapping[str, Any], known: set[str], at: str) -> None:
        if strange := set(schema) - known - SAYS_NOTHING:
            raise ValueError(f"{at}: {sorted(strange)[0]} cannot be promised here")


def _span(schema: Mapping[str, Any], least: str, most: str, at: str) -> tuple[int, int | None]:
    low, high = schema.get(least, 0), schema.get(most)
    if not isinstance(low, int) or low < 0 or not (high is None or (isinstance(high, int) and high >= low)):
        raise ValueError(f"{at}: {least} and {most} are whole numbers, the smaller one first")
    return low, high


def _literal(text: str) -> str:
    """A text in a rule."""
    out = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{out}"'
