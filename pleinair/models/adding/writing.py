"""A card's table as TOML."""

from __future__ import annotations

import json
import re
from typing import Any


def toml(table: dict[str, Any], prefix: str = "") -> str:
    """The table; what is empty in it is left out."""
    text = "".join(
        f"{_key(k)} = {_value(v)}\n"
        for k, v in table.items()
        if not isinstance(v, dict) and not _rows(v) and v not in ("", None)
    )
    for key, inner in table.items():
        at = f"{prefix}{_key(key)}"
        if isinstance(inner, dict):
            if not all(isinstance(v, dict) for v in inner.values()):
                text += f"\n[{at}]\n"
            text += toml(inner, f"{at}.")
        elif _rows(inner):
            text += "".join(f"\n[[{at}]]\n" + toml(row, f"{at}.") for row in inner)
    return text


def _rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    """JSON, which TOML reads: but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
