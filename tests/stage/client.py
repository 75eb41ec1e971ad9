"""A stranger's client, written from docs/protocol.md alone (standard library and aiohttp)."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp


class Client:
    """`async with Client(it, "screen=main") as c`: keeps what it is told; acknowledges unless told not to."""

    def __init__(self, it: Any, query: str = "screen=main", *, acknowledge: bool = True, **headers: str) -> None:
        self.url = it.url.replace("http", "ws") + "ws" + (f"?{query}" if query else "")
        self.headers = headers
        self.acknowledge = acknowledge
        self.frames: list[dict[str, Any]] = []
        self.texts: list[dict[str, Any]] = []
        self.thumbs: dict[str, int] = {}
        self.closed: tuple[int | None, str] | None = None

    async def __aenter__(self) -> Client:
        self.session = aiohttp.ClientSession()
        self.ws = await self.session.ws_connect(self.url, headers=self.headers, max_msg_size=0)
        self.task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.task.cancel()
        await self.ws.close()
        await self.session.close()

    def now(self) -> float:
        return time.monotonic() * 1e3

    async def _read(self) -> None:
        try:
            await self._listen()
        finally:
            self.closed = (self.ws.close_code, "")

    async def _listen(self) -> None:
        async for message in self.ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                said = json.loads(message.data)
                self.texts.append(said)
                if said["type"] == "clock":
                    await self.ws.send_json({"type": "clock", "n": said["n"], "at": self.now()})
            elif message.type is aiohttp.WSMsgType.BINARY:
                (length,) = struct.unpack_from("<I", message.data)
                header = json.loads(message.data[4 : 4 + length])
                if header["type"] == "thumb":
                    self.thumbs[header["stream"]] = self.thumbs.get(header["stream"], 0) + 1
                    continue
                got = self.now()
                self.frames.append({**header, "got": got, "size": len(message.data)})
                if self.acknowledge:
                    await self.painted(header["seq"], got)

    async def painted(self, seq: int, got: float) -> None:
        await self.ws.send_json({"type": "painted", "seq": seq, "got": got, "drawn": self.now(), "painted": self.now()})

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [t for t in self.texts if t["type"] == kind]

    async def send_picture(self, header: dict[str, Any], payload: bytes) -> None:
        head = json.dumps(header).encode()
        await self.ws.send_bytes(struct.pack("<I", len(head)) + head + payload)


def run(main: Any) -> None:
    """asyncio.run in a thread of its own: Playwright keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, main).result()


async def until(true: Any, seconds: float = 8.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.01)
    return found
