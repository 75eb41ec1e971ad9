"""`civitai:VERSION_ID`: the file of that model version whose sha256 is the card's.

Its API (developer.civitai.com) is asked what the version holds. A key for files that only members get is read from
CIVITAI_API_TOKEN, and sent to the service's own host only. CIVITAI_URL names another address of the service.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import urlsplit

from . import Progress, Want, parsed, refused, web

URL = "https://civitai.com"
_SOURCE = re.compile(r"civitai:(\d{1,12})")
_TOKEN = "make an API key in your account there, and set CIVITAI_API_TOKEN to it"


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Downloads the one file of the version that the card means."""
    (version,) = parsed(_SOURCE, source, "civitai:VERSION_ID, the number behind modelVersionId= in the address")
    file = wants[0].file
    base = os.environ.get("CIVITAI_URL", URL).rstrip("/")
    plain = base.startswith("http://")
    token = os.environ.get("CIVITAI_API_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = web.read(f"{base}/api/v1/model-versions/{version}", headers, plain=plain, what=file.name, token=_TOKEN)
    url = _address(answer, version, file.sha256, wants[0].card.name)
    if urlsplit(url)[:2] != urlsplit(base)[:2]:
        headers = {}
    web.download(url, file, report, headers, plain=plain, token=_TOKEN)
    return wants[:1]


def _address(answer: bytes, version: str, sha256: str, card: str) -> str:
    """Where the file with that hash is to be had."""
    try:
        files: list[dict[str, Any]] = json.loads(answer)["files"]
        hashes = {str(f["hashes"]["SHA256"]).lower(): str(f["downloadUrl"]) for f in files if "SHA256" in f["hashes"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise refused(f"what Civitai says about version {version} cannot be read") from None
    if sha256 not in hashes:
        names = ", ".join(str(f.get("name")) for f in files[:6]) or "nothing"
        raise refused(
            f"{card}: version {version} holds another file than the card means ({names})",
            "the version was changed, or the card has another one's number",
        )
    return hashes[sha256]
