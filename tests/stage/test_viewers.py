"""A viewer may be slow, silent, wild or gone: the piece and the other viewers do not notice."""

import asyncio
import socket
import struct
from statistics import median

import aiohttp
import pytest

from .client import Client, run, until
from .fakes import Numbered, staged


@pytest.fixture
def show(stage):
    pictures = Numbered(stage.host, fps=30)
    yield stage
    pictures.close()


def test_a_stranger_gets_frames_with_their_papers(show):
    async def main():
        async with Client(show) as client:
            await until(lambda: len(client.frames) >= 40)
        hello, frame = client.said("hello")[0], client.frames[-1]
        assert (hello["version"], hello["title"], hello["screens"]) == (1, "Mirror", {"main": "draw"})
        assert (frame["screen"], frame["stream"], frame["codec"], frame["width"]) == ("main", "draw", "jpeg", 320)
        assert [span[0] for span in frame["trace"]] == ["camera", "painting", "draw"]
        assert frame["t_ns"] <= frame["published_ns"]
        assert frame["encode_ns"] > 0
        seqs = [f["seq"] for f in client.frames]
        assert seqs == sorted(set(seqs))
        glass = show.stage.glass()
        assert 0 < glass["p50"] <= glass["p95"] <= glass["p99"] <= glass["max"] < 500

    run(main())


def test_the_page_is_told_its_offset_to_the_pieces_clock(show):
    async def main():
        async with Client(show) as client:
            told = await until(lambda: [c for c in client.said("clock") if "offset_ms" in c][-1:])
            content_ms = client.now() + told[0]["offset_ms"]
            assert abs(content_ms - show.host.now_ns() / 1e6) < 5

    run(main())


def test_a_frame_is_not_sent_without_credit(show):
    async def main():
        async with Client(show, acknowledge=False) as still, Client(show) as quick:
            await until(lambda: len(quick.frames) >= 20)
            assert len(still.frames) == 1
            await still.painted(still.frames[0]["seq"], still.frames[0]["got"])
            await until(lambda: len(still.frames) == 2)
            assert still.frames[1]["seq"] >= quick.frames[-1]["seq"] - 2  # the newest, not the next

    run(main())


def test_a_rate_is_kept(show):
    async def main():
        async with Client(show, "screen=main&rate=5") as slow, Client(show) as quick:
            await until(lambda: len(quick.frames) >= 60)
            assert 6 <= len(slow.frames) <= 13

    run(main())


