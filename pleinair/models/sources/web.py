"""`https://...`, by Python's standard library; also what `civitai:` and an npm registry without npm are read with.

A download that was cut goes on from where it stopped (RFC 9110, range requests). Only https is spoken, to wherever a
redirect leads too; credentials are sent to the host that they are meant for and to no other.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from .. import partial
from ..card import File
from ..safe.what import is_page
from . import Progress, Want, refused

TIMEOUT_S = 30.0
TRIES = 4
"""How often a cut download is taken up again when nothing more had come."""
WAIT_S = 1.0
MOST_WAIT_S = 60.0
"""How long a server that asks for patience (Retry-After) is waited for."""
REDIRECTS = 6
CHUNK = 1 << 18
MAX_ANSWER = 1 << 26
"""What is read of an answer that is no file: 64 MiB."""


class Busy(ConnectionError):
    """It answers, and not with the file: try again, after so many seconds."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


CUT = (http.client.HTTPException, TimeoutError, ConnectionError)
_HINTS = {
    401: "it wants to know who asks: {token}",
    403: "it wants to know who asks, or does not give it to you: {token}",
    404: "the card's address may be old; is there a newer card?",
    410: "the card's address may be old; is there a newer card?",
    429: "too much was asked of it: wait a while, then fetch again",
}


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Downloads one file, going on from where an earlier fetch was cut."""
    download(source, wants[0].file, report)
    return wants[:1]


def download(
    url: str, file: File, report: Progress, headers: Mapping[str, str] | None = None, *, plain: bool = False,
    token: str = "put the file into the card's folder yourself, and name it with file: in the card",
) -> None:  # fmt: skip
    """Brings a file into the store.

    headers  for the address's own host only: a redirect elsewhere does not get them
    plain    http is allowed too: an address that the user's own configuration names
    token    what to try where the server wants to know who asks
    """

    def pour(draft: partial.Draft) -> None:
        left = TRIES
        while draft.size < file.bytes:
            had = draft.size
            try:
                _more(url, draft, file, headers or {}, plain, token)
                if draft.size == had:
                    raise http.client.IncompleteRead(b"")
            except CUT as error:
                left = TRIES if draft.size > had else left - 1
                if not left:
                    raise _cut(file.name, draft.size, file.bytes, urlsplit(url).hostname, error) from None
                if draft.size == had:
                    time.sleep(max(WAIT_S, getattr(error, "seconds", 0.0)))

    partial.complete(file, pour, report)


def _more(url: str, draft: partial.Draft, file: File, headers: Mapping[str, str], plain: bool, token: str) -> None:
    """Asks for what is missing, and writes what comes."""
    ranged = {"Range": f"bytes={draft.size}-"} if draft.size else {}
    with ask(url, {**headers, **ranged}, plain=plain, what=file.name, token=token) as answer:
        if answer.status == 206:
            start, total = _range_of(answer.headers.get("Content-Range", ""))
            if start != draft.size:
                draft.restart()
                return
        else:
            total = int(n) if (n := answer.headers.get("Content-Length", "")).isdigit() else None
            draft.restart()
        packed = answer.headers.get("Content-Encoding", "identity").lower()
        if packed not in ("identity", ""):
            _unpacked(answer, packed, draft, file, url)
            return
        chunk = answer.read1(CHUNK)  # what has come, also where nothing more does
        if not draft.size and is_page(chunk):
            raise _page(file.name, url)
        if total is not None and total != file.bytes:
            raise refused(
                f"{file.name} has {total} bytes there, and the card says {file.bytes}",
                "the card or its source has changed; is there a newer card?",
                where=url,
            )
        while chunk:
            draft.write(chunk)
            chunk = answer.read1(CHUNK)


def _unpacked(answer: http.client.HTTPResponse, packed: str, draft: partial.Draft, file: File, url: str) -> None:
    """A server that packs what it was asked not to pack: taken as it is meant, from the start."""
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise refused(f"{file.name} comes packed ({packed}), which is not read here", where=url)
    draft.restart()
    tool = zlib.decompressobj(47)  # gzip or zlib, as its head says
    try:
        while chunk := tool.unconsumed_tail or answer.read1(CHUNK):
            draft.write(tool.decompress(chunk, CHUNK))
    except zlib.error:
        draft.restart()
        raise refused(f"{file.name} came packed, and damaged", where=url) from None


def _page(name: str, url: str) -> Exception:
    return refused(
        f"{name} could not be fetched: {urlsplit(url).hostname} answers with a web page",
        "open the address in a browser: it, or your network, may want you to sign in, or to accept terms",
        where=url,
    )


def _range_of(told: str) -> tuple[int, int | None]:
    """`bytes 100-199/1000` -> (100, 1000); a start of -1 where it is not so."""
    unit, _, rest = told.partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0]
    if unit != "bytes" or not start.isdigit():
        return -1, None
    return int(start), int(total) if total.isdigit() else None


def ask(
    url: str, headers: Mapping[str, str] | None = None, *, plain: bool = False, what: str = "", token: str = ""
) -> http.client.HTTPResponse:
    """The answer to a GET, redirects followed. ModelFault: there is none. ConnectionError: it broke; try again."""
    first, headers = _address(url), dict(headers or {})
    what = what or url
    for _ in range(REDIRECTS):
        there = _address(url)
        if there.scheme != "https" and not (plain and there.scheme == "http"):
            raise refused(
                f"{what} was not fetched: {there.scheme}:// is not a safe way", "an https:// address", where=url
            )
        if (there.scheme, there.netloc) != (first.scheme, first.netloc):
            headers = {k: v for k, v in headers.items() if k == "Range"}
        request = urllib.request.Request(
            url, headers={"User-Agent": "pleinair", "Accept-Encoding": "identity", **headers}
        )
        try:
            return _opener().open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                onward = error.headers.get("Location")
                if error.code in (301, 302, 303, 307, 308) and onward:
                    url = urljoin(url, onward)
                    plain = plain and there.scheme == "http"  # never from https down to http
                    continue
                if error.code == 416:  # what is here already is not part of the file there
                    headers.pop("Range", None)
                    continue
                if (patience := _patience(error)) is not None:
                    raise Busy(f"{there.hostname} answered {error.code}", patience) from None
                told = error.headers.get("Retry-After", "")
                if error.code in (429, 503) and told.isdigit():
                    raise refused(
                        f"{what} could not be fetched: {there.hostname} asks for {int(told)} s of patience",
                        "too much was asked of it, perhaps by others on your network: fetch again then",
                        where=url,
                    ) from None
                raise refused(
                    f"{what} could not be fetched: {there.hostname} answered {error.code} {error.reason}",
                    _HINTS.get(error.code, "fetch again").format(token=token),
                    where=url,
                ) from None
        except urllib.error.URLError as error:
            raise _reason(error, what, there.hostname or "") from None
    raise refused(f"{what} could not be fetched: {first.hostname} sends on and on", where=url)


def read(
    url: str, headers: Mapping[str, str] | None = None, *, plain: bool = False, what: str = "", token: str = ""
) -> bytes:
    """A short answer, whole. ModelFault where there is none."""
    host = urlsplit(url).hostname
    for left in reversed(range(TRIES)):
        try:
            with ask(url, headers, plain=plain, what=what, token=token) as answer:
                blob = answer.read(MAX_ANSWER + 1)
        except CUT as error:
            if not left:
                raise refused(f"{what or url} could not be fetched: {host} does not answer ({error})") from None
            time.sleep(WAIT_S)
            continue
        if len(blob) > MAX_ANSWER:
            raise refused(f"{what or url} could not be fetched: {host} answered without end")
        return blob
    raise AssertionError  # unreachable: the last round returns or raises


def _address(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        whole = found.hostname and found.port != 0 or found.scheme not in ("https", "http")
    except ValueError:
        whole = False
    if whole and found.username:
        raise refused(
            "a name and a password stand in the address", "leave them away: a card is passed on, and says all"
        )
    if not whole or set(url) & set(" \t\r\n"):
        raise refused(f"{url[:80]!r} is no address", "https://HOST/PATH, without spaces")
    return found


def _patience(error: urllib.error.HTTPError) -> float | None:
    """Seconds to wait before the same is asked again; None where that is of no use."""
    told = (error.headers.get("Retry-After") or "").strip()
    seconds = float(told) if told.isdigit() else None
    if error.code != 429 and error.code < 500 or (seconds or 0) > MOST_WAIT_S:
        return None
    return seconds if error.code == 429 else seconds or 0.0


def _reason(error: urllib.error.URLError, what: str, host: str) -> Exception:
    import ssl

    if isinstance(error.reason, ssl.SSLCertVerificationError):
        return refused(
            f"{what} could not be fetched: the certificate of {host} was not accepted",
            "set SSL_CERT_FILE where your network has a certificate of its own",
        )
    return ConnectionError(str(error.reason))


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nothing: `ask` looks at where a redirect leads first."""

    def redirect_request(self, *_: object) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Straight)


def _cut(name: str, have: int, total: int, host: str | None, error: Exception) -> Exception:
    why = " ".join(str(error).split())[:120] or type(error).__name__
    if isinstance(error, Busy):
        return refused(
            f"{name} could not be fetched: {why}, {TRIES} times",
            "its server is busy, or broken: wait a while, then fetch again",
            now=f"what has arrived is kept ({have / 1e6:.1f} of {total / 1e6:.1f} MB)" if have else "",
        )
    if not have:
        proxy = urllib.request.getproxies().get("https", "").rpartition("@")[2]
        return refused(
            f"{name} could not be fetched: {host} cannot be reached ({why})",
            f"is the proxy right that https_proxy names ({proxy})?"
            if proxy
            else "is there a network? Then fetch again",
            now="nothing was put into the store; what was fetched before stays",
        )
    return refused(
        f"{name} was cut after {have / 1e6:.1f} of {total / 1e6:.1f} MB ({why})",
        "fetch again: it goes on from there",
        now="what has arrived is kept",
    )
