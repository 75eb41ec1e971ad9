"""The routes. Pages and files are here, what programs ask for is in api.py, the WebSocket in socket.py."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .api import Api
from .gate import COOKIE, GATE, doorkeeper

if TYPE_CHECKING:
    from .server import Stage
    from .socket import Socket

TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
MAX_BODY = 32 * 1024 * 1024
"""Bytes of an uploaded picture."""


def build(stage: Stage, socket: Socket) -> web.Application:
    app = web.Application(middlewares=[doorkeeper], client_max_size=MAX_BODY)
    app[GATE] = stage.gate
    pages = Pages(stage)
    app.router.add_get("/", pages.stage)
    app.router.add_get("/desk", pages.desk)
    app.router.add_get("/static/{path:.+}", pages.file)
    app.router.add_get("/ws", socket.handle)
    Api(stage).add_to(app.router)
    return app


class Pages:
    """The package's own files, read once. Nothing that was uploaded is ever served."""

    def __init__(self, stage: Stage) -> None:
        self._token = stage.gate.token
        self._host = stage.host
        self._root = files("pleinair.stage") / "static"
        self._files: dict[str, bytes] = {}
        self._walk(self._root, "")

    def _walk(self, folder: Any, path: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._walk(entry, f"{path}{entry.name}/")
            elif any(entry.name.endswith(ending) for ending in TYPES):
                self._files[path + entry.name] = entry.read_bytes()

    async def stage(self, request: web.Request) -> web.Response:
        return self._page("stage.html", request)

    async def desk(self, request: web.Request) -> web.Response:
        return self._page("desk.html", request)

    def _page(self, name: str, request: web.Request) -> web.Response:
        text = self._files[name].decode()
        text = text.replace("{token}", self._token).replace("{title}", html.escape(self._host.title or "Pleinair"))
        response = web.Response(text=text, content_type="text/html")
        if request.secure:
            response.set_cookie(COOKIE, self._token, httponly=True, secure=True, samesite="Strict", max_age=86_400)
        return response

    async def file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path not in self._files or path.endswith(".html"):
            raise web.HTTPNotFound
        return web.Response(body=self._files[path], content_type=TYPES[path[path.rindex(".") :]], charset=None)