async def _deaf(show):
    """Asks for pictures over a raw socket and never reads a byte."""
    host, port = "127.0.0.1", int(show.url.rsplit(":", 1)[1].strip("/"))
    deaf = socket.create_connection((host, port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.sendall(
        f"GET /ws?screen=main&desk=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return deaf


async def _flood(show):
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(show.url + "ws?screen=main") as ws:
            while not ws.closed:
                await ws.send_str('{"type": "knob", "name": "strength", "value": 0.5}')
    except (aiohttp.ClientError, ConnectionError):
        pass


JUNK = [
    b"",
    b"\xff" * 100,
    struct.pack("<I", 2**31),
    "not json",
    "[]",
    '{"type": "?"}',
    '{"type": "painted", "seq": "x"}',
    '{"type": "painted", "seq": 99999999}',
    '{"type": "knob"}',
    '{"type": "clock", "n": 1e400, "at": 1}',
    '{"type": "clock", "n": 1, "at": NaN}',
    '{"type": "knob", "name": "strength", "value": 1e400}',
    '{"value":' * 2000,
    struct.pack("<I", 60) + b'{"type": "camera", "input": "camera", "n": 1, "codec": "raw"}'[:60],
]


async def _junk(show):
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(show.url + "ws?screen=main") as ws:
            for n in range(400):
                junk = JUNK[n % len(JUNK)]
                await (ws.send_bytes(junk) if isinstance(junk, bytes) else ws.send_str(junk))
                await asyncio.sleep(0.01)
    except (aiohttp.ClientError, ConnectionError):
        pass


def test_slow_flooding_and_junk_viewers_disturb_nobody(show):
    async def main():
        async with Client(show) as good:
            await until(lambda: len(good.frames) >= 30)
            calm = good.frames[-1]["seq"] - good.frames[0]["seq"] + 1 - len(good.frames)
            deaf = [await _deaf(show) for _ in range(3)]
            wild = [asyncio.create_task(_flood(show)), asyncio.create_task(_junk(show))]
            from_here = len(good.frames)
            await asyncio.wait_for(asyncio.gather(*wild), 12)
            await until(lambda: len(good.frames) >= from_here + 60)
            frames = good.frames[from_here:]
            gone = frames[-1]["seq"] - frames[0]["seq"] + 1 - len(frames)
            assert calm <= 6
            assert gone <= max(6, len(frames) // 5), (gone, len(frames))
            gaps = sorted(b["got"] - a["got"] for a, b in zip(frames, frames[1:], strict=False))
            assert 25 < median(gaps) < 45
            for each in deaf:
                each.close()
        await until(lambda: show.stage.turned_away >= 2)  # the flood and the junk were shown out, and counted

    run(main())


def test_whoever_does_not_read_is_shown_out(show, monkeypatch):
    monkeypatch.setattr("pleinair.stage.viewer.STALLED_S", 0.5)

    async def main():
        deaf = await _deaf(show)
        await until(lambda: len(show.stage.viewers) == 1)
        viewer = show.stage.viewers[0]
        for n in range(200):  # a desk's figures, faster than they would come
            show.stage._loop.call_soon_threadsafe(viewer.post, "x" * 60_000, f"{n % 100}")
        await until(lambda: not show.stage.viewers)
        assert "read" in viewer.closed_because
        deaf.close()

    run(main())


@pytest.mark.parametrize(
    "query", ["screen=nowhere", "v=2", "rate=x", "rate=1e400", "rate=0", "camera=camera", "screen=" + "x" * 900]
)
def test_a_wrong_address_is_refused_with_a_sentence(show, query):
    async def main():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{show.url}ws?{query}")
            assert caught.value.status == 400

    run(main())


def test_there_is_room_for_so_many_and_the_next_is_told(show, monkeypatch):
    monkeypatch.setattr("pleinair.stage.socket.MAX_VIEWERS", 3)

    async def main():
        async with Client(show), Client(show), Client(show), aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(show.url + "ws")
            assert caught.value.status == 503

    run(main())


def test_a_message_larger_than_allowed_ends_the_connection(show):
    async def main():
        async with Client(show) as client:
            await client.ws.send_bytes(b"\0" * 200_000)
            await until(lambda: client.closed)
            assert client.closed[0] in (1009, 1006, None)  # not 1009 where the rest of it was still on its way

    run(main())


def test_knobs_go_both_ways_and_a_refusal_comes_back_with_the_value(stage):
    async def main():
        async with Client(stage, "desk=1") as one, Client(stage, "desk=1") as other:
            await until(lambda: one.said("piece") and other.said("piece"))
            await one.ws.send_json({"type": "knob", "name": "strength", "value": 0.3})
            await until(lambda: [k for k in other.said("knob") if k["name"] == "strength" and k["value"] == 0.3])
            await one.ws.send_json({"type": "knob", "name": "styles", "value": 0.5, "index": 7})
            await until(lambda: [k for k in other.said("knob") if k["name"] == "styles" and k["value"][7] == 0.5])
            await one.ws.send_json({"type": "knob", "name": "strength", "value": "loud"})
            refused = (await until(lambda: one.said("refused")))[0]
            assert (refused["name"], refused["value"]) == ("strength", 0.3)
            assert "is a number" in refused["what"]
            await one.ws.send_json({"type": "knob", "name": "strenght", "value": 1})
            await until(lambda: "did you mean" in one.said("refused")[-1]["what"])
        assert stage.host.value("strength") == 0.3

    run(main())


def test_a_desk_is_told_everything_and_thumbs_come_at_five_a_second(show):
    from pleinair.core.errors import Fault

    async def main():
        async with Client(show, "desk=1&screen=main&rate=15") as desk:
            await until(lambda: desk.said("report") and desk.said("age") and desk.said("streams"))
            show.stage.on_fault("draw", Fault("draw stopped", where="piece.py, line 7", now="held", hint="look"), 2)
            fault = (await until(lambda: [f for m in desk.said("faults") for f in m["faults"]]))[0]
            assert (fault["what"], fault["count"], fault["node"]) == ("draw stopped", 2, "draw")
            before = dict(desk.thumbs)
            await asyncio.sleep(1.0)
            rate = desk.thumbs["draw"] - before["draw"]
            assert 3 <= rate <= 6
            point = [p for p in desk.said("age") if "age" in p][-1]
            assert abs(sum(point["parts"]) - point["age"]) < 15
            piece = desk.said("piece")[0]
            assert piece["budget_ms"] == 100
            assert [m["name"] for m in piece["models"]] == ["painting"]

    run(main())


def test_nothing_is_made_for_desks_that_are_not_open(show):
    async def main():
        async with Client(show) as viewer:
            await until(lambda: len(viewer.frames) > 30)
        assert not viewer.thumbs
        assert {t["type"] for t in viewer.texts} == {"hello", "clock"}

    run(main())


def test_a_changed_piece_is_announced(show):
    async def main():
        async with Client(show, "desk=1") as desk, Client(show) as viewer:
            await until(lambda: desk.said("piece") and viewer.said("hello"))
            show.host.title = "Second"
            show.stage.on_start(show.host.graph, None)
            await until(
                lambda: desk.said("piece")[-1]["title"] == "Second" and viewer.said("hello")[-1]["title"] == "Second"
            )

    run(main())


def test_several_screens_show_their_own_streams(tmp_path):
    it = staged(tmp_path)
    it.host.graph.screens["left"] = "camera"
    it.stage.on_start(it.host.graph, None)
    pictures = Numbered(it.host)

    async def main():
        async with Client(it) as main_screen, Client(it, "screen=left") as left:
            await until(lambda: len(main_screen.frames) > 5 and len(left.frames) > 5)
            assert {f["stream"] for f in main_screen.frames} == {"draw"}
            assert {f["stream"] for f in left.frames} == {"camera"}

    run(main())
    pictures.close()
    it.stage.stop()
