"""`hf:OWNER/NAME@COMMIT/PATH`, through `huggingface_hub`: its own address, token, proxies and mirror (HF_ENDPOINT).

The client asks for the file's papers and downloads it; what has arrived is kept here rather than in its cache, so that
a cut download goes on from where it stopped. It is told to report nothing about itself.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import ModelFault
from .. import partial
from . import Progress, Want, parsed, refused

_SOURCE = re.compile(r"hf:([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@([^/@]+)/((?!.*\.\.).+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Downloads one file of a repository at one commit."""
    repository, revision, path = parsed(_SOURCE, source, "hf:OWNER/NAME@COMMIT/PATH/IN/THE/REPOSITORY")
    if not _COMMIT.fullmatch(revision):
        raise refused(
            f'"{revision}" is a name that moves: {repository} is to be pinned to one commit',
            "40 hex digits: on the model's page, under Files, History",
        )
    hub = _client()
    from huggingface_hub.utils import build_hf_headers

    file = wants[0].file
    url = hub.hf_hub_url(repository, path, revision=revision)
    headers = build_hf_headers(library_name="pleinair")
    try:
        about = hub.get_hf_file_metadata(url, headers=headers)
        if about.size not in (None, file.bytes) and about.commit_hash is None:
            raise refused(
                f"{file.name} could not be fetched: what answers is no hub",
                "is HF_ENDPOINT right? Or does your network want you to sign in first?",
                where=url,
            )
        if about.size is not None and about.size != file.bytes:
            raise refused(
                f"{file.name} has {about.size} bytes there, and the card says {file.bytes}",
                "the card and the repository do not belong together",
                where=source,
            )
        if urlsplit(about.location).netloc != urlsplit(url).netloc:
            headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}

        def pour(draft: partial.Draft) -> None:
            from huggingface_hub.file_download import http_get

            had = -1
            while had < draft.size < file.bytes:  # older clients give up at the first cut
                had = draft.size
                try:
                    http_get(about.location, draft, resume_size=had, headers=headers, expected_size=file.bytes)  # type: ignore[arg-type]
                except Exception:
                    if draft.size <= had:
                        raise

        partial.complete(file, pour, report)
    except ModelFault:
        raise
    except Exception as error:  # the client's own, its HTTP library's, and the system's
        raise _said(error, repository, revision, path, file.name) from None
    return wants[:1]


def _client() -> Any:
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError:
        raise ModelFault(
            "hf: sources need huggingface_hub, which is not installed",
            now="nothing was changed",
            hint='pip install "pleinair[hub]"',
        ) from None
    huggingface_hub.logging.set_verbosity(logging.CRITICAL)  # its warnings would be written into our bars
    constants.HF_HUB_DISABLE_TELEMETRY = True  # also where something else imported it before
    return huggingface_hub


def _said(error: Exception, repository: str, revision: str, path: str, name: str) -> ModelFault:
    """The client's answer as a sentence."""
    kind = {base.__name__ for base in type(error).__mro__}
    if "GatedRepoError" in kind:
        return refused(
            f"{repository} is given only to those who accept its terms",
            "accept them on its page there; then: hf auth login",
        )
    if "RepositoryNotFoundError" in kind:
        return refused(f"there is no {repository} on the hub, or it is private", "if it is yours: hf auth login")
    if "RevisionNotFoundError" in kind:
        return refused(
            f"{repository} has no commit {revision[:12]}...", "it may have been rewritten; is there a newer card?"
        )
    if kind & {"EntryNotFoundError", "RemoteEntryNotFoundError"}:
        return refused(f"{repository} holds no {path} at {revision[:12]}...", "check the card")
    if kind & {"OfflineModeIsEnabled"}:
        return refused(f"{name} could not be fetched: the hub is switched off", "unset HF_HUB_OFFLINE")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if "certificate" in str(error).lower():
        return refused(
            f"{name} could not be fetched from the hub: its certificate was not accepted",
            "set SSL_CERT_FILE where your network has a certificate of its own",
        )
    if status == 429 or (status or 0) >= 500:
        return refused(
            f"{name} could not be fetched from the hub: it answered {status}",
            "it is busy, or broken: wait a while, then fetch again. hf auth login may give you more"
            if status == 429
            else "it is busy, or broken: wait a while, then fetch again",
            now="nothing was put into the store; what was fetched before stays",
        )
    why = f"it answered {status}" if status else (str(error).strip() or type(error).__name__).splitlines()[0][:120]
    return refused(
        f"{name} could not be fetched from the hub: {why}",
        "is there a network? hf env shows which hub is asked. Then fetch again: it goes on from where it stopped",
        now="nothing was put into the store; what was fetched before stays",
    )
