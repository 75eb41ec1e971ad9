"""Who may ask what. A page elsewhere may ask nothing; a page of ours changes things with the token it was served with.

The rules, in order (docs/protocol.md, "Who may ask"):

1. Host is exactly one of ours, port included. This shuts DNS rebinding out.
2. Sec-Fetch-Site, where a browser sends it, is `same-origin` or `none`.
3. Origin, where there is one, is exactly our scheme and the request's own Host. `null` is refused.
4. Every change and every WebSocket from a browser (Origin or Sec-Fetch-Site is there) brings the token. A program on
   this machine sends neither and needs none. Beyond the loopback everything but the page's own files needs the token.
"""

from __future__ import annotations

import hmac
import json
import math
import secrets
from typing import Any

from aiohttp import web

from ..core.errors import Fault

TOKEN_HEADER = "X-Pleinair-Token"
COOKIE = "pleinair"
METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), midi=(self), screen-wake-lock=(self), fullscreen=(self), "
    "geolocation=(), payment=(), usb=(), serial=()",
    "Cache-Control": "no-store",
    "Server": "pleinair",
}


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Refused(Exception):
    """A request that the gate does not let in."""

    def __init__(self, status: int, fault: Fault) -> None:
        super().__init__(fault.what)
        self.status = status
        self.fault = fault


class Gate:
    """`doors`: each listening address's (scheme, host) -> whether it is the loopback."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.refused = 0
        self._hosts: dict[tuple[str, str], bool] = {}

    def open(self, scheme: str, host: str, port: int, *, loopback: bool) -> None:
        """Lets requests for this host in. An address of version 6 comes with its brackets."""
        self._hosts[scheme, f"{host}:{port}".lower()] = loopback
        if port == {"http": 80, "https": 443}[scheme]:
            self._hosts[scheme, host.lower()] = loopback

    def check(self, request: web.Request) -> None:
        """Raises Refused."""
        headers = request.headers
        if request.method not in METHODS:
            raise self._no(405, f"{request.method} is not understood here", "GET, PUT, POST and DELETE are")
        hosts = headers.getall("Host", [])
        scheme = "https" if request.secure else "http"
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if (scheme, host) not in self._hosts:
            named = f'"{hosts[0][:60]}"' if len(hosts) == 1 else f"{len(hosts)} Host headers"
            raise self._no(421, f"this stage does not answer to {named}", "use the address that `pleinair run` printed")
        site = headers.getall("Sec-Fetch-Site", [])
        if any(s not in ("same-origin", "none") for s in site):
            raise self._no(403, "a page elsewhere asked for this", "open the stage's own address by hand")
        origins = headers.getall("Origin", [])
        if any(o != f"{scheme}://{host}" for o in origins):
            raise self._no(403, f'a page of "{origins[0][:60]}" asked for this', "only the stage's own pages may ask")
        loopback = self._hosts[scheme, host] and _from_loopback(request)
        change = request.method not in ("GET", "HEAD") or "Upgrade" in headers
        browser = bool(origins or site)
        if (change and (browser or not loopback)) or (not loopback and not request.path.startswith("/static/")):
            self._ask_token(request, change)

    def _ask_token(self, request: web.Request, change: bool) -> None:
        said = request.headers.get(TOKEN_HEADER) or request.query.get("token") or ""
        if not said and not change:  # a cookie is for looking only: a browser sends it unasked
            said = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(said.encode("utf-8", "replace"), self.token.encode()):
            raise self._no(403, "the token is missing or wrong", "reload the page; from a phone, scan the code again")

    def _no(self, status: int, what: str, hint: str) -> Refused:
        self.refused += 1
        return Refused(status, Fault(what, where="the stage", now="nothing was changed", hint=hint))


GATE = web.AppKey("gate", Gate)


def _from_loopback(request: web.Request) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    host = peer[0] if peer else ""
    return host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1")


def sound(value: Any) -> Any:
    """What JSON can hold: NaN and infinity become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): sound(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [sound(v) for v in value]
    if hasattr(value, "tolist"):
        return sound(value.tolist())
    if isinstance(value, Fault):
        return value.as_dict()
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def answer(body: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(text=json.dumps(sound(body)), status=status, content_type="application/json")


@web.middleware
async def doorkeeper(request: web.Request, handler: Any) -> web.StreamResponse:
    """Every request passes here; whatever goes wrong becomes four strings in JSON."""
    try:
        request.app[GATE].check(request)
        response = await handler(request)
    except Refused as no:
        response = answer(no.fault.as_dict(), no.status)
    except Fault as fault:
        response = answer(fault.as_dict(), 409)
    except ValueError as error:
        response = answer(Fault(str(error), where="the stage", now="nothing was changed").as_dict(), 400)
    except web.HTTPException as error:
        known = {404: f"there is nothing at {request.path[:80]}", 413: "that is too large"}
        what = known.get(error.status, error.reason)
        response = answer(Fault(what, where="the stage", now="nothing was changed").as_dict(), error.status)
    except Exception as error:  # a mistake of ours: the stage stays up, and says so
        what = f"the stage stumbled over this: {type(error).__name__}: {error}"
        response = answer(Fault(what, where=request.path[:80], now="the piece keeps running").as_dict(), 500)
    if not response.prepared:
        response.headers.update({k: v for k, v in HEADERS.items() if k not in response.headers})
    return response
