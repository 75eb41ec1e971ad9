"""piece.toml, site.toml and piece.lock: the only place that reads them.

piece.toml travels with the work and a person writes it. site.toml belongs to the venue and lies over it. piece.lock is
the machine's: what was found and decided, so that it is never decided again by chance.
"""

from .document import text_of
from .lock import Lock, dumps, environment, isa
from .reading import MODEL_KEYS, beside, parse, read
from .specs import KINDS_OF_OPERATOR, USES, Manifest, ModelSpec, Operator, SourceSpec

__all__ = [
    "KINDS_OF_OPERATOR",
    "MODEL_KEYS",
    "USES",
    "Lock",
    "Manifest",
    "ModelSpec",
    "Operator",
    "SourceSpec",
    "beside",
    "dumps",
    "environment",
    "isa",
    "parse",
    "read",
    "text_of",
]
